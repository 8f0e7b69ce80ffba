import type { RunSearch, SearchCondition, SearchOrder } from '../../tracking/index.ts';
import type { Database } from './database.ts';
import { compare, orderOf, type SearchShape, type Sql, whereOf } from './tracking-search.ts';

const nameKey = '(SELECT key FROM tracking_names WHERE name = ?)';

/** Where a run's artifacts are, unless it has a place of its own. */
export const runArtifactUri =
  "coalesce(r.artifact_uri, e.artifact_location || '/' || r.id || '/artifacts')";

const tables: Readonly<Record<string, string>> = {
  parameter: 'tracking_params',
  tag: 'tracking_tags',
};

/** A NaN is not equal to anything, so it satisfies `!=` only. */
function metricExists(condition: SearchCondition, comparison: (column: string) => Sql): Sql {
  const { sql, values } = comparison('m.value');
  const nan = condition.operator === '!=' ? `(m.nan = 1 OR ${sql})` : `m.nan = 0 AND ${sql}`;
  return {
    sql: `EXISTS (SELECT 1 FROM tracking_latest_metrics m WHERE m.run = r.key AND m.name = ${nameKey} AND ${nan})`,
    values: [condition.key, ...values],
  };
}

function datasetExists(condition: SearchCondition, comparison: (column: string) => Sql): Sql {
  const column =
    condition.key === 'context'
      ? 'i.context'
      : `d.${condition.key === 'digest' ? 'digest' : 'name'}`;
  const { sql, values } = comparison(column);
  return {
    sql: `EXISTS (SELECT 1 FROM tracking_inputs i JOIN tracking_datasets d ON d.key = i.dataset WHERE i.run = r.key AND ${sql})`,
    values,
  };
}

const shape: SearchShape = {
  attributes: {
    run_id: 'r.id',
    run_name: 'r.name',
    status: 'r.status',
    user_id: 'r.user',
    start_time: 'r.start_time',
    end_time: 'r.end_time',
    artifact_uri: runArtifactUri,
  },
  exists(condition, comparison) {
    if (condition.entity === 'metric') return metricExists(condition, comparison);
    if (condition.entity === 'dataset') return datasetExists(condition, comparison);
    const from = `SELECT 1 FROM ${tables[condition.entity]} t WHERE t.run = r.key AND t.name = ${nameKey}`;
    if (condition.operator === 'IS NULL')
      return { sql: `NOT EXISTS (${from})`, values: [condition.key] };
    if (condition.operator === 'IS NOT NULL')
      return { sql: `EXISTS (${from})`, values: [condition.key] };
    const { sql, values } = compare('t.value', condition);
    return { sql: `EXISTS (${from} AND ${sql})`, values: [condition.key, ...values] };
  },
};

/** The value to order by, as a subquery for each run. */
function orderValue({ entity, key }: SearchOrder): { value: Sql; rank?: Sql } {
  const table = entity === 'metric' ? 'tracking_latest_metrics' : tables[entity];
  const of = `FROM ${table} o WHERE o.run = r.key AND o.name = ${nameKey}`;
  const value = { sql: `(SELECT o.value ${of})`, values: [key] };
  if (entity !== 'metric') return { value };
  return { value, rank: { sql: `coalesce((SELECT o.nan ${of}), 2)`, values: [key] } };
}

const tie = (orders: readonly SearchOrder[]): string =>
  orders.some(({ entity, key }) => entity === 'attribute' && key === 'start_time')
    ? 'r.id'
    : 'r.start_time DESC, r.id';

/** Keys of the experiments of a workspace that are there. */
function experimentKeys(db: Database, { workspace, experimentIds }: RunSearch): number[] {
  const rows = db.all<{ key: number }>(
    `SELECT e.key FROM tracking_experiments e
     WHERE e.workspace = ? AND e.number IN (SELECT CAST(value AS INTEGER) FROM json_each(?))`,
    workspace,
    JSON.stringify(experimentIds),
  );
  return rows.map(({ key }) => key);
}

