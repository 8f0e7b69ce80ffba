import { isObject, type Json, type JsonObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { contentAttributes } from './content.ts';
import { spanKeys } from './conventions.ts';
import { readSpan, traceIdOf } from './otlp.ts';
import type { AssessmentRow, OwnedEntry, SpanRow, TraceReader, TraceRow, UseRow } from './store.ts';

/** A trace as a prediction: its steps, parameters and what was said about it. */
export interface TracePrediction {
  readonly attributes: JsonObject;
  readonly uses: readonly UseRow[];
  /** Ids of the traces that its spans link to. */
  readonly parents: readonly string[];
}

/** Parameters of a call of a model, by the names of the GenAI conventions and of providers' APIs. */
const parameterNames = new Set([
  'temperature',
  'top_p',
  'top_k',
  'max_tokens',
  'max_completion_tokens',
  'seed',
  'stop',
  'stop_sequences',
  'frequency_penalty',
  'presence_penalty',
  'reasoning_effort',
  'choice.count',
  'n',
]);
const modelTypes = new Set(['LLM', 'CHAT_MODEL', 'EMBEDDING']);

/** The settings that a span of a model was called with. */
function parametersOf(attributes: Readonly<Record<string, Json>>): Record<string, Json> {
  const found: Record<string, Json> = {};
  const take = (name: string, value: Json | undefined): void => {
    if (value !== undefined && value !== null && parameterNames.has(name)) found[name] = value;
  };
  for (const source of [
    attributes[spanKeys.inputs],
    attributes['mlflow.invocation_params'],
    attributes['llm.invocation_parameters'],
  ]) {
    if (!isObject(source)) continue;
    // Attributes are JSON.
    for (const [name, value] of Object.entries(source)) take(name, value as Json);
  }
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('gen_ai.request.')) take(key.slice('gen_ai.request.'.length), value);
  }
  return found;
}

function stepOf({ id, parent, name, type, status, startUs, endUs, model }: SpanRow): JsonObject {
  return {
    span: id,
    ...(parent === undefined ? {} : { parent }),
    name,
    ...(type === undefined ? {} : { type }),
    status,
    ...(endUs === undefined ? {} : { durationMs: (endUs - startUs) / 1000 }),
    ...(model === undefined ? {} : { model }),
  };
}

function said(assessment: AssessmentRow): JsonObject {
  const { name, type, sourceType, sourceId, rationale, valid } = assessment;
  return {
    name,
    type,
    // Written by the projection as JSON.
    value: JSON.parse(assessment.value) as Json,
    source: sourceType,
    ...(sourceId === undefined ? {} : { by: sourceId }),
    ...(rationale === undefined ? {} : { rationale }),
    ...(valid ? {} : { valid }),
  };
}

function parse(text: string | null): Json | undefined {
  // Written by the projection as JSON.
  return text === null ? undefined : (JSON.parse(text) as Json);
}

function known(members: Readonly<Record<string, Json | undefined | null>>): JsonObject {
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) =>
      value === undefined || value === null ? [] : [[name, value]],
    ),
  );
}

function byKey(entries: readonly OwnedEntry[]): JsonObject {
  return Object.fromEntries(entries.map(({ key, value }) => [key, value]));
}

/** Reads a trace as a prediction; what was erased is missing. */
export async function readTracePrediction(
  row: TraceRow,
  traces: TraceReader,
): Promise<TracePrediction> {
  const keys = [row.key];
  const spans = await traces.spans(keys);
  const uses = await traces.uses(keys);
  const assessments = await traces.assessments(keys);
  const contents = (await traces.contents(keys)).flatMap(({ span }) => readSpan(span) ?? []);
  const parameters: Record<string, Json> = {};
  for (const span of contents) {
    const attributes = contentAttributes(span);
    const type = attributes[spanKeys.type];
    if (typeof type === 'string' && modelTypes.has(type))
      Object.assign(parameters, parametersOf(attributes));
  }
  const links = contents.flatMap(({ links: each = [] }) =>
    each.map(({ traceId }) => traceIdOf(traceId)),
  );
  const steps = spans.slice(0, limits.shownStepsMax).map(stepOf);
  const unknown = uses.filter((use) => use.unknown).map(({ ref }) => ref);
  const attributes = known({
    trace: true,
    name: row.name ?? row.rootName,
    status: row.status,
    experiment: row.experiment,
    session: row.session,
    durationMs: row.durationMs,
    request: row.request,
    response: row.response,
    parameters: Object.keys(parameters).length === 0 ? undefined : parameters,
    tokens: parse(row.usage),
    cost: parse(row.cost),
    steps,
    moreSteps: spans.length > steps.length ? spans.length - steps.length : undefined,
    assessments: assessments.length === 0 ? undefined : assessments.map(said),
    tags: byKey(await traces.tags(keys)),
    metadata: byKey(await traces.metadata(keys)),
    unknown: unknown.length === 0 ? undefined : unknown,
    deletedTime: row.deletedTime === null ? undefined : new Date(row.deletedTime).toISOString(),
  });
  return { attributes, uses, parents: [...new Set(links)].filter((id) => id !== row.id) };
}
