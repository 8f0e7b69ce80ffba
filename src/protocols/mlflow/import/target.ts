import type { Readable } from 'node:stream';
import { toWherefromError } from '../../../base/errors.ts';
import { limits } from '../../../base/limits.ts';
import { defaultWorkspace, type Operation } from '../../../door/index.ts';
import { type OtlpSpan, readSpan, traceOfSpan } from '../../../traces/index.ts';
import type { ArtifactRow } from '../../../tracking/index.ts';
import type { ProtocolServices } from '../../services.ts';
import { artifactPath, safePath } from '../tracking/artifact-path.ts';
import { readModelFiles } from '../tracking/model-read.ts';
import { modelText } from '../tracking/store-file.ts';
import { createWorkspace } from '../workspaces/operations.ts';
import { checkSaid, checkWorkspaceName } from '../workspaces/validate.ts';
import { importArtifact } from './artifacts.ts';
import { importDataset, importRecords } from './evaluation.ts';
import { importExperiment } from './experiments.ts';
import { type ImportReadModel, importLoggedModel } from './logged-models.ts';
import type { ImportBody, ImportKind } from './messages.ts';
import { importMetrics } from './metrics.ts';
import { importAlias, importModel, importVersion } from './registry.ts';
import { importIssue, importSchema } from './review.ts';
import { importQueue } from './review-queues.ts';
import { importRun } from './runs.ts';
import { importScorer } from './scorers.ts';
import { importTrace } from './traces.ts';
import { importWebhook } from './webhooks.ts';

/** One message of an import. */
export type ImportMessage = {
  [K in ImportKind]: { readonly import: K; readonly body: ImportBody<K> };
}[ImportKind];

/** What became of one message or file. */
export interface ImportResult {
  /** `there`: it said nothing new. `conflict`: something else is there, and stays. */
  readonly outcome: 'brought' | 'there' | 'conflict' | 'refused';
  /** Why it was not brought. */
  readonly message?: string | undefined;
  /** What was decided: for an experiment its id and location here, whether a thing is gone, how many spans are new. */
  readonly answer?: unknown;
}

/** What is asked for, by id; `roots` are directories of the artifact store. */
export interface KnownQuestion {
  readonly runs?: readonly string[] | undefined;
  readonly models?: readonly string[] | undefined;
  readonly roots?: readonly string[] | undefined;
  readonly traces?: readonly string[] | undefined;
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
}

/** A file to be brought. */
export interface SentFile {
  /** In the artifact store. */
  readonly path: string;
  /** When it was written, ms since 1970. */
  readonly time: number;
}

/** Where an import goes to: the door of this process, or that of a server. */
export interface ImportTarget {
  /** Accepts messages of one kind, in order. @throws when they cannot be taken at all. */
  accept(messages: readonly ImportMessage[]): Promise<readonly ImportResult[]>;
  known(question: KnownQuestion): Promise<Known>;
  putFile(file: SentFile, content: Readable): Promise<ImportResult>;
}

/** Who imports. */
export interface Importer {
  readonly principal: string;
  readonly workspace: string;
}

// Each body was read by the message of its own kind: the pairs of the table belong together.
const operations = {
  experiment: importExperiment,
  run: importRun,
  metrics: importMetrics,
  'logged-model': importLoggedModel,
  'registered-model': importModel,
  'model-version': importVersion,
  alias: importAlias,
  trace: importTrace,
  'evaluation-dataset': importDataset,
  'evaluation-records': importRecords,
  scorer: importScorer,
  webhook: importWebhook,
  issue: importIssue,
  'label-schema': importSchema,
  'review-queue': importQueue,
} as unknown as Readonly<
  Record<Exclude<ImportKind, 'spans' | 'workspace'>, Operation<unknown, unknown>>
>;

/** Refusals of single messages; what else is thrown (a full disk) ends the import. */
function resultOf(thrown: unknown): ImportResult {
  const error = toWherefromError(thrown);
  if (error.code === 'storage_unavailable' || error.code === 'integrity_broken') throw error;
  return {
    outcome: error.code === 'conflict' ? 'conflict' : 'refused',
    message: error.message,
  };
}

/** Imports through the door of this process. */
export function createImportTarget(
  services: ProtocolServices,
  { principal, workspace }: Importer,
): ImportTarget {
  const submit = async (
    operation: Operation<unknown, unknown>,
    body: unknown,
  ): Promise<ImportResult> => {
    try {
      const accepted = await services.door.submit({ operation, workspace, principal, body });
      const outcome = accepted.receipt === undefined ? 'there' : 'brought';
      return { outcome, answer: accepted.answer ?? undefined };
    } catch (thrown) {
      return resultOf(thrown);
    }
  };
  const importer = { principal, workspace };
  /** Begun in order; in a list, for a promise alone would be waited for. */
  const begin = async (message: ImportMessage): Promise<readonly [Promise<ImportResult>]> => {
    if (message.import === 'spans') return [acceptSpans(message.body, importer, services)];
    if (message.import === 'workspace') return [ensureWorkspace(message.body, importer, services)];
    const body =
      message.import === 'logged-model'
        ? await withFiles(message.body, workspace, services)
        : message.body;
    return [submit(operations[message.import], body)];
  };
  return {
    async accept(messages) {
      const ready: Promise<ImportResult>[] = [];
      for (const message of messages) ready.push((await begin(message))[0]);
      return Promise.all(ready);
    },
    known: (question) => readKnown(question, workspace, services),
    async putFile({ path: sent, time }, content) {
      const path = safePath(sent);
      // Durable before the entry that names it.
      const stored = await services.blobs.put(content, { bytesMax: limits.artifactBytesMax });
      const body = { path, ...stored, time, ...(await modelText(path, stored, services)) };
      return submit(importArtifact as unknown as Operation<unknown, unknown>, body);
    },
  };
}

