import { readInSlices } from '../base/slices.ts';
import type { MetricPoint } from '../facts/facts.ts';
import { metricsOfPast, type PastMoment } from './past-metrics.ts';
import type { RunPoints, Search } from './searches.ts';
import type {
  ExperimentRow,
  InputRow,
  LoggedModelRow,
  ModelLinkRow,
  OwnedKeyValue,
  OwnedMetric,
  RunRow,
  TrackingReader,
} from './store.ts';

/** A run's logged values, by name. */
export interface RunDetails {
  readonly run: RunRow;
  readonly params: Readonly<Record<string, string>>;
  /** The latest value of each metric; NaN may be among them. */
  readonly metrics: Readonly<Record<string, number>>;
}

/**
 * The parameters and latest metrics of runs, by run id, for answers; each table is asked once. Of an
 * earlier moment they are those of then; metrics that cannot be told are left out.
 */
export async function findRunDetails(
  reader: TrackingReader,
  workspace: string,
  ids: readonly string[],
  past?: PastMoment,
): Promise<ReadonlyMap<string, RunDetails>> {
  const runs = await reader.findRuns(workspace, ids);
  if (runs.length === 0) return new Map();
  const keys = runs.map(({ key }) => key);
  const params = byOwner(await reader.params(keys, past?.position));
  const metrics: Map<number, readonly MetricPoint[]> =
    past === undefined
      ? byOwner(await reader.latestMetrics(keys))
      : new Map<number, readonly MetricPoint[]>();
  if (past !== undefined)
    for (const run of runs) metrics.set(run.key, (await metricsOfPast(reader, run, past)) ?? []);
  return new Map(
    runs.map((run) => [
      run.id,
      { run, params: byName(params.get(run.key)), metrics: byName(metrics.get(run.key)) },
    ]),
  );
}

function byName<V>(
  rows: readonly { readonly key: string; readonly value: V }[] = [],
): Record<string, V> {
  return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
}

/** A run with all that runs/get shows of it. */
export interface FullRun {
  readonly run: RunRow;
  readonly params: readonly OwnedKeyValue[];
  readonly tags: readonly OwnedKeyValue[];
  readonly metrics: readonly OwnedMetric[];
  readonly inputs: readonly InputRow[];
  readonly modelInputs: readonly ModelLinkRow[];
  readonly modelOutputs: readonly ModelLinkRow[];
}

function byOwner<R extends { readonly owner: number }>(rows: readonly R[]): Map<number, R[]> {
  const groups = new Map<number, R[]>();
  for (const row of rows) {
    const group = groups.get(row.owner);
    if (group === undefined) groups.set(row.owner, [row]);
    else group.push(row);
  }
  return groups;
}

/** Full runs by key, each table asked once. */
export async function getFullRuns(
  reader: TrackingReader,
  keys: readonly number[],
): Promise<FullRun[]> {
  if (keys.length === 0) return [];
  const runs = await reader.getRuns(keys);
  const params = byOwner(await reader.params(keys));
  const tags = byOwner(await reader.tags(keys));
  const metrics = byOwner(await reader.latestMetrics(keys));
  const inputs = byOwner(await reader.inputs(keys));
  const modelInputs = byOwner(await reader.modelInputs(keys));
  const modelOutputs = byOwner(await reader.modelOutputs(keys));
  return runs.map((run) => ({
    run,
    params: params.get(run.key) ?? [],
    tags: tags.get(run.key) ?? [],
    metrics: metrics.get(run.key) ?? [],
    inputs: inputs.get(run.key) ?? [],
    modelInputs: modelInputs.get(run.key) ?? [],
    modelOutputs: modelOutputs.get(run.key) ?? [],
  }));
}

/** One page, and whether there is another. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly more: boolean;
}

/** How a search is asked for its page: one more key than it holds tells whether there is a next one. */
export function onePage<S extends Search>(search: S): S {
  return { ...search, limit: search.limit + 1 };
}

/** The runs whose keys a search of `onePage` found. */
export async function pageOfRuns(
  reader: TrackingReader,
  keys: readonly number[],
  limit: number,
): Promise<Page<FullRun>> {
  const items = await readInSlices(keys.slice(0, limit), (some) => getFullRuns(reader, some));
  return { items, more: keys.length > limit };
}

export interface FullExperiment {
  readonly experiment: ExperimentRow;
  readonly tags: readonly OwnedKeyValue[];
}

async function withTags(
  reader: TrackingReader,
  experiments: readonly ExperimentRow[],
): Promise<FullExperiment[]> {
  const tags = byOwner(await reader.experimentTags(experiments.map(({ key }) => key)));
  return experiments.map((experiment) => ({ experiment, tags: tags.get(experiment.key) ?? [] }));
}

/** An experiment, by id or by name, with its tags. */
export async function findFullExperiment(
  reader: TrackingReader,
  workspace: string,
  by: { readonly id: string } | { readonly name: string },
): Promise<FullExperiment | undefined> {
  const experiment =
    'id' in by
      ? await reader.findExperiment(workspace, by.id)
      : await reader.findExperimentByName(workspace, by.name);
  return experiment === undefined ? undefined : (await withTags(reader, [experiment]))[0];
}

/** The experiments whose keys a search of `onePage` found. */
export async function pageOfExperiments(
  reader: TrackingReader,
  keys: readonly number[],
  limit: number,
): Promise<Page<FullExperiment>> {
  const items = await readInSlices(keys.slice(0, limit), async (some) =>
    withTags(reader, await reader.getExperiments(some)),
  );
  return { items, more: keys.length > limit };
}

/** How many points are packed. */
export function countPoints({ points }: RunPoints): number {
  return points.length / 3;
}

/** The packed points of a metric, at most `limit`. May be walked more than once. */
export function unpackPoints(
  { points }: RunPoints,
  key: string,
  limit = Number.POSITIVE_INFINITY,
): Iterable<MetricPoint> {
  return {
    *[Symbol.iterator]() {
      const end = Math.min(points.length, limit * 3);
      for (let at = 0; at < end; at += 3) {
        yield {
          key,
          timestamp: points[at] ?? 0,
          step: points[at + 1] ?? 0,
          value: points[at + 2] ?? 0,
        };
      }
    },
  };
}

export interface FullLoggedModel {
  readonly model: LoggedModelRow;
  readonly params: readonly OwnedKeyValue[];
  readonly tags: readonly OwnedKeyValue[];
  readonly metrics: readonly OwnedMetric[];
}

/** Full logged models by key. */
export async function getFullLoggedModels(
  reader: TrackingReader,
  keys: readonly number[],
): Promise<FullLoggedModel[]> {
  if (keys.length === 0) return [];
  const models = await reader.getLoggedModels(keys);
  const params = byOwner(await reader.loggedModelParams(keys));
  const tags = byOwner(await reader.loggedModelTags(keys));
  const metrics = byOwner(await reader.loggedModelMetrics(keys));
  return models.map((model) => ({
    model,
    params: params.get(model.key) ?? [],
    tags: tags.get(model.key) ?? [],
    metrics: metrics.get(model.key) ?? [],
  }));
}

/** The logged models whose keys a search of `onePage` found. */
export async function pageOfLoggedModels(
  reader: TrackingReader,
  keys: readonly number[],
  limit: number,
): Promise<Page<FullLoggedModel>> {
  const items = await readInSlices(keys.slice(0, limit), (some) =>
    getFullLoggedModels(reader, some),
  );
  return { items, more: keys.length > limit };
}
