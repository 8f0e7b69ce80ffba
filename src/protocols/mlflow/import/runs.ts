import type { DecideContext } from '../../../door/index.ts';
import type { Fact, FactContext } from '../../../facts/facts.ts';
import type { RunRow } from '../../../tracking/index.ts';
import { mlflowError } from '../errors.ts';
import { runStateOf } from '../lineage/run-facts.ts';
import type { SourceTags } from '../lineage/source-code.ts';
import { mlflowOperation } from '../operation.ts';
import { uniqueTags } from '../operations/define.ts';
import { logInputs, logOutputs } from '../operations/inputs.ts';
import { logBatch } from '../operations/metrics.ts';
import { createRun, deleteRun, updateRun } from '../operations/runs.ts';
import { decideSource } from '../operations/tags.ts';
import { tokeniseTags } from '../registry/persons.ts';
import { liveFacts, missingTags } from './live.ts';
import type { ImportRun } from './messages.ts';

/** What of a run that is there already is new. */
type News = {
  /** Keys. */
  readonly tags: readonly string[];
  readonly params: readonly string[];
  /** Positions in the message's lists. */
  readonly datasets: readonly number[];
  readonly models: readonly number[];
  readonly outputs: readonly number[];
  /** It runs here and has ended there. */
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

async function newsOf(body: ImportRun, run: RunRow, context: DecideContext): Promise<News> {
  const { tracking } = context.state;
  const keys = [run.key];
  const params = await checkSame(body, run, context);
  const tags = missingTags(uniqueTags(body.tags), await tracking.tags(keys));
  const inputs = await tracking.inputs(keys);
  const models = await tracking.modelInputs(keys);
  const outputs = await tracking.modelOutputs(keys);
  const { source } = await decideSource(run.id, run, tags, context);
  return {
    tags: tags.map(({ key }) => key),
    params,
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
    ended: runStateOf(run.status) === 'START' && endedThere(body),
    source,
  };
}

const endedThere = ({ status }: ImportRun): boolean =>
  status !== undefined && status !== 'RUNNING' && status !== 'SCHEDULED';

const nothing = ({ source: _, ended, ...lists }: News): boolean =>
  !ended && Object.values(lists).every((list) => list.length === 0);

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

export const importRun = mlflowOperation<ImportRun, null, Decided>({
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
      return { decided: { artifact_uri: body.artifact_uri ?? '', news: null }, answer: null };
    }
    const news = await newsOf(body, run, context);
    if (nothing(news)) return { unchanged: null };
    return { decided: { artifact_uri: run.artifactUri, news }, answer: null };
  },
  facts(body, { artifact_uri, news }, context) {
    const part = news === null ? body : restrict(body, news);
    const first =
      news === null ? createdFacts(body, artifact_uri, context) : tagFacts(part, news, context);
    const facts = [...first, ...loggedFacts(part, context)];
    if (news === null ? body.status !== 'RUNNING' : news.ended)
      facts.push(...endFacts(body, context));
    if (news === null && body.lifecycle_stage === 'deleted') {
      const at = body.deleted_time || endOf(body);
      const message = { run_id: body.run_id };
      facts.push(...liveFacts(deleteRun, { message, decided: {} }, { ...context, at }));
    }
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

/** Tags that were set since the run was imported. */
function tagFacts(body: ImportRun, { source }: News, context: FactContext): readonly Fact[] {
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
