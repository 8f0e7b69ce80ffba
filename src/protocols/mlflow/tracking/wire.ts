import {
  alias,
  type BodyOf,
  bool,
  double,
  int32,
  int64,
  message,
  nested,
  oneOf,
  repeated,
  required,
  string,
  text,
} from '../wire.ts';

/** Source: mlflow/protos/service.proto; required fields as mlflow/server/handlers.py checks them. */

const keyValue = message({ key: required(string), value: string });
/** In lists that MLflow's schema does not look into, a key that is absent is an empty one. */
const looseKeyValue = message({ key: text, value: string });
const runId = required(alias(string, 'run_uuid'));
const viewType = oneOf(['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL'], 1);

const runStatus = oneOf(['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'], 1);
const loggedModelStatus = oneOf(
  [
    'LOGGED_MODEL_STATUS_UNSPECIFIED',
    'LOGGED_MODEL_PENDING',
    'LOGGED_MODEL_READY',
    'LOGGED_MODEL_UPLOAD_FAILED',
  ],
  0,
);

export const createExperimentMessage = message({
  name: required(string),
  artifact_location: string,
  tags: repeated(nested(looseKeyValue)),
});
export const experimentMessage = message({ experiment_id: required(string) });
export const experimentByNameMessage = message({ experiment_name: required(string) });
export const updateExperimentMessage = message({
  experiment_id: required(string),
  new_name: required(string),
});
export const experimentTagMessage = message({
  experiment_id: required(string),
  key: required(string),
  value: string,
});
export const deleteExperimentTagMessage = message({
  experiment_id: required(string),
  key: required(string),
});
export const searchExperimentsMessage = message({
  max_results: int64,
  page_token: string,
  filter: string,
  order_by: repeated(string),
  view_type: viewType,
});

export const createRunMessage = message({
  experiment_id: string,
  user_id: string,
  run_name: string,
  start_time: int64,
  tags: repeated(nested(looseKeyValue)),
});
export const updateRunMessage = message({
  run_id: runId,
  status: runStatus,
  end_time: int64,
  run_name: string,
});
export const runMessage = message({ run_id: runId });
export const logMetricMessage = message({
  run_id: runId,
  key: required(string),
  value: required(double),
  timestamp: required(int64),
  step: int64,
  model_id: string,
  dataset_name: string,
  dataset_digest: string,
});
export const logParamMessage = message({ run_id: runId, key: required(string), value: string });
export const setTagMessage = message({ run_id: runId, key: required(string), value: string });
export const deleteTagMessage = message({ run_id: runId, key: required(string) });
export const logBatchMessage = message({
  run_id: required(string),
  metrics: repeated(
    nested(
      message({
        key: required(string),
        value: required(double),
        timestamp: required(int64),
        step: int64,
        model_id: string,
        dataset_name: string,
        dataset_digest: string,
      }),
    ),
  ),
  params: repeated(nested(keyValue)),
  tags: repeated(nested(keyValue)),
});
export const searchRunsMessage = message({
  experiment_ids: repeated(string),
  filter: string,
  run_view_type: viewType,
  max_results: int32,
  order_by: repeated(string),
  page_token: string,
});
export const metricHistoryMessage = message({
  run_id: runId,
  metric_key: required(string),
  page_token: string,
  max_results: int32,
});

export const historyBulkIntervalMessage = message({
  run_ids: repeated(string),
  metric_key: required(string),
  start_step: int32,
  end_step: int32,
  max_results: int32,
});
export const searchDatasetsMessage = message({ experiment_ids: repeated(string) });

export const logInputsMessage = message({
  run_id: required(string),
  datasets: repeated(
    nested(
      message({
        tags: repeated(nested(message({ key: required(string), value: required(string) }))),
        dataset: required(
          nested(
            message({
              name: required(string),
              digest: required(string),
              source_type: required(string),
              source: required(string),
              schema: string,
              profile: string,
            }),
          ),
        ),
      }),
    ),
  ),
  models: repeated(nested(message({ model_id: required(string) }))),
});
export const logOutputsMessage = message({
  run_id: required(string),
  models: required(repeated(nested(message({ model_id: required(string), step: int64 })))),
});
export const logModelMessage = message({ run_id: required(string), model_json: required(string) });

