import { isObject } from '../../../base/json.ts';
import {
  getFullLoggedModels,
  type LoggedModelOrder,
  onePage,
  pageOfLoggedModels,
} from '../../../tracking/index.ts';
import type { ProtocolServices } from '../../services.ts';
import { doesNotExist, invalidParameter, unknownAttribute } from '../errors.ts';
import { parseFilter } from '../filter.ts';
import { type Condition, loggedModelGrammar } from '../grammar.ts';
import {
  createLoggedModel,
  deleteLoggedModel,
  deleteLoggedModelTag,
  type Finalize,
  finalizeLoggedModel,
  logLoggedModelParams,
  type ModelRead,
  setLoggedModelTags,
} from '../operations/logged-models.ts';
import { readMaxResults } from '../paging.ts';
import type { Call, RouteHelpers } from '../routes.ts';
import { checkExperimentId, checkLength, checkLoggedModelName, mlflowLimits } from '../validate.ts';
import { type Answer, writeLoggedModel } from './answers.ts';
import { artifactPath } from './artifact-path.ts';
import { readModelFiles } from './model-read.ts';
import { conditionsWithTokens } from './persons.ts';
import * as wire from './wire.ts';

async function getModel(
  id: string,
  { workspace }: Call,
  services: ProtocolServices,
  allowDeleted = false,
): Promise<Answer> {
  const full = await services.read(async ({ tracking }) => {
    const model = await tracking.findLoggedModel(workspace, id);
    if (model === undefined || (model.stage === 'deleted' && !allowDeleted)) return undefined;
    return (await getFullLoggedModels(tracking, [model.key]))[0];
  });
  if (full === undefined) throw doesNotExist(`Logged model with ID '${id}' not found.`);
  return { model: writeLoggedModel(full) };
}

/** What the files of a model say, when they are in our artifact store. */
async function readModel(
  id: string,
  { workspace }: Call,
  services: ProtocolServices,
): Promise<ModelRead | undefined> {
  const model = await services.read(({ tracking }) => tracking.findLoggedModel(workspace, id));
  const root = model === undefined ? undefined : artifactPath(model.artifactUri);
  return readModelFiles(root, workspace, services);
}

async function withRead(
  read: wire.FinalizeLoggedModel,
  call: Call,
  services: ProtocolServices,
): Promise<Finalize> {
  if (read.status !== 'LOGGED_MODEL_READY') return read;
  const files = await readModel(read.model_id, call, services);
  return files === undefined ? read : { ...read, read: files };
}

interface PageToken {
  readonly experiment_ids: readonly string[];
  readonly filter_string: string;
  readonly order_by: wire.SearchLoggedModels['order_by'];
  readonly offset: number;
}

/** The token embeds the query: it is refused for another one. */
function readToken(token: string | undefined, query: Omit<PageToken, 'offset'>): number {
  if (token === undefined || token === '') return 0;
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(token, 'base64').toString('utf8'));
  } catch {
    throw invalidParameter(`Invalid page token: ${token.slice(0, 200)}.`);
  }
  const offset = isObject(parsed) ? parsed.offset : undefined;
  if (!isObject(parsed) || !Number.isSafeInteger(offset) || Number(offset) < 0) {
    throw invalidParameter(`Invalid page token: ${token.slice(0, 200)}.`);
  }
  const differs = (name: keyof typeof query): boolean =>
    JSON.stringify(parsed[name]) !== JSON.stringify(query[name]);
  const what = differs('experiment_ids')
    ? 'Experiment IDs'
    : differs('filter_string')
      ? 'Filter string'
      : differs('order_by')
        ? 'Order by'
        : undefined;
  if (what === undefined) return Number(offset);
  throw invalidParameter(
    `${what} in the page token do not match the requested ones. Ask for the first page again, without a token.`,
  );
}

/** A field's name is taken as it stands: quotes belong to it. Source: _apply_order_by_search_logged_models. */
function readOrder(name: string): { entity: 'attribute' | 'metric'; key: string } {
  const dot = name.indexOf('.');
  const { attributeAliases, orderAttributes } = loggedModelGrammar;
  if (dot < 0 && orderAttributes.includes(name)) {
    const key = Object.hasOwn(attributeAliases, name) ? attributeAliases[name] : name;
    return { entity: 'attribute', key: key ?? name };
  }
  if (dot >= 0 && name.slice(0, dot) === 'metrics') {
    return { entity: 'metric', key: name.slice(dot + 1) };
  }
  if (dot < 0) throw unknownAttribute(`Invalid order by field name: ${name}`);
  throw invalidParameter(`Invalid order by field name: ${name}. Only metrics are supported.`);
}

