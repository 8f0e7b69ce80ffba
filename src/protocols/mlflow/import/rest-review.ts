import { text } from '../../../base/json.ts';
import { readMessage } from '../wire.ts';
import type { ImportIssue, ImportQueue, ImportSchema } from './messages.ts';
import type { RestClient } from './rest-client.ts';
import { unlessRefused } from './rest-evaluation.ts';
import { searchPages } from './rest-search.ts';
import {
  importedIssueMessage,
  importedQueueMessage,
  importedSchemaMessage,
} from './review-messages.ts';
import type { Left } from './source.ts';

type Json = Record<string, unknown>;

const api = '/api/3.0/mlflow';
const pageMax = 500;

/** MLflow's names of enums are ours in capitals. */
const word = (said: unknown): string | undefined => text(said)?.toLowerCase();

const optional = (members: Json): Json =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

/** Issues of active experiments; none of servers before 3.11. */
export const readRestIssues = (
  client: RestClient,
  experiments: readonly string[],
  left: Left[],
): AsyncIterable<ImportIssue> => unlessRefused('issues', issues(client, experiments), left);

async function* issues(
  client: RestClient,
  experiments: readonly string[],
): AsyncIterable<ImportIssue> {
  for (const experiment_id of experiments) {
    const search = { body: { experiment_id, max_results: pageMax }, items: 'issues', api };
    for await (const page of searchPages(client, 'issues/search', search)) {
      for (const { created_timestamp, last_updated_timestamp, ...said } of page)
        yield readMessage(importedIssueMessage, {
          ...said,
          created_time: created_timestamp,
          last_update_time: last_updated_timestamp,
        });
    }
  }
}

/** Label schemas of active experiments. MLflow makes the default question when it is first asked. */
export const readRestSchemas = (
  client: RestClient,
  experiments: readonly string[],
  left: Left[],
): AsyncIterable<ImportSchema> =>
  unlessRefused('label schemas', labelSchemas(client, experiments), left);

async function* labelSchemas(
  client: RestClient,
  experiments: readonly string[],
): AsyncIterable<ImportSchema> {
  for (const experiment_id of experiments) {
    const body = { experiment_id, max_results: pageMax };
    const search = { body, items: 'label_schemas', get: true, api };
    for await (const page of searchPages(client, 'label-schemas/list', search)) {
      for (const { type, created_at, last_updated_at, ...said } of page)
        yield readMessage(importedSchemaMessage, {
          ...said,
          ...optional({ type: word(type) }),
          created_time: created_at,
          last_update_time: last_updated_at,
        });
    }
  }
}

/** Review queues of active experiments with all their items. */
export const readRestQueues = (
  client: RestClient,
  experiments: readonly string[],
  left: Left[],
): AsyncIterable<ImportQueue> => unlessRefused('review queues', queues(client, experiments), left);

async function* queues(
  client: RestClient,
  experiments: readonly string[],
): AsyncIterable<ImportQueue> {
  for (const experiment_id of experiments) {
    const body = { experiment_id, max_results: pageMax };
    const search = { body, items: 'review_queues', get: true, api };
    for await (const page of searchPages(client, 'review-queues/list', search)) {
      for (const { queue_type, creation_time_ms, last_update_time_ms, ...said } of page)
        yield readMessage(importedQueueMessage, {
          ...said,
          ...optional({ queue_type: word(queue_type) }),
          created_time: creation_time_ms,
          last_update_time: last_update_time_ms,
          items: await itemsOf(client, String(said.queue_id)),
        });
    }
  }
}

async function itemsOf(client: RestClient, queue_id: string): Promise<Json[]> {
  const items: Json[] = [];
  const search = { body: { queue_id, max_results: pageMax }, items: 'items', get: true, api };
  for await (const page of searchPages(client, 'review-queues/items/list', search)) {
    for (const { item_id, status, completed_by, creation_time_ms, last_update_time_ms } of page)
      items.push({
        item_id,
        ...optional({ status: word(status), completed_by }),
        created_time: creation_time_ms,
        last_update_time: last_update_time_ms,
      });
  }
  return items.sort((a, b) => (String(a.item_id) < String(b.item_id) ? -1 : 1));
}
