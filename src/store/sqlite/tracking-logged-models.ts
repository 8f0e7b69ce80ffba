import type { LoggedModelRow, OwnedKeyValue, OwnedMetric } from '../../tracking/index.ts';
import type { Database } from './database.ts';
import { keyValues, type Stored, staged } from './tracking-rows.ts';

const modelColumns = `m.key, m.id, m.name, CAST(e.number AS TEXT) AS experimentId, m.model_type AS modelType,
  m.source_run AS sourceRun, m.artifact_uri AS artifactUri, m.status, m.digest, m.deleted,
  m.creation_time AS creationTime, m.last_update_time AS lastUpdateTime`;
const modelTables = 'tracking_models m JOIN tracking_experiments e ON e.key = m.experiment';

interface StoredMetric {
  readonly owner: number;
  readonly key: string;
  readonly value: number;
  readonly nan: number;
  readonly timestamp: number;
  readonly step: number;
}

const metricOf = <M extends { readonly value: number; readonly nan: number }>({
  nan,
  ...metric
}: M): Omit<M, 'nan'> => ({ ...metric, value: nan === 1 ? Number.NaN : metric.value });

export function findLoggedModel(
  db: Database,
  workspace: string,
  id: string,
): LoggedModelRow | undefined {
  const row = db.get<Stored<LoggedModelRow>>(
    `SELECT ${modelColumns} FROM ${modelTables} WHERE m.id = ? AND e.workspace = ?`,
    id,
    workspace,
  );
  return row === undefined ? undefined : staged<LoggedModelRow>(row);
}

export function getLoggedModels(db: Database, keys: readonly number[]): LoggedModelRow[] {
  const rows = db.all<Stored<LoggedModelRow>>(
    `SELECT ${modelColumns} FROM json_each(?) j CROSS JOIN tracking_models m ON m.key = j.value
     JOIN tracking_experiments e ON e.key = m.experiment ORDER BY j.key`,
    JSON.stringify(keys),
  );
  return rows.map((row) => staged<LoggedModelRow>(row));
}

export function loggedModelParams(db: Database, keys: readonly number[]): OwnedKeyValue[] {
  return keyValues(
    db,
    `SELECT t.model AS owner, t.name AS key, t.value FROM json_each(?) j
     JOIN tracking_model_params t ON t.model = j.value ORDER BY t.model, t.name`,
    keys,
  );
}

export function loggedModelTags(db: Database, keys: readonly number[]): OwnedKeyValue[] {
  return keyValues(
    db,
    `SELECT t.model AS owner, t.name AS key, t.value FROM json_each(?) j
     JOIN tracking_model_tags t ON t.model = j.value ORDER BY t.model, t.name`,
    keys,
  );
}

export function loggedModelMetrics(db: Database, keys: readonly number[]): OwnedMetric[] {
  const rows = db.all<
    StoredMetric & {
      run: string;
      datasetName: string | null;
      datasetDigest: string | null;
      model: string;
    }
  >(
    `SELECT t.model AS owner, t.name AS key, t.value, t.nan, t.timestamp, t.step, t.run, m.id AS model,
     t.dataset_name AS datasetName, t.dataset_digest AS datasetDigest FROM json_each(?) j
     JOIN tracking_model_metrics t ON t.model = j.value JOIN tracking_models m ON m.key = t.model
     ORDER BY t.model, t.name, t.timestamp, t.step, t.run`,
    JSON.stringify(keys),
  );
  return rows.map(({ datasetName, datasetDigest, ...row }) => ({
    ...metricOf(row),
    datasetName: datasetName ?? undefined,
    datasetDigest: datasetDigest ?? undefined,
  }));
}
