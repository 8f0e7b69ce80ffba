import { limits } from '../../base/limits.ts';
import type {
  ModelRow,
  RegistryCondition,
  RegistryOrder,
  RegistrySearch,
  VersionRow,
} from '../../registry/store.ts';
import type { Database } from './database.ts';

/** Rows that a search on the server's thread looks at. */
const quickRowsMax = limits.searchedInlineMax;

/** Columns of `registry_models m` as ModelRow names them. */
export const modelColumns = `m.key, m.workspace, m.name, m.generation, m.description,
  m.created_time AS createdTime, m.updated_time AS updatedTime,
  m.version_count AS versionCount, m.changed_time AS changedTime, m.deleted_time AS deletedTime`;

/** Columns of `registry_versions v` joined with `registry_models m` as VersionRow names them. */
export const versionColumns = `v.key, v.model, m.name, m.generation, v.version, v.description,
  v.stage, v.source, v.storage_location AS storageLocation, v.run_id AS runId,
  v.run_link AS runLink, v.model_id AS modelId, v.created_time AS createdTime,
  v.updated_time AS updatedTime, v.deleted_time AS deletedTime`;

/**
 * The conditions come in as JSON, so that the SQL text does not depend on them: texts are cached
 * for good, and clients write filters as they like. A null subject (an absent tag) matches nothing.
 */
export const conditionsTable = `WITH conditions (entity, key, operator, value) AS MATERIALIZED (
  SELECT value ->> 'entity', value ->> 'key', value ->> 'operator', value ->> 'value' FROM json_each(?))`;

/** SQL that is true when all conditions hold; `subject` is what condition `c` compares. */
export function allConditionsHold(subject: string): string {
  return `NOT EXISTS (SELECT 1 FROM conditions c WHERE NOT coalesce((
    SELECT CASE c.operator
      WHEN '=' THEN s = c.value
      WHEN '!=' THEN s <> c.value
      WHEN '<' THEN s < c.value
      WHEN '<=' THEN s <= c.value
      WHEN '>' THEN s > c.value
      WHEN '>=' THEN s >= c.value
      WHEN 'LIKE' THEN s GLOB c.value
      WHEN 'ILIKE' THEN s LIKE c.value
      WHEN 'IN' THEN s IN (SELECT value FROM json_each(c.value))
      WHEN 'NOT IN' THEN s NOT IN (SELECT value FROM json_each(c.value))
    END FROM (SELECT ${subject} AS s)), 0))`;
}

const modelSubject = `CASE WHEN c.entity = 'tag'
  THEN (SELECT t.value FROM registry_model_tags t WHERE t.model = m.key AND t.key = c.key)
  ELSE m.name END`;

const versionSubject = `CASE WHEN c.entity = 'tag'
  THEN (SELECT t.value FROM registry_version_tags t WHERE t.version = v.key AND t.key = c.key)
  ELSE CASE c.key WHEN 'name' THEN m.name WHEN 'version_number' THEN v.version
    WHEN 'run_id' THEN coalesce(v.run_id, '') WHEN 'source_path' THEN v.source END END`;

const isPromptModel = `SELECT 1 FROM registry_model_tags t
  WHERE t.model = m.key AND t.key = 'mlflow.prompt.is_prompt' AND t.value = 'true'`;

const promptVersions = `SELECT o.model FROM registry_version_tags t
  JOIN registry_versions o ON o.key = t.version
  WHERE t.key = 'mlflow.prompt.is_prompt' AND t.value = 'true'`;