/** Spans go where those of OpenTelemetry go; the ones that are here say nothing new. */
async function acceptSpans(
  { experiment_id: experiment, spans = [] }: ImportBody<'spans'>,
  importer: Importer,
  services: ProtocolServices,
): Promise<ImportResult> {
  try {
    const read = spans.flatMap((each) => readSpan(each) ?? []);
    const fresh = await newSpans(read, importer, services);
    if (fresh.length === 0) return { outcome: 'there' };
    await services.takeSpans({ spans: fresh, experiment, ...importer });
    return { outcome: 'brought', answer: { spans: fresh.length } };
  } catch (thrown) {
    return resultOf(thrown);
  }
}

/** Those that are not here, or not ended here; none of traces that were deleted here. */
function newSpans(
  spans: readonly OtlpSpan[],
  { workspace }: Importer,
  services: ProtocolServices,
): Promise<OtlpSpan[]> {
  return services.read(async ({ traces }) => {
    const fresh: OtlpSpan[] = [];
    for (const [id, sent] of Map.groupBy(spans, traceOfSpan)) {
      const row = await traces.findEver(workspace, id);
      if (row !== undefined && row.deletedTime !== null) continue;
      const rows = row === undefined ? [] : await traces.spans([row.key]);
      const ended = new Map(rows.map((span) => [span.id, span.endUs !== undefined]));
      const isNew = ({ spanId, endTimeUnixNano }: OtlpSpan): boolean =>
        !ended.has(spanId) || (ended.get(spanId) === false && endTimeUnixNano !== undefined);
      fresh.push(...sent.filter(isNew));
    }
    return fresh;
  });
}

/** The workspace of that name, made when there is none. */
async function ensureWorkspace(
  body: ImportBody<'workspace'>,
  { principal }: Importer,
  services: ProtocolServices,
): Promise<ImportResult> {
  const { name, ...said } = body;
  try {
    if (name === defaultWorkspace) return { outcome: 'there' };
    const known = await services.read(({ workspaces }) => workspaces.findWorkspaceId(name));
    if (known !== undefined) return { outcome: 'there' };
    checkWorkspaceName(name);
    await services.door.submit({
      operation: createWorkspace,
      workspace: name,
      principal,
      body: { name, ...checkSaid(said) },
    });
    return { outcome: 'brought' };
  } catch (thrown) {
    return resultOf(thrown);
  }
}

/** A model with what its files say, when they are here. */
async function withFiles(
  body: ImportBody<'logged-model'>,
  workspace: string,
  services: ProtocolServices,
): Promise<ImportReadModel> {
  if (body.status !== 'LOGGED_MODEL_READY') return body;
  const read = await readModelFiles(artifactPath(body.artifact_uri), workspace, services);
  return read === undefined ? body : { ...body, read };
}

/** Files below one root that are told of. */
const filesMax = 1_000_000;

function readKnown(
  { runs = [], models = [], roots = [], traces: traceIds = [] }: KnownQuestion,
  workspace: string,
  services: ProtocolServices,
): Promise<Known> {
  return services.read(async ({ tracking, traces }) => {
    const known = {
      runs: {} as Record<string, Known['runs'][string]>,
      models: {} as Record<string, Known['models'][string]>,
      files: {} as Record<string, number>,
      traces: {} as Record<string, Known['traces'][string]>,
    };
    for (const id of runs) {
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
      known.runs[id] = { points: await tracking.countMetrics(run.key), latest };
    }
    for (const id of models) {
      const model = await tracking.findLoggedModel(workspace, id);
      if (model === undefined) continue;
      known.models[id] = { points: await tracking.countLoggedModelMetrics(model.key) };
    }
    for (const root of roots) {
      const files: readonly ArtifactRow[] = await tracking.artifactsBelow(
        workspace,
        root,
        filesMax,
      );
      for (const { path, bytes } of files) known.files[path] = bytes;
    }
    for (const id of traceIds) {
      const trace = await traces.findEver(workspace, id);
      if (trace === undefined) continue;
      const spans = await traces.countSpans(trace.key);
      known.traces[id] = { spans, gone: trace.deletedTime !== null };
    }
    return known;
  });
}
