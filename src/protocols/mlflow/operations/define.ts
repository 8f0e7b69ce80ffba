import type { JsonObject } from '../../../base/json.ts';
import type { DecideContext, Operation, Tokenise } from '../../../door/index.ts';
import type { Fact, FactContext } from '../../../facts/facts.ts';
import type { KeyValue } from '../../../facts/tracking-facts.ts';
import type { ExperimentRow, RunHead, RunRow } from '../../../tracking/index.ts';
import { doesNotExist, invalidParameter } from '../errors.ts';
import { checkExperimentId } from '../validate.ts';

/** What a message comes to: something decided, or nothing new. */
export type Outcome<Answer, Decided> =
  | { readonly decided: Decided; readonly answer: Answer }
  | { readonly unchanged: Answer };

interface Definition<Sent, Answer, Decided extends JsonObject> {
  /** Endpoint, as ledger entries name the operation. */
  readonly operation: string;
  readonly persons?: (body: Sent, tokenise: Tokenise) => Sent;
  decide(body: Sent, context: DecideContext): Promise<Outcome<Answer, Decided>>;
  facts(message: Sent, decided: Decided, context: FactContext): readonly Fact[];
}

/** An operation of MLflow's tracking API whose `facts` sees what its own `decide` decided. */
export function trackingOperation<Sent, Answer, Decided extends JsonObject>(
  definition: Definition<Sent, Answer, Decided>,
): Operation<Sent, Answer> {
  return {
    protocol: 'mlflow',
    operation: definition.operation,
    ...(definition.persons === undefined ? {} : { persons: definition.persons }),
    async decide(body, context) {
      const outcome = await definition.decide(body, context);
      return 'unchanged' in outcome
        ? { outcome: 'unchanged', answer: outcome.unchanged }
        : { outcome: 'accepted', decided: outcome.decided, answer: outcome.answer };
    },
    translate({ message, decided }, context) {
      // Stored by this operation's own `decide`, and JSON gives back what it was given.
      return { facts: definition.facts(message, decided as Decided, context), warnings: [] };
    },
  };
}

/** The tag whose value is a person. */
export const userTag = 'mlflow.user';

interface Tag {
  readonly key: string;
  readonly value?: string;
}

/** Tags with the person among them replaced; the same list when there is none. */
export function tokeniseTags<T extends Tag>(
  tags: readonly T[] | undefined,
  tokenise: Tokenise,
): readonly T[] | undefined {
  if (tags?.some(({ key, value }) => key === userTag && value !== undefined) !== true) return tags;
  return tags.map((tag) =>
    tag.key === userTag && tag.value !== undefined ? { ...tag, value: tokenise(tag.value) } : tag,
  );
}

/** Tags by key; the last one of a key wins. */
export function tagMap(tags: readonly Tag[] | undefined): Record<string, string> {
  return Object.fromEntries((tags ?? []).map(({ key, value }) => [key, value ?? '']));
}

/** The same tags with each key once. */
export function uniqueTags(tags: readonly Tag[] | undefined): KeyValue[] {
  return Object.entries(tagMap(tags)).map(([key, value]) => ({ key, value }));
}

/** @throws not_found with MLflow's text. */
export async function getExperiment(
  id: string,
  { state, workspace }: DecideContext,
): Promise<ExperimentRow> {
  checkExperimentId(id);
  const experiment = await state.tracking.findExperiment(workspace, String(BigInt(id.trim())));
  if (experiment !== undefined) return experiment;
  throw doesNotExist(`No Experiment with id=${id.trim()} exists`);
}

/** @throws invalid_message when it is deleted. */
export function checkActiveExperiment({ id, stage }: ExperimentRow): void {
  if (stage === 'active') return;
  throw invalidParameter(
    `The experiment ${id} must be in the 'active' state. Current state is ${stage}.`,
  );
}

const noRun = (id: string): Error => doesNotExist(`Run with id=${id} not found`);

function checkActiveRun(id: string, stage: string): void {
  if (stage === 'active') return;
  throw invalidParameter(`The run ${id} must be in the 'active' state. Current state is ${stage}.`);
}

/** The run that a message writes to. @throws not_found; invalid_message when it is deleted. */
export async function getActiveRunHead(
  id: string,
  { state, workspace }: DecideContext,
): Promise<RunHead> {
  const run = await state.tracking.findRunHead(workspace, id);
  if (run === undefined) throw noRun(id);
  checkActiveRun(id, run.stage);
  return run;
}

/** @throws not_found with MLflow's text. */
export async function getRun(id: string, { state, workspace }: DecideContext): Promise<RunRow> {
  const run = await state.tracking.findRun(workspace, id);
  if (run === undefined) throw noRun(id);
  return run;
}

/** @throws not_found; invalid_message when it is deleted. */
export async function getActiveRun(id: string, context: DecideContext): Promise<RunRow> {
  const run = await getRun(id, context);
  checkActiveRun(id, run.stage);
  return run;
}
