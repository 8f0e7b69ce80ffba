/**
 * What a webhook can be called for: `entity.action`.
 * Source: mlflow/entities/webhook.py (VALID_ENTITY_ACTIONS).
 */
export const webhookEvents = [
  'registered_model.created',
  'model_version.created',
  'model_version_tag.set',
  'model_version_tag.deleted',
  'model_version_alias.created',
  'model_version_alias.deleted',
  'prompt.created',
  'prompt_version.created',
  'prompt_tag.set',
  'prompt_tag.deleted',
  'prompt_version_tag.set',
  'prompt_version_tag.deleted',
  'prompt_alias.created',
  'prompt_alias.deleted',
  'budget_policy.exceeded',
] as const;

export type WebhookEvent = (typeof webhookEvents)[number];

export type WebhookStatus = 'ACTIVE' | 'DISABLED';

/** What is said about a webhook. */
export interface WebhookAttributes {
  readonly name: string;
  readonly description: string | null;
  readonly url: string;
  readonly events: readonly WebhookEvent[];
  /** Sealed under the server's secret; null when deliveries are not signed. */
  readonly secret: string | null;
  readonly status: WebhookStatus;
}

/** A change of what is said; what is absent stays. */
export type WebhookChange = {
  readonly [K in keyof WebhookAttributes]?: WebhookAttributes[K] | undefined;
};

/** One call of one webhook: the place of the fact that it tells of. */
export interface DeliveryPlace {
  /** Id of the webhook. */
  readonly webhook: string;
  readonly position: number;
  readonly index: number;
  /** Place of the fact among those of its message, from 0. */
  readonly ordinal: number;
}

export type DeliveryOutcome = 'delivered' | 'failed';

/** What is said about webhooks of the fact's workspace. `time`s are ms since 1970. */
export type WebhookFact =
  | ({
      readonly kind: 'webhook.created';
      readonly id: string;
      readonly time: number;
    } & WebhookAttributes)
  | ({
      readonly kind: 'webhook.updated';
      readonly id: string;
      readonly time: number;
    } & WebhookChange)
  | { readonly kind: 'webhook.deleted'; readonly id: string; readonly time: number }
  /** The call was answered, or given up. */
  | ({
      readonly kind: 'webhook.settled';
      readonly outcome: DeliveryOutcome;
    } & DeliveryPlace);