/** Restriction to experiments and stage; one experiment alone lets its time index give the order. */
function scope(keys: readonly number[], search: RunSearch): Sql {
  const experiment =
    keys.length === 1
      ? { sql: 'r.experiment = ?', values: [keys[0] ?? 0] }
      : { sql: 'r.experiment IN (SELECT value FROM json_each(?))', values: [JSON.stringify(keys)] };
  if (search.stage === undefined) return experiment;
  const deleted = search.stage === 'deleted' ? 1 : 0;
  return { sql: `${experiment.sql} AND r.deleted = ?`, values: [...experiment.values, deleted] };
}

const runTables = 'tracking_runs r CROSS JOIN tracking_experiments e ON e.key = r.experiment';

/** A condition that only runs with a number for the metric can meet. */
function isRange({ entity, operator }: SearchCondition): boolean {
  return entity === 'metric' && operator !== '!=';
}

const isOf =
  (key: string) =>
  (condition: SearchCondition): boolean =>
    condition.entity === 'metric' && condition.key === key;

/**
 * A page ordered by one metric, read off the index of latest values: it stops at the page's end.
 * Undefined when the page reaches the runs that do not have the metric, or have NaN.
 */
function searchByMetric(db: Database, search: RunSearch, within: Sql): number[] | undefined {
  const [order, ...more] = search.orders;
  if (order?.entity !== 'metric' || more.length > 0) return undefined;
  const onMetric = search.conditions.filter(isOf(order.key));
  const where = whereOf(
    search.conditions.filter((condition) => !onMetric.includes(condition)),
    shape,
  );
  const ranges = onMetric.map((condition) => compare('o.value', condition));
  const rows = db.all<{ key: number }>(
    `SELECT r.key FROM tracking_latest_metrics o CROSS JOIN ${runTables}
     WHERE o.name = ${nameKey} AND o.nan = 0 ${ranges.map(({ sql }) => `AND ${sql}`).join(' ')}
     AND r.key = o.run AND ${within.sql}${where.sql}
     ORDER BY o.value ${order.ascending ? 'ASC' : 'DESC'}, ${tie(search.orders)} LIMIT ? OFFSET ?`,
    order.key,
    ...ranges.flatMap(({ values }) => values),
    ...within.values,
    ...where.values,
    search.limit,
    search.offset,
  );
  const complete = rows.length === search.limit || onMetric.some(isRange);
  return complete ? rows.map(({ key }) => key) : undefined;
}

/** Candidates of the index that are looked at for each run that a quick search is to find. */
const candidatesPerRun = 2;

/** The farthest into a search that a quick one goes. */
const quickRunsMax = 5_000;

/**
 * Keys of the runs that a search finds, where an index gives them by looking at a few times as many
 * runs as the page has; undefined where more may have to be looked at.
 */
export function searchRunsQuickly(db: Database, search: RunSearch): number[] | undefined {
  if (search.stage === undefined || search.offset + search.limit > quickRunsMax) return undefined;
  const [order, ...more] = search.orders;
  if (more.length > 0) return undefined;
  const keys = experimentKeys(db, search);
  if (keys.length === 0) return [];
  if (order === undefined)
    return search.conditions.length === 0 && keys.length === 1 ? searchRuns(db, search) : undefined;
  const onMetric = order.entity === 'metric' && search.conditions.every(isOf(order.key));
  return onMetric ? quicklyByMetric(db, search, { order, within: scope(keys, search) }) : undefined;
}

