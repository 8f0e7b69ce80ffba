import type {
  KeyValue,
  MetricPoint,
  RunStatus,
  TrackedDataset,
} from '../../facts/tracking-facts.ts';
import type {
  ExperimentRow,
  LifecycleStage,
  NewExperiment,
  NewRun,
  RunHead,
  TrackingReader,
  TrackingStore,
} from '../../tracking/index.ts';
import { BoundedMap } from './cache.ts';
import { type Database, rowInsert } from './database.ts';
import { defaultExperiment, experimentNumber } from './tracking-experiments.ts';
import { SqliteLoggedModelStore } from './tracking-model-store.ts';
import { SqliteTrackingReader } from './tracking-reader.ts';

const tagRows = rowInsert(
  'INSERT INTO tracking_tags (run, name, value) VALUES',
  3,
  'ON CONFLICT (run, name) DO UPDATE SET value = excluded.value',
);
const paramRows = rowInsert(
  'INSERT OR IGNORE INTO tracking_params (run, name, value, position) VALUES',
  4,
);
/** Points of the history; one that is there is ignored. */
const metricRows = rowInsert(
  'INSERT OR IGNORE INTO tracking_metrics (run, name, timestamp, step, value, nan) VALUES',
  6,
);
/** Latest is by step, then timestamp, then value: not what was written last. */
const latestRows = rowInsert(
  'INSERT INTO tracking_latest_metrics AS l (run, name, timestamp, step, value, nan) VALUES',
  6,
  `ON CONFLICT (run, name) DO UPDATE SET
   timestamp = excluded.timestamp, step = excluded.step, value = excluded.value, nan = excluded.nan
   WHERE (excluded.step, excluded.timestamp, excluded.value) > (l.step, l.timestamp, l.value)`,
);

const metricRow = (value: number): { value: number; nan: number } =>
  Number.isNaN(value) ? { value: 0, nan: 1 } : { value, nan: 0 };

/** The tracking projection for the writer: reads, writes, and a cache of keys. */
export function createSqliteTrackingStore(db: Database): TrackingStore {
  return new SqliteTrackingStore(db);
}

/** The tracking projection for readers: nothing is remembered between two snapshots. */
export function createSqliteTrackingReader(db: Database): TrackingReader {
  return new SqliteTrackingReader(db);
}

/**
 * The writes of the tracking projection in SQLite. The writer alone uses it: it caches the keys of
 * runs, experiments and names, which `reset` forgets after a rollback.
 */
class SqliteTrackingStore extends SqliteLoggedModelStore implements TrackingStore {
  /** By run id; a run id belongs to one workspace. */
  readonly #runs = new BoundedMap<string, RunHead & { readonly workspace: string }>();
  readonly #names = new BoundedMap<string, number>();
  /** The newest timestamp of each metric of a run. */
  readonly #newest = new BoundedMap<string, number>(20_000);
  #newestRun: string | undefined;
  readonly #defaults = new Set<string>();
  /** By workspace and id; emptied by every write to an experiment. */
  readonly #experiments = new BoundedMap<string, ExperimentRow>();

  reset(): void {
    this.#runs.clear();
    this.#names.clear();
    this.#newest.clear();
    this.#newestRun = undefined;
    this.#defaults.clear();
    this.#experiments.clear();
  }

  override findExperiment(workspace: string, id: string): ExperimentRow | undefined {
    const name = `${id} ${workspace}`;
    const cached = this.#experiments.get(name);
    if (cached !== undefined) return cached;
    const row = super.findExperiment(workspace, id);
    // Key 0 stands for an experiment that is not a row yet.
    if (row !== undefined && row.key !== 0) this.#experiments.set(name, row);
    return row;
  }

  protected override experimentKey(workspace: string, id: string): number {
    return this.#experiments.get(`${id} ${workspace}`)?.key ?? super.experimentKey(workspace, id);
  }

  override findRunHead(workspace: string, id: string): RunHead | undefined {
    const cached = this.#runs.get(id);
    if (cached !== undefined) return cached.workspace === workspace ? cached : undefined;
    const head = super.findRunHead(workspace, id);
    if (head !== undefined) this.#runs.set(id, { ...head, workspace });
    return head;
  }

