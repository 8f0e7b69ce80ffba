import { readMessage } from '../wire.ts';
import type { ImportIssue, ImportQueue, ImportSchema } from './messages.ts';
import {
  importedIssueMessage,
  importedQueueMessage,
  importedSchemaMessage,
} from './review-messages.ts';
import { groupBy, present, type Scope, workspaceOf } from './sqlite-rows.ts';

/** Rows of a table that belong to experiments of the workspace, oldest first. */
function rowsOf(
  scope: Scope,
  table: 'issues' | 'label_schemas' | 'review_queues',
  columns: string,
): Record<string, unknown>[] {
  if (!scope.columns.has(table)) return [];
  return scope.db
    .all(
      `SELECT CAST(t.experiment_id AS TEXT) AS experiment_id, ${columns}
       FROM ${table} t JOIN experiments e ON e.experiment_id = t.experiment_id
       WHERE ${workspaceOf(scope, 'experiments', 'e')} ORDER BY created_time, t.rowid`,
    )
    .map(present);
}

/** JSON text of the database; undefined for NULL. */
const parsed = (json: unknown): unknown =>
  typeof json === 'string' ? JSON.parse(json) : undefined;

/** Issues; none in databases before 3.11. */
export async function* readIssues(scope: Scope): AsyncIterable<ImportIssue> {
  const rows = rowsOf(
    scope,
    'issues',
    `issue_id, t.name, description, status, severity, root_causes, categories, source_run_id,
     created_by, created_timestamp AS created_time, last_updated_timestamp AS last_update_time`,
  );
  for (const { root_causes, categories, ...row } of rows)
    yield readMessage(importedIssueMessage, {
      ...row,
      root_causes: parsed(root_causes) ?? [],
      categories: parsed(categories) ?? [],
    });
}

/** Label schemas with the default questions. */
export async function* readLabelSchemas(scope: Scope): AsyncIterable<ImportSchema> {
  const rows = rowsOf(
    scope,
    'label_schemas',
    `schema_id, t.name, type, instruction, enable_comment, input_type, input_config, is_default,
     created_time, t.last_update_time AS last_update_time`,
  );
  for (const { input_type, input_config, enable_comment, is_default, ...row } of rows)
    yield readMessage(importedSchemaMessage, {
      ...row,
      enable_comment: enable_comment === 1,
      is_default: is_default === 1,
      input: { [String(input_type)]: parsed(input_config) },
    });
}

/** Review queues with their users, questions and items. */
export async function* readReviewQueues(scope: Scope): AsyncIterable<ImportQueue> {
  const { db } = scope;
  const rows = rowsOf(
    scope,
    'review_queues',
    `queue_id, t.name, queue_type, created_by, creation_time_ms AS created_time,
     last_update_time_ms AS last_update_time`,
  );
  if (rows.length === 0) return;
  const listOf = (table: string, column: string): Map<string, { owner: string; id: string }[]> =>
    groupBy(
      db.all<{ owner: string; id: string }>(
        `SELECT queue_id AS owner, ${column} AS id FROM ${table} ORDER BY ${column}`,
      ),
      ({ owner }) => owner,
    );
  const users = listOf('review_queue_users', 'user_id');
  const schemas = listOf('review_queue_label_schemas', 'schema_id');
  for (const row of rows) {
    const id = String(row.queue_id);
    const items = db
      .all(
        `SELECT item_id, status, completed_by, creation_time_ms AS created_time,
           last_update_time_ms AS last_update_time
         FROM review_queue_items WHERE queue_id = ? AND item_type = 'trace' ORDER BY item_id`,
        id,
      )
      .map(present);
    yield readMessage(importedQueueMessage, {
      ...row,
      users: (users.get(id) ?? []).map((each) => each.id),
      schema_ids: (schemas.get(id) ?? []).map((each) => each.id),
      items,
    });
  }
}
