import { modelRef, type RegistryReader, versionRef } from '../../../registry/index.ts';
import { doesNotExist, invalidParameter } from '../errors.ts';
import { mlflowOperation } from '../operation.ts';
import { changeTime, described } from './lineage.ts';
import { getModel, getVersion, type VersionView, viewVersion } from './read.ts';
import { checkAlias, checkModelName, checkNewAlias, readVersion } from './validate.ts';
import type { AliasOnly, SetAlias } from './wire.ts';

/** A version's aliases after the change, for its attributes in the graph. */
type VersionAliases = { readonly version: number; readonly aliases: readonly string[] };

/** What an alias that is set or deleted changes of versions. */
export type AliasSet = {
  readonly generation: number;
  /** The version that it points at now, and the one that it left. */
  readonly changed: readonly VersionAliases[];
  readonly time: number;
};

/** Aliases of versions as they are once `alias` points at `target` (or nowhere). */
export async function aliasesAfter(
  registry: RegistryReader,
  model: number,
  change: { readonly alias: string; readonly target: number | undefined },
): Promise<VersionAliases[]> {
  const before = await registry.listAliases(model);
  const left = before.find(({ alias }) => alias === change.alias)?.version;
  return [change.target, left]
    .filter((version) => version !== undefined)
    .map((version) => {
      const others = before.filter(
        (each) => each.version === version && each.alias !== change.alias,
      );
      const names = others.map(({ alias }) => alias);
      return {
        version,
        aliases: version === change.target ? [...names, change.alias].sort() : names,
      };
    });
}

/** POST `registered-models/alias`. */
export const setAlias = mlflowOperation<SetAlias, null, AliasSet>({
  operation: 'registered-models/alias',
  async decide(body, { state, workspace, time: now }) {
    checkModelName(body.name);
    checkNewAlias(body.alias);
    const { registry } = state;
    const row = await getVersion(registry, workspace, body);
    const { model, version, generation } = row;
    const current = (await registry.listAliases(model)).find(({ alias }) => alias === body.alias);
    if (current?.version === version) return { unchanged: null };
    const changed = await aliasesAfter(registry, model, { alias: body.alias, target: version });
    const owner = await registry.findModelByKey(model);
    const time = owner ? changeTime(now, owner, row) : now;
    return { decided: { generation, changed, time }, answer: null };
  },
  facts({ name, alias, version: text }, { generation, changed, time }, { workspace }) {
    const model = { name, generation };
    const version = readVersion(text);
    return [
      { kind: 'alias.set', ...model, alias, version, time },
      described(modelRef(workspace, model), { [`alias.${alias}`]: String(version) }, { time }),
      ...changed.map((each) =>
        described(versionRef(workspace, model, each.version), { aliases: each.aliases }, { time }),
      ),
    ];
  },
});

/** DELETE `registered-models/alias`: an alias that is not there is no error. */
export const deleteAlias = mlflowOperation<AliasOnly, null, AliasSet>({
  operation: 'registered-models/alias/delete',
  async decide({ name, alias }, { state, workspace, time: now }) {
    checkModelName(name);
    checkAlias(alias);
    const model = await getModel(state.registry, workspace, name);
    const changed = await aliasesAfter(state.registry, model.key, { alias, target: undefined });
    if (changed.length === 0) return { unchanged: null };
    const time = changeTime(now, model);
    return { decided: { generation: model.generation, changed, time }, answer: null };
  },
  facts({ name, alias }, { generation, changed, time }, { workspace }) {
    const model = { name, generation };
    return [
      { kind: 'alias.deleted', ...model, alias, time },
      described(modelRef(workspace, model), { [`alias.${alias}`]: null }, { time }),
      ...changed.map(({ version, aliases }) =>
        described(versionRef(workspace, model, version), { aliases }, { time }),
      ),
    ];
  },
});

/** The version behind an alias; `latest` is the newest of all. @throws as MLflow does. */
export async function getVersionByAlias(
  registry: RegistryReader,
  workspace: string,
  { name, alias }: AliasOnly,
): Promise<VersionView> {
  checkModelName(name);
  checkAlias(alias);
  const model = await getModel(registry, workspace, name);
  if (alias.toLowerCase() === 'latest') {
    const [newest] = await registry.listVersions(model.key, 1);
    if (!newest) throw doesNotExist(`Latest version not found for model ${name}.`);
    return viewVersion(registry, newest);
  }
  const version = await registry.findVersionByAlias(workspace, name, alias);
  if (!version) throw invalidParameter(`Registered model alias ${alias} not found.`);
  return viewVersion(registry, version);
}
