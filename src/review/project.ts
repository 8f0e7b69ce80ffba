import type { Fact, FactContext } from '../facts/facts.ts';
import type { ReviewStore } from './store.ts';

/** Writes what facts say of issues, label schemas and review queues. Others are passed over. */
export async function projectReview(
  facts: readonly Fact[],
  { workspace }: FactContext,
  store: ReviewStore,
): Promise<void> {
  for (const fact of facts) {
    switch (fact.kind) {
      case 'issue.created':
        await store.addIssue(workspace, fact);
        break;
      case 'issue.changed':
        await store.changeIssue(fact);
        break;
      case 'labelSchema.created':
        await store.addSchema(workspace, fact);
        break;
      case 'labelSchema.changed':
        await store.changeSchema(fact);
        break;
      case 'labelSchema.deleted':
        await store.removeSchema(fact.id);
        break;
      case 'reviewQueue.created':
        await store.addQueue(workspace, fact);
        break;
      case 'reviewQueue.changed':
        await store.changeQueue(fact);
        break;
      case 'reviewQueue.deleted':
        await store.removeQueue(fact.id);
        break;
      case 'reviewItems.added':
        for (const item of fact.items) await store.addItem(fact.queue, item, fact.time);
        break;
      case 'reviewItems.removed':
        for (const item of fact.items) await store.removeItem(fact.queue, item);
        break;
      case 'reviewItem.settled':
        await store.settleItem(fact.queue, fact.item, fact);
        break;
      case 'traces.deleted':
        await store.removeTraces(workspace, fact.traces);
        break;
      default:
    }
  }
}
