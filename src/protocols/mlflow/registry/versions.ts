import type { StateReader } from '../../../door/index.ts';
import type { Fact, FactContext } from '../../../facts/facts.ts';
import { formatRef } from '../../../facts/ref.ts';
import { modelRef, type VersionRow, versionRef } from '../../../registry/index.ts';
import { invalidParameter } from '../errors.ts';
import { mlflowOperation } from '../operation.ts';
import { associatedRunFacts, promptAttributes } from '../prompts.ts';
import { changeTime, described, tagAttributes } from './lineage.ts';
import { tokeniseTag, tokeniseTags } from './persons.ts';
import { getModel, getVersion, type VersionView, viewVersion } from './read.ts';
import { type Copied, type ResolvedSource, resolveSource } from './source.ts';
import {
  activeStages,
  checkModelName,
  checkTag,
  checkTagKey,
  isPrompt,
  readStage,
  readTags,
  readVersion,
} from './validate.ts';
import type {
  CreateVersion,
  DeleteVersionTag,
  SetVersionTag,
  StageBody,
  UpdateVersion,
  VersionOnly,
} from './wire.ts';

type Deleted = { readonly generation: number };

/** Which version was changed, and the time of the change in the graph. */
type Changed = { readonly generation: number; readonly time: number };

type CreatedVersion = {
  readonly generation: number;
  readonly version: number;
  readonly source: string;
  readonly storageLocation: string;
  readonly runId: string | null;
  readonly modelId: string | null;
  /** New value of the logged model's tag `mlflow.modelVersions`; null when there is no logged model. */
  readonly modelVersions: string | null;
  /** The version that it is a copy of; absent when it is none, and in older messages. */
  readonly copied?: Copied;
};

async function changed(version: VersionRow, state: StateReader, now: number): Promise<Changed> {
  const model = await state.registry.findModelByKey(version.model);
  const { generation } = version;
  return { generation, time: model ? changeTime(now, model, version) : now };
}

const promptSources = ['dummy-source', 'prompt-template'];

async function sourceOf(
  body: CreateVersion,
  workspace: string,
  state: StateReader,
): Promise<ResolvedSource> {
  const tags = (body.tags ?? []).map(({ key = '', value = '' }) => ({ key, value }));
  if (!isPrompt(tags)) return resolveSource(body, workspace, state);
  if (!promptSources.includes(body.source)) {
    throw invalidParameter(
      `Invalid prompt source: '${body.source}'. Prompt sources must use an MLflow placeholder.`,
    );
  }
  const { source } = body;
  return { source, storageLocation: source, runId: body.run_id || null, modelId: null };
}

/** The tag that a logged model carries about its registrations, one added. Spaced as Python writes it. */
async function addRegistration(
  model: { readonly id: string; readonly name: string; readonly version: number },
  workspace: string,
  state: StateReader,
): Promise<string> {
  const row = await state.tracking.findLoggedModel(workspace, model.id);
  const tags = row ? await state.tracking.loggedModelTags([row.key]) : [];
  const before = tags.find(({ key }) => key === 'mlflow.modelVersions')?.value ?? '[]';
  const entry = `{"name": ${JSON.stringify(model.name)}, "version": ${model.version}}`;
  return /^\s*\[\s*\]\s*$/.test(before) || !/\]\s*$/.test(before)
    ? `[${entry}]`
    : before.replace(/\s*\]\s*$/, `, ${entry}]`);
}

/**
 * `model-versions/create`. Numbers count up per model and are never handed out again, also after a
 * deletion: predictions may name them.
 */
