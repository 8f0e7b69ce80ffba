export type LifecycleStage = 'active' | 'deleted';

export type SearchOperator =
  | '='
  | '!='
  | '>'
  | '>='
  | '<'
  | '<='
  | 'LIKE'
  | 'ILIKE'
  | 'IN'
  | 'NOT IN'
  | 'IS NULL'
  | 'IS NOT NULL';

export interface SearchCondition {
  readonly entity: 'metric' | 'parameter' | 'tag' | 'attribute' | 'dataset';
  readonly key: string;
  readonly operator: SearchOperator;
  readonly value: string | number | readonly string[] | null;
}

export interface SearchOrder {
  readonly entity: 'metric' | 'parameter' | 'tag' | 'attribute' | 'dataset';
  readonly key: string;
  readonly ascending: boolean;
}

/** One page of a search; ask for one more than the page to know whether there is a next one. */
export interface Search {
  readonly workspace: string;
  readonly conditions: readonly SearchCondition[];
  readonly orders: readonly SearchOrder[];
  /** Undefined means both. */
  readonly stage?: LifecycleStage | undefined;
  readonly limit: number;
  readonly offset: number;
}

export interface RunSearch extends Search {
  readonly experimentIds: readonly string[];
}

export interface DatasetFilter {
  readonly name: string;
  readonly digest?: string | undefined;
}

export interface LoggedModelOrder extends SearchOrder {
  readonly dataset?: DatasetFilter | undefined;
}

export interface LoggedModelSearch extends Search {
  readonly experimentIds: readonly string[];
  readonly orders: readonly LoggedModelOrder[];
  /** Narrow the metrics that conditions look at. */
  readonly datasets: readonly DatasetFilter[];
}

/** Points of one metric of some runs, by timestamp, step and value. */
export interface MetricHistorySearch {
  /** Keys of runs; theirs follow one another in this order. */
  readonly runs: readonly number[];
  readonly metric: string;
  /** Of all runs together; negative for no limit. */
  readonly limit: number;
  /** Points of each run that are left out first. */
  readonly offset: number;
}

/** Some points of one metric of each of some runs, spread evenly, by step, timestamp and value. */
export interface MetricSampleSearch {
  /** Keys of runs. */
  readonly runs: readonly number[];
  readonly metric: string;
  /** Of each run; 1 or more. The first and the last point are among them. */
  readonly limit: number;
  /** Only those between two steps, both included. */
  readonly steps?: { readonly from: number; readonly to: number } | undefined;
}

/** Points of one run, packed so that millions can be handed over from thread to thread. */
export interface RunPoints {
  /** Key of the run. */
  readonly run: number;
  /** Timestamp (ms), step and value of each point, one point after the other. */
  readonly points: Float64Array<ArrayBuffer>;
}

/** A dataset that runs of an experiment read, in one context. */
export interface DatasetSummary {
  readonly experimentId: string;
  readonly name: string;
  readonly digest: string;
  readonly context: string | null;
}

export interface DatasetSummarySearch {
  readonly workspace: string;
  readonly experimentIds: readonly string[];
  readonly limit: number;
}

/** Searches, which may look at every row: where these are many, on a thread that holds up no write. */
export interface TrackingSearches {
  /** Keys of the experiments found, in order; the newest first where nothing else is asked. */
  searchExperiments(search: Search): Promise<number[]>;
  /** Keys of the runs found, in order. */
  searchRuns(search: RunSearch): Promise<number[]>;
  /** Keys of the logged models found, in order. */
  searchLoggedModels(search: LoggedModelSearch): Promise<number[]>;
  /** As `TrackingReader.datasetSummaries`. */
  summariseDatasets(search: DatasetSummarySearch): Promise<DatasetSummary[]>;
  /** As `TrackingReader.metricHistories`. */
  metricHistories(search: MetricHistorySearch): Promise<RunPoints[]>;
  /** As `TrackingReader.metricSamples`. */
  metricSamples(search: MetricSampleSearch): Promise<RunPoints[]>;
}
