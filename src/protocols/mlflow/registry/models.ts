import type { DecideContext } from '../../../door/index.ts';
import type { Fact } from '../../../facts/facts.ts';
import type { ModelName } from '../../../facts/registry-facts.ts';
import {
  type ModelRow,
  modelRef,
  type RegistryReader,
  versionRef,
} from '../../../registry/index.ts';
import { mlflowError } from '../errors.ts';
import { mlflowOperation } from '../operation.ts';
import { changeTime, described, tagAttributes } from './lineage.ts';
import { tokeniseTag, tokeniseTags } from './persons.ts';
import { getModel, type ModelView, viewModel } from './read.ts';
import { checkModelName, checkTag, checkTagKey, promptTag, readTags } from './validate.ts';
import type {
  CreateModel,
  DeleteModelTag,
  NameOnly,
  RenameModel,
  SetModelTag,
  UpdateModel,
} from './wire.ts';

type Created = { readonly generation: number };

/** Which model was changed, and the time of the change in the graph. */
type Changed = { readonly generation: number; readonly time: number };

/** The numbers of a model's versions that are not deleted. */
async function versionNumbers(registry: RegistryReader, model: ModelRow): Promise<number[]> {
  const versions = await registry.listVersions(model.key, model.versionCount);
  return versions.map(({ version }) => version).reverse();
}

function changed(model: ModelRow, now: number): Changed {
  return { generation: model.generation, time: changeTime(now, model) };
}

async function refuseTaken(
  { name, tags }: CreateModel,
  { state, workspace }: DecideContext,
): Promise<void> {
  const taken = await state.registry.findModel(workspace, name);
  if (!taken) return;
  const isOld = (await state.registry.findModelTag(taken.key, promptTag)) !== undefined;
  const isNew = tags?.some(({ key }) => key === promptTag) ?? false;
  const words = (prompt: boolean): string => (prompt ? 'Prompt' : 'Registered Model');
  throw mlflowError(
    'RESOURCE_ALREADY_EXISTS',
    isOld === isNew
      ? `${words(isNew)} (name=${name}) already exists.`
      : `Tried to create a ${words(isNew).toLowerCase()} with name '${name}', but the name is already taken by a ${words(isOld).toLowerCase()}. MLflow does not allow creating a model and a prompt with the same name.`,
  );
}

/** `registered-models/create`. A name that was used before makes a model of another generation. */
export const createModel = mlflowOperation<CreateModel, ModelView, Created>({
  operation: 'registered-models/create',
  persons: tokeniseTags,
  async decide(body, context) {
    const { state, workspace, time } = context;
    checkModelName(body.name);
    const tags = readTags(body.tags);
    await refuseTaken(body, context);
    const generation = (await state.registry.countNameUses(workspace, body.name)) + 1;
    const row: ModelRow = {
      key: 0,
      workspace,
      name: body.name,
      generation,
      description: body.description ?? null,
      createdTime: time,
      updatedTime: time,
      versionCount: 0,
      changedTime: time,
      deletedTime: null,
    };
    return { decided: { generation }, answer: { row, tags, aliases: [], latest: [] } };
  },
  facts({ name, description, tags: sent }, { generation }, context) {
    const tags = readTags(sent);
    const attributes = { name, ...(description ? { description } : {}), ...tagAttributes(tags) };
    return [
      { kind: 'model.created', name, generation, description, tags },
      described(modelRef(context.workspace, { name, generation }), attributes, context),
    ];
  },
});

/** `registered-models/update`: the description; without one it becomes empty, as in MLflow. */
export const updateModel = mlflowOperation<UpdateModel, ModelView, Changed>({
  operation: 'registered-models/update',
  async decide({ name, description = '' }, { state, workspace, time }) {
    const model = await getModel(state.registry, workspace, name);
    const view = await viewModel(state.registry, model);
    if ((model.description ?? '') === description) return { unchanged: view };
    const row = { ...model, description, updatedTime: time };
    return { decided: changed(model, time), answer: { ...view, row } };
  },
  facts({ name, description = '' }, { generation, time }, { workspace }) {
    const ref = modelRef(workspace, { name, generation });
    return [
      { kind: 'model.updated', name, generation, description, time },
      described(ref, { description: description || null }, { time }),
    ];
  },
});

type Renamed = {
  readonly generation: number;
  readonly newGeneration: number;
  readonly time: number;
  /** Versions 1 to this one go by another ref from now on, deleted ones too. */
  readonly versionCount: number;
};