function quicklyByMetric(
  db: Database,
  search: RunSearch,
  { order, within }: { readonly order: SearchOrder; readonly within: Sql },
): number[] | undefined {
  const end = search.offset + search.limit;
  const candidates = candidatesByMetric(db, search, order, end * candidatesPerRun);
  const exhausted = candidates.length < end * candidatesPerRun;
  // Runs without the metric come after those that have it, where no condition asks for it.
  if (exhausted && !search.conditions.some(isRange)) return undefined;
  const values = new Map(candidates.map(({ run, value }) => [run, value]));
  const rows = db.all<{ key: number; id: string; startTime: number }>(
    `SELECT r.key, r.id, r.start_time AS startTime FROM json_each(?) k CROSS JOIN tracking_runs r
     WHERE r.key = k.value AND ${within.sql}`,
    JSON.stringify([...values.keys()].sort((a, b) => a - b)),
    ...within.values,
  );
  // More runs may have the value of the last candidate: their order among themselves is not known.
  const last = exhausted ? undefined : candidates.at(-1)?.value;
  const metricOf = ({ key }: { key: number }): number => values.get(key) ?? 0;
  const sign = order.ascending ? 1 : -1;
  const found = rows
    .filter((row) => metricOf(row) !== last)
    .sort(
      (a, b) =>
        sign * (metricOf(a) - metricOf(b)) || b.startTime - a.startTime || (a.id < b.id ? -1 : 1),
    );
  if (!exhausted && found.length < end) return undefined;
  return found.slice(search.offset, end).map(({ key }) => key);
}

function candidatesByMetric(
  db: Database,
  { conditions }: RunSearch,
  order: SearchOrder,
  limit: number,
): { run: number; value: number }[] {
  const ranges = conditions.map((condition) => compare('o.value', condition));
  return db.all(
    `SELECT o.run, o.value FROM tracking_latest_metrics o
     WHERE o.name = ${nameKey} AND o.nan = 0 ${ranges.map(({ sql }) => `AND ${sql}`).join(' ')}
     ORDER BY o.value ${order.ascending ? 'ASC' : 'DESC'} LIMIT ?`,
    order.key,
    ...ranges.flatMap(({ values }) => values),
    limit,
  );
}

/** Runs that are looked at one by one rather than walking all runs of the experiments. */
const fewRunsMax = 5_000;

/** How much longer it takes to look at a run here and there than at one after the other. */
const scatteredCost = 4;

/** The runs that meet a metric condition, when an index tells that they are few. */
function fewRuns(db: Database, search: RunSearch): number[] | undefined {
  for (const condition of search.conditions.filter(isRange)) {
    const range = compare('m.value', condition);
    const rows = db.all<{ run: number }>(
      `SELECT m.run FROM tracking_latest_metrics m
       WHERE m.name = ${nameKey} AND m.nan = 0 AND ${range.sql} LIMIT ?`,
      condition.key,
      ...range.values,
      fewRunsMax + 1,
    );
    if (rows.length > fewRunsMax || walksFewer(db, search, rows.length)) continue;
    return rows.map(({ run }) => run).sort((a, b) => a - b);
  }
  return undefined;
}

/** Whether the newest runs fill the page before `few` runs are looked at, one in so many being one of them. */
function walksFewer(db: Database, { orders, offset, limit }: RunSearch, few: number): boolean {
  if (orders.length > 0) return false;
  const all = db.get<{ last: number | null }>('SELECT max(key) AS last FROM tracking_runs');
  return few * few * scatteredCost > (offset + limit) * (all?.last ?? 0);
}

/** Keys of the runs that a search finds, in its order. */
export function searchRuns(db: Database, search: RunSearch): number[] {
  const keys = experimentKeys(db, search);
  if (keys.length === 0) return [];
  const within = scope(keys, search);
  const fast = searchByMetric(db, search, within);
  if (fast !== undefined) return fast;
  const where = whereOf(search.conditions, shape);
  const order = orderOf(search.orders, shape, orderValue);
  const by = order.sql === '' ? tie(search.orders) : `${order.sql}, ${tie(search.orders)}`;
  const few = fewRuns(db, search);
  const from = few === undefined ? runTables : `json_each(?) k CROSS JOIN ${runTables}`;
  const rows = db.all<{ key: number }>(
    `SELECT r.key FROM ${from} WHERE ${few === undefined ? '' : 'r.key = k.value AND '}${within.sql}${where.sql}
     ORDER BY ${by} LIMIT ? OFFSET ?`,
    ...(few === undefined ? [] : [JSON.stringify(few)]),
    ...within.values,
    ...where.values,
    ...order.values,
    search.limit,
    search.offset,
  );
  return rows.map(({ key }) => key);
}
