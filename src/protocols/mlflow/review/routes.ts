import type { Operation, StateReader } from '../../../door/index.ts';
import type { ProtocolServices } from '../../services.ts';
import { readPageToken } from '../paging.ts';
import type { Call, RouteHelpers } from '../routes.ts';
import type { Answer } from '../tracking/answers.ts';
import { createIssue, getIssue, readIssueSearch, updateIssue, writeIssue } from './issues.ts';
import {
  activeExperiment,
  createLabelSchema,
  deleteLabelSchema,
  getSchema,
  getSchemaByName,
  listSchemas,
  updateLabelSchema,
  writeSchema,
} from './label-schemas.ts';
import { listLimit, pageOf } from './paging.ts';
import {
  addItems,
  readAddedItems,
  readItems,
  readSettle,
  removeItems,
  settleItem,
  statusOf,
  writeItem,
} from './queue-items.ts';
import { normalizeUser } from './queue-users.ts';
import {
  checkNoCustomQueue,
  createQueue,
  createUserQueue,
  deleteQueue,
  getQueue,
  getQueueByName,
  readNewQueue,
  readQueueChange,
  readUserQueue,
  updateQueue,
  writeQueue,
} from './queues.ts';
import * as wire from './wire.ts';

/** Every operation of issues, label schemas and review queues, for rebuild. */
export const reviewOperations = [
  createIssue,
  updateIssue,
  createLabelSchema,
  updateLabelSchema,
  deleteLabelSchema,
  createQueue,
  createUserQueue,
  updateQueue,
  deleteQueue,
  addItems,
  removeItems,
  settleItem,
  // Looked up by name at replay, so their types are erased here.
] as readonly unknown[] as readonly Operation[];

/** What people review, below `/api/3.0`. */
export function registerReviewRoutes(helpers: RouteHelpers, services: ProtocolServices): void {
  registerIssues(helpers, services);
  registerSchemas(helpers, services);
  registerQueueReads(helpers, services);
  registerQueueWrites(helpers, services);
  registerItems(helpers, services);
}

type Found = { readonly id: string };
type Reading = { readonly state: StateReader; readonly workspace: string };
const asItIs = <T>(read: T): T => read;

/** Runs a query in the call's workspace. */
const reading = <T>(
  services: ProtocolServices,
  { workspace }: Call,
  query: (context: Reading) => Promise<T>,
): Promise<T> => services.read((state) => query({ state, workspace }));

function registerIssues(helpers: RouteHelpers, services: ProtocolServices): void {
  const answer = async ({ id }: Found, call: Call): Promise<Answer> => ({
    issue: writeIssue(await reading(services, call, (context) => getIssue(id, context))),
  });
  helpers.write('POST', '/mlflow/issues', {
    message: wire.createIssueMessage,
    operation: createIssue,
    body: asItIs,
    answer,
  });
  helpers.write('PATCH', '/mlflow/issues/:issue_id', {
    message: wire.updateIssueMessage,
    operation: updateIssue,
    body: asItIs,
    answer,
  });
  helpers.read('GET', '/mlflow/issues/:issue_id', {
    message: wire.issueMessage,
    answer: ({ issue_id: id }, call) => answer({ id }, call),
  });
  helpers.read('POST', '/mlflow/issues/search', {
    message: wire.searchIssuesMessage,
    async answer(body, { workspace }) {
      const search = readIssueSearch(body, workspace);
      const rows = await services.read(({ review }) => review.searchIssues(search));
      const { written, next } = pageOf(rows, search, writeIssue);
      return { ...(written.length === 0 ? {} : { issues: written }), ...next };
    },
  });
}

function registerSchemas(helpers: RouteHelpers, services: ProtocolServices): void {
  const answer = async ({ id }: Found, call: Call): Promise<Answer> => ({
    label_schema: writeSchema(await reading(services, call, (context) => getSchema(id, context))),
  });
  helpers.write('POST', '/mlflow/label-schemas/create', {
    message: wire.createSchemaMessage,
    operation: createLabelSchema,
    body: asItIs,
    answer,
  });
  helpers.write('PATCH', '/mlflow/label-schemas/update', {
    message: wire.updateSchemaMessage,
    operation: updateLabelSchema,
    body: asItIs,
    answer,
  });
  helpers.write('DELETE', '/mlflow/label-schemas/delete', {
    message: wire.schemaMessage,
    operation: deleteLabelSchema,
    body: asItIs,
  });
  helpers.read('GET', '/mlflow/label-schemas/get', {
    message: wire.schemaMessage,
    answer: ({ schema_id: id }, call) => answer({ id }, call),
  });
  helpers.read('GET', '/mlflow/label-schemas/get-by-name', {
    message: wire.byNameMessage,
    answer: async ({ experiment_id, name }, call) => ({
      label_schema: writeSchema(
        await reading(services, call, (context) => getSchemaByName(experiment_id, name, context)),
      ),
    }),
  });
  helpers.read('GET', '/mlflow/label-schemas/list', {
    message: wire.listSchemasMessage,
    async answer(body, call) {
      const page = {
        limit: listLimit(body.max_results, 100) + 1,
        offset: readPageToken(body.page_token),
      };
      const rows = await reading(services, call, (context) =>
        listSchemas(body.experiment_id, page, context),
      );
      const { written, next } = pageOf(rows, page, writeSchema);
      return { ...(written.length === 0 ? {} : { label_schemas: written }), ...next };
    },
  });
}

