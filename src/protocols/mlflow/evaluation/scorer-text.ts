import { isObject } from '../../../base/json.ts';
import { doesNotExist, invalidParameter } from '../errors.ts';
import { pythonType } from '../wire.ts';

/**
 * What MLflow checks of a serialized scorer. Nothing here runs one, but clients that load it would.
 * Source: mlflow/server/handlers.py (_validate_serialized_scorer_payload), mlflow/utils/validation.py,
 * mlflow/genai/scorers/scorer_utils.py.
 */

const decoratorRefused =
  "Custom scorer registration (using @scorer decorator) is disabled by default outside of Databricks tracking environments due to security concerns. Custom scorers require arbitrary code execution during deserialization.\n\nTo use custom scorers:\n1. Configure MLflow to use a Databricks tracking URI, or\n2. Manage your custom scorer code in a source code repository (e.g., GitHub) and import it directly, or\n3. On a self-managed MLflow server (or local environment) that you trust to run the scorer's code, set the MLFLOW_SERVER_ENABLE_CUSTOM_SCORERS environment variable to true, or\n4. Use built-in scorers or make_judge() scorers instead.";

/** Code in a scorer would run in the clients that load it: refused at any depth, as MLflow does. */
function holdsCode(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsCode);
  if (!isObject(value)) return false;
  return (value.call_source ?? null) !== null || Object.values(value).some(holdsCode);
}

/** Options that choose where a scorer's client sends its requests. */
const destinationKeys = ['api_base', 'base_url', 'custom_llm_provider', 'fallbacks', 'model_list'];

function destinationsIn(value: unknown): string[] {
  if (Array.isArray(value)) {
    const pair = value.length === 2 && destinationKeys.includes(String(value[0]));
    return [...(pair ? [String(value[0])] : []), ...value.flatMap(destinationsIn)];
  }
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => [
    ...(destinationKeys.includes(key) ? [key] : []),
    ...destinationsIn(item),
  ]);
}

function checkOptions(kwargs: unknown): void {
  if (!isObject(kwargs)) {
    throw invalidParameter(
      `third_party_scorer_data.kwargs must be a JSON object, got ${pythonType(kwargs)}.`,
    );
  }
  const found = [...new Set(destinationsIn(kwargs))].sort();
  if (found.length === 0) return;
  throw invalidParameter(
    `third_party_scorer_data.kwargs must not contain ${found.map((key) => `'${key}'`).join(', ')}: these options choose where the scorer's LLM client sends requests. Configure the judge endpoint on the server instead, for example through a gateway endpoint ('gateway:/<name>') or the provider's environment variables.`,
  );
}

/** Scorers of other libraries, at any depth, may not say where requests go. */
function checkThirdParties(value: unknown): void {
  if (Array.isArray(value)) for (const item of value) checkThirdParties(item);
  if (!isObject(value)) return;
  const data = value.third_party_scorer_data;
  if (isObject(data) && (data.kwargs ?? null) !== null) checkOptions(data.kwargs);
  for (const item of Object.values(value)) checkThirdParties(item);
}

/** The model that a scorer asks, wherever its kind keeps it. */
export function modelOf(scorer: Readonly<Record<string, unknown>>): unknown {
  for (const part of ['instructions_judge_pydantic_data', 'builtin_scorer_pydantic_data']) {
    const data = scorer[part];
    if (isObject(data)) return data.model;
  }
  const memory = scorer.memory_augmented_judge_data;
  if (isObject(memory)) return isObject(memory.base_judge) ? modelOf(memory.base_judge) : undefined;
  const other = scorer.third_party_scorer_data;
  return isObject(other) ? other.model : undefined;
}

/** True for a model that is asked through a gateway. */
export const isGateway = (model: unknown): boolean =>
  typeof model === 'string' && model.startsWith('gateway:/');

/** Reads and checks a scorer as the client serialized it. @throws invalid_message with MLflow's text. */
export function readScorer(serialized: string): Record<string, unknown> {
  let scorer: unknown;
  try {
    scorer = JSON.parse(serialized);
  } catch {
    throw invalidParameter('serialized_scorer must be valid JSON');
  }
  if (holdsCode(scorer)) throw invalidParameter(decoratorRefused);
  checkThirdParties(scorer);
  if (!isObject(scorer)) throw invalidParameter('serialized_scorer must be a JSON object');
  return scorer;
}

/**
 * Checks the model of a scorer. There is no gateway here, so no endpoint of one is found.
 * @throws invalid_message, not_found with MLflow's text.
 */
export function checkModel(scorer: Readonly<Record<string, unknown>>): void {
  const model = modelOf(scorer) ?? null;
  if (model === null) return;
  if (typeof model !== 'string')
    throw invalidParameter(`Scorer model must be a string, got ${pythonType(model)}.`);
  if (model.trim() === '') {
    throw invalidParameter('Scorer model cannot be empty or contain only whitespace.');
  }
  if (isGateway(model)) {
    throw doesNotExist(`GatewayEndpoint not found (name='${model.slice('gateway:/'.length)}')`);
  }
}
