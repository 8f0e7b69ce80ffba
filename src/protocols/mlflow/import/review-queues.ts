import type { DecideContext } from '../../../door/index.ts';
import type { Fact } from '../../../facts/facts.ts';
import type { ReviewItemRow, ReviewQueueRow } from '../../../review/index.ts';
import { mlflowError } from '../errors.ts';
import { mlflowOperation } from '../operation.ts';
import { normalizeUser } from '../review/queue-users.ts';
import type { ImportQueue } from './messages.ts';
import { type DecidedReview, decideReview, type ImportedReview, timesOf } from './review.ts';
import { type Statements, saidFact, taken } from './said.ts';

type Item = NonNullable<ImportQueue['items']>[number];

/** As the store keeps them: one of each, in one order, so that the order makes no difference. */
const sorted = (texts: readonly string[] = []): string[] => [...new Set(texts)].sort();

const queueFields = (body: ImportQueue) => ({
  name: body.name,
  owner: body.created_by || null,
  users: sorted(body.users),
  schemas: sorted(body.schema_ids),
});

/** How far an item is, as one statement: status, who, when. */
const itemText = (
  status: string,
  by: string | null | undefined,
  time: number | null | undefined,
): string => JSON.stringify([status, by || null, time || null]);

const itemStatements = (items: readonly Item[]): Statements =>
  Object.fromEntries(
    items.map(({ item_id, status = 'pending', completed_by, last_update_time, created_time }) => [
      `item.${item_id}`,
      // An item that nobody touched was last changed when it came.
      itemText(status, completed_by, last_update_time === created_time ? 0 : last_update_time),
    ]),
  );

const hereStatements = (items: readonly ReviewItemRow[]): Statements =>
  Object.fromEntries(
    items.map(({ item, status, completedBy, updatedTime, createdTime }) => [
      `item.${item}`,
      itemText(status, completedBy, updatedTime === createdTime ? 0 : updatedTime),
    ]),
  );

/** Most items of one queue that are looked at; a message of an import holds no more. */
const itemsMax = 1_000_000;

type Decided = DecidedReview & {
  /** Ids of the items whose trace is here. */
  readonly items: readonly string[];
};

/** The items of the message whose traces are here: those that were deleted stay out. */
async function itemsHere(
  { items = [] }: ImportQueue,
  { state, workspace }: DecideContext,
): Promise<Item[]> {
  const ids = items.map(({ item_id }) => item_id);
  const there = new Set((await state.traces.findMany(workspace, ids)).map(({ id }) => id));
  return items.filter(({ item_id }) => there.has(item_id));
}

const stateOf = ({ name, owner, users, schemas }: ReviewQueueRow): Statements => ({
  ...{ name, owner },
  users: sorted(users),
  schemas: sorted(schemas),
});

/** A review queue with its items and what became of them. A name is one queue's. */
export const importQueue = mlflowOperation<ImportQueue, ImportedReview, Decided>({
  operation: 'import/review-queue',
  persons: ({ created_by, users = [], items = [], ...body }, tokenise) => ({
    ...body,
    // A person's own queue has the name of the person.
    ...(body.queue_type === 'user' ? { name: tokenise(normalizeUser(body.name)) } : {}),
    ...(created_by ? { created_by: tokenise(created_by) } : {}),
    users: users.map((user) => tokenise(normalizeUser(user))),
    items: items.map(({ completed_by: by, ...item }) =>
      by ? { ...item, completed_by: tokenise(normalizeUser(by)) } : item,
    ),
  }),
  async decide(body, context) {
    const { queue_id: id, experiment_id, name } = body;
    const { review } = context.state;
    const row = await review.findQueue(context.workspace, id);
    const other = await review.findQueueByName(context.workspace, experiment_id, name);
    if (other !== undefined && other.id !== id)
      throw mlflowError('RESOURCE_CONFLICT', 'Another review queue of that name is here.');
    const items = await itemsHere(body, context);
    const there = { ...queueFields(body), ...itemStatements(items) };
    const page = { limit: itemsMax, offset: 0 };
    const here =
      row === undefined
        ? undefined
        : { ...stateOf(row), ...hereStatements(await review.listItems(id, undefined, page)) };
    const outcome = await decideReview({ kind: 'queue', id, experiment_id, there, here }, context);
    if ('unchanged' in outcome) return outcome;
    const ids = items.map(({ item_id }) => item_id);
    return { answer: outcome.answer, decided: { ...outcome.decided, items: ids } };
  },
  facts(body, { take, items: ids }) {
    const { queue_id: id, experiment_id: experiment, queue_type: type = 'custom' } = body;
    const { time, updatedTime } = timesOf(body);
    const fields = queueFields(body);
    const known = new Set(ids);
    const items = (body.items ?? []).filter(({ item_id }) => known.has(item_id));
    const fact: Fact =
      take === null
        ? { kind: 'reviewQueue.created', ...{ id, experiment, time, updatedTime, type }, ...fields }
        : { kind: 'reviewQueue.changed', id, time: updatedTime, ...taken(fields, take) };
    const changed = take?.filter((field) => field.startsWith('item.')).map((each) => each.slice(5));
    return [
      ...(take === null || take.length > (changed?.length ?? 0) ? [fact] : []),
      ...itemFacts({ queue: id, updatedTime }, items, changed),
      saidFact('queue', id, { ...fields, ...itemStatements(items) }),
    ];
  },
});

/** @param changed ids of the items that change; undefined for all. */
function itemFacts(
  { queue, updatedTime }: { readonly queue: string; readonly updatedTime: number },
  items: readonly Item[],
  changed: readonly string[] | undefined,
): Fact[] {
  const wanted = new Set(changed);
  const come = items.filter(({ item_id }) => changed === undefined || wanted.has(item_id));
  const stated = new Set(items.map(({ item_id }) => item_id));
  const removed = (changed ?? []).filter((item) => !stated.has(item));
  const facts = come.flatMap((each): Fact[] => {
    const { item_id: item, status = 'pending', completed_by: by = null } = each;
    const times = timesOf(each);
    const added: Fact = { kind: 'reviewItems.added', queue, items: [item], time: times.time };
    const untouched = status === 'pending' && times.updatedTime === times.time;
    return untouched && changed === undefined
      ? [added]
      : [added, { kind: 'reviewItem.settled', queue, item, status, by, time: times.updatedTime }];
  });
  return removed.length === 0
    ? facts
    : [...facts, { kind: 'reviewItems.removed', queue, items: removed, time: updatedTime }];
}
