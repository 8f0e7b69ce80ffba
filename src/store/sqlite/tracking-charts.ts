import type { DatasetSummary, DatasetSummarySearch } from '../../tracking/index.ts';
import type { Database } from './database.ts';

/** The datasets that runs of some experiments read, once for each context, the oldest first. */
export function datasetSummaries(db: Database, search: DatasetSummarySearch): DatasetSummary[] {
  return db.all<DatasetSummary>(
    `SELECT DISTINCT CAST(e.number AS TEXT) AS experimentId, d.name, d.digest, i.context
     FROM json_each(?) j
     JOIN tracking_experiments e ON e.workspace = ? AND e.number = CAST(j.value AS INTEGER)
     JOIN tracking_datasets d ON d.experiment = e.key
     JOIN tracking_inputs i ON i.dataset = d.key
     ORDER BY d.key, i.context LIMIT ?`,
    JSON.stringify(search.experimentIds),
    search.workspace,
    search.limit,
  );
}