function readOrders(body: wire.SearchLoggedModels): LoggedModelOrder[] {
  return (body.order_by ?? []).map((clause) => {
    const { field_name = '', ascending = true, dataset_name, dataset_digest } = clause;
    const order = { ...readOrder(field_name), ascending };
    if (!dataset_name) return order;
    return { ...order, dataset: { name: dataset_name, digest: dataset_digest || undefined } };
  });
}

/** Statuses are stored by their protobuf names. */
function withStatus(condition: Condition): Condition {
  if (condition.entity !== 'attribute' || condition.key !== 'status') return condition;
  const name = (value: string): string =>
    value.startsWith('LOGGED_MODEL_') ? value : `LOGGED_MODEL_${value}`;
  const { value } = condition;
  if (typeof value === 'string') return { ...condition, value: name(value) };
  return Array.isArray(value) ? { ...condition, value: value.map(String).map(name) } : condition;
}

async function search(
  body: wire.SearchLoggedModels,
  call: Call,
  services: ProtocolServices,
): Promise<Answer> {
  const limit = readMaxResults(
    body.max_results || undefined,
    mlflowLimits.loggedModelsDefault,
    mlflowLimits.pageMax,
  );
  const { experiment_ids } = body;
  for (const id of experiment_ids) checkExperimentId(id);
  const query = { experiment_ids, filter_string: body.filter ?? '', order_by: body.order_by ?? [] };
  const offset = readToken(body.page_token, query);
  const datasets = (body.datasets ?? []).map(({ dataset_name, dataset_digest }) => {
    if (!dataset_name) {
      throw invalidParameter('`dataset_name` in the `datasets` clause must be specified.');
    }
    return { name: dataset_name, digest: dataset_digest || undefined };
  });
  const conditions = conditionsWithTokens(parseFilter(body.filter, loggedModelGrammar), services);
  const search = {
    workspace: call.workspace,
    experimentIds: experiment_ids,
    conditions: conditions.map(withStatus),
    orders: readOrders(body),
    datasets,
    limit,
    offset,
  };
  const keys = await services.searches.searchLoggedModels(onePage(search));
  const page = await services.read(({ tracking }) => pageOfLoggedModels(tracking, keys, limit));
  const token = JSON.stringify({ ...query, offset: offset + limit } satisfies PageToken);
  return {
    ...(page.items.length === 0 ? {} : { models: page.items.map(writeLoggedModel) }),
    ...(page.more ? { next_page_token: Buffer.from(token).toString('base64') } : {}),
  };
}

function checkKeys(pairs: readonly { readonly key: string }[] | undefined): void {
  for (const { key } of pairs ?? []) checkLength('key', mlflowLimits.keyCharactersMax, key);
}

/** The endpoints of logged models. */
export function registerLoggedModelRoutes(helpers: RouteHelpers, services: ProtocolServices): void {
  helpers.write('POST', '/mlflow/logged-models', {
    message: wire.createLoggedModelMessage,
    operation: createLoggedModel,
    body(read) {
      checkLoggedModelName(read.name);
      checkKeys(read.tags);
      checkKeys(read.params);
      return read;
    },
    answer: (answer) => answer,
  });
  helpers.write('PATCH', '/mlflow/logged-models/:model_id', {
    message: wire.finalizeLoggedModelMessage,
    operation: finalizeLoggedModel,
    body: (read, call) => withRead(read, call, services),
    answer: (_answer, call) => getModel(modelIdOf(call), call, services, true),
  });
  helpers.write('PATCH', '/mlflow/logged-models/:model_id/tags', {
    message: wire.loggedModelTagsMessage,
    operation: setLoggedModelTags,
    body(read) {
      checkKeys(read.tags);
      return read;
    },
  });
  helpers.write('DELETE', '/mlflow/logged-models/:model_id/tags/:tag_key', {
    message: wire.deleteLoggedModelTagMessage,
    operation: deleteLoggedModelTag,
    body: (read) => read,
  });
  helpers.write('POST', '/mlflow/logged-models/:model_id/params', {
    message: wire.loggedModelParamsMessage,
    operation: logLoggedModelParams,
    body(read) {
      checkKeys(read.params);
      return read;
    },
  });
  helpers.write('DELETE', '/mlflow/logged-models/:model_id', {
    message: wire.loggedModelMessage,
    operation: deleteLoggedModel,
    body: ({ model_id }) => ({ model_id }),
  });
  helpers.read('GET', '/mlflow/logged-models/:model_id', {
    message: wire.loggedModelMessage,
    answer: (body, call) =>
      getModel(body.model_id, call, services, body.allow_deleted?.toLowerCase() === 'true'),
  });
  helpers.read('POST', '/mlflow/logged-models/search', {
    message: wire.searchLoggedModelsMessage,
    answer: (body, call) => search(body, call, services),
  });
}

function modelIdOf({ request }: Call): string {
  const params = request.params;
  return isObject(params) && typeof params.model_id === 'string' ? params.model_id : '';
}
