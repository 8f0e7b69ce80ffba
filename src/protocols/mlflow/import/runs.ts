import type { DecideContext } from '../../../door/index.ts';
import type { Fact, FactContext } from '../../../facts/facts.ts';
import type { RunRow } from '../../../tracking/index.ts';
import { mlflowError } from '../errors.ts';
import type { SourceTags } from '../lineage/source-code.ts';
import { mlflowOperation } from '../operation.ts';
import { uniqueTags } from '../operations/define.ts';
import { logInputs, logOutputs } from '../operations/inputs.ts';
import { logBatch } from '../operations/metrics.ts';
import { createRun, deleteRun, restoreRun, updateRun } from '../operations/runs.ts';
import { decideSource, deleteTag } from '../operations/tags.ts';
import { tokeniseTags } from '../registry/persons.ts';
import { liveFacts } from './live.ts';
import type { ImportRun } from './messages.ts';
import {
  findSaid,
  members,
  type Statements,
  saidFact,
  takenMembers,
  type Updated,
  updatedBy,
  weigh,
} from './said.ts';

/** What of a run that is there already is new. */
type News = {
  /** Keys of those that are set. */
  readonly tags: readonly string[];
  /** Keys of those that are taken away, and other fields that change; absent in older messages. */
  readonly removed?: readonly string[];
  readonly take?: readonly string[];
  readonly params: readonly string[];
  /** Positions in the message's lists. */
  readonly datasets: readonly number[];
  readonly models: readonly number[];
  readonly outputs: readonly number[];
  /** Its status or end is another one now. */
  readonly ended: boolean;
  /** Source tags of the run with the new ones; null when none is new. */
  readonly source: SourceTags | null;
};
type Decided = { readonly artifact_uri: string; readonly news: News | null };

/** Positions of the items that are not among the known ones. */
function newPositions<T>(
  items: readonly T[] | undefined,
  nameOf: (item: T) => string,
  known: readonly string[],
): number[] {
  const names = new Set(known);
  return (items ?? []).flatMap((item, index) => (names.has(nameOf(item)) ? [] : [index]));
}

const identity = (name: string, digest: string): string => JSON.stringify([name, digest]);
const outputName = (id: string, step: number): string => `${id} ${step}`;

async function checkSame(
  body: ImportRun,
  run: RunRow,
  { state }: DecideContext,
): Promise<readonly string[]> {
  const conflict = (what: string): Error =>
    mlflowError('RESOURCE_CONFLICT', `Run ${run.id} is here with ${what}.`);
  if (run.startTime !== (body.start_time ?? 0)) throw conflict('another start time');
  const known = new Map(
    (await state.tracking.params([run.key])).map(({ key, value }) => [key, value]),
  );
  const params = uniqueTags(body.params);
  const other = params.find(({ key, value }) => known.has(key) && known.get(key) !== value);
  if (other !== undefined) throw conflict(`another value of the parameter ${other.key}`);
  return params.filter(({ key }) => !known.has(key)).map(({ key }) => key);
}

/** What a source says of a run beside what never changes. */
const statementsOf = (body: ImportRun): Statements => ({
  run_name: body.run_name,
  status: body.status,
  end_time: body.end_time,
  lifecycle_stage: body.lifecycle_stage,
  ...members('tag', uniqueTags(body.tags)),
});

