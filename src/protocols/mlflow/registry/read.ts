import type { ModelTag } from '../../../facts/registry-facts.ts';
import type { AliasRow, ModelRow, RegistryReader, VersionRow } from '../../../registry/index.ts';
import { doesNotExist } from '../errors.ts';
import { checkModelName, readVersion } from './validate.ts';

/** A version with what MLflow shows beside it. */
export interface VersionView {
  readonly row: VersionRow;
  readonly tags: readonly ModelTag[];
  readonly aliases: readonly string[];
}

/** A model with what MLflow shows beside it. */
export interface ModelView {
  readonly row: ModelRow;
  readonly tags: readonly ModelTag[];
  readonly aliases: readonly AliasRow[];
  /** The newest version of each stage; without aliases, as MLflow shows them there. */
  readonly latest: readonly VersionView[];
}

/** @throws not_found with MLflow's text. */
export async function getModel(
  registry: RegistryReader,
  workspace: string,
  name: string,
): Promise<ModelRow> {
  checkModelName(name);
  const model = await registry.findModel(workspace, name);
  if (model) return model;
  throw doesNotExist(`Registered Model with name=${name} not found`);
}

/** @throws not_found with MLflow's text. */
export async function getVersion(
  registry: RegistryReader,
  workspace: string,
  named: { readonly name: string; readonly version: string },
): Promise<VersionRow> {
  checkModelName(named.name);
  const number = readVersion(named.version);
  const version = await registry.findVersion(workspace, named.name, number);
  if (version) return version;
  throw doesNotExist(`Model Version (name=${named.name}, version=${number}) not found`);
}

export async function viewVersion(
  registry: RegistryReader,
  row: VersionRow,
  options: { readonly aliases: boolean } = { aliases: true },
): Promise<VersionView> {
  const aliases = options.aliases ? await registry.listAliases(row.model) : [];
  return {
    row,
    tags: await registry.listVersionTags(row.key),
    aliases: aliases.filter(({ version }) => version === row.version).map(({ alias }) => alias),
  };
}

export async function viewModel(registry: RegistryReader, row: ModelRow): Promise<ModelView> {
  const latest: VersionView[] = [];
  for (const version of await registry.listLatestVersions(row.key)) {
    latest.push(await viewVersion(registry, version, { aliases: false }));
  }
  return {
    row,
    tags: await registry.listModelTags(row.key),
    aliases: await registry.listAliases(row.key),
    latest,
  };
}

const listOrNothing = <T>(name: string, items: readonly T[]): Record<string, readonly T[]> =>
  items.length === 0 ? {} : { [name]: items };

/** ModelVersion of MLflow's protobuf, in JSON. */
export function writeVersion({ row, tags, aliases }: VersionView): Record<string, unknown> {
  return {
    name: row.name,
    version: String(row.version),
    creation_timestamp: row.createdTime,
    last_updated_timestamp: row.updatedTime,
    current_stage: row.stage,
    ...(row.description === null ? {} : { description: row.description }),
    source: row.source,
    run_id: row.runId ?? '',
    status: 'READY',
    ...listOrNothing('tags', tags),
    run_link: row.runLink ?? '',
    ...listOrNothing('aliases', aliases),
    // MLflow's own SQL registry forgets it; clients that read the field get it from ours.
    ...(row.modelId === null ? {} : { model_id: row.modelId }),
  };
}

/** RegisteredModel of MLflow's protobuf, in JSON. */
export function writeModel({ row, tags, aliases, latest }: ModelView): Record<string, unknown> {
  return {
    name: row.name,
    creation_timestamp: row.createdTime,
    last_updated_timestamp: row.updatedTime,
    ...(row.description ? { description: row.description } : {}),
    ...listOrNothing('latest_versions', latest.map(writeVersion)),
    ...listOrNothing('tags', tags),
    ...listOrNothing(
      'aliases',
      aliases.map(({ alias, version }) => ({ alias, version: String(version) })),
    ),
  };
}
