import type { EvaluationFact, Fact, FactContext } from '../facts/facts.ts';
import { mergeRecord, newRecord } from './records.ts';
import type { EvaluationStore } from './store.ts';

type DatasetFact = Exclude<
  EvaluationFact,
  {
    kind:
      | 'evaluationDataset.created'
      | 'scorer.registered'
      | 'scorer.deleted'
      | 'scorer.configured';
  }
>;

/** Writes what facts mean for evaluation datasets and scorers. Facts of other rooms are passed over. */
export async function projectEvaluation(
  facts: readonly Fact[],
  context: FactContext,
  store: EvaluationStore,
): Promise<void> {
  const { workspace, time } = context;
  for (const fact of facts) {
    switch (fact.kind) {
      case 'evaluationDataset.created':
        await createDataset(fact, context, store);
        break;
      case 'evaluationDataset.tagged':
      case 'evaluationDataset.linked':
      case 'evaluationDataset.unlinked':
      case 'evaluationDataset.deleted':
        await projectDataset(fact, await store.datasetKey(workspace, fact.id), time, store);
        break;
      case 'evaluationRecords.merged':
      case 'evaluationRecords.deleted':
        await projectDataset(fact, await store.datasetKey(workspace, fact.dataset), time, store);
        break;
      case 'scorer.registered': {
        const { scorer: id, experiment, name, version, serialized } = fact;
        const { createdTime = time } = fact;
        const row = { id, experiment, name, version, serialized, createdTime };
        await store.putScorerVersion(workspace, row);
        break;
      }
      case 'scorer.deleted':
        await store.deleteScorer(workspace, fact.scorer, fact.version);
        break;
      case 'scorer.configured': {
        const { scorer, config, sampleRate, filter } = fact;
        await store.putScorerConfig(workspace, { scorer, config, sampleRate, filter });
        break;
      }
      default:
    }
  }
}

async function createDataset(
  fact: Extract<EvaluationFact, { kind: 'evaluationDataset.created' }>,
  { workspace, time }: FactContext,
  store: EvaluationStore,
): Promise<void> {
  const { id, name, digest, user, origin } = fact;
  const made = origin?.createdTime ?? time;
  const dataset = await store.addDataset({ workspace, id, name, digest, time: made, user });
  if (origin !== undefined) {
    const { schema, profile, updatedTime, updatedBy } = origin;
    const state = { digest, schema, profile, time: updatedTime, user: updatedBy };
    await store.updateDataset(dataset, state);
  }
  await putTags(dataset, fact.tags, store);
  for (const experiment of fact.experiments) await store.linkExperiment(dataset, experiment);
}

async function putTags(
  dataset: number,
  tags: Extract<EvaluationFact, { kind: 'evaluationDataset.tagged' }>['tags'],
  store: EvaluationStore,
): Promise<void> {
  for (const { key, value } of tags) {
    if (value === null) await store.removeDatasetTag(dataset, key);
    else await store.putDatasetTag(dataset, key, value);
  }
}

async function projectDataset(
  fact: DatasetFact,
  dataset: number,
  time: number,
  store: EvaluationStore,
): Promise<void> {
  switch (fact.kind) {
    case 'evaluationDataset.tagged':
      return putTags(dataset, fact.tags, store);
    case 'evaluationDataset.linked':
      for (const experiment of fact.experiments) await store.linkExperiment(dataset, experiment);
      return store.touchDataset(dataset, time);
    case 'evaluationDataset.unlinked':
      for (const experiment of fact.experiments) await store.unlinkExperiment(dataset, experiment);
      return store.touchDataset(dataset, time);
    case 'evaluationDataset.deleted':
      return store.deleteDataset(dataset);
    case 'evaluationRecords.merged':
      for (const sent of fact.records) {
        const before = await store.findRecord(dataset, sent.id);
        const record = before ? mergeRecord(before, sent, fact.time) : newRecord(sent, fact.time);
        await store.putRecord(dataset, record);
      }
      return store.updateDataset(dataset, fact);
    case 'evaluationRecords.deleted': {
      const { digest, profile, time: changed } = fact;
      await store.removeRecords(dataset, fact.records);
      return store.updateDataset(dataset, { digest, profile, time: changed });
    }
    default:
  }
}
