import type { DecideContext } from '../../../door/index.ts';
import type { Fact, FactContext } from '../../../facts/facts.ts';
import type { KeyValue } from '../../../facts/tracking-facts.ts';
import type { ExperimentRow } from '../../../tracking/index.ts';
import { mlflowOperation } from '../operation.ts';
import { uniqueTags } from '../operations/define.ts';
import {
  createExperiment,
  deleteExperiment,
  deleteExperimentTag,
  restoreExperiment,
  setExperimentTag,
  updateExperiment,
} from '../operations/experiments.ts';
import { below } from '../operations/names.ts';
import { tokeniseTags } from '../registry/persons.ts';
import { liveFacts } from './live.ts';
import type { ImportExperiment } from './messages.ts';
import {
  findSaid,
  members,
  type Statements,
  saidFact,
  takenMembers,
  type Updated,
  updatedBy,
  type Weighed,
  weigh,
} from './said.ts';

/** The experiment here that an imported one became. */
export interface ImportedExperiment extends Updated {
  readonly experiment_id: string;
  readonly artifact_location: string;
  readonly name: string;
}

type Decided = {
  readonly experiment_id: string;
  readonly artifact_location: string;
  /** `taken over`: experiment 0, which is always there, becomes the one of the source. */
  readonly what: 'made' | 'taken over' | 'known';
  /** Keys of the tags that are set. */
  readonly tags: readonly string[];
  /** Keys of the tags that are taken away, and other fields that change; absent in older messages. */
  readonly removed?: readonly string[];
  readonly take?: readonly string[];
  /** Runs that are deleted or come back with it. */
  readonly runs?: readonly string[];
};

/**
 * The experiment here that is the same: of that id and made at the same time (it may have been
 * renamed since), or of that name. Experiment 0 is taken over while nothing was done with it.
 */
async function findSame(
  body: ImportExperiment,
  { state, workspace }: DecideContext,
): Promise<{ readonly row: ExperimentRow; readonly takeOver: boolean } | undefined> {
  const { tracking } = state;
  const byId = await tracking.findExperiment(workspace, body.experiment_id);
  if (byId !== undefined && byId.creationTime > 0 && byId.creationTime === body.creation_time)
    return { row: byId, takeOver: false };
  const byName = await tracking.findExperimentByName(workspace, body.name);
  if (byName !== undefined) return { row: byName, takeOver: false };
  if (byId?.id !== '0') return undefined;
  const untouched =
    byId.name === 'Default' && (await tracking.runIdsOfExperiment(byId.key)).length === 0;
  return untouched ? { row: byId, takeOver: true } : undefined;
}

async function freeId(body: ImportExperiment, context: DecideContext): Promise<string> {
  const { state, workspace } = context;
  // Ids of more than 15 digits (file stores invent them) are not exact numbers in JSON.
  const own = /^(0|[1-9]\d{0,14})$/.test(body.experiment_id) ? body.experiment_id : undefined;
  if (own !== undefined && (await state.tracking.findExperiment(workspace, own)) === undefined)
    return own;
  const next = await state.tracking.nextExperimentId(workspace);
  return String(Math.max(next, (body.ids_above ?? 0) + 1));
}

export const importExperiment = mlflowOperation<ImportExperiment, ImportedExperiment, Decided>({
  operation: 'import/experiment',
  persons: tokeniseTags,
  async decide(body, context) {
    const same = await findSame(body, context);
    if (same === undefined) {
      const id = await freeId(body, context);
      const location = body.artifact_location || below('mlflow-artifacts:/', id);
      const answer = { experiment_id: id, artifact_location: location };
      const tags = uniqueTags(body.tags).map(({ key }) => key);
      return {
        decided: { ...answer, what: 'made', tags },
        answer: { ...answer, name: body.name },
      };
    }
    return same.takeOver ? takeOver(body, same.row) : update(body, same.row, context);
  },
  facts(body, { what, tags: added, ...decided }, context) {
    const id = decided.experiment_id;
    const tags = uniqueTags(body.tags).filter(({ key }) => added.includes(key));
    const changed = { ...context, at: body.last_update_time ?? body.creation_time ?? 0 };
    const said = saidFact('experiment', saidId(body, id), statementsOf(body));
    if (what === 'known')
      return [
        ...tagFacts(id, { tags, removed: decided.removed ?? [] }, changed),
        ...updateFacts(body, decided, changed),
        said,
      ];
    const message = { name: body.name, tags };
    const made = { experiment_id: id, artifact_location: decided.artifact_location };
    const created = { ...context, at: body.creation_time ?? 0 };
    const facts: Fact[] =
      what === 'made'
        ? liveFacts(createExperiment, { message, decided: made }, created).map((fact) =>
            fact.kind === 'experiment.created'
              ? { ...fact, updatedTime: body.last_update_time }
              : fact,
          )
        : [...nameFacts(body, id, changed), ...tagFacts(id, { tags, removed: [] }, changed)];
    if (body.lifecycle_stage === 'deleted')
      facts.push(...stageFacts(body, { id, runs: [] }, changed));
    return [...facts, said];
  },
});