  override hasMetric(run: number, metric: MetricPoint): boolean {
    const name = this.#findName(metric.key);
    if (name === undefined) return false;
    // Later than all that was logged under the key: it cannot be there yet.
    if (metric.timestamp > this.#newestTimestamp(run, name)) return false;
    const { value, nan } = metricRow(metric.value);
    const row = this.db.get(
      `SELECT 1 FROM tracking_metrics
       WHERE run = ? AND name = ? AND timestamp = ? AND step = ? AND value = ? AND nan = ?`,
      run,
      name,
      metric.timestamp,
      metric.step,
      value,
      nan,
    );
    return row !== undefined;
  }

  #newestTimestamp(run: number, name: number): number {
    const key = `${run} ${name}`;
    const cached = this.#newest.get(key);
    if (cached !== undefined) return cached;
    const row = this.db.get<{ timestamp: number }>(
      'SELECT timestamp FROM tracking_metrics WHERE run = ? AND name = ? ORDER BY timestamp DESC LIMIT 1',
      run,
      name,
    );
    const newest = row?.timestamp ?? Number.NEGATIVE_INFINITY;
    this.#newest.set(key, newest);
    return newest;
  }

  override newestRunId(): string | undefined {
    this.#newestRun ??= super.newestRunId();
    return this.#newestRun;
  }