export const createVersion = mlflowOperation<CreateVersion, VersionView, CreatedVersion>({
  operation: 'model-versions/create',
  persons: tokeniseTags,
  async decide(body, { state, workspace, time }) {
    const { copied, ...resolved } = await sourceOf(body, workspace, state);
    const tags = readTags(body.tags);
    const model = await getModel(state.registry, workspace, body.name);
    const { name, generation } = model;
    const version = model.versionCount + 1;
    const { modelId } = resolved;
    const modelVersions =
      modelId === null
        ? null
        : await addRegistration({ id: modelId, name, version }, workspace, state);
    const row: VersionRow = {
      key: 0,
      model: model.key,
      name,
      generation,
      version,
      description: body.description ?? '',
      stage: 'None',
      ...resolved,
      runLink: body.run_link ?? null,
      createdTime: time,
      updatedTime: time,
      deletedTime: null,
    };
    return {
      decided: {
        generation,
        version,
        ...resolved,
        modelVersions,
        ...(copied === undefined ? {} : { copied }),
      },
      answer: { row, tags, aliases: [] },
    };
  },
  facts(body, decided, context) {
    const { generation, version, source, storageLocation } = decided;
    const { name, description = '', run_link: runLink } = body;
    const tags = readTags(body.tags);
    const runId = decided.runId ?? undefined;
    const modelId = decided.modelId ?? undefined;
    const model = { name, generation };
    return [
      {
        kind: 'modelVersion.created',
        ...model,
        version,
        source,
        storageLocation,
        runId,
        runLink,
        modelId,
        description,
        tags,
      },
      ...registration(modelId, decided.modelVersions),
      ...describeVersion(body, decided, context),
    ];
  },
});

function registration(modelId: string | undefined, value: string | null): Fact[] {
  if (modelId === undefined || value === null) return [];
  return [
    { kind: 'loggedModel.tagged', model: modelId, tags: [{ key: 'mlflow.modelVersions', value }] },
  ];
}

function describeVersion(
  body: CreateVersion,
  decided: CreatedVersion,
  context: FactContext,
): Fact[] {
  const { workspace, time } = context;
  const model = { name: body.name, generation: decided.generation };
  const ref = versionRef(workspace, model, decided.version);
  const { modelId, runId, source, copied } = decided;
  const original = copied && versionRef(workspace, copied, copied.version);
  const origin =
    modelId !== null
      ? formatRef({ kind: 'artifact', namespace: workspace, name: modelId })
      : runId !== null && formatRef({ kind: 'run', namespace: workspace, name: runId });
  const attributes = {
    name: body.name,
    version: String(decided.version),
    source,
    stage: 'None',
    ...(body.description ? { description: body.description } : {}),
    ...(body.run_link ? { runLink: body.run_link } : {}),
    ...tagAttributes(readTags(body.tags)),
    ...promptAttributes(readTags(body.tags)),
  };
  const stated = { kind: 'relation.stated', known: 'observed', time } as const;
  const rule = 'mlflow.model-versions/create';
  return [
    described(ref, attributes, context),
    { ...stated, relation: 'has-version', from: modelRef(workspace, model), to: ref, rule },
    ...(origin
      ? [{ ...stated, relation: 'registered-as', from: origin, to: ref, rule } as const]
      : []),
    ...(original
      ? [{ ...stated, relation: 'derived-into', from: original, to: ref, rule } as const]
      : []),
  ];
}

/** `model-versions/update`: the description; without one it is removed, as in MLflow. */
export const updateVersion = mlflowOperation<UpdateVersion, VersionView, Changed>({
  operation: 'model-versions/update',
  async decide(body, { state, workspace, time }) {
    const version = await getVersion(state.registry, workspace, body);
    const view = await viewVersion(state.registry, version);
    const description = body.description ?? null;
    if (version.description === description) return { unchanged: view };
    const row = { ...version, description, updatedTime: time };
    return { decided: await changed(version, state, time), answer: { ...view, row } };
  },
  facts(body, { generation, time }, { workspace }) {
    const description = body.description ?? null;
    const model = { name: body.name, generation };
    const version = readVersion(body.version);
    return [
      { kind: 'modelVersion.updated', ...model, version, description, time },
      described(
        versionRef(workspace, model, version),
        { description: description || null },
        { time },
      ),
    ];
  },
});

type Staged = {
  readonly generation: number;
  readonly stage: string;
  /** Versions that made room. */
  readonly archived: readonly number[];
  readonly time: number;
};

