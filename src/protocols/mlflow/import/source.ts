import type { Readable } from 'node:stream';
import { limits } from '../../../base/limits.ts';
import type { OtlpSpan } from '../../../traces/index.ts';
import type { Known } from './known.ts';
import type {
  ImportAlias,
  ImportDataset,
  ImportExperiment,
  ImportIssue,
  ImportLoggedModel,
  ImportMetrics,
  ImportModel,
  ImportQueue,
  ImportRecord,
  ImportRun,
  ImportSchema,
  ImportScorer,
  ImportSeries,
  ImportTrace,
  ImportVersion,
  ImportWebhook,
} from './messages.ts';

/** How much there is, as far as the source can tell before it is read. */
export interface Totals {
  readonly experiments: number;
  readonly runs?: number | undefined;
  readonly points?: number | undefined;
  readonly loggedModels?: number | undefined;
  readonly registeredModels?: number | undefined;
  readonly traces?: number | undefined;
}

/** A trace, and how many spans it has in the source's own store; undefined when that is not told. */
export interface SourceTrace {
  readonly trace: ImportTrace;
  readonly spans: number | undefined;
}

/** An evaluation dataset, and its records in pages. */
export interface SourceDataset {
  readonly dataset: ImportDataset;
  records(): AsyncIterable<readonly ImportRecord[]>;
}

/** A registered model with all that belongs to it; versions by number. */
export interface SourceModel {
  readonly model: ImportModel;
  readonly versions: readonly ImportVersion[];
  readonly aliases: readonly ImportAlias[];
}

/** What an import does not bring, and why. */
export interface Left {
  readonly what: string;
  /** Absent when the source does not tell. */
  readonly count?: number | undefined;
  readonly reason: string;
}

/** A file of a run or model: its path below the owner's artifacts, with `/` between names. */
export interface SourceFile {
  readonly path: string;
  readonly bytes: number;
  /** When it was written, ms since 1970; 0 when the source does not tell. */
  readonly time: number;
  open(): Promise<Readable> | Readable;
}

/**
 * An MLflow server or database that is read: everything with the source's own ids, experiments and
 * locations. Pages are of a size that fits one request.
 */
export interface MlflowSource {
  readonly totals: Totals;
  /** All experiments, by id; also deleted ones. */
  experiments(): Promise<readonly ImportExperiment[]>;
  /** All runs with parameters, tags, inputs and outputs; also deleted ones. */
  runs(): AsyncIterable<readonly ImportRun[]>;
  /** The points of runs that are not all here, in pieces, each of one run. */
  points(
    runs: readonly ImportRun[],
    known: Known['runs'],
    failed: (run: string, reason: string) => void,
  ): AsyncIterable<ImportMetrics>;
  loggedModels(): AsyncIterable<readonly ImportLoggedModel[]>;
  /** The points that were measured on models, unless they are all here. */
  modelPoints(
    models: readonly ImportLoggedModel[],
    known: Known['models'],
  ): AsyncIterable<ImportMetrics>;
  registeredModels(): AsyncIterable<SourceModel>;
  /** All traces with tags, metadata, assessments and links, oldest first. */
  traces(): AsyncIterable<readonly SourceTrace[]>;
  /** The spans of traces that are in the source's own store, in pieces. */
  spans(
    traces: readonly ImportTrace[],
    failed: (trace: string, reason: string) => void,
  ): AsyncIterable<readonly OtlpSpan[]>;
  /** True when `spans` also tells those that are in files or in an archive. */
  readonly tellsAllSpans?: boolean;
  evaluationDatasets(): AsyncIterable<SourceDataset>;
  scorers(): AsyncIterable<ImportScorer>;
  issues(): AsyncIterable<ImportIssue>;
  /** Also the default questions that experiments have from their beginning. */
  labelSchemas(): AsyncIterable<ImportSchema>;
  reviewQueues(): AsyncIterable<ImportQueue>;
  webhooks(): AsyncIterable<ImportWebhook>;
  /** What it holds that an import does not know. */
  left(): Promise<readonly Left[]>;
  /** Files below a path of its artifact proxy (`mlflow-artifacts:`); absent without one. */
  readonly proxied?: ((path: string) => AsyncIterable<SourceFile>) | undefined;
  close(): void;
}

/** One value of a metric, as a source tells it. */
export interface SourcePoint {
  readonly key: string;
  readonly timestamp: number;
  readonly step: number;
  readonly value: number | 'NaN';
  readonly model?: string;
  readonly datasetName?: string;
  readonly datasetDigest?: string;
}

/** Oldest first: a history that grows needs no look at what is there. */
const byTime = (a: SourcePoint, b: SourcePoint): number =>
  a.timestamp - b.timestamp || a.step - b.step;

/** Points of one run as a message, by metric. */
export function metricsOf(run: string, points: readonly SourcePoint[]): ImportMetrics {
  const bySeries = new Map<string, SourcePoint[]>();
  for (const point of points) {
    const { key, model, datasetName, datasetDigest } = point;
    const name = model ? JSON.stringify([key, model, datasetName, datasetDigest]) : key;
    const series = bySeries.get(name);
    if (series === undefined) bySeries.set(name, [point]);
    else series.push(point);
  }
  return { run_id: run, series: [...bySeries.values()].map(seriesOf) };
}

function seriesOf(points: SourcePoint[]): ImportSeries {
  points.sort(byTime);
  const { key = '', model, datasetName, datasetDigest } = points[0] ?? {};
  return {
    key,
    ...(model ? { model_id: model } : {}),
    ...(model && datasetName ? { dataset_name: datasetName } : {}),
    ...(model && datasetDigest ? { dataset_digest: datasetDigest } : {}),
    timestamps: points.map(({ timestamp }) => timestamp),
    steps: points.map(({ step }) => step),
    values: points.map(({ value }) => value),
  };
}

/** A point whose timestamp or step is beyond 2^53, as the source has it. */
export interface InexactPoint {
  readonly key: string;
  readonly timestamp: string;
  readonly step: string;
}

/** What a report says of points that are left out, by the first of them. */
export function describeInexact(some: readonly InexactPoint[], count: number): string {
  const shown = some
    .slice(0, limits.importExamplesMax)
    .map(({ key, timestamp, step }) => `${key} at step ${step} and time ${timestamp}`);
  const points = count === 1 ? '1 point is' : `${count} points are`;
  return `${points} left out, all others are brought: ${shown.join('; ')}${count > shown.length ? '; …' : ''}. Its time (ms) or step is beyond 2^53: was it logged in nanoseconds?`;
}
