import type { DecideContext } from '../../../door/index.ts';
import type { KeyValue } from '../../../facts/tracking-facts.ts';
import type { ExperimentRow, RunHead, RunRow } from '../../../tracking/index.ts';
import { doesNotExist, invalidParameter } from '../errors.ts';
import type { Tag } from '../operation.ts';
import { checkExperimentId } from '../validate.ts';

/** Tags by key; the last one of a key wins. */
export function tagMap(tags: readonly Tag[] | undefined): Record<string, string> {
  return Object.fromEntries((tags ?? []).map(({ key, value }) => [key, value ?? '']));
}

/** The same tags with each key once. */
export function uniqueTags(tags: readonly Tag[] | undefined): KeyValue[] {
  if (tags === undefined) return [];
  const map = new Map<string, string>();
  for (const { key, value } of tags) map.set(key, value ?? '');
  return Array.from(map, ([key, value]) => ({ key, value }));
}

/** @throws not_found with MLflow's text. */
export async function getExperiment(
  id: string,
  { state, workspace }: Pick<DecideContext, 'state' | 'workspace'>,
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
