import { WherefromError } from '../../base/errors.ts';
import type {
  ExperimentRow,
  LifecycleStage,
  Search,
  SearchCondition,
} from '../../tracking/index.ts';
import type { Database } from './database.ts';
import { compare, orderOf, type SearchShape, whereOf } from './tracking-search.ts';

/** Experiment "0" of every workspace, also of one in which nothing was written yet. */
export const defaultExperiment = {
  number: 0,
  name: 'Default',
  artifactLocation: 'mlflow-artifacts:/0',
} as const;

interface StoredExperiment {
  readonly key: number;
  readonly id: string;
  readonly name: string;
  readonly artifactLocation: string;
  readonly deleted: number;
  readonly creationTime: number;
  readonly lastUpdateTime: number;
}

const columns = `e.key, CAST(e.number AS TEXT) AS id, e.name, e.artifact_location AS artifactLocation, e.deleted,
  e.creation_time AS creationTime, e.last_update_time AS lastUpdateTime`;

// All experiments of the workspace `?1`, and the default one while it is not stored (key 0).
const experiments = `WITH e AS (
  SELECT key, number, name, deleted, creation_time, last_update_time
  FROM tracking_experiments WHERE workspace = ?1
  UNION ALL
  SELECT 0, ${defaultExperiment.number}, '${defaultExperiment.name}', 0, 0, 0
  WHERE NOT EXISTS (SELECT 1 FROM tracking_experiments WHERE workspace = ?1 AND number = 0)
)
SELECT e.key FROM e`;

function toRow({ deleted, ...row }: StoredExperiment): ExperimentRow {
  const stage: LifecycleStage = deleted === 1 ? 'deleted' : 'active';
  return { ...row, stage };
}

/** The number of an experiment's id; undefined when it is none that we could have given. */
export function experimentNumber(id: string): number | undefined {
  return /^\d{1,15}$/.test(id) ? Number(id) : undefined;
}

/** Experiment "0" while nothing was written that made it a row. */
const unwritten: ExperimentRow = {
  key: 0,
  id: String(defaultExperiment.number),
  name: defaultExperiment.name,
  artifactLocation: defaultExperiment.artifactLocation,
  stage: 'active',
  creationTime: 0,
  lastUpdateTime: 0,
};

/** An experiment by its id. */
export function findExperiment(
  db: Database,
  workspace: string,
  id: string,
): ExperimentRow | undefined {
  const number = experimentNumber(id);
  if (number === undefined) return undefined;
  const row = db.get<StoredExperiment>(
    `SELECT ${columns} FROM tracking_experiments e WHERE e.workspace = ? AND e.number = ?`,
    workspace,
    number,
  );
  if (row !== undefined) return toRow(row);
  return number === defaultExperiment.number ? unwritten : undefined;
}

/** An experiment by its name. */
export function findExperimentByName(
  db: Database,
  workspace: string,
  name: string,
): ExperimentRow | undefined {
  const row = db.get<StoredExperiment>(
    `SELECT ${columns} FROM tracking_experiments e WHERE e.workspace = ? AND e.name = ?`,
    workspace,
    name,
  );
  if (row !== undefined) return toRow(row);
  if (name !== defaultExperiment.name) return undefined;
  // "Default" is the name of experiment 0, unless that one was renamed.
  return findExperiment(db, workspace, '0')?.name === name ? unwritten : undefined;
}

const shape: SearchShape = {
  attributes: {
    name: 'e.name',
    experiment_id: 'e.number',
    creation_time: 'e.creation_time',
    last_update_time: 'e.last_update_time',
  },
  exists(condition) {
    const from =
      'SELECT 1 FROM tracking_experiment_tags t WHERE t.experiment = e.key AND t.name = ?';
    if (condition.operator === 'IS NULL')
      return { sql: `NOT EXISTS (${from})`, values: [condition.key] };
    if (condition.operator === 'IS NOT NULL')
      return { sql: `EXISTS (${from})`, values: [condition.key] };
    const { sql, values } = compare('t.value', condition);
    return { sql: `EXISTS (${from} AND ${sql})`, values: [condition.key, ...values] };
  },
};

/** Ids are compared as the numbers they are. */
function withNumbers(condition: SearchCondition): SearchCondition {
  if (condition.entity !== 'attribute' || condition.key !== 'experiment_id') return condition;
  if (!['=', '!=', 'IN', 'NOT IN'].includes(condition.operator)) {
    throw new WherefromError(
      'invalid_message',
      `Invalid comparator for experiment_id: ${condition.operator}`,
    );
  }
  const { value } = condition;
  // An id that is no number is that of no experiment: -1.
  if (typeof value === 'string') return { ...condition, value: experimentNumber(value) ?? -1 };
  return condition;
}

/** Experiments in the order of the keys. */
export function getExperiments(db: Database, keys: readonly number[]): ExperimentRow[] {
  const rows = db.all<StoredExperiment>(
    `SELECT ${columns} FROM json_each(?) j CROSS JOIN tracking_experiments e ON e.key = j.value ORDER BY j.key`,
    JSON.stringify(keys),
  );
  const found = rows.map(toRow);
  const place = keys.indexOf(unwritten.key);
  return place < 0 ? found : found.toSpliced(place, 0, unwritten);
}

/** Keys of the experiments that a search finds, in its order; the newest first without any. */
export function searchExperiments(db: Database, search: Search): number[] {
  const conditions = search.conditions.map(withNumbers);
  const where = whereOf(conditions, shape);
  const stage =
    search.stage === undefined ? '' : ` AND e.deleted = ${search.stage === 'deleted' ? 1 : 0}`;
  const order = orderOf(search.orders, shape, () => ({ value: { sql: 'e.number', values: [] } }));
  const by =
    order.sql === '' ? 'e.creation_time DESC, e.number ASC' : `${order.sql}, e.number DESC`;
  const rows = db.all<{ key: number }>(
    `${experiments} WHERE 1${stage}${where.sql} ORDER BY ${by} LIMIT ? OFFSET ?`,
    search.workspace,
    ...where.values,
    search.limit,
    search.offset,
  );
  return rows.map(({ key }) => key);
}
