/** What a run of the benchmark found. Values keep their unit in their name. */

export type System = 'wherefrom' | 'mlflow';

/** A load of one kind of request. */
export interface LoadFigure {
  readonly kind: 'load';
  readonly measure: string;
  readonly system: System;
  readonly connections: number;
  readonly requestsPerSecond: number;
  /** Things told by one request: metrics of a log-batch, predictions of a set. */
  readonly itemsPerRequest: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time of the server's processes. */
  readonly cpuMicrosPerRequest: number;
  /** Memory of the server's processes at the end of the load. */
  readonly memoryMiB: number;
  /** Cores that were busy with neither the server nor the load: what disturbed the measure. */
  readonly othersCores: number;
  readonly errors: number;
  readonly firstError?: string;
}

/** One number. */
export interface ValueFigure {
  readonly kind: 'value';
  readonly measure: string;
  readonly system: System;
  readonly value: number;
  readonly unit: string;
  /** What it was measured on, for example a number of nodes. */
  readonly note?: string;
}

export type Figure = LoadFigure | ValueFigure;

/** The value below which the fraction `q` of the sorted values lies; NaN of none. */
export function percentile(sorted: ArrayLike<number>, q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(Float64Array.from(values).sort(), 0.5);
}

/** How long and how much to measure. */
export interface Effort {
  readonly warmupMs: number;
  readonly durationMs: number;
  /** Sizes of the lineage graphs, in nodes. */
  readonly graphNodes: readonly number[];
  /** Starts, client runs and other things that are done a number of times. */
  readonly repeats: number;
  /** Runs to search through. */
  readonly searchedRuns: number;
  /** And once more through so many. */
  readonly manyRuns?: number;
  /** Size of the artifact that goes up and down. */
  readonly artifactMiB: number;
}

export const fullEffort: Effort = {
  // V8 needs some seconds of a load until it has compiled what the load runs.
  warmupMs: 4_000,
  durationMs: 6_000,
  graphNodes: [1_000, 10_000, 100_000, 1_000_000],
  repeats: 7,
  searchedRuns: 10_000,
  artifactMiB: 256,
};

/** What takes minutes to generate, besides the rest: `--large`. */
export const largeEffort: Effort = {
  ...fullEffort,
  graphNodes: [...fullEffort.graphNodes, 10_000_000],
  manyRuns: 1_000_000,
};

/** Shows that everything works; its figures mean little. */
export const quickEffort: Effort = {
  warmupMs: 100,
  durationMs: 400,
  graphNodes: [1_000],
  repeats: 2,
  searchedRuns: 200,
  artifactMiB: 16,
};

/** What a measure is given. */
export interface MeasureContext {
  readonly effort: Effort;
  /** An empty directory of the whole run, removed when it ends. */
  readonly scratch: string;
  readonly log: (line: string) => void;
}
