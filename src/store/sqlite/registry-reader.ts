import type { ModelTag } from '../../facts/registry-facts.ts';
import type {
  AliasRow,
  AliasUse,
  DeploymentRow,
  ModelRow,
  NameUse,
  RegistryReader,
  RegistrySearch,
  VersionRow,
  VersionTagRow,
} from '../../registry/store.ts';
import type { Database } from './database.ts';
import { RegistryDeployments } from './registry-deployments.ts';
import {
  getModels,
  getVersions,
  modelColumns,
  searchModels,
  searchModelsQuickly,
  searchVersions,
  searchVersionsQuickly,
  versionColumns,
} from './registry-search.ts';

const versionsWithModel = `SELECT ${versionColumns}
  FROM registry_versions v JOIN registry_models m ON m.key = v.model`;
const stages = ['None', 'Staging', 'Production', 'Archived'];

/** The newest and oldest version of a stage. 'None' has no index: it is where nearly all versions are. */
function latestInStage(stage: string): string {
  const staged = stage === 'None' ? '' : "AND n.stage <> 'None'";
  const within = `n.model = ?1 AND n.stage = '${stage}' ${staged} AND n.deleted_time IS NULL`;
  const pick = (which: string): string =>
    `(SELECT ${which}(version) FROM registry_versions n WHERE ${within})`;
  return `SELECT ${pick('max')} AS newest, ${pick('min')} AS oldest`;
}

/** Queries of the registry in SQLite. It caches nothing: every lookup is one seek. */
export class SqliteRegistryReader implements RegistryReader {
  protected readonly db: Database;
  protected readonly deployments: RegistryDeployments;

  constructor(db: Database) {
    this.db = db;
    this.deployments = new RegistryDeployments(db);
  }

  findModel(workspace: string, name: string): ModelRow | undefined {
    return this.db.get<ModelRow>(
      `SELECT ${modelColumns} FROM registry_models m
       WHERE m.workspace = ? AND m.name = ? AND m.deleted_time IS NULL`,
      workspace,
      name,
    );
  }

  findModelByKey(key: number): ModelRow | undefined {
    return this.db.get<ModelRow>(
      `SELECT ${modelColumns} FROM registry_models m WHERE m.key = ?`,
      key,
    );
  }

  findVersion(workspace: string, name: string, version: number): VersionRow | undefined {
    return this.db.get<VersionRow>(
      `${versionsWithModel} WHERE m.workspace = ? AND m.name = ? AND m.deleted_time IS NULL
       AND v.version = ? AND v.deleted_time IS NULL`,
      workspace,
      name,
      version,
    );
  }

  findVersionOfModel(model: number, version: number): VersionRow | undefined {
    return this.db.get<VersionRow>(
      `${versionsWithModel} WHERE v.model = ? AND v.version = ?`,
      model,
      version,
    );
  }

  findVersionByAlias(workspace: string, name: string, alias: string): VersionRow | undefined {
    return this.db.get<VersionRow>(
      `SELECT ${versionColumns} FROM registry_models m
       JOIN registry_aliases a ON a.model = m.key
       JOIN registry_versions v ON v.model = m.key AND v.version = a.version
       WHERE m.workspace = ? AND m.name = ? AND m.deleted_time IS NULL
         AND a.alias = ? AND v.deleted_time IS NULL`,
      workspace,
      name,
      alias,
    );
  }

  listNameUses(workspace: string, name: string): NameUse[] {
    return this.db.all<NameUse>(
      `SELECT model, generation, from_time AS fromTime, to_time AS toTime FROM registry_names
       WHERE workspace = ? AND name = ? ORDER BY generation`,
      workspace,
      name,
    );
  }

  countNameUses(workspace: string, name: string): number {
    const row = this.db.get<{ newest: number | null }>(
      'SELECT max(generation) AS newest FROM registry_names WHERE workspace = ? AND name = ?',
      workspace,
      name,
    );
    return row?.newest ?? 0;
  }