  ensureDefaultExperiment(workspace: string, time: number): void {
    if (this.#defaults.has(workspace)) return;
    const { number, name, artifactLocation } = defaultExperiment;
    this.db.run(
      `INSERT OR IGNORE INTO tracking_experiments
       (workspace, number, name, artifact_location, deleted, creation_time, last_update_time)
       VALUES (?, ?, ?, ?, 0, ?, ?)`,
      workspace,
      number,
      name,
      artifactLocation,
      time,
      time,
    );
    this.#defaults.add(workspace);
  }

  putExperiment({ workspace, id, name, artifactLocation, time }: NewExperiment): void {
    this.db.run(
      `INSERT OR IGNORE INTO tracking_experiments
       (workspace, number, name, artifact_location, deleted, creation_time, last_update_time)
       VALUES (?, ?, ?, ?, 0, ?, ?)`,
      workspace,
      experimentNumber(id) ?? 0,
      name,
      artifactLocation,
      time,
      time,
    );
  }

  renameExperiment(workspace: string, id: string, name: string, time: number): void {
    this.#experiments.clear();
    this.db.run(
      'UPDATE tracking_experiments SET name = ?, last_update_time = ? WHERE key = ?',
      name,
      time,
      this.experimentKey(workspace, id),
    );
  }

  stageExperiment(workspace: string, id: string, stage: LifecycleStage, time: number): void {
    this.#experiments.clear();
    const key = this.experimentKey(workspace, id);
    const deleted = stage === 'deleted' ? 1 : 0;
    this.db.run(
      'UPDATE tracking_experiments SET deleted = ?, last_update_time = ? WHERE key = ?',
      deleted,
      time,
      key,
    );
    this.db.run('UPDATE tracking_runs SET deleted = ? WHERE experiment = ?', deleted, key);
    this.#runs.clear();
  }

  putExperimentTag(workspace: string, id: string, key: string, value: string | null): void {
    const experiment = this.experimentKey(workspace, id);
    if (value === null) {
      this.db.run(
        'DELETE FROM tracking_experiment_tags WHERE experiment = ? AND name = ?',
        experiment,
        key,
      );
      return;
    }
    this.db.run(
      'INSERT OR REPLACE INTO tracking_experiment_tags (experiment, name, value) VALUES (?, ?, ?)',
      experiment,
      key,
      value,
    );
  }

  putRun(run: NewRun): void {
    const experimentKey = this.experimentKey(run.workspace, run.experimentId);
    const { lastInsertRowid, changes } = this.db.runApart(
      `INSERT OR IGNORE INTO tracking_runs
       (id, experiment, name, user, status, start_time, deleted, artifact_uri)
       VALUES (?, ?, ?, ?, 'RUNNING', ?, 0, ?)`,
      run.id,
      experimentKey,
      run.name,
      run.user,
      run.startTime,
      run.artifactUri ?? null,
    );
    if (changes === 0) return;
    this.#newestRun = run.id;
    const { workspace, experimentId } = run;
    this.#runs.set(run.id, {
      key: lastInsertRowid,
      experimentKey,
      experimentId,
      stage: 'active',
      workspace,
    });
  }

  updateRun(
    workspace: string,
    id: string,
    change: {
      readonly status?: RunStatus | undefined;
      readonly endTime?: number | undefined;
      readonly name?: string | undefined;
    },
  ): void {
    this.db.run(
      `UPDATE tracking_runs SET status = coalesce(?, status), end_time = coalesce(?, end_time),
       name = coalesce(?, name) WHERE key = ?`,
      change.status ?? null,
      change.endTime ?? null,
      change.name ?? null,
      this.#run(workspace, id),
    );
  }

  stageRun(workspace: string, id: string, stage: LifecycleStage): void {
    const deleted = stage === 'deleted' ? 1 : 0;
    this.db.run(
      'UPDATE tracking_runs SET deleted = ? WHERE key = ?',
      deleted,
      this.#run(workspace, id),
    );
    this.#runs.delete(id);
  }

  putTags(workspace: string, run: string, tags: readonly KeyValue[]): void {
    const owner = this.#run(workspace, run);
    for (const { key, value } of tags) this.db.gather(tagRows, owner, this.#name(key), value);
  }

  deleteTag(workspace: string, run: string, key: string): void {
    this.db.run(
      'DELETE FROM tracking_tags WHERE run = ? AND name = ?',
      this.#run(workspace, run),
      this.#name(key),
    );
  }

  putParams(workspace: string, run: string, params: readonly KeyValue[], position: number): void {
    const owner = this.#run(workspace, run);
    for (const { key, value } of params)
      this.db.gather(paramRows, owner, this.#name(key), value, position);
  }

  putMetrics(workspace: string, run: string, metrics: readonly MetricPoint[]): void {
    const owner = this.#run(workspace, run);
    for (const { key, timestamp, step, value } of metrics) {
      const stored = metricRow(value);
      const name = this.#name(key);
      const newest = this.#newest.get(`${owner} ${name}`);
      if (newest !== undefined && timestamp > newest)
        this.#newest.set(`${owner} ${name}`, timestamp);
      this.db.gather(metricRows, owner, name, timestamp, step, stored.value, stored.nan);
      this.db.gather(latestRows, owner, name, timestamp, step, stored.value, stored.nan);
    }
    for (const metric of metrics) {
      if (metric.model !== undefined) this.#putModelMetric(metric.model, run, metric);
    }
  }

  #putModelMetric(model: string, run: string, metric: MetricPoint): void {
    const { value, nan } = metricRow(metric.value);
    this.db.run(
      `INSERT OR IGNORE INTO tracking_model_metrics
       (model, name, timestamp, step, run, value, nan, dataset_name, dataset_digest)
       SELECT key, ?, ?, ?, ?, ?, ?, ?, ? FROM tracking_models WHERE id = ?`,
      metric.key,
      metric.timestamp,
      metric.step,
      run,
      value,
      nan,
      metric.datasetName ?? null,
      metric.datasetDigest ?? null,
      model,
    );
  }

  putInput(
    workspace: string,
    run: string,
    dataset: TrackedDataset,
    tags: readonly KeyValue[],
  ): void {
    const head = this.#head(workspace, run);
    const { name, digest, sourceType, source, schema, profile } = dataset;
    this.db.run(
      `INSERT OR IGNORE INTO tracking_datasets
       (experiment, name, digest, source_type, source, schema, profile) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      head.experimentKey,
      name,
      digest,
      sourceType,
      source,
      schema ?? null,
      profile ?? null,
    );
    this.db.run(
      `INSERT OR IGNORE INTO tracking_inputs (run, dataset, tags, context)
       SELECT ?, key, ?, ? FROM tracking_datasets WHERE experiment = ? AND name = ? AND digest = ?`,
      head.key,
      JSON.stringify(tags.map(({ key, value }) => ({ key, value }))),
      tags.find(({ key }) => key === 'mlflow.data.context')?.value ?? null,
      head.experimentKey,
      name,
      digest,
    );
  }

  putModelInput(workspace: string, run: string, model: string): void {
    this.db.run(
      'INSERT OR IGNORE INTO tracking_model_inputs (run, model) VALUES (?, ?)',
      this.#run(workspace, run),
      model,
    );
  }

  putModelOutput(workspace: string, run: string, model: string, step: number): void {
    this.db.run(
      'INSERT OR IGNORE INTO tracking_model_outputs (run, model, step) VALUES (?, ?, ?)',
      this.#run(workspace, run),
      model,
      step,
    );
  }

  /** A run that facts speak of was created by an earlier fact: anything else is a broken invariant. */
  #head(workspace: string, id: string): RunHead {
    const head = this.findRunHead(workspace, id);
    if (head === undefined) throw new Error(`tracking: run ${id} is not in workspace ${workspace}`);
    return head;
  }

  #run(workspace: string, id: string): number {
    return this.#head(workspace, id).key;
  }

  #findName(name: string): number | undefined {
    const cached = this.#names.get(name);
    if (cached !== undefined) return cached;
    const row = this.db.getApart<{ key: number }>(
      'SELECT key FROM tracking_names WHERE name = ?',
      name,
    );
    if (row !== undefined) this.#names.set(name, row.key);
    return row?.key;
  }

  #name(name: string): number {
    const known = this.#findName(name);
    if (known !== undefined) return known;
    const { lastInsertRowid } = this.db.runApart(
      'INSERT INTO tracking_names (name) VALUES (?)',
      name,
    );
    this.#names.set(name, lastInsertRowid);
    return lastInsertRowid;
  }
}
