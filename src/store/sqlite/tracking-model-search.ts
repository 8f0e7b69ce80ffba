import type {
  DatasetFilter,
  LoggedModelOrder,
  LoggedModelSearch,
  SearchCondition,
} from '../../tracking/index.ts';
import type { Database } from './database.ts';
import { compare, orderOf, type SearchShape, type Sql, whereOf } from './tracking-search.ts';

/** A metric is on one of the datasets; '' without datasets. */
function onDatasets(datasets: readonly DatasetFilter[], alias: string): Sql {
  if (datasets.length === 0) return { sql: '', values: [] };
  const list = JSON.stringify(datasets.map(({ name, digest }) => [name, digest ?? null]));
  return {
    sql: ` AND EXISTS (SELECT 1 FROM json_each(?) j WHERE ${alias}.dataset_name = j.value ->> 0
      AND (j.value ->> 1 IS NULL OR ${alias}.dataset_digest = j.value ->> 1))`,
    values: [list],
  };
}

function shapeOf(datasets: readonly DatasetFilter[]): SearchShape {
  return {
    attributes: {
      name: 'm.name',
      model_id: 'm.id',
      model_type: 'm.model_type',
      status: 'm.status',
      source_run_id: 'm.source_run',
      creation_timestamp: 'm.creation_time',
      last_updated_timestamp: 'm.last_update_time',
    },
    exists(condition: SearchCondition) {
      const { sql, values } = compare('t.value', condition);
      if (condition.entity === 'metric') {
        const on = onDatasets(datasets, 't');
        return {
          sql: `EXISTS (SELECT 1 FROM tracking_model_metrics t WHERE t.model = m.key AND t.name = ? AND t.nan = 0 AND ${sql}${on.sql})`,
          values: [condition.key, ...values, ...on.values],
        };
      }
      const table = condition.entity === 'tag' ? 'tracking_model_tags' : 'tracking_model_params';
      return {
        sql: `EXISTS (SELECT 1 FROM ${table} t WHERE t.model = m.key AND t.name = ? AND ${sql})`,
        values: [condition.key, ...values],
      };
    },
  };
}

/** The newest value of a metric of each model: by timestamp, then step. */
function orderValue({ key, dataset }: LoggedModelOrder): Sql {
  const on = onDatasets(dataset === undefined ? [] : [dataset], 'o');
  return {
    sql: `(SELECT o.value FROM tracking_model_metrics o WHERE o.model = m.key AND o.name = ?${on.sql}
      ORDER BY o.timestamp DESC, o.step DESC, o.run LIMIT 1)`,
    values: [key, ...on.values],
  };
}

/** Keys of the logged models that a search finds, in its order. */
export function searchLoggedModels(db: Database, search: LoggedModelSearch): number[] {
  const shape = shapeOf(search.datasets);
  const where = whereOf(search.conditions, shape);
  const onlyDatasets =
    search.datasets.length > 0 && !search.conditions.some(({ entity }) => entity === 'metric');
  const on = onDatasets(onlyDatasets ? search.datasets : [], 't');
  const measured = onlyDatasets
    ? ` AND EXISTS (SELECT 1 FROM tracking_model_metrics t WHERE t.model = m.key${on.sql})`
    : '';
  const order = orderOf(search.orders, shape, (one) => ({ value: orderValue(one) }));
  const ties: string[] = order.sql === '' ? [] : [order.sql];
  const ordered = new Set(search.orders.map(({ key }) => key));
  if (!ordered.has('creation_timestamp')) ties.push('m.creation_time DESC');
  if (!ordered.has('model_id')) ties.push('m.id');
  const rows = db.all<{ key: number }>(
    `SELECT m.key FROM tracking_models m WHERE m.deleted = 0 AND m.experiment IN (
       SELECT e.key FROM tracking_experiments e
       WHERE e.workspace = ? AND e.number IN (SELECT CAST(value AS INTEGER) FROM json_each(?)))
     ${where.sql}${measured} ORDER BY ${ties.join(', ')} LIMIT ? OFFSET ?`,
    search.workspace,
    JSON.stringify(search.experimentIds),
    ...where.values,
    ...on.values,
    ...order.values,
    search.limit,
    search.offset,
  );
  return rows.map(({ key }) => key);
}
