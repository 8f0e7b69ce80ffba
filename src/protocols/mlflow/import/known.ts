import type { StateReader } from '../../../door/index.ts';
import type { ProtocolServices } from '../../services.ts';

/** What is asked for, by id; `roots` are directories of the artifact store. */
export interface KnownQuestion {
  readonly runs?: readonly string[] | undefined;
  readonly models?: readonly string[] | undefined;
  readonly roots?: readonly string[] | undefined;
  readonly traces?: readonly string[] | undefined;
  /** Names of registered models. */
  readonly registered?: readonly string[] | undefined;
  /** Ids of evaluation datasets. */
  readonly datasets?: readonly string[] | undefined;
}

/** The latest value of a metric: key, value, timestamp, step. */
export type LatestPoint = readonly [
  key: string,
  value: number | 'NaN',
  timestamp: number,
  step: number,
];

/** What is here of it already. What is not here is left out. */
export interface Known {
  readonly runs: Readonly<
    Record<string, { readonly points: number; readonly latest: readonly LatestPoint[] }>
  >;
  readonly models: Readonly<Record<string, { readonly points: number }>>;
  /** Size in bytes by path, of all files below the roots. */
  readonly files: Readonly<Record<string, number>>;
  /** `gone`: it was deleted here. */
  readonly traces: Readonly<Record<string, { readonly spans: number; readonly gone: boolean }>>;
  readonly registered: Readonly<Record<string, KnownModel>>;
  /** Ids of the records, by dataset. */
  readonly datasets: Readonly<Record<string, readonly string[]>>;
}

/** What a registered model has here. */
export interface KnownModel {
  /** Numbers of the versions that are not deleted, each with its time of creation, ms since 1970. */
  readonly versions: readonly (readonly [version: number, created: number])[];
  readonly aliases: readonly string[];
}

/** Files below one root that are told of. */
const filesMax = 1_000_000;

/** What is here of what an import asks for. */
export function readKnown(
  question: KnownQuestion,
  workspace: string,
  services: ProtocolServices,
): Promise<Known> {
  return services.read(async (state) => ({
    runs: await knownRuns(question.runs ?? [], workspace, state),
    models: await knownModels(question.models ?? [], workspace, state),
    files: await knownFiles(question.roots ?? [], workspace, state),
    traces: await knownTraces(question.traces ?? [], workspace, state),
    registered: await knownRegistered(question.registered ?? [], workspace, state),
    datasets: await knownRecords(question.datasets ?? [], workspace, state),
  }));
}

async function knownRuns(
  ids: readonly string[],
  workspace: string,
  { tracking }: StateReader,
): Promise<Known['runs']> {
  const known: Record<string, Known['runs'][string]> = {};
  for (const id of ids) {
    const run = await tracking.findRunHead(workspace, id);
    if (run === undefined) continue;
    const latest = (await tracking.latestMetrics([run.key])).map(
      ({ key, value, timestamp, step }): LatestPoint => [
        key,
        Number.isNaN(value) ? 'NaN' : value,
        timestamp,
        step,
      ],
    );
    known[id] = { points: await tracking.countMetrics(run.key), latest };
  }
  return known;
}

async function knownModels(
  ids: readonly string[],
  workspace: string,
  { tracking }: StateReader,
): Promise<Known['models']> {
  const known: Record<string, Known['models'][string]> = {};
  for (const id of ids) {
    const model = await tracking.findLoggedModel(workspace, id);
    if (model === undefined) continue;
    known[id] = { points: await tracking.countLoggedModelMetrics(model.key) };
  }
  return known;
}

async function knownFiles(
  roots: readonly string[],
  workspace: string,
  { tracking }: StateReader,
): Promise<Known['files']> {
  const known: Record<string, number> = {};
  for (const root of roots) {
    const files = await tracking.artifactsBelow(workspace, root, filesMax);
    for (const { path, bytes } of files) known[path] = bytes;
  }
  return known;
}

async function knownTraces(
  ids: readonly string[],
  workspace: string,
  { traces }: StateReader,
): Promise<Known['traces']> {
  const known: Record<string, Known['traces'][string]> = {};
  for (const id of ids) {
    const trace = await traces.findEver(workspace, id);
    if (trace === undefined) continue;
    const spans = await traces.countSpans(trace.key);
    known[id] = { spans, gone: trace.deletedTime !== null };
  }
  return known;
}

async function knownRegistered(
  names: readonly string[],
  workspace: string,
  { registry }: StateReader,
): Promise<Known['registered']> {
  const known: Record<string, KnownModel> = {};
  for (const name of names) {
    const model = await registry.findModel(workspace, name);
    if (model === undefined) continue;
    const versions = await registry.listVersions(model.key, model.versionCount);
    const aliases = await registry.listAliases(model.key);
    known[name] = {
      versions: versions.map(({ version, createdTime }) => [version, createdTime]),
      aliases: aliases.map(({ alias }) => alias),
    };
  }
  return known;
}

async function knownRecords(
  ids: readonly string[],
  workspace: string,
  { evaluation }: StateReader,
): Promise<Known['datasets']> {
  const known: Record<string, readonly string[]> = {};
  for (const id of ids) {
    const dataset = await evaluation.findDataset(workspace, id);
    if (dataset !== undefined) known[id] = await evaluation.listRecordIds(dataset.key);
  }
  return known;
}
