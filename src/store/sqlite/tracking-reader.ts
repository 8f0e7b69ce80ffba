import type { MetricPoint } from '../../facts/tracking-facts.ts';
import type {
  ArtifactRow,
  DatasetSummary,
  DatasetSummarySearch,
  ExperimentRow,
  InputRow,
  ListedArtifact,
  LoggedModelRow,
  LoggedModelSearch,
  MetricHistorySearch,
  MetricPart,
  MetricSampleSearch,
  ModelLinkRow,
  OwnedKeyValue,
  OwnedMetric,
  RunHead,
  RunPoints,
  RunRow,
  RunSearch,
  Search,
  TrackingReader,
} from '../../tracking/index.ts';
import type { Database } from './database.ts';
import { listDirectory, listNamedBlobs } from './tracking-artifacts.ts';
import { datasetSummaries } from './tracking-charts.ts';
import {
  findExperiment,
  findExperimentByName,
  getExperiments,
  searchExperiments,
} from './tracking-experiments.ts';
import {
  findLoggedModel,
  getLoggedModels,
  loggedModelMetrics,
  loggedModelParams,
  loggedModelTags,
} from './tracking-logged-models.ts';
import { metricParts, pointsOfParts } from './tracking-metric-parts.ts';
import { searchLoggedModels } from './tracking-model-search.ts';
import { boundOfPoints, historyOf, partsOfRun, samplesOf } from './tracking-points.ts';
import { keyValues, type Stored, staged } from './tracking-rows.ts';
import { runArtifactUri, searchRuns, searchRunsQuickly } from './tracking-run-search.ts';

const runColumns = `r.key, r.id, r.name, r.experiment AS experimentKey, CAST(e.number AS TEXT) AS experimentId,
  r.user, r.status, r.start_time AS startTime, r.end_time AS endTime, r.deleted, ${runArtifactUri} AS artifactUri`;
const runTables = 'tracking_runs r JOIN tracking_experiments e ON e.key = r.experiment';
type KeyValueTuple = readonly [owner: number, key: string, value: string];

const toKeyValue = (row: KeyValueTuple): OwnedKeyValue => ({
  owner: row[0],
  key: row[1],
  value: row[2],
});

type MetricTuple = readonly [
  owner: number,
  key: string,
  value: number,
  nan: number,
  timestamp: number,
  step: number,
];

const toMetric = (row: MetricTuple): OwnedMetric => ({
  owner: row[0],
  key: row[1],
  value: row[3] === 1 ? Number.NaN : row[2],
  timestamp: row[4],
  step: row[5],
});

interface StoredInput {
  readonly owner: number;
  readonly name: string;
  readonly digest: string;
  readonly sourceType: string;
  readonly source: string;
  readonly schema: string | null;
  readonly profile: string | null;
  readonly tags: string;
}

/** Queries of experiments, runs, logged models and artifact files in SQLite. Caches nothing. */
export class SqliteTrackingReader implements TrackingReader {
  protected readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  findExperiment(workspace: string, id: string): ExperimentRow | undefined {
    return findExperiment(this.db, workspace, id);
  }

  findExperimentByName(workspace: string, name: string): ExperimentRow | undefined {
    return findExperimentByName(this.db, workspace, name);
  }

  nextExperimentId(workspace: string): number {
    const row = this.db.get<{ last: number | null }>(
      'SELECT max(number) AS last FROM tracking_experiments WHERE workspace = ?',
      workspace,
    );
    return (row?.last ?? 0) + 1;
  }

  experimentTags(keys: readonly number[]): OwnedKeyValue[] {
    return keyValues(
      this.db,
      `SELECT t.experiment AS owner, t.name AS key, t.value FROM json_each(?) j
       JOIN tracking_experiment_tags t ON t.experiment = j.value ORDER BY t.experiment, t.name`,
      keys,
    );
  }

  searchExperiments(search: Search): number[] {
    return searchExperiments(this.db, search);
  }

  getExperiments(keys: readonly number[]): ExperimentRow[] {
    return getExperiments(this.db, keys);
  }

  newestRunId(): string | undefined {
    return this.db.get<{ id: string }>('SELECT id FROM tracking_runs ORDER BY key DESC LIMIT 1')
      ?.id;
  }

  hasId(kind: 'run' | 'model', id: string): boolean {
    const table = kind === 'run' ? 'tracking_runs' : 'tracking_models';
    return this.db.get(`SELECT 1 FROM ${table} WHERE id = ?`, id) !== undefined;
  }