async function newsOf(
  body: ImportRun,
  run: RunRow,
  context: DecideContext,
): Promise<{ readonly news: News; readonly answer: Updated }> {
  const { tracking } = context.state;
  const keys = [run.key];
  const params = await checkSame(body, run, context);
  const here = {
    run_name: run.name,
    status: run.status,
    end_time: run.endTime ?? undefined,
    lifecycle_stage: run.stage,
    ...members('tag', await tracking.tags(keys)),
  };
  const weighed = weigh(statementsOf(body), here, await findSaid('run', run.id, context));
  const { set: tags, removed } = takenMembers('tag', uniqueTags(body.tags), weighed.take);
  const inputs = await tracking.inputs(keys);
  const models = await tracking.modelInputs(keys);
  const outputs = await tracking.modelOutputs(keys);
  const { source } = await decideSource(run.id, run, tags, context);
  const news = {
    tags: tags.map(({ key }) => key),
    ...{ removed, params },
    take: weighed.take.filter((field) => !field.startsWith('tag.')),
    datasets: newPositions(
      body.datasets,
      ({ dataset }) => identity(dataset.name, dataset.digest),
      inputs.map(({ dataset }) => identity(dataset.name, dataset.digest)),
    ),
    models: newPositions(
      body.models,
      ({ model_id }) => model_id,
      models.map(({ model }) => model),
    ),
    outputs: newPositions(
      body.outputs,
      ({ model_id, step }) => outputName(model_id, step ?? 0),
      outputs.map(({ model, step }) => outputName(model, step)),
    ),
    ended: ['status', 'end_time'].some((field) => weighed.take.includes(field)),
    source,
  };
  return { news, answer: updatedBy(weighed) };
}

const nothing = ({ source: _, ended: __, ...lists }: News): boolean =>
  Object.values(lists).every((list) => list.length === 0);

/** The message with what is new of it only. */
function restrict(body: ImportRun, news: News): ImportRun {
  const at = <T>(list: readonly T[] | undefined, positions: readonly number[]): T[] =>
    (list ?? []).filter((_, index) => positions.includes(index));
  return {
    ...body,
    tags: uniqueTags(body.tags).filter(({ key }) => news.tags.includes(key)),
    params: uniqueTags(body.params).filter(({ key }) => news.params.includes(key)),
    datasets: at(body.datasets, news.datasets),
    models: at(body.models, news.models),
    outputs: at(body.outputs, news.outputs),
  };
}

export const importRun = mlflowOperation<ImportRun, Updated, Decided>({
  operation: 'import/run',
  persons(body, tokenise) {
    const named = tokeniseTags(body, tokenise);
    const masked = logInputs.persons?.({ ...named }, tokenise) ?? named;
    const datasets = 'datasets' in masked ? masked.datasets : named.datasets;
    const user = body.user_id ? tokenise(body.user_id) : body.user_id;
    if (named === body && datasets === body.datasets && user === body.user_id) return body;
    return {
      ...named,
      ...(datasets === undefined ? {} : { datasets }),
      ...(user === undefined ? {} : { user_id: user }),
    };
  },
  async decide(body, context) {
    const run = await context.state.tracking.findRun(context.workspace, body.run_id);
    if (run === undefined) {
      if (await context.state.tracking.hasId('run', body.run_id))
        throw mlflowError('RESOURCE_CONFLICT', `Run ${body.run_id} is in another workspace here.`);
      return { decided: { artifact_uri: body.artifact_uri ?? '', news: null }, answer: {} };
    }
    const { news, answer } = await newsOf(body, run, context);
    if (nothing(news)) return { unchanged: answer };
    const changed = { ...answer, changed: true };
    return { decided: { artifact_uri: run.artifactUri, news }, answer: changed };
  },
  facts(body, { artifact_uri, news }, context) {
    const part = news === null ? body : restrict(body, news);
    const first =
      news === null ? createdFacts(body, artifact_uri, context) : tagFacts(part, news, context);
    const facts = [...first, ...loggedFacts(part, context)];
    const take = news === null ? undefined : (news.take ?? []);
    if (news === null ? body.status !== 'RUNNING' : news.ended)
      facts.push(...endFacts(body, context));
    if (take?.includes('run_name')) facts.push(...nameFacts(body, context));
    if (take?.includes('lifecycle_stage') ?? body.lifecycle_stage === 'deleted')
      facts.push(...stageFacts(body, context));
    facts.push(saidFact('run', body.run_id, statementsOf(body)));
    return facts;
  },
});

