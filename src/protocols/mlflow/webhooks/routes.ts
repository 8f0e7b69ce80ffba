import type { WebhookEvent } from '../../../facts/webhook-facts.ts';
import type { WebhookRow } from '../../../webhooks/index.ts';
import type { ProtocolServices, WebhookTest } from '../../services.ts';
import { invalidParameter } from '../errors.ts';
import { readPageToken, writePageToken } from '../paging.ts';
import type { RouteHelpers } from '../routes.ts';
import type { BodyOf } from '../wire.ts';
import { examples } from './examples.ts';
import { createWebhook, deleteWebhook, getWebhook, updateWebhook } from './operations.ts';
import { checkSecret, checkWebhookName, readEvent, readEvents } from './validate.ts';
import * as wire from './wire.ts';

const pageDefault = 100;
const pageMax = 1_000;

/** Webhook of MLflow's protobuf, in JSON. Its secret is never told. */
function writeWebhook(row: WebhookRow): Record<string, unknown> {
  return {
    webhook_id: row.id,
    name: row.name,
    ...(row.description ? { description: row.description } : {}),
    url: row.url,
    events: row.events.map((event) => {
      const [entity, action] = event.toUpperCase().split('.');
      return { entity, action };
    }),
    status: row.status,
    creation_timestamp: row.createdTime,
    last_updated_timestamp: row.updatedTime,
  };
}

function writeTest({ success, status, body, error }: WebhookTest): Record<string, unknown> {
  return {
    success,
    ...(status === undefined ? {} : { response_status: status }),
    ...(body === undefined ? {} : { response_body: body }),
    ...(error === undefined ? {} : { error_message: error }),
  };
}

type Secrets = Pick<ProtocolServices['webhooks'], 'seal'>;

/** The secret as the record may hold it; empty text is none. */
function sealed(secret: string | undefined, { seal }: Secrets): string | null {
  if (secret === undefined || secret === '') return null;
  checkSecret(secret);
  return seal(secret);
}

/** The endpoints of webhooks, below `/api/2.0`. */
export function registerWebhookRoutes(helpers: RouteHelpers, services: ProtocolServices): void {
  registerWrites(helpers, services);
  registerReads(helpers, services);
}

function registerWrites(helpers: RouteHelpers, services: ProtocolServices): void {
  const { webhooks } = services;
  const show = async (workspace: string, id: string): Promise<object> => ({
    webhook: writeWebhook(await services.read((state) => getWebhook(state, workspace, id))),
  });
  helpers.write('POST', '/mlflow/webhooks', {
    message: wire.createWebhookMessage,
    operation: createWebhook,
    async body({ name, description, url, events, secret, status = 'ACTIVE' }) {
      const read = readEvents(events);
      checkWebhookName(name);
      await webhooks.checkUrl(url);
      const said = { name, description: description || null, url, events: read, status };
      return { ...said, secret: sealed(secret, webhooks) };
    },
    answer: (id, { workspace }) => show(workspace, id),
  });
  helpers.write('PATCH', '/mlflow/webhooks/:webhook_id', {
    message: wire.updateWebhookMessage,
    operation: updateWebhook,
    body: (read) => readChange(read, webhooks),
    // The id stands in the path, and the door has just found it.
    answer: (_answer, { workspace, request }) =>
      show(workspace, (request.params as wire.WebhookOnly).webhook_id),
  });
  helpers.write('DELETE', '/mlflow/webhooks/:webhook_id', {
    message: wire.webhookMessage,
    operation: deleteWebhook,
    body: (read) => read,
  });
}

/** What an update changes; empty text counts as absent, except that it clears description and secret. */
async function readChange(
  read: BodyOf<typeof wire.updateWebhookMessage>,
  webhooks: ProtocolServices['webhooks'],
): Promise<wire.UpdateWebhook> {
  const { webhook_id, name, description, url, events, secret, status } = read;
  if (name) checkWebhookName(name);
  if (url) await webhooks.checkUrl(url);
  return {
    webhook_id,
    ...(name ? { name } : {}),
    ...(description === undefined ? {} : { description: description || null }),
    ...(url ? { url } : {}),
    ...(events === undefined || events.length === 0 ? {} : { events: readEvents(events) }),
    ...(secret === undefined ? {} : { secret: sealed(secret, webhooks) }),
    ...(status === undefined ? {} : { status }),
  };
}

function registerReads(helpers: RouteHelpers, services: ProtocolServices): void {
  helpers.read('GET', '/mlflow/webhooks', {
    message: wire.listWebhooksMessage,
    async answer(body, { workspace }) {
      const limit = body.max_results || pageDefault;
      if (limit < 1 || limit > pageMax)
        throw invalidParameter('max_results must be between 1 and 1000.');
      const offset = readPageToken(body.page_token);
      const rows = await services.read((state) =>
        state.webhooks.list(workspace, { limit: limit + 1, offset }),
      );
      const more = rows.length > limit;
      return {
        ...(rows.length === 0 ? {} : { webhooks: rows.slice(0, limit).map(writeWebhook) }),
        ...(more ? { next_page_token: writePageToken(offset + limit) } : {}),
      };
    },
  });
  helpers.read('GET', '/mlflow/webhooks/:webhook_id', {
    message: wire.webhookMessage,
    async answer({ webhook_id: id }, { workspace }) {
      const row = await services.read((state) => getWebhook(state, workspace, id));
      return { webhook: writeWebhook(row) };
    },
  });
  helpers.read('POST', '/mlflow/webhooks/:webhook_id/test', {
    message: wire.testWebhookMessage,
    // It calls somebody.
    access: 'write',
    async answer({ webhook_id: id, event: given }, { workspace }) {
      const row = await services.read((state) => getWebhook(state, workspace, id));
      const event: WebhookEvent | undefined = given ? readEvent(given) : row.events[0];
      if (event === undefined) throw invalidParameter('The webhook has no events.');
      const told = { event, data: JSON.stringify(examples[event]), workspace };
      return { result: writeTest(await services.webhooks.test(row, told)) };
    },
  });
}
