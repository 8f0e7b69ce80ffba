import type { Awaitable } from '../base/awaitable.ts';
import type {
  DeliveryOutcome,
  DeliveryPlace,
  WebhookAttributes,
  WebhookChange,
  WebhookEvent,
} from '../facts/webhook-facts.ts';

/** A webhook that is not deleted. Times are ms since 1970. */
export interface WebhookRow extends WebhookAttributes {
  readonly id: string;
  readonly createdTime: number;
  readonly updatedTime: number;
}

/** A call that is owed. */
export interface PendingDelivery extends DeliveryPlace {
  readonly workspace: string;
  readonly url: string;
  /** Sealed; null when the call is not signed. */
  readonly secret: string | null;
  readonly event: WebhookEvent;
  /** JSON of what the event tells; person tokens are in it. */
  readonly data: string;
  /** Recorded time of the event, ms since 1970. */
  readonly time: number;
}

/** Counts over all webhooks, also deleted ones. */
export interface DeliveryTotals {
  readonly queued: number;
  readonly delivered: number;
  readonly failed: number;
  /** Events that were not queued, because too many waited already. */
  readonly dropped: number;
}

export interface WebhookReader {
  find(workspace: string, id: string): Awaitable<WebhookRow | undefined>;
  /** The workspace in which the id was given, also when it is deleted; undefined when it never was. */
  workspaceOf(id: string): Awaitable<string | undefined>;
  /** Newest first. */
  list(
    workspace: string,
    page: { readonly limit: number; readonly offset: number },
  ): Awaitable<WebhookRow[]>;
  /** The oldest calls that are owed by each active webhook, at most `perWebhook` of each. */
  pending(perWebhook: number): Awaitable<PendingDelivery[]>;
  isPending(delivery: DeliveryPlace): Awaitable<boolean>;
  totals(): Awaitable<DeliveryTotals>;
}

/** Who listens to an event. */
export interface Listener {
  /** Surrogate of this store. */
  readonly key: number;
  readonly events: ReadonlySet<string>;
}

/** What an event is queued with. */
export interface NewDelivery extends Omit<DeliveryPlace, 'webhook'> {
  readonly event: WebhookEvent;
  readonly data: string;
  readonly time: number;
}

/** Writes of the projection, in ledger order. */
export interface WebhookStore extends WebhookReader {
  add(workspace: string, id: string, webhook: WebhookAttributes, time: number): Awaitable<void>;
  update(id: string, change: WebhookChange, time: number): Awaitable<void>;
  /** What it still owed is forgotten. */
  remove(id: string, time: number): Awaitable<void>;
  /** The same for every webhook of a workspace. */
  removeAll(workspace: string, time: number): Awaitable<void>;
  /** Active webhooks of a workspace. Cheap: asked for every fact of the registry. */
  listeners(workspace: string): Awaitable<readonly Listener[]>;
  /** Queues a call, or counts it as dropped when too many wait. */
  enqueue(listener: number, delivery: NewDelivery): Awaitable<void>;
  /** Takes the call off the queue; nothing when it is not there. */
  settle(delivery: DeliveryPlace, outcome: DeliveryOutcome): Awaitable<void>;
  /** Forgets what was cached; called when a batch rolls back. */
  reset(): void;
}