/** A LIKE pattern for GLOB, which tells upper from lower case. */
function globOf(pattern: string): string {
  return pattern.replace(/[*?[]/g, '[$&]').replaceAll('%', '*').replaceAll('_', '?');
}

/** A condition as any of the searches here takes it. */
interface Comparison {
  readonly operator: string;
  readonly value: unknown;
}

/** Conditions for the SQL text; the one that an index answers already is left out. */
export function conditionsJson(
  conditions: readonly Comparison[],
  answered?: Comparison | undefined,
): string {
  const others = conditions.filter((condition) => condition !== answered);
  return JSON.stringify(
    others.map((condition) =>
      condition.operator === 'LIKE'
        ? { ...condition, value: globOf(String(condition.value)) }
        : condition,
    ),
  );
}

function orderBy(
  orders: readonly RegistryOrder[],
  columns: Readonly<Record<RegistryOrder['key'], string>>,
  ties: readonly RegistryOrder[],
): string {
  const missing = ties.filter((tie) => !orders.some((order) => order.key === tie.key));
  return [...orders, ...missing]
    .map(({ key, ascending }) => `${columns[key]} ${ascending ? 'ASC' : 'DESC'}`)
    .join(', ');
}

/** The condition that an attribute equals a text, which an index can answer. */
function equalTo(
  search: RegistrySearch,
  key: string,
): (RegistryCondition & { readonly value: string }) | undefined {
  return search.conditions.find(
    (condition): condition is RegistryCondition & { readonly value: string } =>
      condition.entity === 'attribute' &&
      condition.key === key &&
      condition.operator === '=' &&
      typeof condition.value === 'string' &&
      condition.value !== '',
  );
}

/** Keys of the models that are not deleted, by conditions, order and page. */
export function searchModels(db: Database, search: RegistrySearch): number[] {
  const name = equalTo(search, 'name');
  const order = orderBy(
    search.orders,
    {
      name: 'm.name',
      version_number: 'm.name',
      creation_timestamp: 'm.created_time',
      last_updated_timestamp: 'm.updated_time',
    },
    [{ key: 'name', ascending: true }],
  );
  const rows = db.all<{ key: number }>(
    `${conditionsTable} SELECT m.key FROM registry_models m
     WHERE m.workspace = ? AND m.deleted_time IS NULL ${name ? 'AND m.name = ?' : ''}
       AND ${search.prompts ? '' : 'NOT'} EXISTS (${isPromptModel})
       AND ${allConditionsHold(modelSubject)}
     ORDER BY ${order} LIMIT ? OFFSET ?`,
    conditionsJson(search.conditions, name),
    search.workspace,
    ...(name ? [name.value] : []),
    search.limit,
    search.offset,
  );
  return rows.map(({ key }) => key);
}

/** The same where the index of names gives the page; undefined where every model may have to be looked at. */
export function searchModelsQuickly(db: Database, search: RegistrySearch): number[] | undefined {
  const { conditions, orders, offset, limit, prompts } = search;
  const byName = orders.every(({ key }) => key === 'name');
  const onePage = conditions.length === 0 && byName && !prompts && offset + limit <= quickRowsMax;
  return onePage || equalTo(search, 'name') ? searchModels(db, search) : undefined;
}

/** Keys of the versions that are not deleted, by conditions, order and page. */
export function searchVersions(db: Database, search: RegistrySearch): number[] {
  const name = equalTo(search, 'name');
  const narrow = name ?? equalTo(search, 'run_id');
  const column = name ? 'm.name' : 'v.run_id';
  const order = orderBy(
    search.orders,
    {
      name: 'm.name',
      version_number: 'v.version',
      creation_timestamp: 'v.created_time',
      last_updated_timestamp: 'v.updated_time',
    },
    [
      { key: 'name', ascending: true },
      { key: 'version_number', ascending: false },
    ],
  );
  // The newest come first by their index, and end with the page, unless a name leads to few.
  const from = name
    ? 'registry_models m CROSS JOIN registry_versions v ON v.model = m.key'
    : 'registry_versions v CROSS JOIN registry_models m ON m.key = v.model';
  const rows = db.all<{ key: number }>(
    `${conditionsTable} SELECT v.key FROM ${from}
     WHERE m.workspace = ? AND m.deleted_time IS NULL AND v.deleted_time IS NULL
       ${narrow ? `AND ${column} = ?` : ''}
       AND v.model ${search.prompts ? '' : 'NOT'} IN (${promptVersions})
       AND ${allConditionsHold(versionSubject)}
     ORDER BY ${order} LIMIT ? OFFSET ?`,
    conditionsJson(search.conditions, narrow),
    search.workspace,
    ...(narrow ? [narrow.value] : []),
    search.limit,
    search.offset,
  );
  return rows.map(({ key }) => key);
}

/** The same where a name or a run leads to few; undefined where many versions may have to be looked at. */
export function searchVersionsQuickly(db: Database, search: RegistrySearch): number[] | undefined {
  const name = equalTo(search, 'name');
  if (name === undefined) return equalTo(search, 'run_id') ? searchVersions(db, search) : undefined;
  const model = db.get<{ count: number }>(
    `SELECT version_count AS count FROM registry_models
     WHERE workspace = ? AND name = ? AND deleted_time IS NULL`,
    search.workspace,
    name.value,
  );
  return (model?.count ?? 0) <= quickRowsMax ? searchVersions(db, search) : undefined;
}

/** Models in the order of the keys. */
export function getModels(db: Database, keys: readonly number[]): ModelRow[] {
  return db.all<ModelRow>(
    `SELECT ${modelColumns} FROM json_each(?) j CROSS JOIN registry_models m ON m.key = j.value ORDER BY j.key`,
    JSON.stringify(keys),
  );
}

/** Versions in the order of the keys. */
export function getVersions(db: Database, keys: readonly number[]): VersionRow[] {
  return db.all<VersionRow>(
    `SELECT ${versionColumns} FROM json_each(?) j CROSS JOIN registry_versions v ON v.key = j.value
     JOIN registry_models m ON m.key = v.model ORDER BY j.key`,
    JSON.stringify(keys),
  );
}
