import type { Fact, FactContext, RunStatus } from '../facts/facts.ts';
import type { TrackingStore } from './store.ts';

const endedStatuses: ReadonlySet<RunStatus> = new Set(['FINISHED', 'FAILED', 'KILLED']);

/** Writes what facts say about experiments, runs, logged models and artifact files. */
export async function projectTracking(
  facts: readonly Fact[],
  context: FactContext,
  store: TrackingStore,
): Promise<void> {
  for (const fact of facts) {
    switch (fact.kind) {
      case 'metrics.logged':
        await store.putMetrics(context.workspace, fact.run, fact.metrics, context.position);
        break;
      case 'run.created':
        await projectNewRun(fact, context, store);
        break;
      case 'run.updated':
        await store.updateRun(context.workspace, fact.run, fact);
        if (fact.status !== undefined && endedStatuses.has(fact.status))
          await store.closeMetrics(context.workspace, fact.run, context.position);
        break;
      case 'run.deleted':
        await store.stageRun(context.workspace, fact.run, 'deleted', fact.time);
        break;
      case 'run.restored':
        await store.stageRun(context.workspace, fact.run, 'active', fact.time);
        break;
      case 'run.tagged':
        await store.putTags(context.workspace, fact.run, fact.tags);
        break;
      case 'run.untagged':
        await store.deleteTag(context.workspace, fact.run, fact.key);
        break;
      case 'params.logged':
        await store.putParams(context.workspace, fact.run, fact.params, context.position);
        break;
      case 'inputs.logged':
        for (const { dataset, tags } of fact.datasets) {
          await store.putInput(context.workspace, fact.run, dataset, tags);
        }
        for (const model of fact.models) {
          await store.putModelInput(context.workspace, fact.run, model);
        }
        break;
      case 'outputs.logged':
        for (const { model, step } of fact.models) {
          await store.putModelOutput(context.workspace, fact.run, model, step);
        }
        break;
      case 'workspace.created':
        await store.ensureDefaultExperiment(fact.name, context.time, fact.defaultLocation);
        break;
      case 'artifact.stored':
        await store.putArtifact(context.workspace, fact);
        break;
      case 'artifact.removed':
        await store.deleteArtifacts(context.workspace, fact.path);
        break;
      default:
        await projectExperiment(fact, context, store);
        await projectLoggedModel(fact, context, store);
    }
  }
}

async function projectNewRun(
  fact: Extract<Fact, { kind: 'run.created' }>,
  { workspace, time }: FactContext,
  store: TrackingStore,
): Promise<void> {
  if (fact.experiment === '0') await store.ensureDefaultExperiment(workspace, time);
  const { run: id, experiment: experimentId, name, user, startTime, artifactUri } = fact;
  await store.putRun({ workspace, id, experimentId, name, user, startTime, artifactUri });
  await store.putTags(workspace, id, fact.tags);
}

async function projectExperiment(
  fact: Fact,
  { workspace, time }: FactContext,
  store: TrackingStore,
): Promise<void> {
  if (!fact.kind.startsWith('experiment.')) return;
  await store.ensureDefaultExperiment(workspace, time);
  switch (fact.kind) {
    case 'experiment.created':
      await store.putExperiment({ workspace, ...fact });
      for (const { key, value } of fact.tags) {
        await store.putExperimentTag(workspace, fact.id, key, value);
      }
      break;
    case 'experiment.renamed':
      await store.renameExperiment(workspace, fact.id, fact.name, fact.time);
      break;
    case 'experiment.deleted':
      await store.stageExperiment(workspace, fact.id, 'deleted', fact.time);
      break;
    case 'experiment.restored':
      await store.stageExperiment(workspace, fact.id, 'active', fact.time);
      break;
    case 'experiment.tagged':
      await store.putExperimentTag(workspace, fact.id, fact.key, fact.value);
      break;
    default:
      break;
  }
}

async function projectLoggedModel(
  fact: Fact,
  { workspace, time }: FactContext,
  store: TrackingStore,
): Promise<void> {
  switch (fact.kind) {
    case 'loggedModel.created': {
      if (fact.experiment === '0') await store.ensureDefaultExperiment(workspace, time);
      const { model: id, experiment: experimentId, name, modelType, sourceRun, artifactUri } = fact;
      const created = { workspace, id, experimentId, name, modelType, sourceRun, artifactUri };
      await store.putLoggedModel({ ...created, time: fact.time });
      await store.putLoggedModelParams(workspace, id, fact.params);
      await store.putLoggedModelTags(workspace, id, fact.tags);
      break;
    }
    case 'loggedModel.finalized':
      await store.finalizeLoggedModel(workspace, fact.model, fact);
      break;
    case 'loggedModel.tagged':
      await store.putLoggedModelTags(workspace, fact.model, fact.tags);
      break;
    case 'loggedModel.untagged':
      await store.deleteLoggedModelTag(workspace, fact.model, fact.key);
      break;
    case 'loggedModel.parametrized':
      await store.putLoggedModelParams(workspace, fact.model, fact.params);
      break;
    case 'loggedModel.deleted':
      await store.deleteLoggedModel(workspace, fact.model, fact.time);
      break;
    default:
      break;
  }
}
