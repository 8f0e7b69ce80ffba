import type { DecideContext, Tokenise } from '../../../door/index.ts';
import type { ReviewQueueRow } from '../../../review/index.ts';
import type { ExperimentRow } from '../../../tracking/index.ts';
import type { ProtocolServices } from '../../services.ts';
import { doesNotExist, invalidParameter, mlflowError } from '../errors.ts';
import { mlflowOperation } from '../operation.ts';
import { newId } from '../operations/names.ts';
import type { Call } from '../routes.ts';
import { pythonList } from '../traces/metric-filter.ts';
import type { Answer } from '../tracking/answers.ts';
import type { BodyOf } from '../wire.ts';
import { activeExperiment, missingSchemas } from './label-schemas.ts';
import { checkText, normalizeUser, readOwner, readUsers } from './queue-users.ts';
import type { createQueueMessage, updateQueueMessage, userQueueMessage } from './wire.ts';

type Reading = Pick<DecideContext, 'state' | 'workspace'>;
type Empty = Record<string, never>;

const nameCharactersMax = 250;
const schemaIdCharactersMax = 36;
const reservedName = 'default';

/** @throws not_found with MLflow's text. */
export async function getQueue(id: string, { state, workspace }: Reading): Promise<ReviewQueueRow> {
  const row = await state.review.findQueue(workspace, id);
  if (row !== undefined) return row;
  throw doesNotExist(`Review queue with id '${id}' not found.`);
}

/**
 * A queue by its name, which may be that of a person.
 * @throws not_found with MLflow's text.
 */
export async function getQueueByName(
  experimentId: string,
  name: string,
  { workspace }: Call,
  { read, findToken }: ProtocolServices,
): Promise<ReviewQueueRow> {
  return read(async (state) => {
    const experiment = await activeExperiment(experimentId, { state, workspace });
    for (const each of [name, findToken(name.toLowerCase())]) {
      const row = each && (await state.review.findQueueByName(workspace, experiment.id, each));
      if (row) return row;
    }
    throw doesNotExist(
      `Review queue with name '${name}' not found for experiment '${experimentId}'.`,
    );
  });
}

function readCustomName(name: string): string {
  const read = checkText(name.trim(), 'name', nameCharactersMax);
  if (read.toLowerCase() !== reservedName) return read;
  throw invalidParameter(
    `\`${read}\` is a reserved queue name and cannot be used for a custom queue.`,
  );
}

const readSchemaIds = (ids: readonly string[]): string[] => [
  ...new Set(ids.map((id) => checkText(id.trim(), 'schema_id', schemaIdCharactersMax))),
];

/** A queue to be made. Of a user's own queue the name is that of a person. */
interface NewQueue {
  readonly experiment_id: string;
  readonly name: string;
  readonly type: 'user' | 'custom';
  readonly users: readonly string[];
  readonly schema_ids: readonly string[];
  readonly owner?: string;
  /** The token of a person of that name, when there is one: a queue of the person has it as name. */
  readonly person?: string;
}

/** @throws invalid_message with MLflow's texts. */
export function readNewQueue(
  sent: BodyOf<typeof createQueueMessage>,
  { findToken }: Pick<ProtocolServices, 'findToken'>,
): NewQueue {
  const { experiment_id, queue_type: type } = sent;
  if (type !== 'USER' && type !== 'CUSTOM') {
    throw invalidParameter('`queue_type` must be one of USER or CUSTOM; got proto enum value 0.');
  }
  const users = readUsers(sent.users ?? []);
  const schema_ids = readSchemaIds(sent.schema_ids ?? []);
  if (type === 'CUSTOM') {
    const name = readCustomName(sent.name);
    const person = findToken(normalizeUser(name));
    return {
      ...{ experiment_id, name, users, schema_ids, type: 'custom' },
      ...(person === undefined ? {} : { person }),
    };
  }
  const name = checkText(normalizeUser(sent.name), 'name', nameCharactersMax);
  if (users.length > 0 && (users.length > 1 || users[0] !== name)) {
    throw invalidParameter(
      `A user queue must have exactly one assigned user equal to its name; got name='${name}' and users=${pythonList(users)}.`,
    );
  }
  if (schema_ids.length > 0) {
    throw invalidParameter(
      "A user queue cannot have explicitly-attached schemas; it resolves to all of the experiment's label schemas.",
    );
  }
  return { experiment_id, name, type: 'user', users: [name], schema_ids };
}

