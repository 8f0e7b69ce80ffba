import type { ModelTag } from '../../facts/registry-facts.ts';
import type { DeploymentRow, ModelRow, NewVersion, RegistryStore } from '../../registry/store.ts';
import { BoundedMap } from './cache.ts';
import { type Database, rowInsert } from './database.ts';
import { SqliteRegistryReader } from './registry-reader.ts';

const versionRows = rowInsert(
  `INSERT INTO registry_versions (model, version, description, source, storage_location,
     run_id, run_link, model_id, stage, created_time, updated_time, deleted_time) VALUES`,
  12,
);

/** The registry in SQLite. */
export function createSqliteRegistryStore(db: Database): RegistryStore {
  return new SqliteRegistryStore(db);
}

/**
 * The writer's registry. It alone changes models, so it remembers the ones that it looked up: creating
 * a version keeps what it remembers right, any other change of a model forgets all.
 */
class SqliteRegistryStore extends SqliteRegistryReader implements RegistryStore {
  /** Live models, by name and workspace. */
  readonly #models = new BoundedMap<string, ModelRow>(10_000);
  /** What they are remembered under, by key. */
  readonly #ids = new BoundedMap<number, string>(10_000);

  override findModel(workspace: string, name: string): ModelRow | undefined {
    const id = `${name}\n${workspace}`;
    const known = this.#models.get(id);
    if (known !== undefined) return known;
    const row = super.findModel(workspace, name);
    if (row !== undefined) {
      this.#models.set(id, row);
      this.#ids.set(row.key, id);
    }
    return row;
  }

  modelKey(workspace: string, name: string, generation: number): number {
    const known = this.#models.get(`${name}\n${workspace}`);
    if (known?.generation === generation) return known.key;
    const row = this.db.get<{ model: number }>(
      'SELECT model FROM registry_names WHERE workspace = ? AND name = ? AND generation = ?',
      workspace,
      name,
      generation,
    );
    if (!row) throw new Error(`no model ${name}~${generation} in the workspace ${workspace}`);
    return row.model;
  }

  versionKey(model: number, version: number): number {
    const row = this.db.get<{ key: number }>(
      'SELECT key FROM registry_versions WHERE model = ? AND version = ?',
      model,
      version,
    );
    if (!row) throw new Error(`model ${model} has no version ${version}`);
    return row.key;
  }

  addModel(model: {
    workspace: string;
    name: string;
    generation: number;
    description: string | null;
    time: number;
    updatedTime: number;
  }): number {
    const { workspace, name, generation, description, time, updatedTime } = model;
    const { lastInsertRowid } = this.db.run(
      `INSERT INTO registry_models (workspace, name, generation, description, created_time,
         updated_time, changed_time)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)`,
      workspace,
      name,
      generation,
      description,
      time,
      updatedTime,
    );
    this.#startNameUse(lastInsertRowid, model);
    return lastInsertRowid;
  }