  findRunHead(workspace: string, id: string): RunHead | undefined {
    const row = this.db.get<Stored<RunHead>>(
      `SELECT r.key, r.experiment AS experimentKey, CAST(e.number AS TEXT) AS experimentId,
         ${runArtifactUri} AS artifactUri, r.deleted
       FROM ${runTables} WHERE r.id = ? AND e.workspace = ?`,
      id,
      workspace,
    );
    return row === undefined ? undefined : staged<RunHead>(row);
  }

  findRun(workspace: string, id: string): RunRow | undefined {
    const row = this.db.get<Stored<RunRow>>(
      `SELECT ${runColumns} FROM ${runTables} WHERE r.id = ? AND e.workspace = ?`,
      id,
      workspace,
    );
    return row === undefined ? undefined : staged<RunRow>(row);
  }

  findRuns(workspace: string, ids: readonly string[]): RunRow[] {
    const rows = this.db.all<Stored<RunRow>>(
      `SELECT ${runColumns} FROM json_each(?) j CROSS JOIN tracking_runs r ON r.id = j.value
       JOIN tracking_experiments e ON e.key = r.experiment WHERE e.workspace = ?`,
      JSON.stringify(ids),
      workspace,
    );
    return rows.map((row) => staged<RunRow>(row));
  }

  searchRuns(search: RunSearch): number[] {
    return searchRuns(this.db, search);
  }

  searchRunsQuickly(search: RunSearch): number[] | undefined {
    return searchRunsQuickly(this.db, search);
  }

  getRuns(keys: readonly number[]): RunRow[] {
    const rows = this.db.all<Stored<RunRow>>(
      `SELECT ${runColumns} FROM json_each(?) j CROSS JOIN tracking_runs r ON r.key = j.value
       JOIN tracking_experiments e ON e.key = r.experiment ORDER BY j.key`,
      JSON.stringify(keys),
    );
    return rows.map((row) => staged<RunRow>(row));
  }

  runIdsOfExperiment(key: number): string[] {
    const rows = this.db.all<{ id: string }>(
      'SELECT id FROM tracking_runs WHERE experiment = ? ORDER BY key',
      key,
    );
    return rows.map(({ id }) => id);
  }

  params(keys: readonly number[], position = Number.MAX_SAFE_INTEGER): OwnedKeyValue[] {
    const rows = this.db.tuples<KeyValueTuple>(
      `SELECT t.run, n.name, t.value FROM json_each(?) j
       CROSS JOIN tracking_params t ON t.run = j.value JOIN tracking_names n ON n.key = t.name
       WHERE t.position <= ? ORDER BY t.run, n.name`,
      JSON.stringify(keys),
      position,
    );
    return rows.map(toKeyValue);
  }

  tags(keys: readonly number[]): OwnedKeyValue[] {
    const rows = this.db.tuples<KeyValueTuple>(
      `SELECT t.run, n.name, t.value FROM json_each(?) j
       CROSS JOIN tracking_tags t ON t.run = j.value JOIN tracking_names n ON n.key = t.name
       ORDER BY t.run, n.name`,
      JSON.stringify(keys),
    );
    return rows.map(toKeyValue);
  }

  findParam(run: number, key: string): string | undefined {
    const row = this.db.get<{ value: string }>(
      `SELECT value FROM tracking_params
       WHERE run = ? AND name = (SELECT key FROM tracking_names WHERE name = ?)`,
      run,
      key,
    );
    return row?.value;
  }

  findTag(run: number, key: string): string | undefined {
    const row = this.db.get<{ value: string }>(
      `SELECT value FROM tracking_tags
       WHERE run = ? AND name = (SELECT key FROM tracking_names WHERE name = ?)`,
      run,
      key,
    );
    return row?.value;
  }

  latestMetrics(keys: readonly number[]): OwnedMetric[] {
    const rows = this.db.tuples<MetricTuple>(
      `SELECT t.run, n.name, t.value, t.nan, t.timestamp, t.step FROM json_each(?) j
       CROSS JOIN tracking_latest_metrics t ON t.run = j.value JOIN tracking_names n ON n.key = t.name
       ORDER BY t.run, n.name`,
      JSON.stringify(keys),
    );
    return rows.map(toMetric);
  }

  metricParts(run: number): MetricPart[] {
    return metricParts(this.db, run);
  }

  pointsOfParts(
    run: number,
    span: { readonly lastPart: number; readonly until: number },
  ): MetricPoint[] {
    return pointsOfParts(this.db, run, span);
  }