/** The queue of a person, who owns it. */
export function readUserQueue({ experiment_id, user }: BodyOf<typeof userQueueMessage>): NewQueue {
  const name = checkText(normalizeUser(user), 'name', nameCharactersMax);
  return { experiment_id, name, type: 'user', users: [name], schema_ids: [], owner: name };
}

const tokeniseQueue = (body: NewQueue, tokenise: Tokenise): NewQueue => ({
  ...body,
  ...(body.type === 'user' ? { name: tokenise(body.name) } : {}),
  ...(body.owner === undefined ? {} : { owner: tokenise(body.owner) }),
  users: body.users.map((user) => tokenise(user)),
});

/** The queue that has the name already, whoever's it is. */
async function findSameName(
  { name, person }: Pick<NewQueue, 'name' | 'person'>,
  experiment: string,
  { state, workspace }: Reading,
): Promise<ReviewQueueRow | undefined> {
  for (const each of person === undefined ? [name] : [name, person]) {
    const row = await state.review.findQueueByName(workspace, experiment, each);
    if (row !== undefined) return row;
  }
  return undefined;
}

const taken = (name: string): Error =>
  mlflowError(
    'RESOURCE_ALREADY_EXISTS',
    `Review queue with name '${name}' already exists (names are case-insensitive).`,
  );

async function checkSchemas(
  ids: readonly string[],
  experiment: ExperimentRow,
  context: Reading,
): Promise<void> {
  const missing = await missingSchemas(ids, experiment, context);
  if (missing.length === 0) return;
  throw invalidParameter(
    `Label schema id(s) ${pythonList(missing)} not found for experiment '${experiment.id}'.`,
  );
}

type Created = { readonly id: string; readonly experiment: string };
const newQueueId = (random: Buffer): string => `rq-${newId(random)}`;

const createdFact = (body: NewQueue, { id, experiment }: Created, time: number) =>
  ({
    kind: 'reviewQueue.created',
    ...{ id, experiment, time },
    name: body.name,
    type: body.type,
    owner: body.owner ?? null,
    users: body.users,
    schemas: body.schema_ids,
  }) as const;

/** POST `review-queues/create`. */
export const createQueue = mlflowOperation<NewQueue, { readonly id: string }, Created>({
  operation: 'review-queues/create',
  persons: tokeniseQueue,
  async decide(body, context) {
    const experiment = await activeExperiment(body.experiment_id, context);
    await checkSchemas(body.schema_ids, experiment, context);
    if (await findSameName(body, experiment.id, context)) throw taken(body.name);
    const id = newQueueId(context.random(16));
    return { decided: { id, experiment: experiment.id }, answer: { id } };
  },
  facts: (body, decided, { time }) => [createdFact(body, decided, time)],
});

/** POST `review-queues/get-or-create-user`. */
export const createUserQueue = mlflowOperation<NewQueue, { readonly id: string }, Created>({
  operation: 'review-queues/get-or-create-user',
  persons: tokeniseQueue,
  async decide(body, context) {
    const experiment = await activeExperiment(body.experiment_id, context);
    const before = await findSameName(body, experiment.id, context);
    if (before !== undefined) return { unchanged: { id: before.id } };
    const id = newQueueId(context.random(16));
    return { decided: { id, experiment: experiment.id }, answer: { id } };
  },
  facts: (body, decided, { time }) => [createdFact(body, decided, time)],
});

/** A person's queue cannot have the name of a queue that somebody made. @throws conflict. */
export async function checkNoCustomQueue(
  { experiment_id, name }: NewQueue,
  { workspace }: Call,
  { read }: ProtocolServices,
): Promise<void> {
  const before = await read(async (state) => {
    const experiment = await activeExperiment(experiment_id, { state, workspace });
    return state.review.findQueueByName(workspace, experiment.id, name);
  });
  if (before === undefined) return;
  throw mlflowError(
    'RESOURCE_ALREADY_EXISTS',
    `A non-user queue named '${name}' already exists; cannot get-or-create a user queue with that name.`,
  );
}

