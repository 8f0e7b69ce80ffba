import type { Fact, FactContext } from '../facts/facts.ts';
import type { ModelName, RegistryFact } from '../facts/registry-facts.ts';
import type { RegistryStore } from './store.ts';

type ModelFact = Extract<RegistryFact, ModelName>;
type VersionFact = Extract<RegistryFact, ModelName & { readonly version: number }>;

/** Writes what facts mean into the registry's tables. Facts of other rooms are passed over. */
export async function projectRegistry(
  facts: readonly Fact[],
  context: FactContext,
  store: RegistryStore,
): Promise<void> {
  for (const fact of facts) {
    switch (fact.kind) {
      case 'model.created':
        await createModel(fact, context, store);
        break;
      case 'model.updated':
      case 'model.renamed':
      case 'model.deleted':
      case 'model.tagSet':
      case 'model.tagDeleted':
      case 'alias.deleted':
        await projectModel(fact, await modelOf(fact, context, store), context, store);
        break;
      case 'modelVersion.created':
        await createVersion(fact, context, store);
        break;
      case 'alias.set': {
        const model = await modelOf(fact, context, store);
        await store.putAlias(model, fact.alias, fact.version, context.time);
        await store.noteChange(model, fact.time);
        break;
      }
      case 'modelVersion.updated':
      case 'modelVersion.deleted':
      case 'modelVersion.staged':
      case 'modelVersion.tagSet':
      case 'modelVersion.tagDeleted':
        await projectVersion(fact, await modelOf(fact, context, store), context, store);
        break;
      case 'deployment.recorded':
        await store.addDeployment({
          workspace: context.workspace,
          name: fact.name,
          number: fact.number,
          modelVersion: fact.modelVersion,
          from: fact.from,
          until: fact.until ?? null,
          attributes: fact.attributes,
        });
        break;
      case 'deployment.ended':
        await store.endDeployment(context.workspace, fact.name, fact.number, fact.until);
        break;
      default:
    }
  }
}

function modelOf(fact: ModelName, context: FactContext, store: RegistryStore) {
  return store.modelKey(context.workspace, fact.name, fact.generation);
}

async function createModel(
  fact: Extract<RegistryFact, { kind: 'model.created' }>,
  { workspace, time }: FactContext,
  store: RegistryStore,
): Promise<void> {
  const { name, generation, createdTime = time, updatedTime = createdTime } = fact;
  const description = fact.description ?? null;
  const model = await store.addModel({
    ...{ workspace, name, generation, description },
    time: createdTime,
    updatedTime,
  });
  for (const tag of fact.tags) await store.putModelTag(model, tag);
}

async function projectModel(
  fact: Exclude<ModelFact, VersionFact | { kind: 'model.created' }>,
  model: number,
  { time }: FactContext,
  store: RegistryStore,
): Promise<void> {
  if ('time' in fact) await store.noteChange(model, fact.time);
  switch (fact.kind) {
    case 'model.updated':
      return store.updateModel(model, fact.description, time);
    case 'model.renamed':
      return store.renameModel(model, fact.to, time);
    case 'model.deleted':
      return store.deleteModel(model, time);
    case 'model.tagSet':
      return store.putModelTag(model, fact);
    case 'model.tagDeleted':
      return store.removeModelTag(model, fact.key);
    case 'alias.deleted':
      return store.removeAlias(model, fact.alias, time);
    default:
  }
}

async function createVersion(
  fact: Extract<RegistryFact, { kind: 'modelVersion.created' }>,
  context: FactContext,
  store: RegistryStore,
): Promise<void> {
  const version = {
    model: await modelOf(fact, context, store),
    version: fact.version,
    description: fact.description ?? null,
    source: fact.source,
    storageLocation: fact.storageLocation,
    runId: fact.runId ?? null,
    runLink: fact.runLink ?? null,
    modelId: fact.modelId ?? null,
    stage: fact.stage ?? 'None',
    time: fact.createdTime ?? context.time,
    updatedTime: fact.updatedTime ?? fact.createdTime ?? context.time,
    deletedTime: fact.deletedTime ?? null,
    // What came from another registry changes nothing of the model but itself.
    touches: fact.createdTime === undefined,
  };
  await store.addVersion(version, fact.tags);
}

async function projectVersion(
  fact: Exclude<VersionFact, { kind: 'modelVersion.created' | 'alias.set' }>,
  model: number,
  { time }: FactContext,
  store: RegistryStore,
): Promise<void> {
  const version = await store.versionKey(model, fact.version);
  if ('time' in fact) await store.noteChange(model, fact.time);
  switch (fact.kind) {
    case 'modelVersion.updated':
      return store.updateVersion(version, fact.description, time);
    case 'modelVersion.deleted':
      await store.deleteVersion(version, time);
      return store.touchModel(model, time);
    case 'modelVersion.staged':
      await store.stageVersion(version, fact.stage, time);
      return store.touchModel(model, time);
    case 'modelVersion.tagSet':
      return store.putVersionTag(version, fact);
    case 'modelVersion.tagDeleted':
      return store.removeVersionTag(version, fact.key);
    default:
  }
}
