import { webhookEvents } from '../../../facts/webhook-facts.ts';
import {
  bool,
  double,
  int64,
  json,
  message,
  nested,
  oneOf,
  repeated,
  required,
  string,
  text,
} from '../wire.ts';

/**
 * What an import says of traces, evaluation datasets, scorers, webhooks and workspaces: with the ids
 * and times (ms since 1970) of the source. What is JSON there is JSON text here: its digits are kept.
 */

const pair = repeated(nested(message({ key: required(string), value: text })));

/** Spans of traces of one experiment, as OTLP/JSON with ids of hex digits. */
export const spansMessage = message({
  experiment_id: required(string),
  spans: repeated(json),
});

const assessment = message({
  id: required(string),
  name: text,
  type: oneOf(['feedback', 'expectation', 'issue'], 0),
  value: required(string),
  error: string,
  source_type: string,
  source_id: string,
  span_id: string,
  rationale: string,
  overrides: string,
  metadata: pair,
  create_time: int64,
  update_time: int64,
});

export const traceMessage = message({
  trace_id: required(string),
  experiment_id: required(string),
  request_time: int64,
  execution_ms: int64,
  state: oneOf(['STATE_UNSPECIFIED', 'OK', 'ERROR', 'IN_PROGRESS'], 0),
  client_request_id: string,
  request_preview: string,
  response_preview: string,
  tags: pair,
  metadata: pair,
  assessments: repeated(nested(assessment)),
  /** Runs that it is linked to; ids. */
  runs: repeated(string),
  /** Prompt versions that it is linked to, as `name/version`. */
  prompts: repeated(string),
});

export const datasetMessage = message({
  dataset_id: required(string),
  name: required(string),
  digest: string,
  schema: string,
  profile: string,
  created_time: int64,
  last_update_time: int64,
  created_by: string,
  last_updated_by: string,
  tags: pair,
  experiment_ids: repeated(string),
});

/** Records of one dataset. The state is that of the dataset with all of them. */
export const recordsMessage = message({
  dataset_id: required(string),
  digest: string,
  schema: string,
  profile: string,
  last_update_time: int64,
  last_updated_by: string,
  /** Ids of records here that the source has no more. */
  removed: repeated(string),
  records: repeated(
    nested(
      message({
        id: required(string),
        /** JSON text of inputs, outputs, expectations, tags and source, as `datasets/records` takes them. */
        record: required(string),
        created_time: int64,
        last_update_time: int64,
        created_by: string,
        last_updated_by: string,
      }),
    ),
  ),
});

export const scorerMessage = message({
  experiment_id: required(string),
  name: required(string),
  scorer_id: required(string),
  versions: repeated(
    nested(
      message({
        version: required(int64),
        serialized_scorer: required(string),
        creation_time: int64,
      }),
    ),
  ),
  /** How it was to run on new traces. */
  online: nested(
    message({ id: required(string), sample_rate: required(double), filter_string: string }),
  ),
});

/** Without its secret, which MLflow keeps encrypted. */
export const webhookMessage = message({
  webhook_id: required(string),
  name: required(string),
  description: string,
  url: required(string),
  events: repeated(oneOf(webhookEvents, 0)),
  /** It was signed there. */
  signed: bool,
  creation_timestamp: int64,
  last_updated_timestamp: int64,
});

export const workspaceMessage = message({
  name: required(string),
  description: string,
  default_artifact_root: string,
  trace_archival_config: nested(message({ location: string, retention: string })),
});