  hasMetric(run: number, { key, value, timestamp, step }: MetricPoint): boolean {
    const nan = Number.isNaN(value);
    const row = this.db.get(
      `${partsOfRun} SELECT 1 FROM parts CROSS JOIN tracking_metrics t
       ON t.run = ?1 AND t.part = parts.part AND t.name = (SELECT key FROM tracking_names WHERE name = ?2)
       AND t.timestamp = ?3 AND t.step = ?4 AND t.value = ?5 AND t.nan = ?6`,
      run,
      key,
      timestamp,
      step,
      nan ? 0 : value,
      nan ? 1 : 0,
    );
    return row !== undefined;
  }

  countMetrics(run: number): number {
    return this.#count('SELECT count(*) AS n FROM tracking_metrics WHERE run = ?', run);
  }

  countLoggedModelMetrics(model: number): number {
    return this.#count('SELECT count(*) AS n FROM tracking_model_metrics WHERE model = ?', model);
  }

  #count(sql: string, owner: number): number {
    return this.db.get<{ n: number }>(sql, owner)?.n ?? 0;
  }

  metricHistories(search: MetricHistorySearch): RunPoints[] {
    return historyOf(this.db, search);
  }

  metricSamples(search: MetricSampleSearch): RunPoints[] {
    return samplesOf(this.db, search);
  }

  boundOfPoints(runs: readonly number[]): number {
    return boundOfPoints(this.db, runs);
  }

  datasetSummaries(search: DatasetSummarySearch): DatasetSummary[] {
    return datasetSummaries(this.db, search);
  }

  inputs(keys: readonly number[]): InputRow[] {
    const rows = this.db.all<StoredInput>(
      `SELECT i.run AS owner, d.name, d.digest, d.source_type AS sourceType, d.source, d.schema,
       d.profile, i.tags FROM json_each(?) j CROSS JOIN tracking_inputs i ON i.run = j.value
       JOIN tracking_datasets d ON d.key = i.dataset ORDER BY i.run, d.name, d.digest`,
      JSON.stringify(keys),
    );
    return rows.map(({ owner, tags, schema, profile, ...dataset }) => ({
      owner,
      dataset: { ...dataset, schema: schema ?? undefined, profile: profile ?? undefined },
      // Written by putInput as a list of key-value pairs.
      tags: JSON.parse(tags) as InputRow['tags'],
    }));
  }

  modelInputs(keys: readonly number[]): ModelLinkRow[] {
    return this.db.all<ModelLinkRow>(
      `SELECT t.run AS owner, t.model, 0 AS step FROM json_each(?) j
       JOIN tracking_model_inputs t ON t.run = j.value ORDER BY t.run, t.model`,
      JSON.stringify(keys),
    );
  }

  modelOutputs(keys: readonly number[]): ModelLinkRow[] {
    return this.db.all<ModelLinkRow>(
      `SELECT t.run AS owner, t.model, t.step FROM json_each(?) j
       JOIN tracking_model_outputs t ON t.run = j.value ORDER BY t.run, t.step, t.model`,
      JSON.stringify(keys),
    );
  }

  findLoggedModel(workspace: string, id: string): LoggedModelRow | undefined {
    return findLoggedModel(this.db, workspace, id);
  }

  searchLoggedModels(search: LoggedModelSearch): number[] {
    return searchLoggedModels(this.db, search);
  }

  getLoggedModels(keys: readonly number[]): LoggedModelRow[] {
    return getLoggedModels(this.db, keys);
  }

  loggedModelParams(keys: readonly number[]): OwnedKeyValue[] {
    return loggedModelParams(this.db, keys);
  }

  loggedModelTags(keys: readonly number[]): OwnedKeyValue[] {
    return loggedModelTags(this.db, keys);
  }

  loggedModelMetrics(keys: readonly number[]): OwnedMetric[] {
    return loggedModelMetrics(this.db, keys);
  }

  findArtifact(workspace: string, path: string): ArtifactRow | undefined {
    return this.db.get<ArtifactRow>(
      'SELECT path, digest, bytes FROM tracking_artifacts WHERE workspace = ? AND path = ?',
      workspace,
      path,
    );
  }

  artifactsBelow(workspace: string, directory: string, limit: number): ArtifactRow[] {
    return this.db.all<ArtifactRow>(
      `SELECT path, digest, bytes FROM tracking_artifacts
       WHERE workspace = ? AND path >= ? AND path < ? ORDER BY path LIMIT ?`,
      workspace,
      `${directory}/`,
      `${directory}0`,
      limit,
    );
  }

  namedBlobs(): string[] {
    return listNamedBlobs(this.db);
  }

  listArtifacts(workspace: string, directory: string, limit: number): ListedArtifact[] {
    return listDirectory(this.db, workspace, { directory, limit });
  }
}
