import type { ReviewStatus } from '../../../facts/review-facts.ts';
import type { ReviewItemRow } from '../../../review/index.ts';
import { doesNotExist, invalidParameter } from '../errors.ts';
import { mlflowOperation } from '../operation.ts';
import { pythonList } from '../traces/metric-filter.ts';
import type { Answer } from '../tracking/answers.ts';
import type { BodyOf } from '../wire.ts';
import { checkText, readCompletedBy } from './queue-users.ts';
import { getQueue } from './queues.ts';
import type { addItemsMessage, removeItemsMessage, settleItemMessage } from './wire.ts';

/** Traces in queues. Source: mlflow/genai/review_queues, mlflow/server/handlers.py. */
const itemCharactersMax = 50;

/** @throws invalid_message when there are none. */
export function readItems(sent: BodyOf<typeof removeItemsMessage>): {
  queue_id: string;
  item_ids: readonly string[];
} {
  const { queue_id, item_ids: ids = [] } = sent;
  if (ids.length === 0) throw invalidParameter('`item_ids` must be a non-empty list; got [].');
  const item_ids = [
    ...new Set(ids.map((id) => checkText(id.trim(), 'item_id', itemCharactersMax))),
  ];
  return { queue_id, item_ids };
}

type Items = ReturnType<typeof readItems>;
type SentAdd = BodyOf<typeof addItemsMessage>;
export const readAddedItems = ({ item_type: _always, ...sent }: SentAdd): Items => readItems(sent);

type Decided = { readonly items: readonly string[] };

/** POST `review-queues/items/add`: traces of the queue's experiment. */
export const addItems = mlflowOperation<Items, Items, Decided>({
  operation: 'review-queues/items/add',
  async decide(body, context) {
    const { state, workspace } = context;
    const queue = await getQueue(body.queue_id, context);
    const traces = await state.traces.findMany(workspace, body.item_ids);
    const there = new Set(
      traces.filter((each) => each.experiment === queue.experiment).map(({ id }) => id),
    );
    const invalid = body.item_ids.filter((id) => !there.has(id));
    if (invalid.length > 0) {
      throw doesNotExist(
        `Cannot attach trace(s) ${pythonList(invalid)} to review queue '${body.queue_id}': they do not exist in experiment '${queue.experiment}'.`,
      );
    }
    const known = await state.review.findItems(queue.id, body.item_ids);
    const before = new Set(known.map(({ item }) => item));
    const items = body.item_ids.filter((id) => !before.has(id));
    return items.length === 0 ? { unchanged: body } : { decided: { items }, answer: body };
  },
  facts: ({ queue_id: queue }, { items }, { time }) => [
    { kind: 'reviewItems.added', queue, items, time },
  ],
});

/** POST `review-queues/items/remove`. */
export const removeItems = mlflowOperation<Items, null, Decided>({
  operation: 'review-queues/items/remove',
  async decide(body, context) {
    const queue = await getQueue(body.queue_id, context);
    const known = await context.state.review.findItems(queue.id, body.item_ids);
    const items = known.map(({ item }) => item);
    return items.length === 0 ? { unchanged: null } : { decided: { items }, answer: null };
  },
  facts: ({ queue_id: queue }, { items }, { time }) => [
    { kind: 'reviewItems.removed', queue, items, time },
  ],
});

interface Settle {
  readonly queue_id: string;
  readonly item_id: string;
  readonly status: ReviewStatus;
  readonly completed_by?: string;
}

const statuses: Readonly<Record<string, ReviewStatus>> = {
  PENDING: 'pending',
  COMPLETE: 'complete',
  DECLINED: 'declined',
};

/** The status by its name; undefined for none. */
export const statusOf = (sent: string | undefined): ReviewStatus | undefined =>
  statuses[sent ?? ''];

/** @throws invalid_message with MLflow's texts. */
export function readSettle(sent: BodyOf<typeof settleItemMessage>): Settle {
  const status = statusOf(sent.status);
  if (status === undefined) {
    throw invalidParameter(
      '`status` must be one of PENDING, COMPLETE, or DECLINED; got proto enum value 0.',
    );
  }
  const by = sent.completed_by === undefined ? undefined : readCompletedBy(sent.completed_by);
  if (status === 'pending' && by !== undefined) {
    throw invalidParameter('`completed_by` must not be set when reopening an item to `pending`.');
  }
  if (status !== 'pending' && !by)
    throw invalidParameter(`\`completed_by\` is required when setting status to \`${status}\`.`);
  const { queue_id, item_id } = sent;
  const settle = { queue_id, item_id: item_id.trim(), status };
  return by === undefined ? settle : { ...settle, completed_by: by };
}

/** POST `review-queues/items/set-status`: who settled it first stays known. */
export const settleItem = mlflowOperation<
  Settle,
  Pick<Settle, 'queue_id' | 'item_id'>,
  Record<string, never>
>({
  operation: 'review-queues/items/set-status',
  persons: (body, tokenise) =>
    body.completed_by === undefined ? body : { ...body, completed_by: tokenise(body.completed_by) },
  async decide(body, context) {
    const queue = await getQueue(body.queue_id, context);
    const [row] = await context.state.review.findItems(queue.id, [body.item_id]);
    if (row === undefined) {
      throw doesNotExist(
        `Item '${body.item_id}' is not attached to review queue '${body.queue_id}'.`,
      );
    }
    return row.status === body.status ? { unchanged: body } : { decided: {}, answer: body };
  },
  facts: (
    { queue_id: queue, item_id: item, status, completed_by: by = null },
    _decided,
    context,
  ) => [{ kind: 'reviewItem.settled', queue, item, status, by, time: context.time }],
});

/** ReviewQueueItem of review_queues.proto. */
export function writeItem(row: ReviewItemRow): Answer {
  return {
    queue_id: row.queue,
    item_type: 'TRACE',
    item_id: row.item,
    status: row.status.toUpperCase(),
    ...(row.completedBy === null ? {} : { completed_by: row.completedBy }),
    ...(row.completedTime === null ? {} : { completed_time_ms: row.completedTime }),
    creation_time_ms: row.createdTime,
    last_update_time_ms: row.updatedTime,
  };
}
