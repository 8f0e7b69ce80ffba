import type { Readable } from 'node:stream';
import { toWherefromError } from '../../../base/errors.ts';
import { limits } from '../../../base/limits.ts';
import { defaultWorkspace, type Operation } from '../../../door/index.ts';
import { type OtlpSpan, readSpan, traceOfSpan } from '../../../traces/index.ts';
import type { ProtocolServices } from '../../services.ts';
import { artifactPath, safePath } from '../tracking/artifact-path.ts';
import { readModelFiles } from '../tracking/model-read.ts';
import { modelText } from '../tracking/store-file.ts';
import { createWorkspace } from '../workspaces/operations.ts';
import { checkSaid, checkWorkspaceName } from '../workspaces/validate.ts';
import { importArtifact } from './artifacts.ts';
import { importDataset } from './evaluation.ts';
import { importRecords } from './evaluation-records.ts';
import { importExperiment } from './experiments.ts';
import { type Known, type KnownQuestion, readKnown } from './known.ts';
import { type ImportReadModel, importLoggedModel } from './logged-models.ts';
import type { ImportBody, ImportKind } from './messages.ts';
import { importMetrics } from './metrics.ts';
import { importModel } from './registry.ts';
import { importIssue, importSchema } from './review.ts';
import { importQueue } from './review-queues.ts';
import { importRun } from './runs.ts';
import { importScorer } from './scorers.ts';
import { importTrace } from './traces.ts';
import { importAlias, importVersion } from './versions.ts';
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
      body: { name, ...checkSaid(said, 'any') },
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
