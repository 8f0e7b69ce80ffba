/** A value of a metric as logged. NaN is NaN here: facts are never written down. */
export interface MetricPoint {
  readonly key: string;
  readonly value: number;
  /** ms since 1970, as the client said. */
  readonly timestamp: number;
  readonly step: number;
  /** Logged model that the value was measured on. */
  readonly model?: string | undefined;
  readonly datasetName?: string | undefined;
  readonly datasetDigest?: string | undefined;
}

export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

/** A dataset as MLflow describes it; its identity is (experiment, name, digest). */
export interface TrackedDataset {
  readonly name: string;
  readonly digest: string;
  readonly sourceType: string;
  readonly source: string;
  readonly schema?: string | undefined;
  readonly profile?: string | undefined;
}

export type RunStatus = 'RUNNING' | 'SCHEDULED' | 'FINISHED' | 'FAILED' | 'KILLED';
export type LoggedModelStatus =
  | 'LOGGED_MODEL_STATUS_UNSPECIFIED'
  | 'LOGGED_MODEL_PENDING'
  | 'LOGGED_MODEL_READY'
  | 'LOGGED_MODEL_UPLOAD_FAILED';

/**
 * What translators say about experiments, runs, metrics, logged models and artifact files. All ids
 * are those of the fact's workspace; `time`s are ms since 1970. Projected in ledger order.
 */
export type TrackingFact =
  | {
      readonly kind: 'experiment.created';
      readonly id: string;
      readonly name: string;
      readonly artifactLocation: string;
      readonly tags: readonly KeyValue[];
      readonly time: number;
      /** When it was last changed; `time` when absent. An experiment of another server has both. */
      readonly updatedTime?: number | undefined;
    }
  | {
      readonly kind: 'experiment.renamed';
      readonly id: string;
      readonly name: string;
      readonly time: number;
    }
  /** Its runs go with it, and come back with it. */
  | { readonly kind: 'experiment.deleted'; readonly id: string; readonly time: number }
  | { readonly kind: 'experiment.restored'; readonly id: string; readonly time: number }
  /** null removes the tag. */
  | {
      readonly kind: 'experiment.tagged';
      readonly id: string;
      readonly key: string;
      readonly value: string | null;
      readonly time: number;
    }
  | {
      readonly kind: 'run.created';
      readonly run: string;
      readonly experiment: string;
      readonly name: string;
      readonly user: string;
      readonly startTime: number;
      /** Absent when it is `{artifactLocation}/{run}/artifacts` of the experiment. */
      readonly artifactUri?: string | undefined;
      readonly tags: readonly KeyValue[];
    }
  | {
      readonly kind: 'run.updated';
      readonly run: string;
      readonly status?: RunStatus | undefined;
      readonly endTime?: number | undefined;
      readonly name?: string | undefined;
    }
  | { readonly kind: 'run.deleted'; readonly run: string; readonly time: number }
  | { readonly kind: 'run.restored'; readonly run: string; readonly time: number }
  | { readonly kind: 'run.tagged'; readonly run: string; readonly tags: readonly KeyValue[] }
  | { readonly kind: 'run.untagged'; readonly run: string; readonly key: string }
  | { readonly kind: 'params.logged'; readonly run: string; readonly params: readonly KeyValue[] }
  | {
      readonly kind: 'metrics.logged';
      readonly run: string;
      readonly metrics: readonly MetricPoint[];
    }
  | {
      readonly kind: 'inputs.logged';
      readonly run: string;
      readonly datasets: readonly {
        readonly dataset: TrackedDataset;
        readonly tags: readonly KeyValue[];
      }[];
      /** Ids of logged models that the run read. */
      readonly models: readonly string[];
    }
  | {
      readonly kind: 'outputs.logged';
      readonly run: string;
      readonly models: readonly { readonly model: string; readonly step: number }[];
    }
  | {
      readonly kind: 'loggedModel.created';
      readonly model: string;
      readonly experiment: string;
      readonly name: string;
      readonly modelType: string;
      /** Run id; '' when none. */
      readonly sourceRun: string;
      readonly artifactUri: string;
      readonly params: readonly KeyValue[];
      readonly tags: readonly KeyValue[];
      readonly time: number;
    }
  | {
      readonly kind: 'loggedModel.finalized';
      readonly model: string;
      readonly status: LoggedModelStatus;
      /** SHA-256, hex, over the list of its files; absent when none were found. */
      readonly digest?: string | undefined;
      readonly time: number;
    }
  | {
      readonly kind: 'loggedModel.tagged';
      readonly model: string;
      readonly tags: readonly KeyValue[];
    }
  | { readonly kind: 'loggedModel.untagged'; readonly model: string; readonly key: string }
  | {
      readonly kind: 'loggedModel.parametrized';
      readonly model: string;
      readonly params: readonly KeyValue[];
    }
  | { readonly kind: 'loggedModel.deleted'; readonly model: string; readonly time: number }
  /** A file is at a path of the artifact store; `digest` is the SHA-256 of the blob, in hex. */
  | {
      readonly kind: 'artifact.stored';
      readonly path: string;
      readonly digest: string;
      readonly bytes: number;
    }
  /** The file, or all files below the directory, are no longer listed. */
  | { readonly kind: 'artifact.removed'; readonly path: string };
