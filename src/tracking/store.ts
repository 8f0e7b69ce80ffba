import type { Awaitable } from '../base/awaitable.ts';
import type {
  KeyValue,
  LoggedModelStatus,
  MetricPoint,
  RunStatus,
  TrackedDataset,
} from '../facts/tracking-facts.ts';

import type {
  DatasetSummary,
  DatasetSummarySearch,
  LifecycleStage,
  LoggedModelSearch,
  MetricHistorySearch,
  MetricSampleSearch,
  RunPoints,
  RunSearch,
  Search,
} from './searches.ts';

/** An experiment. `key` is a surrogate of this store; `id` is what clients know. */
export interface ExperimentRow {
  readonly key: number;
  readonly id: string;
  readonly name: string;
  readonly artifactLocation: string;
  readonly stage: LifecycleStage;
  readonly creationTime: number;
  readonly lastUpdateTime: number;
}

export interface RunRow {
  readonly key: number;
  readonly id: string;
  readonly name: string;
  readonly experimentKey: number;
  readonly experimentId: string;
  readonly user: string;
  readonly status: RunStatus;
  readonly startTime: number;
  /** null while it has none. */
  readonly endTime: number | null;
  readonly stage: LifecycleStage;
  readonly artifactUri: string;
}

/** What the door needs to know of a run on each message. */
export interface RunHead {
  readonly key: number;
  readonly experimentKey: number;
  readonly experimentId: string;
  readonly artifactUri: string;
  readonly stage: LifecycleStage;
}

export interface LoggedModelRow {
  readonly key: number;
  readonly id: string;
  readonly name: string;
  readonly experimentId: string;
  readonly modelType: string;
  readonly sourceRun: string;
  readonly artifactUri: string;
  readonly status: LoggedModelStatus;
  /** SHA-256, hex, over the list of its files when it was finalized; null before, or without files. */
  readonly digest: string | null;
  readonly stage: LifecycleStage;
  readonly creationTime: number;
  readonly lastUpdateTime: number;
}

/** A row of a key-value table of some owner. */
export interface OwnedKeyValue extends KeyValue {
  readonly owner: number;
}

/** Some hundred points of a run that came one after another. */
export interface MetricPart {
  readonly part: number;
  /** Position of the entry that the first of them came in. */
  readonly position: number;
  /** Position at which the run ended, after which others went into the next part; null while it has not. */
  readonly closedPosition: number | null;
}

export interface OwnedMetric extends MetricPoint {
  readonly owner: number;
  /** Run id, for metrics of a logged model. */
  readonly run?: string | undefined;
}

export interface InputRow {
  readonly owner: number;
  readonly dataset: TrackedDataset;
  readonly tags: readonly KeyValue[];
}

export interface ModelLinkRow {
  readonly owner: number;
  readonly model: string;
  /** Of outputs; 0 for inputs. */
  readonly step: number;
}

export interface ArtifactRow {
  readonly path: string;
  /** SHA-256 of the blob, hex. */
  readonly digest: string;
  readonly bytes: number;
}

/** One name in a directory listing. */
export interface ListedArtifact {
  readonly name: string;
  readonly isDirectory: boolean;
  /** 0 for directories. */
  readonly bytes: number;
}

/** Queries of experiments, runs, logged models and artifact files. Ids are those of one workspace. */
export interface TrackingReader {
  /** Experiment "0" is always there. */
  findExperiment(workspace: string, id: string): Awaitable<ExperimentRow | undefined>;
  findExperimentByName(workspace: string, name: string): Awaitable<ExperimentRow | undefined>;
  /** The number that the next experiment gets. */
  nextExperimentId(workspace: string): Awaitable<number>;
  experimentTags(keys: readonly number[]): Awaitable<OwnedKeyValue[]>;
  /** Keys of the experiments found, in order; 0 is that of experiment "0" while nothing was written to it. */
  searchExperiments(search: Search): Awaitable<number[]>;
  /** In the order of the keys. */
  getExperiments(keys: readonly number[]): Awaitable<ExperimentRow[]>;

