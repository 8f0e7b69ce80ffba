import { limits } from '../../../base/limits.ts';
import type { DecideContext } from '../../../door/index.ts';
import type { WebhookRow } from '../../../webhooks/index.ts';
import { invalidParameter, mlflowError } from '../errors.ts';
import { mlflowOperation } from '../operation.ts';
import type { ImportWebhook } from './messages.ts';
import {
  findSaid,
  type Statements,
  saidFact,
  taken,
  type Updated,
  updatedBy,
  weigh,
} from './said.ts';

type Decided = {
  readonly time: number;
  readonly updated: number;
  /** Fields that change of one that is here; absent when it is made. */
  readonly take?: readonly string[];
};

const fieldsOf = ({ name, description, url, events = [] }: ImportWebhook) => ({
  ...{ name, url },
  description: description || null,
  events: [...events].sort(),
});

async function updateOf(
  body: ImportWebhook,
  row: WebhookRow,
  context: DecideContext,
): Promise<
  { readonly decided: Decided; readonly answer: Updated } | { readonly unchanged: Updated }
> {
  const { name, url, description, events } = row;
  const here: Statements = { name, url, description, events: [...events].sort() };
  const weighed = weigh(fieldsOf(body), here, await findSaid('webhook', body.webhook_id, context));
  const answer = updatedBy(weighed);
  if (weighed.take.length === 0) return { unchanged: answer };
  const { last_updated_timestamp: updated = context.time } = body;
  const time = Math.max(updated, row.updatedTime);
  return { decided: { time, updated: time, take: weighed.take }, answer };
}

/**
 * A webhook, switched off: what is imported is no news, and the calls would not be signed, for its
 * secret stays behind. One that was deleted here stays deleted.
 */
export const importWebhook = mlflowOperation<ImportWebhook, Updated, Decided>({
  operation: 'import/webhook',
  async decide(body, context) {
    const { state, workspace, time } = context;
    const { webhooks } = state;
    const place = await webhooks.workspaceOf(body.webhook_id);
    if (place === workspace) {
      const row = await webhooks.find(workspace, body.webhook_id);
      return row === undefined ? { unchanged: {} } : updateOf(body, row, context);
    }
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
    return { decided: { time: made, updated }, answer: {} };
  },
  facts(body, { time, updated, take }) {
    const { webhook_id: id, name, description, url, events = [] } = body;
    const said = saidFact('webhook', id, fieldsOf(body));
    if (take !== undefined)
      return [{ kind: 'webhook.updated', id, time, ...taken(fieldsOf(body), take) }, said];
    return [
      {
        kind: 'webhook.created',
        ...{ id, name, url, events, time },
        description: description || null,
        secret: null,
        status: 'DISABLED',
      },
      ...(updated === time ? [] : ([{ kind: 'webhook.updated', id, time: updated }] as const)),
      said,
    ];
  },
});