  #startNameUse(
    model: number,
    use: { workspace: string; name: string; generation: number; time: number },
  ): void {
    // A model that goes back to the name it had last continues that use: no other model had it since.
    this.db.run(
      `INSERT INTO registry_names (workspace, name, generation, model, from_time) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET to_time = NULL`,
      use.workspace,
      use.name,
      use.generation,
      model,
      use.time,
    );
  }

  #endNameUse(model: number, time: number): void {
    this.db.run(
      `UPDATE registry_names SET to_time = ?2
       WHERE (workspace, name, generation) = (SELECT workspace, name, generation FROM registry_models WHERE key = ?1)`,
      model,
      time,
    );
  }

  updateModel(model: number, description: string, time: number): void {
    this.#models.clear();
    this.db.run(
      'UPDATE registry_models SET description = ?, updated_time = ? WHERE key = ?',
      description,
      time,
      model,
    );
  }

  touchModel(model: number, time: number): void {
    this.#models.clear();
    this.db.run('UPDATE registry_models SET updated_time = ? WHERE key = ?', time, model);
  }

  noteChange(model: number, time: number): void {
    this.#models.clear();
    this.db.run('UPDATE registry_models SET changed_time = ? WHERE key = ?', time, model);
  }

  renameModel(model: number, to: { name: string; generation: number }, time: number): void {
    this.#models.clear();
    const { workspace } = this.findModelByKey(model) ?? { workspace: '' };
    this.#endNameUse(model, time);
    this.db.run(
      'UPDATE registry_models SET name = ?, generation = ?, updated_time = ? WHERE key = ?',
      to.name,
      to.generation,
      time,
      model,
    );
    this.db.run(
      'UPDATE registry_versions SET updated_time = ? WHERE model = ? AND deleted_time IS NULL',
      time,
      model,
    );
    this.#startNameUse(model, { workspace, ...to, time });
  }

  deleteModel(model: number, time: number): void {
    this.#models.clear();
    this.#endNameUse(model, time);
    this.db.run('UPDATE registry_models SET deleted_time = ? WHERE key = ?', time, model);
    this.db.run(
      'UPDATE registry_versions SET deleted_time = ? WHERE model = ? AND deleted_time IS NULL',
      time,
      model,
    );
    this.#endAliasUses(model, null, time);
    this.db.run('DELETE FROM registry_aliases WHERE model = ?', model);
    this.db.run('DELETE FROM registry_model_tags WHERE model = ?', model);
    this.db.run(
      'DELETE FROM registry_version_tags WHERE version IN (SELECT key FROM registry_versions WHERE model = ?)',
      model,
    );
  }

  putModelTag(model: number, { key, value }: ModelTag): void {
    this.db.run('INSERT OR REPLACE INTO registry_model_tags VALUES (?, ?, ?)', model, key, value);
  }

  removeModelTag(model: number, key: string): void {
    this.db.run('DELETE FROM registry_model_tags WHERE model = ? AND key = ?', model, key);
  }

  addVersion(version: NewVersion, tags: readonly ModelTag[]): void {
    const values = [
      version.model,
      version.version,
      version.description,
      version.source,
      version.storageLocation,
      version.runId,
      version.runLink,
      version.modelId,
      version.stage,
      version.time,
      version.updatedTime,
      version.deletedTime,
    ];
    this.db.gather(versionRows, ...values);
    if (tags.length > 0) {
      const key = this.versionKey(version.model, version.version);
      for (const tag of tags) this.putVersionTag(key, tag);
    }
    this.#countVersion(version);
  }

  #countVersion({ model, version, touches, time }: NewVersion): void {
    this.db.runApart(
      `UPDATE registry_models SET version_count = max(version_count, ?),
         updated_time = coalesce(?, updated_time) WHERE key = ?`,
      version,
      touches ? time : null,
      model,
    );
    const id = this.#ids.get(model);
    const known = id === undefined ? undefined : this.#models.get(id);
    if (id === undefined || known?.key !== model) {
      // Under which name it is remembered was forgotten, or another model has the name.
      this.#models.clear();
      return;
    }
    const versionCount = Math.max(known.versionCount, version);
    const updatedTime = touches ? time : known.updatedTime;
    this.#models.set(id, { ...known, versionCount, updatedTime });
  }

  updateVersion(version: number, description: string | null, time: number): void {
    this.db.run(
      'UPDATE registry_versions SET description = ?, updated_time = ? WHERE key = ?',
      description,
      time,
      version,
    );
  }

  stageVersion(version: number, stage: string, time: number): void {
    this.db.run(
      'UPDATE registry_versions SET stage = ?, updated_time = ? WHERE key = ?',
      stage,
      time,
      version,
    );
  }

  deleteVersion(version: number, time: number): void {
    const row = this.db.get<{ model: number; version: number }>(
      'SELECT model, version FROM registry_versions WHERE key = ?',
      version,
    );
    if (!row) return;
    this.db.run('UPDATE registry_versions SET deleted_time = ? WHERE key = ?', time, version);
    this.#endAliasUses(row.model, row.version, time);
    this.db.run(
      'DELETE FROM registry_aliases WHERE model = ? AND version = ?',
      row.model,
      row.version,
    );
  }

  putVersionTag(version: number, { key, value }: ModelTag): void {
    this.db.run(
      'INSERT OR REPLACE INTO registry_version_tags VALUES (?, ?, ?)',
      version,
      key,
      value,
    );
  }

  removeVersionTag(version: number, key: string): void {
    this.db.run('DELETE FROM registry_version_tags WHERE version = ? AND key = ?', version, key);
  }

  putAlias(model: number, alias: string, version: number, time: number): void {
    this.#endAliasUse(model, alias, time);
    this.db.run('INSERT OR REPLACE INTO registry_aliases VALUES (?, ?, ?)', model, alias, version);
    this.db.run(
      'INSERT INTO registry_alias_uses (model, alias, version, from_time) VALUES (?, ?, ?, ?)',
      model,
      alias,
      version,
      time,
    );
  }

  removeAlias(model: number, alias: string, time: number): void {
    this.#endAliasUse(model, alias, time);
    this.db.run('DELETE FROM registry_aliases WHERE model = ? AND alias = ?', model, alias);
  }

  #endAliasUse(model: number, alias: string, time: number): void {
    this.db.run(
      'UPDATE registry_alias_uses SET to_time = ? WHERE model = ? AND alias = ? AND to_time IS NULL',
      time,
      model,
      alias,
    );
  }

  /** Ends the uses of all aliases of a model, or of one of its versions. */
  #endAliasUses(model: number, version: number | null, time: number): void {
    this.db.run(
      `UPDATE registry_alias_uses SET to_time = ?
       WHERE model = ?2 AND to_time IS NULL AND (?3 IS NULL OR version = ?3)`,
      time,
      model,
      version,
    );
  }

  addDeployment(deployment: DeploymentRow): void {
    this.deployments.add(deployment);
  }

  endDeployment(workspace: string, name: string, number: number, until: number): void {
    this.deployments.end(workspace, name, number, until);
  }

  reset(): void {
    this.#models.clear();
    this.#ids.clear();
  }
}