  /** Whether a run or logged model has that id, in any workspace: ids are the server's. */
  hasId(kind: 'run' | 'model', id: string): Awaitable<boolean>;
  findRunHead(workspace: string, id: string): Awaitable<RunHead | undefined>;
  /** Id of the run that was created last, in whatever workspace. */
  newestRunId(): Awaitable<string | undefined>;
  findRun(workspace: string, id: string): Awaitable<RunRow | undefined>;
  /** Those of the ids that are runs of the workspace, in no order. */
  findRuns(workspace: string, ids: readonly string[]): Awaitable<RunRow[]>;
  /** Keys of the runs found, in order. */
  searchRuns(search: RunSearch): Awaitable<number[]>;
  /** The same where an index gives the page at once; undefined where many runs may have to be looked at. */
  searchRunsQuickly(search: RunSearch): Awaitable<number[] | undefined>;
  /** In the order of the keys. */
  getRuns(keys: readonly number[]): Awaitable<RunRow[]>;
  /** Ids of all runs of an experiment, oldest first. */
  runIdsOfExperiment(key: number): Awaitable<string[]>;
  /** With `position`, only those recorded up to it. */
  params(keys: readonly number[], position?: number): Awaitable<OwnedKeyValue[]>;
  tags(keys: readonly number[]): Awaitable<OwnedKeyValue[]>;
  findParam(run: number, key: string): Awaitable<string | undefined>;
  findTag(run: number, key: string): Awaitable<string | undefined>;
  latestMetrics(keys: readonly number[]): Awaitable<OwnedMetric[]>;
  /** In the order in which they were begun. */
  metricParts(run: number): Awaitable<MetricPart[]>;
  /** Points of the run's first parts, up to `lastPart`, of timestamps up to `until`, ms. */
  pointsOfParts(
    run: number,
    span: { readonly lastPart: number; readonly until: number },
  ): Awaitable<MetricPoint[]>;
  /** True when exactly this value was logged before. */
  hasMetric(run: number, metric: MetricPoint): Awaitable<boolean>;
  /** Points of each run, in the order of the runs. */
  metricHistories(search: MetricHistorySearch): Awaitable<RunPoints[]>;
  /** How many points the run has, of all metrics. */
  countMetrics(run: number): Awaitable<number>;
  /** Some points of each run, in the order of the runs. */
  metricSamples(search: MetricSampleSearch): Awaitable<RunPoints[]>;
  /** How many points the runs have at most, of all metrics; cheap. */
  boundOfPoints(runs: readonly number[]): Awaitable<number>;
  inputs(keys: readonly number[]): Awaitable<InputRow[]>;
  /** The datasets that runs of these experiments read, once for each context, at most `limit`. */
  datasetSummaries(search: DatasetSummarySearch): Awaitable<DatasetSummary[]>;
  modelInputs(keys: readonly number[]): Awaitable<ModelLinkRow[]>;
  modelOutputs(keys: readonly number[]): Awaitable<ModelLinkRow[]>;

  findLoggedModel(workspace: string, id: string): Awaitable<LoggedModelRow | undefined>;
  searchLoggedModels(search: LoggedModelSearch): Awaitable<number[]>;
  getLoggedModels(keys: readonly number[]): Awaitable<LoggedModelRow[]>;
  loggedModelParams(keys: readonly number[]): Awaitable<OwnedKeyValue[]>;
  loggedModelTags(keys: readonly number[]): Awaitable<OwnedKeyValue[]>;
  /** All values, by run and metric, oldest first. */
  loggedModelMetrics(keys: readonly number[]): Awaitable<OwnedMetric[]>;
  /** How many points the model has, of all metrics and runs. */
  countLoggedModelMetrics(model: number): Awaitable<number>;

  findArtifact(workspace: string, path: string): Awaitable<ArtifactRow | undefined>;
  /** All files below a directory, by path, at most `limit`. */
  artifactsBelow(workspace: string, directory: string, limit: number): Awaitable<ArtifactRow[]>;
  /** Digests of the files at all paths of all workspaces, each once. */
  namedBlobs(): Awaitable<string[]>;
  /** The names directly in a directory, sorted, at most `limit`. '' is the root. */
  listArtifacts(workspace: string, directory: string, limit: number): Awaitable<ListedArtifact[]>;
}

