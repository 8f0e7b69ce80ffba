import { limits } from '../../../base/limits.ts';
import { invalidParameter, mlflowError } from '../errors.ts';
import { mlflowOperation } from '../operation.ts';
import type { ImportWebhook } from './messages.ts';

type Times = { readonly time: number; readonly updated: number };

/**
 * A webhook, switched off: what is imported is no news, and the calls would not be signed, for its
 * secret stays behind. One that was deleted here stays deleted.
 */
export const importWebhook = mlflowOperation<ImportWebhook, null, Times>({
  operation: 'import/webhook',
  async decide(body, { state, workspace, time }) {
    const { webhooks } = state;
    const place = await webhooks.workspaceOf(body.webhook_id);
    if (place === workspace) return { unchanged: null };
    if (place !== undefined) {
      throw mlflowError(
        'RESOURCE_CONFLICT',
        `Webhook ${body.webhook_id} is in another workspace here.`,
      );
    }
    const offset = limits.webhooksPerWorkspaceMax - 1;
    if ((await webhooks.list(workspace, { limit: 1, offset })).length > 0) {
      throw invalidParameter(
        `A workspace has at most ${limits.webhooksPerWorkspaceMax} webhooks: delete one that is not needed.`,
      );
    }
    const { creation_timestamp: made = time, last_updated_timestamp: updated = made } = body;
    return { decided: { time: made, updated }, answer: null };
  },
  facts({ webhook_id: id, name, description, url, events = [] }, { time, updated }) {
    return [
      {
        kind: 'webhook.created',
        ...{ id, name, url, events, time },
        description: description || null,
        secret: null,
        status: 'DISABLED',
      },
      ...(updated === time ? [] : ([{ kind: 'webhook.updated', id, time: updated }] as const)),
    ];
  },
});
