import type { DecideContext } from '../../../door/index.ts';
import type { Fact } from '../../../facts/facts.ts';
import { type ModelRow, versionRef } from '../../../registry/index.ts';
import { mlflowError } from '../errors.ts';
import { mlflowOperation } from '../operation.ts';
import { uniqueTags } from '../operations/define.ts';
import { setAlias } from '../registry/aliases.ts';
import { described } from '../registry/lineage.ts';
import { createModel, setModelTag } from '../registry/models.ts';
import { tokeniseTags } from '../registry/persons.ts';
import { getModel, getVersion } from '../registry/read.ts';
import { createVersion, setVersionTag } from '../registry/versions.ts';
import { liveFacts, missingTags } from './live.ts';
import type { ImportAlias, ImportModel, ImportVersion } from './messages.ts';

const conflict = (message: string): Error => mlflowError('RESOURCE_CONFLICT', message);

type DecidedModel = {
  readonly generation: number;
  readonly made: boolean;
  /** Keys of the tags that are new. */
  readonly tags: readonly string[];
};

/** The model that was imported before: of that name, or one that had it, made at the same time. */
async function findSame(
  { name, creation_timestamp = 0 }: ImportModel,
  { state, workspace }: DecideContext,
): Promise<ModelRow | undefined> {
  const { registry } = state;
  for (const use of await registry.listNameUses(workspace, name)) {
    const model = await registry.findModelByKey(use.model);
    if (model !== undefined && model.createdTime === creation_timestamp) return model;
  }
  if ((await registry.findModel(workspace, name)) === undefined) return undefined;
  throw conflict(`Registered Model ${name} is here, made at another time.`);
}

/** `gone`: it was brought before, and deleted or renamed here since; its versions are left too. */
export interface ImportedModel {
  readonly gone: boolean;
}

export const importModel = mlflowOperation<ImportModel, ImportedModel, DecidedModel>({
  operation: 'import/registered-model',
  persons: tokeniseTags,
  async decide(body, context) {
    const { registry } = context.state;
    const same = await findSame(body, context);
    if (same === undefined) {
      const generation = (await registry.countNameUses(context.workspace, body.name)) + 1;
      const tags = uniqueTags(body.tags).map(({ key }) => key);
      return { decided: { generation, made: true, tags }, answer: { gone: false } };
    }
    const { generation, deletedTime } = same;
    // Deleted or renamed here since: nothing of it is brought back.
    if (deletedTime !== null || same.name !== body.name) return { unchanged: { gone: true } };
    const news = missingTags(uniqueTags(body.tags), await registry.listModelTags(same.key));
    const tags = news.map(({ key }) => key);
    return tags.length === 0
      ? { unchanged: { gone: false } }
      : { decided: { generation, made: false, tags }, answer: { gone: false } };
  },
  facts(body, { generation, made, tags: keys }, context) {
    const { name, description, creation_timestamp: createdTime } = body;
    const tags = uniqueTags(body.tags).filter(({ key }) => keys.includes(key));
    const updatedTime = body.last_updated_timestamp || createdTime;
    if (!made) {
      const decided = { generation, time: context.time };
      return tags.flatMap((tag) =>
        liveFacts(setModelTag, { message: { name, ...tag }, decided }, { ...context, at: 0 }),
      );
    }
    const message = { name, tags, ...(description === undefined ? {} : { description }) };
    const at = createdTime ?? 0;
    return liveFacts(createModel, { message, decided: { generation } }, { ...context, at }).map(
      (fact) => (fact.kind === 'model.created' ? { ...fact, createdTime, updatedTime } : fact),
    );
  },
});

type DecidedVersion = DecidedModel & { readonly modelId: string | null };

export const importVersion = mlflowOperation<ImportVersion, null, DecidedVersion>({
  operation: 'import/model-version',
  persons: tokeniseTags,
  async decide(body, context) {
    const { registry } = context.state;
    const model = await getModel(registry, context.workspace, body.name);
    const { generation } = model;
    const modelId = body.model_id || null;
    const known = await registry.findVersionOfModel(model.key, body.version);
    if (known === undefined) {
      const tags = uniqueTags(body.tags).map(({ key }) => key);
      return { decided: { generation, made: true, tags, modelId }, answer: null };
    }
    if (known.createdTime !== (body.creation_timestamp ?? 0)) {
      throw conflict(`Version ${body.version} of ${body.name} is here, made at another time.`);
    }
    if (known.deletedTime !== null) return { unchanged: null };
    const news = missingTags(uniqueTags(body.tags), await registry.listVersionTags(known.key));
    const tags = news.map(({ key }) => key);
    return tags.length === 0
      ? { unchanged: null }
      : { decided: { generation, made: false, tags, modelId }, answer: null };
  },
  facts(body, { generation, made, tags: keys, modelId }, context) {
    const { name, version, source = '', creation_timestamp: createdTime = 0 } = body;
    const tags = uniqueTags(body.tags).filter(({ key }) => keys.includes(key));
    if (!made) {
      const decided = { generation, time: context.time };
      const named = { name, version: String(version) };
      return tags.flatMap((tag) =>
        liveFacts(setVersionTag, { message: { ...named, ...tag }, decided }, { ...context, at: 0 }),
      );
    }
    const { description, run_link } = body;
    const message = {
      ...{ name, source, tags },
      ...(description === undefined ? {} : { description }),
      ...(run_link === undefined ? {} : { run_link }),
    };
    const decided = {
      ...{ generation, version, source, modelId, modelVersions: null },
      storageLocation: body.storage_location || source,
      runId: body.run_id || null,
    };
    const created = { ...context, at: createdTime };
    const facts = liveFacts(createVersion, { message, decided }, created);
    return [
      ...facts.map((fact) => withOrigin(fact, body)),
      ...laterFacts(body, generation, context),
    ];
  },
});

/** Times and stage of the source, in the fact that makes the version. */
function withOrigin(fact: Fact, body: ImportVersion): Fact {
  if (fact.kind !== 'modelVersion.created') return fact;
  const createdTime = body.creation_timestamp;
  const updatedTime = body.last_updated_timestamp || createdTime;
  return {
    ...fact,
    description: body.description,
    stage: body.current_stage || 'None',
    createdTime,
    updatedTime,
    deletedTime: body.deleted === true ? updatedTime : undefined,
  };
}

/** What became of the version later: its stage, or its end. */
function laterFacts(
  body: ImportVersion,
  generation: number,
  { workspace, time: now }: { readonly workspace: string; readonly time: number },
): Fact[] {
  const { name, version, current_stage: stage } = body;
  const ref = versionRef(workspace, { name, generation }, version);
  const time = body.last_updated_timestamp || body.creation_timestamp || now;
  if (body.deleted === true) return [{ kind: 'entity.deleted', ref, time }];
  return stage && stage !== 'None' ? [described(ref, { stage }, { time: time + 1 })] : [];
}

/** An alias; one that points at another version here stays there. */
export const importAlias: typeof setAlias = {
  ...setAlias,
  operation: 'import/alias',
  async decide(body: ImportAlias, context) {
    const { registry } = context.state;
    const { model, version } = await getVersion(registry, context.workspace, body);
    const known = (await registry.listAliases(model)).find(({ alias }) => alias === body.alias);
    if (known !== undefined && known.version !== version) {
      throw conflict(
        `The alias ${body.alias} of ${body.name} points at version ${known.version} here.`,
      );
    }
    return setAlias.decide(body, context);
  },
};