export interface NewExperiment {
  readonly workspace: string;
  readonly id: string;
  readonly name: string;
  readonly artifactLocation: string;
  readonly time: number;
  /** `time` when absent. */
  readonly updatedTime?: number | undefined;
}

export interface NewRun {
  readonly workspace: string;
  readonly id: string;
  readonly experimentId: string;
  readonly name: string;
  readonly user: string;
  readonly startTime: number;
  readonly artifactUri?: string | undefined;
}

export interface NewLoggedModel {
  readonly workspace: string;
  readonly id: string;
  readonly experimentId: string;
  readonly name: string;
  readonly modelType: string;
  readonly sourceRun: string;
  readonly artifactUri: string;
  readonly time: number;
}

/** Writes of the projection, in ledger order. Runs and models are named by their ids. */
export interface TrackingStore extends TrackingReader {
  /** Makes experiment "0" of the workspace a row, when it is not yet one, with its artifacts at `location`. */
  ensureDefaultExperiment(workspace: string, time: number, location?: string): Awaitable<void>;
  putExperiment(experiment: NewExperiment): Awaitable<void>;
  renameExperiment(workspace: string, id: string, name: string, time: number): Awaitable<void>;
  /** Sets the stage of the experiment and all its runs. */
  stageExperiment(
    workspace: string,
    id: string,
    stage: LifecycleStage,
    time: number,
  ): Awaitable<void>;
  putExperimentTag(
    workspace: string,
    id: string,
    key: string,
    value: string | null,
  ): Awaitable<void>;
  putRun(run: NewRun): Awaitable<void>;
  updateRun(
    workspace: string,
    id: string,
    change: {
      readonly status?: RunStatus | undefined;
      readonly endTime?: number | undefined;
      readonly name?: string | undefined;
    },
  ): Awaitable<void>;
  stageRun(workspace: string, id: string, stage: LifecycleStage, time: number): Awaitable<void>;
  putTags(workspace: string, run: string, tags: readonly KeyValue[]): Awaitable<void>;
  deleteTag(workspace: string, run: string, key: string): Awaitable<void>;
  putParams(
    workspace: string,
    run: string,
    params: readonly KeyValue[],
    position: number,
  ): Awaitable<void>;
  putMetrics(
    workspace: string,
    run: string,
    metrics: readonly MetricPoint[],
    position: number,
  ): Awaitable<void>;
  /** The run ended: what was logged by then is told apart from what comes later. */
  closeMetrics(workspace: string, run: string, position: number): Awaitable<void>;
  putInput(
    workspace: string,
    run: string,
    dataset: TrackedDataset,
    tags: readonly KeyValue[],
  ): Awaitable<void>;
  putModelInput(workspace: string, run: string, model: string): Awaitable<void>;
  putModelOutput(workspace: string, run: string, model: string, step: number): Awaitable<void>;
  putLoggedModel(model: NewLoggedModel): Awaitable<void>;
  finalizeLoggedModel(
    workspace: string,
    id: string,
    change: {
      readonly status: LoggedModelStatus;
      readonly digest?: string | undefined;
      readonly time: number;
    },
  ): Awaitable<void>;
  putLoggedModelTags(workspace: string, id: string, tags: readonly KeyValue[]): Awaitable<void>;
  deleteLoggedModelTag(workspace: string, id: string, key: string): Awaitable<void>;
  putLoggedModelParams(workspace: string, id: string, params: readonly KeyValue[]): Awaitable<void>;
  deleteLoggedModel(workspace: string, id: string, time: number): Awaitable<void>;
  putArtifact(workspace: string, artifact: ArtifactRow): Awaitable<void>;
  /** Removes the file of that path and all below it. */
  deleteArtifacts(workspace: string, path: string): Awaitable<void>;
  /** Forgets cached keys; called when a batch rolls back. */
  reset(): void;
}
