import { isObject } from '../../../base/json.ts';
import type { ImportModel, ImportVersion } from './messages.ts';
import type { SourceModel } from './source.ts';
import { groupBy, present, type Scope, workspaceOf } from './sqlite-rows.ts';

/** The stage of versions that were deleted. Source: mlflow/entities/model_registry/model_version_stages.py. */
const deletedStage = 'Deleted_Internal';

type VersionColumns = Omit<ImportVersion, 'tags' | 'deleted' | 'model_id'>;
type Pair = { readonly owner: string; readonly key: string; readonly value: string };

/** Registered models with versions and aliases, by name; prompts too, which are such models. */
export async function* readModels(scope: Scope): AsyncIterable<SourceModel> {
  const { db, columns } = scope;
  const models = db.all<Omit<ImportModel, 'tags'>>(
    `SELECT m.name, m.description, m.creation_time AS creation_timestamp,
       m.last_updated_time AS last_updated_timestamp
     FROM registered_models m WHERE ${workspaceOf(scope, 'registered_models', 'm')}
     ORDER BY m.creation_time, m.name`,
  );
  const where = (table: string): string => `name = ? AND ${workspaceOf(scope, table, table)}`;
  const registrations = readRegistrations(scope);
  for (const model of models) {
    const tags = db.all<{ key: string; value: string }>(
      `SELECT key, coalesce(value, '') AS value FROM registered_model_tags WHERE ${where('registered_model_tags')}`,
      model.name,
    );
    const storage = columns.get('model_versions')?.has('storage_location') === true;
    const rows = db.all<VersionColumns>(
      `SELECT name, version, source, ${storage ? 'storage_location' : 'NULL AS storage_location'},
         run_id, run_link, description, current_stage, creation_time AS creation_timestamp,
         last_updated_time AS last_updated_timestamp
       FROM model_versions WHERE ${where('model_versions')} ORDER BY version`,
      model.name,
    );
    const versionTags = groupBy(
      db.all<Pair>(
        `SELECT CAST(version AS TEXT) AS owner, key, coalesce(value, '') AS value FROM model_version_tags
         WHERE ${where('model_version_tags')}`,
        model.name,
      ),
      ({ owner }) => owner,
    );
    const aliases = db.all<{ alias: string; version: string }>(
      `SELECT alias, CAST(version AS TEXT) AS version FROM registered_model_aliases
       WHERE ${where('registered_model_aliases')}`,
      model.name,
    );
    yield {
      model: { ...present(model), tags },
      versions: rows.map((row) => {
        const own = versionTags.get(String(row.version)) ?? [];
        const named = { ...present(row), tags: own.map(({ key, value }) => ({ key, value })) };
        return withModelId(named, registrations);
      }),
      aliases: aliases.map((alias) => ({ name: model.name, ...alias })),
    };
  }
}

/**
 * MLflow's registry forgets which logged model was registered; the source or the model's own tag
 * tells. Of deleted versions only the number is left.
 */
export function withModelId(
  version: ImportVersion,
  registrations: ReadonlyMap<string, string>,
): ImportVersion {
  if (version.current_stage === deletedStage) {
    const { name, version: number, creation_timestamp: made = 0, last_updated_timestamp } = version;
    const ended = last_updated_timestamp ?? made;
    return {
      ...{ name, version: number, creation_timestamp: made },
      ...{ last_updated_timestamp: ended, deleted: true },
    };
  }
  const ofSource = /^models:\/+(m-[0-9a-f]+)$/.exec(version.source ?? '')?.[1];
  const id =
    version.model_id || ofSource || registrations.get(`${version.name}\n${version.version}`);
  return id === undefined ? version : { ...version, model_id: id };
}

/** Adds what the tag `mlflow.modelVersions` of a logged model says: `[{"name", "version"}]`. */
export function addRegistrations(
  registrations: Map<string, string>,
  model: string,
  tag: string | undefined,
): void {
  if (tag === undefined) return;
  let said: unknown;
  try {
    said = JSON.parse(tag);
  } catch {
    return;
  }
  for (const each of Array.isArray(said) ? said.filter(isObject) : [])
    registrations.set(`${String(each.name)}\n${String(each.version)}`, model);
}

function readRegistrations({ db, columns }: Scope): ReadonlyMap<string, string> {
  const registrations = new Map<string, string>();
  if (!columns.has('logged_model_tags')) return registrations;
  const rows = db.all<{ model: string; value: string }>(
    "SELECT model_id AS model, tag_value AS value FROM logged_model_tags WHERE tag_key = 'mlflow.modelVersions'",
  );
  for (const { model, value } of rows) addRegistrations(registrations, model, value);
  return registrations;
}
