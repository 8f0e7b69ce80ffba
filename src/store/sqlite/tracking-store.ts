import type {
  KeyValue,
  MetricPoint,
  RunStatus,
  TrackedDataset,
} from '../../facts/tracking-facts.ts';
import type {
  LifecycleStage,
  NewRun,
  RunHead,
  TrackingReader,
  TrackingStore,
} from '../../tracking/index.ts';
import { BoundedMap } from './cache.ts';
import { type Database, rowInsert } from './database.ts';
import { isAfter, type LatestRow, mergeLatest } from './tracking-latest.ts';
import {
  closePart,
  type OpenPart,
  partRows,
  pointsPerPart,
  readOpenPart,
} from './tracking-metric-parts.ts';
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
/** Points of the history; only those that are not there yet. */
const metricRows = rowInsert(
  'INSERT INTO tracking_metrics (run, part, name, timestamp, step, value, nan) VALUES',
  7,
);
const latestRows = rowInsert(
  'INSERT OR REPLACE INTO tracking_latest_metrics (run, name, timestamp, step, value, nan, newest_timestamp, newest_step) VALUES',
  8,
);

/** So many at once get a part of their own: put between others they would dirty all of its pages. */
const pointsOfOwnPart = 64;

/** How a point is put: what is gathered for the latest, and whether it begins a part of its own. */
interface Putting {
  readonly latest: Map<number, LatestRow>;
  readonly own: boolean;
  readonly position: number;
}

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
  /** The latest of each metric of a run, as it is in its table or gathered for it. */
  readonly #latest = new BoundedMap<string, LatestRow>(20_000);
  /** The part of each run that points go into, and how many stand in it. */
  readonly #parts = new BoundedMap<number, OpenPart>();
  #newestRun: string | undefined;

  override reset(): void {
    super.reset();
    this.#runs.clear();
    this.#names.clear();
    this.#latest.clear();
    this.#parts.clear();
    this.#newestRun = undefined;
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
    // After all that was logged under the key: it cannot be there yet.
    return !isAfter(metric, this.#latestOf(run, name)) && super.hasMetric(run, metric);
  }

  /** Undefined when the run has no point of the metric. */
  #latestOf(run: number, name: number): LatestRow | undefined {
    const key = `${run} ${name}`;
    const cached = this.#latest.get(key);
    if (cached !== undefined) return cached;
    const [row] = this.db.tuples<LatestRow>(
      `SELECT run, name, timestamp, step, value, nan, newest_timestamp, newest_step
       FROM tracking_latest_metrics WHERE run = ? AND name = ?`,
      run,
      name,
    );
    if (row !== undefined) this.#latest.set(key, row);
    return row;
  }

  #openPart(run: number): OpenPart {
    const open = this.#parts.get(run) ?? readOpenPart(this.db, run);
    this.#parts.set(run, open);
    return open;
  }

  /** The part that the next point goes into. `own`: one that nothing stands in yet. */
  #part(run: number, position: number, own: boolean): number {
    const open = this.#openPart(run);
    if (open.points >= pointsPerPart || (own && open.points > 0)) {
      open.part += 1;
      open.points = 0;
    }
    if (open.points === 0) this.db.gather(partRows, run, open.part, position);
    open.points += 1;
    return open.part;
  }

  override newestRunId(): string | undefined {
    this.#newestRun ??= super.newestRunId();
    return this.#newestRun;
  }

  override stageExperiment(
    workspace: string,
    id: string,
    stage: LifecycleStage,
    time: number,
  ): void {
    super.stageExperiment(workspace, id, stage, time);
    // Its runs go with it.
    this.#runs.clear();
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
    const { workspace, experimentId, artifactUri } = run;
    // Without a place of its own it is the experiment's to say, when somebody asks.
    if (artifactUri === undefined) return;
    this.#runs.set(run.id, {
      key: lastInsertRowid,
      experimentKey,
      experimentId,
      artifactUri,
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

  closeMetrics(workspace: string, run: string, position: number): void {
    const owner = this.#run(workspace, run);
    const open = this.#openPart(owner);
    if (open.points === 0) return;
    open.points = pointsPerPart;
    closePart(this.db, { run: owner, part: open.part, position });
  }

  putMetrics(
    workspace: string,
    run: string,
    metrics: readonly MetricPoint[],
    position: number,
  ): void {
    const owner = this.#run(workspace, run);
    // In a history most points are not the latest of their metric: one row of each is written.
    const latest = new Map<number, LatestRow>();
    let own = metrics.length >= pointsOfOwnPart;
    for (const metric of metrics) {
      if (this.#putMetric(owner, metric, { latest, own, position })) own = false;
    }
    for (const row of latest.values()) this.db.gather(latestRows, ...row);
    for (const metric of metrics) {
      if (metric.model !== undefined) this.#putModelMetric(metric.model, run, metric);
    }
  }

  /** False when the point is there already. */
  #putMetric(run: number, metric: MetricPoint, { latest, own, position }: Putting): boolean {
    const { key, timestamp, step } = metric;
    const name = this.#name(key);
    const before = this.#latestOf(run, name);
    const isNewest = isAfter(metric, before);
    if (!isNewest && super.hasMetric(run, metric)) return false;
    const { value, nan } = metricRow(metric.value);
    const part = this.#part(run, position, own);
    this.db.gather(metricRows, run, part, name, timestamp, step, value, nan);
    const row: LatestRow = [run, name, timestamp, step, value, nan, timestamp, step];
    const after = before === undefined ? row : mergeLatest(before, row, isNewest);
    if (after !== before) {
      this.#latest.set(`${run} ${name}`, after);
      latest.set(name, after);
    }
    return true;
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
