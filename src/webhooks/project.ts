import type { Fact, FactContext } from '../facts/facts.ts';
import { eventOf, type IsPrompt } from './event.ts';
import type { WebhookStore } from './store.ts';

/**
 * Writes what facts say about webhooks, and queues the calls that they owe for what facts say about
 * the registry. `isPrompt` answers as the facts before left the registry.
 */
export async function projectWebhooks(
  facts: readonly Fact[],
  context: FactContext,
  target: { readonly store: WebhookStore; readonly isPrompt: IsPrompt },
): Promise<void> {
  const { store } = target;
  for (const [ordinal, fact] of facts.entries()) {
    switch (fact.kind) {
      case 'webhook.created':
        await store.add(context.workspace, fact.id, fact, fact.time);
        break;
      case 'webhook.updated':
        await store.update(fact.id, fact, fact.time);
        break;
      case 'webhook.deleted':
        await store.remove(fact.id, fact.time);
        break;
      case 'webhook.settled':
        await store.settle(fact, fact.outcome);
        break;
      case 'workspace.deleted':
        await store.removeAll(context.workspace, fact.time);
        break;
      case 'model.created':
      case 'model.tagSet':
      case 'model.tagDeleted':
      case 'modelVersion.created':
      case 'modelVersion.tagSet':
      case 'modelVersion.tagDeleted':
      case 'alias.set':
      case 'alias.deleted':
        await enqueue(fact, ordinal, context, target);
        break;
      default:
    }
  }
}

async function enqueue(
  fact: Fact,
  ordinal: number,
  { workspace, position, index, time }: FactContext,
  { store, isPrompt }: { readonly store: WebhookStore; readonly isPrompt: IsPrompt },
): Promise<void> {
  const listeners = await store.listeners(workspace);
  if (listeners.length === 0) return;
  const told = await eventOf(fact, isPrompt);
  if (told === undefined) return;
  const { event } = told;
  const delivery = { position, index, ordinal, event, data: JSON.stringify(told.data), time };
  for (const { key, events } of listeners) {
    if (events.has(event)) await store.enqueue(key, delivery);
  }
}