  listAliasUses(model: number, alias: string): AliasUse[] {
    return this.db.all<AliasUse>(
      `SELECT version, from_time AS fromTime, to_time AS toTime FROM registry_alias_uses
       WHERE model = ? AND alias = ? ORDER BY key`,
      model,
      alias,
    );
  }

  listAliases(model: number): AliasRow[] {
    return this.db.all<AliasRow>(
      'SELECT alias, version FROM registry_aliases WHERE model = ? ORDER BY alias',
      model,
    );
  }

  listModelTags(model: number): ModelTag[] {
    return this.db.all<ModelTag>(
      'SELECT key, value FROM registry_model_tags WHERE model = ? ORDER BY key',
      model,
    );
  }

  findModelTag(model: number, key: string): string | undefined {
    return this.db.get<{ value: string }>(
      'SELECT value FROM registry_model_tags WHERE model = ? AND key = ?',
      model,
      key,
    )?.value;
  }

  listVersionTags(version: number): ModelTag[] {
    return this.db.all<ModelTag>(
      'SELECT key, value FROM registry_version_tags WHERE version = ? ORDER BY key',
      version,
    );
  }

  listTagsOfVersions(versions: readonly number[]): VersionTagRow[] {
    return this.db.all<VersionTagRow>(
      `SELECT version AS owner, key, value FROM registry_version_tags
       WHERE version IN (SELECT value FROM json_each(?)) ORDER BY version, key`,
      JSON.stringify(versions),
    );
  }

  findVersionTag(version: number, key: string): string | undefined {
    return this.db.get<{ value: string }>(
      'SELECT value FROM registry_version_tags WHERE version = ? AND key = ?',
      version,
      key,
    )?.value;
  }

  listLatestVersions(model: number): VersionRow[] {
    return this.db.all<VersionRow>(
      `SELECT ${versionColumns} FROM (${stages.map(latestInStage).join(' UNION ALL ')}) latest
       CROSS JOIN registry_versions v CROSS JOIN registry_models m
       WHERE v.model = ?1 AND v.version = latest.newest AND m.key = v.model
       ORDER BY latest.oldest`,
      model,
    );
  }

  listVersions(model: number, limit: number): VersionRow[] {
    return this.db.all<VersionRow>(
      `${versionsWithModel} WHERE v.model = ? AND v.deleted_time IS NULL
       ORDER BY v.version DESC LIMIT ?`,
      model,
      limit,
    );
  }

  listVersionsInStage(model: number, stage: string): VersionRow[] {
    return this.db.all<VersionRow>(
      `${versionsWithModel} WHERE v.model = ? AND v.stage = ? AND v.deleted_time IS NULL
       ${stage === 'None' ? '' : "AND v.stage <> 'None'"} ORDER BY v.version`,
      model,
      stage,
    );
  }

  searchModels(search: RegistrySearch): number[] {
    return searchModels(this.db, search);
  }

  searchVersions(search: RegistrySearch): number[] {
    return searchVersions(this.db, search);
  }

  searchModelsQuickly(search: RegistrySearch): number[] | undefined {
    return searchModelsQuickly(this.db, search);
  }

  searchVersionsQuickly(search: RegistrySearch): number[] | undefined {
    return searchVersionsQuickly(this.db, search);
  }

  getModels(keys: readonly number[]): ModelRow[] {
    return getModels(this.db, keys);
  }

  getVersions(keys: readonly number[]): VersionRow[] {
    return getVersions(this.db, keys);
  }

  findDeployment(workspace: string, name: string, at: number): DeploymentRow | undefined {
    return this.deployments.find(workspace, name, at);
  }

  findDeploymentByNumber(
    workspace: string,
    name: string,
    number: number,
  ): DeploymentRow | undefined {
    return this.deployments.findByNumber(workspace, name, number);
  }

  listDeployments(
    workspace: string,
    options: { readonly name?: string | undefined; readonly limit: number },
  ): DeploymentRow[] {
    return this.deployments.list(workspace, options);
  }
}
