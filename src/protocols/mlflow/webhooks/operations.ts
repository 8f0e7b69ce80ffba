import { limits } from '../../../base/limits.ts';
import type { Operation, StateReader } from '../../../door/index.ts';
import type { WebhookChange } from '../../../facts/webhook-facts.ts';
import type { WebhookRow } from '../../../webhooks/index.ts';
import { doesNotExist, invalidParameter } from '../errors.ts';
import { mlflowOperation } from '../operation.ts';
import { newId } from '../operations/names.ts';
import type { CreateWebhook, UpdateWebhook, WebhookOnly } from './wire.ts';

/** @throws not_found with MLflow's text. */
export async function getWebhook(
  { webhooks }: Pick<StateReader, 'webhooks'>,
  workspace: string,
  id: string,
): Promise<WebhookRow> {
  const row = await webhooks.find(workspace, id);
  if (row !== undefined) return row;
  throw doesNotExist(`Webhook with ID ${id} not found.`);
}

/** POST `webhooks`. Answers its id. */
export const createWebhook = mlflowOperation<CreateWebhook, string, { id: string; time: number }>({
  operation: 'webhooks/create',
  async decide(_body, { state, workspace, random, time }) {
    const offset = limits.webhooksPerWorkspaceMax - 1;
    if ((await state.webhooks.list(workspace, { limit: 1, offset })).length > 0) {
      throw invalidParameter(
        `A workspace has at most ${limits.webhooksPerWorkspaceMax} webhooks: delete one that is not needed.`,
      );
    }
    const id = newId(random(16)).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    return { decided: { id, time }, answer: id };
  },
  facts: (message, { id, time }) => [{ kind: 'webhook.created', ...message, id, time }],
});

/** What differs from what is said already. */
function changesOf(change: WebhookChange, row: WebhookRow): boolean {
  return Object.entries(change).some(
    ([key, value]) =>
      value !== undefined &&
      JSON.stringify(value) !== JSON.stringify(row[key as keyof WebhookChange]),
  );
}

/** PATCH `webhooks/{id}`: sets what is given. */
export const updateWebhook = mlflowOperation<UpdateWebhook, null, { time: number }>({
  operation: 'webhooks/update',
  async decide({ webhook_id: id, ...change }, { state, workspace, time }) {
    const row = await getWebhook(state, workspace, id);
    return changesOf(change, row)
      ? { decided: { time: Math.max(time, row.updatedTime) }, answer: null }
      : { unchanged: null };
  },
  facts: ({ webhook_id: id, ...change }, { time }) => [
    { kind: 'webhook.updated', ...change, id, time },
  ],
});

/** DELETE `webhooks/{id}`. */
export const deleteWebhook = mlflowOperation<WebhookOnly, null, { time: number }>({
  operation: 'webhooks/delete',
  async decide({ webhook_id: id }, { state, workspace, time }) {
    await getWebhook(state, workspace, id);
    return { decided: { time }, answer: null };
  },
  facts: ({ webhook_id: id }, { time }) => [{ kind: 'webhook.deleted', id, time }],
});

/** Every operation of webhooks, for rebuild. */
export const webhookOperations: readonly Operation[] = [
  createWebhook,
  updateWebhook,
  deleteWebhook,
  // Looked up by name at replay, so their types are erased here.
] as unknown as readonly Operation[];