/** A change of a queue; what is absent stays. */
interface QueueChange {
  readonly queue_id: string;
  readonly name?: string;
  readonly person?: string;
  readonly owner?: string;
  readonly users?: readonly string[];
  readonly schema_ids?: readonly string[];
}

/** @throws invalid_message with MLflow's texts. */
export function readQueueChange(
  sent: BodyOf<typeof updateQueueMessage>,
  { findToken }: Pick<ProtocolServices, 'findToken'>,
): QueueChange {
  const name = sent.name === undefined ? undefined : readCustomName(sent.name);
  const person = name === undefined ? undefined : findToken(normalizeUser(name));
  return {
    queue_id: sent.queue_id,
    ...(name === undefined ? {} : { name }),
    ...(person === undefined ? {} : { person }),
    ...(sent.new_owner === undefined ? {} : { owner: readOwner(sent.new_owner) }),
    ...(sent.update_users ? { users: readUsers(sent.users ?? []) } : {}),
    ...(sent.update_schema_ids ? { schema_ids: readSchemaIds(sent.schema_ids ?? []) } : {}),
  };
}

/** POST `review-queues/update`. What is asked is fixed once there is something to look at. */
export const updateQueue = mlflowOperation<QueueChange, { readonly id: string }, Empty>({
  operation: 'review-queues/update',
  persons: (body, tokenise) => ({
    ...body,
    ...(body.owner === undefined ? {} : { owner: tokenise(body.owner) }),
    ...(body.users === undefined ? {} : { users: body.users.map((user) => tokenise(user)) }),
  }),
  async decide(body, context) {
    const answer = { id: body.queue_id };
    const before = await getQueue(body.queue_id, context);
    if (before.type === 'user') {
      throw invalidParameter(
        "A user queue's name, assigned user, schemas, and owner are fixed and cannot be updated.",
      );
    }
    const { name, owner, users, schema_ids } = body;
    if (schema_ids !== undefined) await checkSchemaChange(before, schema_ids, context);
    if (name !== undefined && name.toLowerCase() !== before.name.toLowerCase()) {
      const { person } = body;
      const sought = { name, ...(person === undefined ? {} : { person }) };
      if (await findSameName(sought, before.experiment, context)) throw taken(name);
    }
    const changed = [name, owner, users, schema_ids].some((each) => each !== undefined);
    return changed ? { decided: {}, answer } : { unchanged: answer };
  },
  facts: ({ queue_id: id, name, owner, users, schema_ids: schemas }, _decided, { time }) => [
    { kind: 'reviewQueue.changed', id, time, name, owner, users, schemas },
  ],
});

async function checkSchemaChange(
  queue: ReviewQueueRow,
  ids: readonly string[],
  context: DecideContext,
): Promise<void> {
  const items = await context.state.review.listItems(queue.id, undefined, { limit: 1, offset: 0 });
  if (items.length > 0) {
    throw invalidParameter(
      "A review queue's questions are locked once items are assigned to it. Remove the items before changing its questions.",
    );
  }
  await checkSchemas(ids, await activeExperiment(queue.experiment, context), context);
}

/** POST `review-queues/delete`; one that is not there is deleted already. */
export const deleteQueue = mlflowOperation<{ readonly queue_id: string }, null, Empty>({
  operation: 'review-queues/delete',
  async decide({ queue_id: id }, { state, workspace }) {
    const row = await state.review.findQueue(workspace, id);
    return row === undefined ? { unchanged: null } : { decided: {}, answer: null };
  },
  facts: ({ queue_id: id }, _decided, { time }) => [{ kind: 'reviewQueue.deleted', id, time }],
});

/** ReviewQueue of review_queues.proto; persons by their names, in the order of these. */
export function writeQueue(row: ReviewQueueRow, reveal: ProtocolServices['reveal']): Answer {
  // A text within a list: JSON gives back what it was given.
  const users = (JSON.parse(reveal(JSON.stringify(row.users))) as string[]).sort();
  return {
    queue_id: row.id,
    experiment_id: row.experiment,
    name: row.name,
    queue_type: row.type.toUpperCase(),
    ...(row.owner === null ? {} : { created_by: row.owner }),
    creation_time_ms: row.createdTime,
    last_update_time_ms: row.updatedTime,
    ...(users.length === 0 ? {} : { users }),
    ...(row.schemas.length === 0 ? {} : { schema_ids: [...row.schemas].sort() }),
  };
}
