import type { Fact, FactContext } from '../facts/facts.ts';
import type { ImportsStore } from './store.ts';

/** Writes what sources of imports said. Other facts are passed over. */
export async function projectImports(
  facts: readonly Fact[],
  { workspace }: FactContext,
  store: ImportsStore,
): Promise<void> {
  for (const fact of facts) {
    if (fact.kind === 'import.said') await store.putSaid(workspace, fact);
  }
}