/** `model-versions/transition-stage`. */
export const transitionStage = mlflowOperation<StageBody, VersionView, Staged>({
  operation: 'model-versions/transition-stage',
  async decide(body, { state, workspace, time }) {
    const stage = readStage(body.stage);
    const archive = body.archive_existing_versions === true;
    if (archive && !activeStages.includes(stage)) {
      // MLflow answers 500 here; a caller's mistake must not make clients retry for minutes.
      throw invalidParameter(
        `Model version transition cannot archive existing model versions because '${body.stage}' is not an Active stage. Valid stages are ['Staging', 'Production']`,
      );
    }
    const version = await getVersion(state.registry, workspace, body);
    const view = await viewVersion(state.registry, version);
    const others = archive ? await state.registry.listVersionsInStage(version.model, stage) : [];
    const archived = others.map((each) => each.version).filter((each) => each !== version.version);
    if (version.stage === stage && archived.length === 0) return { unchanged: view };
    const row = { ...version, stage, updatedTime: time };
    return {
      decided: { ...(await changed(version, state, time)), stage, archived },
      answer: { ...view, row },
    };
  },
  facts(body, { generation, stage, archived, time }, { workspace }) {
    const model = { name: body.name, generation };
    const staged = (version: number, to: string): Fact[] => [
      { kind: 'modelVersion.staged', ...model, version, stage: to, time },
      described(versionRef(workspace, model, version), { stage: to }, { time }),
    ];
    return [
      ...archived.flatMap((version) => staged(version, 'Archived')),
      ...staged(readVersion(body.version), stage),
    ];
  },
});

/** `model-versions/delete`: a tombstone; its aliases go with it. */
export const deleteVersion = mlflowOperation<VersionOnly, null, Deleted>({
  operation: 'model-versions/delete',
  async decide(body, { state, workspace }) {
    const version = await getVersion(state.registry, workspace, body);
    return { decided: { generation: version.generation }, answer: null };
  },
  facts(body, { generation }, { workspace, time }) {
    const model = { name: body.name, generation };
    const version = readVersion(body.version);
    return [
      { kind: 'modelVersion.deleted', ...model, version },
      { kind: 'entity.deleted', ref: versionRef(workspace, model, version), time },
    ];
  },
});

/** `model-versions/set-tag`. */
export const setVersionTag = mlflowOperation<SetVersionTag, null, Changed>({
  operation: 'model-versions/set-tag',
  persons: tokeniseTag,
  async decide(body, { state, workspace, time }) {
    const { key, value = '' } = body;
    checkModelName(body.name);
    checkTag({ key, value });
    const version = await getVersion(state.registry, workspace, body);
    if ((await state.registry.findVersionTag(version.key, key)) === value) {
      return { unchanged: null };
    }
    return { decided: await changed(version, state, time), answer: null };
  },
  facts({ name, version: text, key, value = '' }, { generation, time }, { workspace }) {
    const version = readVersion(text);
    const ref = versionRef(workspace, { name, generation }, version);
    return [
      { kind: 'modelVersion.tagSet', name, generation, version, key, value, time },
      described(
        ref,
        { ...tagAttributes([{ key, value }]), ...promptAttributes([{ key, value }]) },
        { time },
      ),
      ...associatedRunFacts(ref, { key, value }, { workspace, time }),
    ];
  },
});

/** `model-versions/delete-tag`: a tag that is not there is no error. */
export const deleteVersionTag = mlflowOperation<DeleteVersionTag, null, Changed>({
  operation: 'model-versions/delete-tag',
  async decide(body, { state, workspace, time }) {
    checkModelName(body.name);
    checkTagKey(body.key);
    const version = await getVersion(state.registry, workspace, body);
    const value = await state.registry.findVersionTag(version.key, body.key);
    if (value === undefined) return { unchanged: null };
    return { decided: await changed(version, state, time), answer: null };
  },
  facts({ name, version: text, key }, { generation, time }, { workspace }) {
    const version = readVersion(text);
    const ref = versionRef(workspace, { name, generation }, version);
    return [
      { kind: 'modelVersion.tagDeleted', name, generation, version, key, time },
      described(ref, { [`tag.${key}`]: null }, { time }),
    ];
  },
});
