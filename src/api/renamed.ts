import { type ModelRow, modelRef, versionRef } from '../registry/index.ts';
import type { Lookup, Reading } from './readings.ts';

/** The model that had the name last and has another now; undefined while a model has it. */
export async function findRenamedModel(
  name: string,
  { state: { registry }, workspace }: Lookup,
): Promise<ModelRow | undefined> {
  const last = (await registry.listNameUses(workspace, name)).at(-1);
  const model = last === undefined ? undefined : await registry.findModelByKey(last.model);
  return model?.name === name ? undefined : model;
}

/**
 * A registered model, or its version by number, by a name that it no longer has. Records that use
 * such a name are joined to it (`NameReader` of the predictions), so questions follow it too.
 */
export async function readRenamed(text: string, lookup: Lookup): Promise<Reading[]> {
  const { state, workspace } = lookup;
  const [, name = text, number] = /^(.+)@([1-9]\d{0,8})$/.exec(text) ?? [];
  const model = await findRenamedModel(name, lookup);
  if (model === undefined) return [];
  const gone = { deleted: model.deletedTime !== null };
  const why = (what: string): string => `${what}, by a former name of ${model.name}`;
  if (number === undefined) {
    const ref = modelRef(workspace, model);
    return [{ ref, kind: 'model', name: model.name, why: why('model name'), ...gone }];
  }
  const version = await state.registry.findVersionOfModel(model.key, Number(number));
  if (version === undefined) return [];
  const ref = versionRef(workspace, model, version.version);
  const shown = `${model.name}@${number}`;
  return [{ ref, kind: 'modelVersion', name: shown, why: why('model version'), ...gone }];
}
