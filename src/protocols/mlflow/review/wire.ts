import {
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
} from '../wire.ts';

/** Messages of issues, label schemas and review queues. Source: mlflow/protos (issues, label_schemas, review_queues). */

export const createIssueMessage = message({
  name: required(string),
  description: required(string),
  experiment_id: required(string),
  status: string,
  severity: string,
  root_causes: repeated(string),
  source_run_id: string,
  created_by: string,
  categories: repeated(string),
});
export const updateIssueMessage = message({
  issue_id: required(string),
  name: string,
  description: string,
  status: string,
  severity: string,
});
export const issueMessage = message({ issue_id: required(string) });
export const searchIssuesMessage = message({
  experiment_id: string,
  filter_string: string,
  max_results: int32,
  page_token: string,
  include_trace_count: bool,
});

export const labelInputMessage = message({
  pass_fail: nested(message({ positive_label: string, negative_label: string })),
  categorical: nested(message({ options: repeated(string), multi_select: bool })),
  numeric: nested(message({ min_value: double, max_value: double })),
  text: nested(message({ max_length: int64 })),
});
const schema = {
  instruction: string,
  enable_comment: bool,
  input: nested(labelInputMessage),
};
export const createSchemaMessage = message({
  experiment_id: required(string),
  name: required(string),
  type: oneOf(['LABEL_SCHEMA_TYPE_UNSPECIFIED', 'FEEDBACK', 'EXPECTATION'], 0),
  ...schema,
});
export const updateSchemaMessage = message({
  schema_id: required(string),
  name: string,
  ...schema,
});
export const schemaMessage = message({ schema_id: required(string) });
const page = { max_results: int32, page_token: string };
export const listSchemasMessage = message({ experiment_id: required(string), ...page });

/** A schema or a queue by its name. */
export const byNameMessage = message({ experiment_id: required(string), name: required(string) });

export const createQueueMessage = message({
  experiment_id: required(string),
  name: required(string),
  queue_type: oneOf(['REVIEW_QUEUE_TYPE_UNSPECIFIED', 'USER', 'CUSTOM'], 0),
  users: repeated(string),
  schema_ids: repeated(string),
});
export const userQueueMessage = message({
  experiment_id: required(string),
  user: required(string),
});
export const queueMessage = message({ queue_id: required(string) });
export const listQueuesMessage = message({
  experiment_id: required(string),
  user: string,
  item_id: string,
  ...page,
});
export const updateQueueMessage = message({
  queue_id: required(string),
  update_users: bool,
  users: repeated(string),
  update_schema_ids: bool,
  schema_ids: repeated(string),
  name: string,
  new_owner: string,
});

const status = oneOf(['REVIEW_STATUS_UNSPECIFIED', 'PENDING', 'COMPLETE', 'DECLINED'], 0);
export const addItemsMessage = message({
  queue_id: required(string),
  item_type: oneOf(['REVIEW_ITEM_TYPE_UNSPECIFIED', 'TRACE'], 0),
  item_ids: repeated(string),
});
export const removeItemsMessage = message({
  queue_id: required(string),
  item_ids: repeated(string),
});
export const listItemsMessage = message({ queue_id: required(string), status, ...page });
export const settleItemMessage = message({
  queue_id: required(string),
  item_id: required(string),
  status,
  completed_by: string,
});
