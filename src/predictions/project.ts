import type { Fact, FactContext } from '../facts/facts.ts';
import type { PredictionStore } from './store.ts';

/** Writes what facts mean into the index of predictions. Facts of other rooms are passed over. */
export async function projectPredictions(
  facts: readonly Fact[],
  context: FactContext,
  store: PredictionStore,
): Promise<void> {
  const { workspace, position, index } = context;
  for (const fact of facts) {
    switch (fact.kind) {
      case 'prediction.served':
        if (fact.message !== undefined) store.holdMessage(position, index, fact.message);
        await store.putPrediction({
          workspace,
          id: fact.id,
          position,
          index,
          time: fact.time,
          modelVersion: fact.modelVersion,
          deployment: fact.deployment,
          unknown: fact.unknown !== undefined,
          parents: fact.parents ?? [],
        });
        break;
      case 'outcome.recorded': {
        const { id, prediction, type, time } = fact;
        if (fact.message !== undefined) store.holdMessage(position, index, fact.message);
        await store.putOutcome(workspace, { id, prediction, type, time, position, index });
        break;
      }
      case 'entity.renamed':
        if (/^(modelVersion|deployment):/.test(fact.from)) {
          await store.renameRef(fact.from, fact.to);
        }
        break;
      default:
    }
  }
}
