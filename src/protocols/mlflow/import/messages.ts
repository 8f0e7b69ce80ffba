import {
  createRunMessage,
  finalizeLoggedModelMessage,
  logBatchMessage,
  logInputsMessage,
  updateRunMessage,
} from '../tracking/wire.ts';
import {
  type BodyOf,
  bool,
  double,
  int64,
  message,
  nested,
  oneOf,
  repeated,
  required,
  string,
} from '../wire.ts';
import {
  datasetMessage,
  recordsMessage,
  scorerMessage,
  spansMessage,
  traceMessage,
  webhookMessage,
  workspaceMessage,
} from './genai-messages.ts';
import {
  importedIssueMessage,
  importedQueueMessage,
  importedSchemaMessage,
} from './review-messages.ts';

/**
 * The messages of an import: what another MLflow server holds, with its ids and times (ms since
 * 1970). Fields carry MLflow's names. `experiment_id` of runs and models is that of the experiment
 * here, which the answer to its own message told.
 */

const stage = oneOf(['active', 'deleted'], 0);
const { tags, params } = logBatchMessage.fields;

export const experimentMessage = message({
  experiment_id: required(string),
  name: required(string),
  /** Absent when its files are brought: then the artifact store here is the location. */
  artifact_location: string,
  lifecycle_stage: stage,
  creation_time: int64,
  last_update_time: int64,
  tags,
  /** An experiment whose id is taken gets one above this: other ids of the source stay free. */
  ids_above: int64,
});

export const runMessage = message({
  run_id: required(string),
  experiment_id: required(string),
  run_name: string,
  user_id: createRunMessage.fields.user_id,
  status: updateRunMessage.fields.status,
  start_time: int64,
  end_time: int64,
  lifecycle_stage: stage,
  deleted_time: int64,
  artifact_uri: string,
  tags,
  params,
  datasets: logInputsMessage.fields.datasets,
  models: logInputsMessage.fields.models,
  outputs: repeated(nested(message({ model_id: required(string), step: int64 }))),
});

/** Points of metrics of one run, by metric: the three lists belong together. */
const metricsMessage = message({
  run_id: required(string),
  series: repeated(
    nested(
      message({
        key: required(string),
        /** Of points that are also those of a logged model. */
        model_id: string,
        dataset_name: string,
        dataset_digest: string,
        timestamps: repeated(int64),
        steps: repeated(int64),
        values: repeated(double),
      }),
    ),
  ),
});

export const loggedModelMessage = message({
  model_id: required(string),
  experiment_id: required(string),
  name: string,
  model_type: string,
  source_run_id: string,
  artifact_uri: required(string),
  status: finalizeLoggedModelMessage.fields.status,
  lifecycle_stage: stage,
  creation_timestamp_ms: int64,
  last_updated_timestamp_ms: int64,
  tags,
  params,
});

export const modelMessage = message({
  name: required(string),
  description: string,
  creation_timestamp: int64,
  last_updated_timestamp: int64,
  tags,
});

export const versionMessage = message({
  name: required(string),
  version: required(int64),
  source: string,
  storage_location: string,
  run_id: string,
  run_link: string,
  model_id: string,
  description: string,
  current_stage: string,
  creation_timestamp: int64,
  last_updated_timestamp: int64,
  /** A version that was deleted there: only its number is left. */
  deleted: bool,
  tags,
});

/** `removed`: the source has no alias of that name any more. */
const aliasMessage = message({
  name: required(string),
  alias: required(string),
  version: required(string),
  removed: bool,
});

/** What may stand in a line of an import, by the name that the line gives. */
export const importMessages = {
  experiment: experimentMessage,
  run: runMessage,
  metrics: metricsMessage,
  'logged-model': loggedModelMessage,
  'registered-model': modelMessage,
  'model-version': versionMessage,
  alias: aliasMessage,
  spans: spansMessage,
  trace: traceMessage,
  'evaluation-dataset': datasetMessage,
  'evaluation-records': recordsMessage,
  scorer: scorerMessage,
  webhook: webhookMessage,
  workspace: workspaceMessage,
  issue: importedIssueMessage,
  'label-schema': importedSchemaMessage,
  'review-queue': importedQueueMessage,
} as const;

export type ImportKind = keyof typeof importMessages;
export type ImportBody<K extends ImportKind> = BodyOf<(typeof importMessages)[K]>;

export type ImportExperiment = ImportBody<'experiment'>;
export type ImportRun = ImportBody<'run'>;
export type ImportMetrics = ImportBody<'metrics'>;
export type ImportSeries = NonNullable<ImportMetrics['series']>[number];
export type ImportLoggedModel = ImportBody<'logged-model'>;
export type ImportModel = ImportBody<'registered-model'>;
export type ImportVersion = ImportBody<'model-version'>;
export type ImportAlias = ImportBody<'alias'>;
export type ImportTrace = ImportBody<'trace'>;
export type ImportAssessment = NonNullable<ImportTrace['assessments']>[number];
export type ImportDataset = ImportBody<'evaluation-dataset'>;
export type ImportRecords = ImportBody<'evaluation-records'>;
export type ImportRecord = NonNullable<ImportRecords['records']>[number];
export type ImportScorer = ImportBody<'scorer'>;
export type ImportWebhook = ImportBody<'webhook'>;
export type ImportWorkspace = ImportBody<'workspace'>;
export type ImportIssue = ImportBody<'issue'>;
export type ImportSchema = ImportBody<'label-schema'>;
export type ImportQueue = ImportBody<'review-queue'>;

/** A file of the artifact store; its bytes are a blob already. */
export type ImportArtifact = {
  readonly path: string;
  /** SHA-256, hex. */
  readonly digest: string;
  readonly bytes: number;
  /** When it was written there, ms since 1970. */
  readonly time: number;
  /** What it says, when it is one of those that describe a model. */
  readonly text?: string;
};