/** Two sources may have an experiment of one name here: what each said is kept apart. */
const saidId = ({ experiment_id, creation_time = 0 }: ImportExperiment, here: string): string =>
  `${here}/${experiment_id}/${creation_time}`;

const statementsOf = (body: ImportExperiment): Statements => ({
  name: body.name,
  lifecycle_stage: body.lifecycle_stage,
  ...members('tag', uniqueTags(body.tags)),
});

type Outcome =
  | { readonly decided: Decided; readonly answer: ImportedExperiment }
  | { readonly unchanged: ImportedExperiment };

/** Experiment 0 becomes that of the source. */
function takeOver(body: ImportExperiment, row: ExperimentRow): Outcome {
  const answer = { experiment_id: row.id, artifact_location: row.artifactLocation };
  const tags = uniqueTags(body.tags).map(({ key }) => key);
  return {
    decided: { ...answer, what: 'taken over', tags },
    answer: { ...answer, name: body.name },
  };
}

async function update(
  body: ImportExperiment,
  row: ExperimentRow,
  context: DecideContext,
): Promise<Outcome> {
  const here = {
    name: row.name,
    lifecycle_stage: row.stage,
    ...members('tag', await context.state.tracking.experimentTags([row.key])),
  };
  const said = await findSaid('experiment', saidId(body, row.id), context);
  const { take, kept } = await onlyPossible(weigh(statementsOf(body), here, said), row, {
    body,
    context,
  });
  const named = { experiment_id: row.id, artifact_location: row.artifactLocation };
  const name = take.includes('name') ? body.name : row.name;
  const answer = { ...named, name, ...updatedBy({ take, kept }) };
  if (take.length === 0) return { unchanged: answer };
  const { set, removed } = takenMembers('tag', uniqueTags(body.tags), take);
  const tags = set.map(({ key }) => key);
  const fields = take.filter((field) => !field.startsWith('tag.'));
  const runs = take.includes('lifecycle_stage')
    ? await context.state.tracking.runIdsOfExperiment(row.key)
    : [];
  return { decided: { ...named, what: 'known', tags, removed, take: fields, runs }, answer };
}

/** Without a name that another experiment has here, and a deletion that would take runs of others. */
async function onlyPossible(
  { take, kept }: Weighed,
  row: ExperimentRow,
  of: { readonly body: ImportExperiment; readonly context: DecideContext },
): Promise<Weighed> {
  const { body, context } = of;
  const { tracking } = context.state;
  const impossible: string[] = [];
  if (take.includes('name') && (await tracking.findExperimentByName(context.workspace, body.name)))
    impossible.push('name');
  if (take.includes('lifecycle_stage') && body.lifecycle_stage === 'deleted') {
    for (const run of await tracking.runIdsOfExperiment(row.key)) {
      if ((await findSaid('run', run, context)) !== undefined) continue;
      impossible.push('lifecycle_stage');
      break;
    }
  }
  return {
    take: take.filter((field) => !impossible.includes(field)),
    kept: [...kept, ...impossible],
  };
}

type At = FactContext & { readonly at: number };

function tagFacts(
  experiment_id: string,
  { tags, removed }: { readonly tags: readonly KeyValue[]; readonly removed: readonly string[] },
  at: At,
): Fact[] {
  const decided = { id: experiment_id };
  return [
    ...tags.flatMap((tag) =>
      liveFacts(setExperimentTag, { message: { experiment_id, ...tag }, decided }, at),
    ),
    ...removed.flatMap((key) =>
      liveFacts(deleteExperimentTag, { message: { experiment_id, key }, decided }, at),
    ),
  ];
}

const nameFacts = ({ name: new_name }: ImportExperiment, id: string, at: At): readonly Fact[] =>
  liveFacts(updateExperiment, { message: { experiment_id: id, new_name }, decided: { id } }, at);

function stageFacts(
  { lifecycle_stage }: ImportExperiment,
  decided: { readonly id: string; readonly runs: readonly string[] },
  at: At,
): readonly Fact[] {
  const operation = lifecycle_stage === 'deleted' ? deleteExperiment : restoreExperiment;
  return liveFacts(operation, { message: { experiment_id: decided.id }, decided }, at);
}

/** What changed at the source of an experiment that is here. */
function updateFacts(
  body: ImportExperiment,
  { experiment_id: id, take = [], runs = [] }: Pick<Decided, 'experiment_id' | 'take' | 'runs'>,
  at: At,
): Fact[] {
  return [
    ...(take.includes('name') ? nameFacts(body, id, at) : []),
    ...(take.includes('lifecycle_stage') ? stageFacts(body, { id, runs }, at) : []),
  ];
}