/** Source: mlflow/store/tracking/__init__.py (SEARCH_MAX_RESULTS_DEFAULT). */
const rowsDefault = 1_000;

function registerQueueReads(helpers: RouteHelpers, services: ProtocolServices): void {
  helpers.read('GET', '/mlflow/review-queues/get', {
    message: wire.queueMessage,
    answer: async ({ queue_id: id }, call) => ({
      review_queue: writeQueue(
        await reading(services, call, (context) => getQueue(id, context)),
        services.reveal,
      ),
    }),
  });
  helpers.read('GET', '/mlflow/review-queues/get-by-name', {
    message: wire.byNameMessage,
    answer: async ({ experiment_id, name }, call) => ({
      review_queue: writeQueue(
        await getQueueByName(experiment_id, name, call, services),
        services.reveal,
      ),
    }),
  });
  helpers.read('GET', '/mlflow/review-queues/list', {
    message: wire.listQueuesMessage,
    async answer({ experiment_id, user, item_id: item, ...body }, call) {
      const page = {
        limit: listLimit(body.max_results, rowsDefault) + 1,
        offset: readPageToken(body.page_token),
      };
      // A name that nobody told has no token: then it is that of no reviewer.
      const token = user && (services.findToken(normalizeUser(user)) ?? normalizeUser(user));
      const rows = await reading(services, call, async (context) => {
        const { id: experiment } = await activeExperiment(experiment_id, context);
        const { review } = context.state;
        return review.listQueues(context.workspace, { experiment, user: token, item }, page);
      });
      const { written, next } = pageOf(rows, page, (row) => writeQueue(row, services.reveal));
      return { ...(written.length === 0 ? {} : { review_queues: written }), ...next };
    },
  });
}

function registerQueueWrites(helpers: RouteHelpers, services: ProtocolServices): void {
  const answer = async ({ id }: Found, call: Call): Promise<Answer> => ({
    review_queue: writeQueue(
      await reading(services, call, (context) => getQueue(id, context)),
      services.reveal,
    ),
  });
  helpers.write('POST', '/mlflow/review-queues/create', {
    message: wire.createQueueMessage,
    operation: createQueue,
    async body(read, call) {
      const queue = readNewQueue(read, services);
      if (queue.type === 'user') await checkNoCustomQueue(queue, call, services);
      return queue;
    },
    answer,
  });
  helpers.write('POST', '/mlflow/review-queues/get-or-create-user', {
    message: wire.userQueueMessage,
    operation: createUserQueue,
    async body(read, call) {
      const queue = readUserQueue(read);
      await checkNoCustomQueue(queue, call, services);
      return queue;
    },
    answer,
  });
  helpers.write('POST', '/mlflow/review-queues/update', {
    message: wire.updateQueueMessage,
    operation: updateQueue,
    body: (read) => readQueueChange(read, services),
    answer,
  });
  helpers.write('POST', '/mlflow/review-queues/delete', {
    message: wire.queueMessage,
    operation: deleteQueue,
    body: asItIs,
  });
}

function registerItems(helpers: RouteHelpers, services: ProtocolServices): void {
  const path = '/mlflow/review-queues/items';
  helpers.write('POST', `${path}/add`, {
    message: wire.addItemsMessage,
    operation: addItems,
    body: readAddedItems,
    async answer({ queue_id, item_ids }) {
      const rows = await services.read(({ review }) => review.findItems(queue_id, item_ids));
      const byItem = new Map(rows.map((row) => [row.item, writeItem(row)]));
      return { items: item_ids.flatMap((id) => byItem.get(id) ?? []) };
    },
  });
  helpers.write('POST', `${path}/remove`, {
    message: wire.removeItemsMessage,
    operation: removeItems,
    body: readItems,
  });
  helpers.write('POST', `${path}/set-status`, {
    message: wire.settleItemMessage,
    operation: settleItem,
    body: readSettle,
    async answer({ queue_id, item_id }) {
      const [row] = await services.read(({ review }) => review.findItems(queue_id, [item_id]));
      return row === undefined ? {} : { item: writeItem(row) };
    },
  });
  helpers.read('GET', `${path}/list`, {
    message: wire.listItemsMessage,
    async answer({ queue_id, status, ...body }, call) {
      const page = {
        limit: listLimit(body.max_results, rowsDefault) + 1,
        offset: readPageToken(body.page_token),
      };
      const rows = await reading(services, call, async (context) => {
        const { id } = await getQueue(queue_id, context);
        return context.state.review.listItems(id, statusOf(status), page);
      });
      const { written, next } = pageOf(rows, page, writeItem);
      return { ...(written.length === 0 ? {} : { items: written }), ...next };
    },
  });
}