export const createLoggedModelMessage = message({
  experiment_id: required(string),
  name: string,
  model_type: string,
  source_run_id: string,
  params: repeated(nested(looseKeyValue)),
  tags: repeated(nested(looseKeyValue)),
});
export const loggedModelMessage = message({ model_id: required(string), allow_deleted: string });
export const finalizeLoggedModelMessage = message({
  model_id: required(string),
  status: required(loggedModelStatus),
});
export const loggedModelTagsMessage = message({
  model_id: required(string),
  tags: repeated(nested(looseKeyValue)),
});
export const deleteLoggedModelTagMessage = message({
  model_id: required(string),
  tag_key: required(string),
});
export const loggedModelParamsMessage = message({
  model_id: required(string),
  params: repeated(nested(looseKeyValue)),
});
export const searchLoggedModelsMessage = message({
  experiment_ids: required(repeated(string)),
  filter: string,
  datasets: repeated(nested(message({ dataset_name: string, dataset_digest: string }))),
  max_results: int32,
  order_by: repeated(
    nested(
      message({
        field_name: string,
        ascending: bool,
        dataset_name: string,
        dataset_digest: string,
      }),
    ),
  ),
  page_token: string,
});
export const listLoggedModelFilesMessage = message({
  model_id: required(string),
  artifact_directory_path: string,
  page_token: string,
});

export const listArtifactsMessage = message({ run_id: runId, path: string, page_token: string });
export const listFilesMessage = message({ path: string });
export const createUploadMessage = message({ path: required(string), num_parts: int64 });
export const completeUploadMessage = message({
  path: required(string),
  upload_id: string,
  parts: required(repeated(nested(message({ part_number: int64, etag: string, url: string })))),
});
export const abortUploadMessage = message({ path: required(string), upload_id: string });
export const presignUploadMessage = message({
  run_id: string,
  model_id: string,
  path: required(string),
  expiration: int64,
});
export const presignDownloadMessage = message({
  run_id: required(string),
  path: required(string),
  expiration: int64,
});

export type CreateExperiment = BodyOf<typeof createExperimentMessage>;
export type ExperimentOnly = BodyOf<typeof experimentMessage>;
export type UpdateExperiment = BodyOf<typeof updateExperimentMessage>;
export type ExperimentTag = BodyOf<typeof experimentTagMessage>;
export type DeleteExperimentTag = BodyOf<typeof deleteExperimentTagMessage>;
export type SearchExperiments = BodyOf<typeof searchExperimentsMessage>;
export type CreateRun = BodyOf<typeof createRunMessage>;
export type UpdateRun = BodyOf<typeof updateRunMessage>;
export type RunOnly = BodyOf<typeof runMessage>;
export type LogMetric = BodyOf<typeof logMetricMessage>;
export type LogParam = BodyOf<typeof logParamMessage>;
export type SetTag = BodyOf<typeof setTagMessage>;
export type DeleteTag = BodyOf<typeof deleteTagMessage>;
export type LogBatch = BodyOf<typeof logBatchMessage>;
export type SearchRuns = BodyOf<typeof searchRunsMessage>;
export type HistoryBulkInterval = BodyOf<typeof historyBulkIntervalMessage>;
export type SearchDatasets = BodyOf<typeof searchDatasetsMessage>;
export type LogInputs = BodyOf<typeof logInputsMessage>;
export type LogOutputs = BodyOf<typeof logOutputsMessage>;
export type LogModel = BodyOf<typeof logModelMessage>;
export type CreateLoggedModel = BodyOf<typeof createLoggedModelMessage>;
export type FinalizeLoggedModel = BodyOf<typeof finalizeLoggedModelMessage>;
export type LoggedModelOnly = { readonly model_id: string };
export type LoggedModelTags = BodyOf<typeof loggedModelTagsMessage>;
export type DeleteLoggedModelTag = BodyOf<typeof deleteLoggedModelTagMessage>;
export type LoggedModelParams = BodyOf<typeof loggedModelParamsMessage>;
export type SearchLoggedModels = BodyOf<typeof searchLoggedModelsMessage>;