const startOf = ({ start_time }: ImportRun): number => start_time ?? 0;
const endOf = (body: ImportRun): number => body.end_time || startOf(body);

function createdFacts(body: ImportRun, uri: string, context: FactContext): Fact[] {
  const { run_id, experiment_id, run_name = '', user_id, start_time } = body;
  const tags = uniqueTags(body.tags);
  const message = {
    experiment_id,
    run_name,
    tags,
    ...(user_id === undefined ? {} : { user_id }),
    ...(start_time === undefined ? {} : { start_time }),
  };
  const decided = { run_id, run_name, experiment_id, artifact_uri: uri };
  const facts = liveFacts(createRun, { message, decided }, { ...context, at: startOf(body) });
  // A live run gets a tag that names it; this one keeps the tags that it had.
  return facts.map((fact) => (fact.kind === 'run.created' ? { ...fact, tags } : fact));
}

/** The run is deleted there now, or is there again. */
function stageFacts(body: ImportRun, context: FactContext): readonly Fact[] {
  const payload = { message: { run_id: body.run_id }, decided: {} };
  return body.lifecycle_stage === 'deleted'
    ? liveFacts(deleteRun, payload, { ...context, at: body.deleted_time || endOf(body) })
    : liveFacts(restoreRun, payload, { ...context, at: 0 });
}

/** The run has another name there. */
function nameFacts(body: ImportRun, context: FactContext): readonly Fact[] {
  const { run_id, run_name = '' } = body;
  const decided = { name: run_name, start_time: startOf(body), end_time: null };
  const payload = { message: { run_id, run_name }, decided };
  // The tag that names it is among its tags.
  return liveFacts(updateRun, payload, { ...context, at: 0 }).filter(
    ({ kind }) => kind !== 'run.tagged',
  );
}

/** Tags that were set or taken away since the run was imported. */
function tagFacts(body: ImportRun, news: News, context: FactContext): readonly Fact[] {
  const { removed = [] } = news;
  const untagged = removed.flatMap((key) => {
    const payload = { message: { run_id: body.run_id, key }, decided: {} };
    return liveFacts(deleteTag, payload, { ...context, at: 0 });
  });
  return [...untagged, ...setTagFacts(body, news, context)];
}

function setTagFacts(body: ImportRun, { source }: News, context: FactContext): readonly Fact[] {
  const tags = uniqueTags(body.tags);
  if (tags.length === 0) return [];
  const message = { run_id: body.run_id, tags };
  const decided = { source, start_time: startOf(body) };
  return liveFacts(logBatch, { message, decided }, { ...context, at: startOf(body) });
}

function loggedFacts(body: ImportRun, context: FactContext): Fact[] {
  const { run_id, experiment_id, params = [], datasets = [], models = [], outputs = [] } = body;
  const start_time = startOf(body);
  const started = { ...context, at: start_time };
  const facts: Fact[] = [];
  if (params.length > 0) {
    const decided = { source: null, start_time };
    facts.push(...liveFacts(logBatch, { message: { run_id, params }, decided }, started));
  }
  if (datasets.length + models.length > 0) {
    const message = { run_id, datasets, models };
    const decided = { experiment_id, start_time };
    facts.push(...liveFacts(logInputs, { message, decided }, started));
  }
  if (outputs.length > 0) {
    const message = { run_id, models: outputs };
    facts.push(...liveFacts(logOutputs, { message, decided: {} }, { ...context, at: endOf(body) }));
  }
  return facts;
}

function endFacts(body: ImportRun, context: FactContext): readonly Fact[] {
  const { run_id, status, end_time } = body;
  if (status === undefined) return [];
  const message = { run_id, status, ...(end_time === undefined ? {} : { end_time }) };
  const decided = { name: null, start_time: startOf(body), end_time: end_time ?? null };
  return liveFacts(updateRun, { message, decided }, { ...context, at: endOf(body) });
}
