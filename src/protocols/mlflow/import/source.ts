import type { Readable } from 'node:stream';
import type {
  ImportAlias,
  ImportExperiment,
  ImportLoggedModel,
  ImportMetrics,
  ImportModel,
  ImportRun,
  ImportVersion,
} from './messages.ts';
import type { Known } from './target.ts';

/** How much there is, as far as the source can tell before it is read. */
export interface Totals {
  readonly experiments: number;
  readonly runs?: number | undefined;
  readonly points?: number | undefined;
  readonly loggedModels?: number | undefined;
  readonly registeredModels?: number | undefined;
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
  /** What it holds that an import does not know. */
  left(): Promise<readonly Left[]>;
  /** Files below a path of its artifact proxy (`mlflow-artifacts:`); absent without one. */
  readonly proxied?: ((path: string) => AsyncIterable<SourceFile>) | undefined;
  close(): void;
}

/** Points of one run as a message: by metric, in the order in which they come. */
export class SeriesBuilder {
  readonly #run: string;
  readonly #series = new Map<string, MutableSeries>();
  /** Points that were added. */
  count = 0;

  constructor(run: string) {
    this.#run = run;
  }

  add(point: SourcePoint): void {
    const { key, model = '', datasetName = '', datasetDigest = '' } = point;
    const name = model === '' ? key : `${key}\n${model}\n${datasetName}\n${datasetDigest}`;
    let series = this.#series.get(name);
    if (series === undefined) {
      const of = { model_id: model, dataset_name: datasetName, dataset_digest: datasetDigest };
      series = { key, ...(model === '' ? {} : of), timestamps: [], steps: [], values: [] };
      this.#series.set(name, series);
    }
    series.timestamps.push(point.timestamp);
    series.steps.push(point.step);
    series.values.push(point.value);
    this.count += 1;
  }

  build(): ImportMetrics {
    return { run_id: this.#run, series: [...this.#series.values()] };
  }
}

type MutableSeries = {
  readonly key: string;
  readonly timestamps: number[];
  readonly steps: number[];
  readonly values: (number | 'NaN')[];
};

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
