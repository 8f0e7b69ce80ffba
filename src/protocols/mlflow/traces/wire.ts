import {
  bool,
  double,
  int32,
  int64,
  json,
  message,
  nested,
  oneOf,
  repeated,
  required,
  string,
} from '../wire.ts';

/** Messages of traces and assessments. Source: mlflow/protos/service.proto, assessments.proto. */

const entry = message({ key: string, value: string });

export const startMessage = message({ trace: required(json) });

export const startV2Message = message({
  experiment_id: string,
  timestamp_ms: int64,
  request_metadata: repeated(nested(entry)),
  tags: repeated(nested(entry)),
});

export const endV2Message = message({
  request_id: required(string),
  timestamp_ms: int64,
  status: oneOf(['TRACE_STATUS_UNSPECIFIED', 'OK', 'ERROR', 'IN_PROGRESS'], 0),
  request_metadata: repeated(nested(entry)),
  tags: repeated(nested(entry)),
});

export const traceMessage = message({ trace_id: required(string) });
export const requestMessage = message({ request_id: required(string) });
export const getTraceMessage = message({ trace_id: required(string), allow_partial: bool });

export const batchMessage = message({
  trace_ids: required(repeated(string)),
  experiment_ids: repeated(string),
});

const location = message({ mlflow_experiment: nested(message({ experiment_id: string })) });
const search = {
  filter: string,
  max_results: int32,
  order_by: repeated(string),
  page_token: string,
};
export const searchMessage = message({
  locations: required(repeated(nested(location))),
  ...search,
});
export const searchV2Message = message({
  experiment_ids: required(repeated(string)),
  ...search,
});

export const deleteMessage = message({
  experiment_id: required(string),
  max_timestamp_millis: int64,
  max_traces: int32,
  request_ids: repeated(string),
});

/** The trace is a variable of the path. */
export const setTagMessage = message({ key: required(string), value: string });
export const deleteTagMessage = message({ key: required(string) });

export const linkToRunMessage = message({
  trace_ids: required(repeated(string)),
  run_id: required(string),
});
export const linkPromptsMessage = message({
  trace_id: required(string),
  prompt_versions: required(repeated(nested(message({ name: string, version: string })))),
});

export const createAssessmentMessage = message({
  trace_id: required(string),
  assessment: required(json),
});
export const assessmentMessage = message({
  trace_id: required(string),
  assessment_id: required(string),
});
export const updateAssessmentMessage = message({
  trace_id: required(string),
  assessment_id: required(string),
  assessment: required(json),
  update_mask: required(json),
});

export const correlationMessage = message({
  experiment_ids: required(repeated(string)),
  filter_string1: required(string),
  filter_string2: required(string),
  base_filter: string,
});

const aggregation = message({
  aggregation_type: oneOf(['COUNT', 'SUM', 'AVG', 'PERCENTILE', 'MIN', 'MAX'], 1),
  percentile_value: double,
});
export const metricsMessage = message({
  experiment_ids: required(repeated(string)),
  view_type: required(oneOf(['TRACES', 'SPANS', 'ASSESSMENTS'], 1)),
  metric_name: required(string),
  aggregations: required(repeated(nested(aggregation))),
  dimensions: repeated(string),
  filters: repeated(string),
  time_interval_seconds: int64,
  start_time_ms: int64,
  end_time_ms: int64,
  max_results: int32,
  page_token: string,
});