/** `registered-models/rename`: versions, tags and aliases stay with the model. */
export const renameModel = mlflowOperation<RenameModel, ModelView, Renamed>({
  operation: 'registered-models/rename',
  async decide({ name, new_name }, { state, workspace, time }) {
    checkModelName(new_name, 'new_name');
    const { registry } = state;
    const model = await getModel(registry, workspace, name);
    const view = await viewModel(registry, model);
    if (name === new_name) return { unchanged: view };
    if (await registry.findModel(workspace, new_name)) {
      throw mlflowError(
        'RESOURCE_ALREADY_EXISTS',
        `Registered Model (name=${new_name}) already exists.`,
      );
    }
    const uses = await registry.listNameUses(workspace, new_name);
    const last = uses.at(-1);
    // Going back to the name it had last, nobody else having had it since, gives the old ref back.
    const newGeneration = last?.model === model.key ? last.generation : (last?.generation ?? 0) + 1;
    const row = { ...model, name: new_name, generation: newGeneration, updatedTime: time };
    const latest = view.latest.map((each) => ({
      ...each,
      row: { ...each.row, name: new_name, generation: newGeneration, updatedTime: time },
    }));
    return {
      decided: {
        generation: model.generation,
        newGeneration,
        time: changeTime(time, model),
        versionCount: model.versionCount,
      },
      answer: { ...view, row, latest },
    };
  },
  facts({ name, new_name }, { generation, newGeneration, versionCount, time }, { workspace }) {
    const from: ModelName = { name, generation };
    const to: ModelName = { name: new_name, generation: newGeneration };
    const renamed = (before: string, after: string): Fact => ({
      kind: 'entity.renamed',
      from: before,
      to: after,
      time,
    });
    const attributes = { name: new_name };
    return [
      { kind: 'model.renamed', ...from, to, time },
      renamed(modelRef(workspace, from), modelRef(workspace, to)),
      described(modelRef(workspace, to), attributes, { time }),
      ...Array.from({ length: versionCount }, (_, index) => index + 1).flatMap((version) => [
        renamed(versionRef(workspace, from, version), versionRef(workspace, to, version)),
        described(versionRef(workspace, to, version), attributes, { time }),
      ]),
    ];
  },
});

type Deleted = { readonly generation: number; readonly versions: readonly number[] };

/** `registered-models/delete`: a tombstone for the model and each of its versions. */
export const deleteModel = mlflowOperation<NameOnly, null, Deleted>({
  operation: 'registered-models/delete',
  async decide({ name }, { state, workspace }) {
    const model = await getModel(state.registry, workspace, name);
    const versions = await versionNumbers(state.registry, model);
    return { decided: { generation: model.generation, versions }, answer: null };
  },
  facts({ name }, { generation, versions }, { workspace, time }) {
    const model: ModelName = { name, generation };
    const refs = versions.map((version) => versionRef(workspace, model, version));
    return [
      { kind: 'model.deleted', ...model },
      ...[modelRef(workspace, model), ...refs].map(
        (ref): Fact => ({ kind: 'entity.deleted', ref, time }),
      ),
    ];
  },
});

/** `registered-models/set-tag`. */
export const setModelTag = mlflowOperation<SetModelTag, null, Changed>({
  operation: 'registered-models/set-tag',
  persons: tokeniseTag,
  async decide({ name, key, value = '' }, { state, workspace, time }) {
    checkModelName(name);
    checkTag({ key, value });
    const model = await getModel(state.registry, workspace, name);
    if ((await state.registry.findModelTag(model.key, key)) === value) return { unchanged: null };
    return { decided: changed(model, time), answer: null };
  },
  facts({ name, key, value = '' }, { generation, time }, { workspace }) {
    const ref = modelRef(workspace, { name, generation });
    return [
      { kind: 'model.tagSet', name, generation, key, value, time },
      described(ref, tagAttributes([{ key, value }]), { time }),
    ];
  },
});

/** `registered-models/delete-tag`: a tag that is not there is no error. */
export const deleteModelTag = mlflowOperation<DeleteModelTag, null, Changed>({
  operation: 'registered-models/delete-tag',
  async decide({ name, key }, { state, workspace, time }) {
    checkModelName(name);
    checkTagKey(key);
    const model = await getModel(state.registry, workspace, name);
    const value = await state.registry.findModelTag(model.key, key);
    if (value === undefined) return { unchanged: null };
    return { decided: changed(model, time), answer: null };
  },
  facts({ name, key }, { generation, time }, { workspace }) {
    const ref = modelRef(workspace, { name, generation });
    return [
      { kind: 'model.tagDeleted', name, generation, key, time },
      described(ref, { [`tag.${key}`]: null }, { time }),
    ];
  },
});
