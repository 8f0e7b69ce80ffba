import type { WebhookAttributes, WebhookChange } from '../../../facts/webhook-facts.ts';
import { int32, message, nested, oneOf, repeated, required, string } from '../wire.ts';

/** Source: mlflow/protos/webhooks.proto; required fields as mlflow/server/handlers.py checks them. */

const entities = [
  'ENTITY_UNSPECIFIED',
  'REGISTERED_MODEL',
  'MODEL_VERSION',
  'MODEL_VERSION_TAG',
  'MODEL_VERSION_ALIAS',
  'PROMPT',
  'PROMPT_VERSION',
  'PROMPT_TAG',
  'PROMPT_VERSION_TAG',
  'PROMPT_ALIAS',
  'BUDGET_POLICY',
] as const;
const actions = ['ACTION_UNSPECIFIED', 'CREATED', 'UPDATED', 'DELETED', 'SET', 'EXCEEDED'] as const;

const event = message({
  entity: required(oneOf(entities, 0)),
  action: required(oneOf(actions, 0)),
});
const status = oneOf(['ACTIVE', 'DISABLED'], 1);

export const createWebhookMessage = message({
  name: required(string),
  description: string,
  url: required(string),
  events: required(repeated(nested(event))),
  secret: string,
  status,
});
export const listWebhooksMessage = message({ max_results: int32, page_token: string });
export const webhookMessage = message({ webhook_id: required(string) });
export const updateWebhookMessage = message({
  webhook_id: required(string),
  name: string,
  description: string,
  url: string,
  events: repeated(nested(event)),
  secret: string,
  status,
});
export const testWebhookMessage = message({ webhook_id: required(string), event: nested(event) });

/** An event as the wire has it. */
export interface WireEvent {
  readonly entity: (typeof entities)[number];
  readonly action: (typeof actions)[number];
}

/** Bodies of the operations. A secret is sealed before it gets here. */
export type CreateWebhook = WebhookAttributes;
export type UpdateWebhook = { readonly webhook_id: string } & WebhookChange;
export type WebhookOnly = { readonly webhook_id: string };
