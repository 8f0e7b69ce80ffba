import { limits } from '../../../base/limits.ts';
import { type WebhookEvent, webhookEvents } from '../../../facts/webhook-facts.ts';
import { invalidParameter } from '../errors.ts';
import type { WireEvent } from './wire.ts';

/** @throws invalid_message with MLflow's text. Source: mlflow/utils/validation.py (_validate_webhook_name). */
export function checkWebhookName(name: string): void {
  if (/^(?=.{1,63}$)[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/i.test(name)) return;
  throw invalidParameter(
    `Webhook name '${name.slice(0, 200)}' is invalid. It must start and end with a letter or digit, be less than 63 characters long, and contain only letters, digits, dots (.), underscores (_), and hyphens (-).`,
  );
}

/** @throws invalid_message: MLflow's column would not hold it either. */
export function checkSecret(secret: string): void {
  if (secret.length > limits.webhookSecretCharactersMax)
    throw invalidParameter(
      `Webhook secret has more than ${limits.webhookSecretCharactersMax} characters.`,
    );
}

/**
 * The events, each once.
 * @throws invalid_message with MLflow's text when there is none, or for an action that the entity has not.
 * Source: mlflow/entities/webhook.py (WebhookEvent).
 */
export function readEvents(events: readonly WireEvent[]): WebhookEvent[] {
  if (events.length === 0) {
    throw invalidParameter('Webhook events must be a non-empty list of WebhookEvent objects: [].');
  }
  return [...new Set(events.map(readEvent))];
}

/** @throws as `readEvents`. */
export function readEvent({ entity, action }: WireEvent): WebhookEvent {
  const name = `${entity}.${action}`.toLowerCase();
  const known = webhookEvents.find((each) => each === name);
  if (known !== undefined) return known;
  const of = entity.toLowerCase();
  const valid = webhookEvents
    .filter((each) => each.startsWith(`${of}.`))
    .map((each) => `'${each.slice(of.length + 1)}'`)
    .sort();
  throw invalidParameter(
    `Invalid action '${action.toLowerCase()}' for entity '${of}'. Valid actions are: [${valid.join(', ')}]`,
  );
}
