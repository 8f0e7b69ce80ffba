import type { DatasetSummary, MetricSample } from '../../tracking/index.ts';
import type { Database } from './database.ts';

/** The parts of a run's points: each is one seek for a key. `?1` is the run. */
export const partsOfRun = `WITH RECURSIVE parts (part) AS (
  SELECT 0 UNION ALL
  SELECT part + 1 FROM parts WHERE part < (SELECT max(part) FROM tracking_metrics WHERE run = ?1))`;

/** A point as it is stored. */
interface StoredPoint {
  readonly key: string;
  readonly value: number;
  readonly nan: number;
  readonly timestamp: number;
  readonly step: number;
}

interface PlacedPoint extends StoredPoint {
  readonly place: number;
  readonly count: number;
}

/** `?2` is the metric, `?3` and `?4` its first and last step, `?5` how many points are wanted. */
const sampleSql = `${partsOfRun}, points AS (
  SELECT t.value, t.nan, t.timestamp, t.step FROM parts CROSS JOIN tracking_metrics t
  ON t.run = ?1 AND t.part = parts.part AND t.name = (SELECT key FROM tracking_names WHERE name = ?2)
  AND t.step BETWEEN ?3 AND ?4
), placed AS (
  SELECT *, ntile(?5) OVER ordered AS bucket, row_number() OVER ordered AS place, count(*) OVER () AS count
  FROM points WINDOW ordered AS (ORDER BY step, timestamp, value, nan)
)
SELECT ?2 AS key, value, nan, timestamp, step, place, count FROM placed
WHERE place = count OR place IN (SELECT min(place) FROM placed GROUP BY bucket) ORDER BY place`;

/**
 * A metric's points by step, timestamp and value: the first of each of `limit` equal parts, and the
 * last of all, in whose favour the last part's first gives way.
 * Source: mlflow/store/tracking/sqlalchemy_store.py (_sample_rows_with_window_functions).
 */
export function sampleMetric(
  db: Database,
  { run, key, sample }: { run: number; key: string; sample: MetricSample },
): StoredPoint[] {
  const from = sample.steps?.from ?? Number.MIN_SAFE_INTEGER;
  const to = sample.steps?.to ?? Number.MAX_SAFE_INTEGER;
  const rows = db.all<PlacedPoint>(sampleSql, run, key, from, to, sample.limit);
  const points = rows.length > sample.limit ? rows.toSpliced(sample.limit - 1, 1) : rows;
  return points.map(({ place: _place, count: _count, ...point }) => point);
}

/** The datasets that runs of some experiments read, once for each context, the oldest first. */
export function datasetSummaries(
  db: Database,
  search: { readonly workspace: string; readonly ids: readonly string[]; readonly limit: number },
): DatasetSummary[] {
  return db.all<DatasetSummary>(
    `SELECT DISTINCT CAST(e.number AS TEXT) AS experimentId, d.name, d.digest, i.context
     FROM json_each(?) j
     JOIN tracking_experiments e ON e.workspace = ? AND e.number = CAST(j.value AS INTEGER)
     JOIN tracking_datasets d ON d.experiment = e.key
     JOIN tracking_inputs i ON i.dataset = d.key
     ORDER BY d.key, i.context LIMIT ?`,
    JSON.stringify(search.ids),
    search.workspace,
    search.limit,
  );
}
