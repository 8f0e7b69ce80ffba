import type { Operation } from '../door/index.ts';
import type { Fact } from '../facts/facts.ts';

/** States facts as any protocol would, for tests that need something to be there already. */
export const stateFacts: Operation<{ readonly facts: readonly Fact[] }, null> = {
  protocol: 'test',
  operation: 'facts',
  decide: () => ({ outcome: 'accepted', decided: {}, answer: null }),
  translate: ({ message }) => ({ facts: message.facts, warnings: [] }),
};
