import type { DeliveryOutcome, DeliveryPlace } from '../facts/webhook-facts.ts';
import type { Operation } from './operation.ts';

/** A call of a webhook that was answered, or given up. */
export interface SettledDelivery extends DeliveryPlace {
  readonly outcome: DeliveryOutcome;
}

/** Calls that ended at about the same time, of one workspace. */
export interface SettleDeliveries {
  readonly deliveries: readonly SettledDelivery[];
}

/** The server's own message that calls of webhooks have ended: what it does not name is still owed. */
export const settleDeliveries: Operation<SettleDeliveries, null> = {
  protocol: 'wherefrom',
  operation: 'webhooks/settle',
  async decide({ deliveries }, { state }) {
    for (const delivery of deliveries) {
      if (await state.webhooks.isPending(delivery))
        return { outcome: 'accepted', decided: {}, answer: null };
    }
    return { outcome: 'unchanged', answer: null };
  },
  translate: ({ message }) => ({
    facts: message.deliveries.map((delivery) => ({ kind: 'webhook.settled', ...delivery })),
    warnings: [],
  }),
};
