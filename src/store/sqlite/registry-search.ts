import type {
  ModelRow,
  RegistryCondition,
  RegistryOrder,
  RegistrySearch,
  VersionRow,
} from '../../registry/store.ts';
import type { Database } from './database.ts';

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

const promptModels = `SELECT t.model FROM registry_model_tags t
  WHERE t.key = 'mlflow.prompt.is_prompt' AND t.value = 'true'`;

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

/** Models that are not deleted, by conditions, order and page. */
export function searchModels(db: Database, search: RegistrySearch): ModelRow[] {
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
  return db.all<ModelRow>(
    `${conditionsTable} SELECT ${modelColumns} FROM registry_models m
     WHERE m.workspace = ? AND m.deleted_time IS NULL ${name ? 'AND m.name = ?' : ''}
       AND m.key ${search.prompts ? '' : 'NOT'} IN (${promptModels})
       AND ${allConditionsHold(modelSubject)}
     ORDER BY ${order} LIMIT ? OFFSET ?`,
    conditionsJson(search.conditions, name),
    search.workspace,
    ...(name ? [name.value] : []),
    search.limit,
    search.offset,
  );
}

/** Versions that are not deleted, by conditions, order and page. */
export function searchVersions(db: Database, search: RegistrySearch): VersionRow[] {
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
  return db.all<VersionRow>(
    `${conditionsTable} SELECT ${versionColumns}
     FROM registry_versions v JOIN registry_models m ON m.key = v.model
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
}
