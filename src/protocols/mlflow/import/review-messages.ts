import { issueSeverities, issueStatuses } from '../../../facts/review-facts.ts';
import { labelInputMessage } from '../review/wire.ts';
import { bool, int64, message, nested, oneOf, repeated, required, string } from '../wire.ts';

/**
 * What an import says of issues, label schemas and review queues: with the ids and times (ms since
 * 1970) of the source.
 */

const times = { created_time: int64, last_update_time: int64 };

export const importedIssueMessage = message({
  issue_id: required(string),
  experiment_id: required(string),
  name: required(string),
  description: string,
  status: oneOf(issueStatuses, 0),
  severity: oneOf(issueSeverities, 0),
  root_causes: repeated(string),
  categories: repeated(string),
  source_run_id: string,
  created_by: string,
  ...times,
});

export const importedSchemaMessage = message({
  schema_id: required(string),
  experiment_id: required(string),
  name: required(string),
  type: oneOf(['feedback', 'expectation'], 0),
  instruction: string,
  enable_comment: bool,
  input: nested(labelInputMessage),
  /** The question that every experiment has: it is here under another id, which queues get. */
  is_default: bool,
  ...times,
});

/** A queue with all that is in it. */
export const importedQueueMessage = message({
  queue_id: required(string),
  experiment_id: required(string),
  name: required(string),
  queue_type: oneOf(['user', 'custom'], 0),
  created_by: string,
  users: repeated(string),
  schema_ids: repeated(string),
  items: repeated(
    nested(
      message({
        /** Id of a trace. */
        item_id: required(string),
        status: oneOf(['pending', 'complete', 'declined'], 0),
        completed_by: string,
        ...times,
      }),
    ),
  ),
  ...times,
});
