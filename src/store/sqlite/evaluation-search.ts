import type {
  EvaluationDatasetRow,
  EvaluationOrder,
  EvaluationSearch,
} from '../../evaluation/index.ts';
import type { Database } from './database.ts';
import { allConditionsHold, conditionsJson, conditionsTable } from './registry-search.ts';

/** Columns of `evaluation_datasets d` as EvaluationDatasetRow names them. */
export const datasetColumns = `d.key, d.id, d.name, d.schema, d.profile, d.digest,
  d.created_time AS createdTime, d.updated_time AS updatedTime,
  d.created_by AS createdBy, d.updated_by AS updatedBy`;

const subject = `CASE WHEN c.entity = 'tag'
  THEN (SELECT t.value FROM evaluation_dataset_tags t WHERE t.dataset = d.key AND t.key = c.key)
  ELSE CASE c.key WHEN 'name' THEN d.name WHEN 'created_time' THEN d.created_time
    WHEN 'last_update_time' THEN d.updated_time WHEN 'created_by' THEN d.created_by
    WHEN 'last_updated_by' THEN d.updated_by END END`;

const columns: Readonly<Record<EvaluationOrder['key'], string>> = {
  name: 'd.name',
  created_time: 'd.created_time',
  last_update_time: 'd.updated_time',
};

/** Datasets in the order of the keys. */
export function getDatasets(db: Database, keys: readonly number[]): EvaluationDatasetRow[] {
  return db.all<EvaluationDatasetRow>(
    `SELECT ${datasetColumns} FROM json_each(?) j CROSS JOIN evaluation_datasets d ON d.key = j.value ORDER BY j.key`,
    JSON.stringify(keys),
  );
}

/** Keys of datasets by conditions, experiments, order and page. Ties: the greater id first, as in MLflow. */
export function searchDatasets(db: Database, search: EvaluationSearch): number[] {
  const { experiments } = search;
  const orders: readonly EvaluationOrder[] =
    search.orders.length > 0 ? search.orders : [{ key: 'created_time', ascending: false }];
  const order = orders.map(({ key, ascending }) => `${columns[key]} ${ascending ? 'ASC' : 'DESC'}`);
  const rows = db.all<{ key: number }>(
    `${conditionsTable} SELECT d.key FROM evaluation_datasets d
     WHERE d.workspace = ?
       ${experiments === undefined ? '' : 'AND EXISTS (SELECT 1 FROM evaluation_dataset_experiments e WHERE e.dataset = d.key AND e.experiment IN (SELECT value FROM json_each(?)))'}
       AND ${allConditionsHold(subject)}
     ORDER BY ${order.join(', ')}, d.id DESC LIMIT ? OFFSET ?`,
    conditionsJson(search.conditions),
    search.workspace,
    ...(experiments === undefined ? [] : [JSON.stringify(experiments)]),
    search.limit,
    search.offset,
  );
  return rows.map(({ key }) => key);
}
