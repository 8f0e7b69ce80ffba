import { WherefromError } from '../../../base/errors.ts';
import { limits } from '../../../base/limits.ts';
import type { Database } from '../../../store/sqlite/database.ts';
import type { Known } from './known.ts';
import type { ImportExperiment, ImportLoggedModel, ImportMetrics, ImportRun } from './messages.ts';
import { tablesLeft } from './schema.ts';
import {
  describeInexact,
  type Left,
  type MlflowSource,
  metricsOf,
  type SourcePoint,
} from './source.ts';
import { columnsOf, openMlflowDatabase } from './sqlite-database.ts';
import { readDatasets, readScorers, readWebhooks } from './sqlite-evaluation.ts';
import { readModels } from './sqlite-models.ts';
import { readIssues, readLabelSchemas, readReviewQueues } from './sqlite-review.ts';
import { groupBy, present, readRuns, type Scope, workspaceOf } from './sqlite-rows.ts';
import { countTraces, readSpans, readTraces } from './sqlite-traces.ts';

/** Runs and models of one page. */
const pageMax = 250;

export interface SqliteSourceOptions {
  /** The database file. */
  readonly path: string;
  /** The workspace of MLflow that is read; `default` is the one of servers without workspaces. */
  readonly workspace: string;
  /** The other workspaces are imported too: what is in them is not told as left. */
  readonly others?: boolean | undefined;
  /** Files behind `mlflow-artifacts:`: the database does not tell where they are. */
  readonly proxied?: MlflowSource['proxied'];
}

/**
 * An MLflow database in SQLite, read beside a server that may be using it. Statements are short: a
 * long one would hold up that server's commits.
 * @throws not_found; invalid_message when it is none, or of an unknown version.
 */
export function openSqliteSource(options: SqliteSourceOptions): MlflowSource {
  const { path, workspace, others, proxied } = options;
  const db = openMlflowDatabase(path);
  try {
    const scope: Scope = { db, workspace, columns: columnsOf(db) };
    return {
      totals: {
        experiments: scopedCount(scope, 'experiments'),
        runs: runIds(scope).length,
        points: countPoints(scope),
        loggedModels: modelIds(scope).length,
        registeredModels: scopedCount(scope, 'registered_models'),
        traces: countTraces(scope),
      },
      experiments: async () => experiments(scope),
      async *runs() {
        for (const ids of pages(runIds(scope))) yield readRuns(scope, ids);
      },
      points: (runs, known, failed) => points(db, { runs, known, failed }),
      async *loggedModels() {
        for (const ids of pages(modelIds(scope))) yield loggedModels(db, ids);
      },
      modelPoints: (models, known) => modelPoints(db, models, known),
      registeredModels: () => readModels(scope),
      traces: () => readTraces(scope),
      spans: (traces, failed) => readSpans(scope, traces, failed),
      evaluationDatasets: () => readDatasets(scope),
      scorers: () => readScorers(scope),
      issues: () => readIssues(scope),
      labelSchemas: () => readLabelSchemas(scope),
      reviewQueues: () => readReviewQueues(scope),
      webhooks: () => readWebhooks(scope),
      left: async () => [...left(scope), ...(others === true ? [] : leftElsewhere(scope))],
      proxied,
      close: () => db.close(),
    };
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

function* pages<T>(ids: readonly T[]): Iterable<readonly T[]> {
  for (let from = 0; from < ids.length; from += pageMax) yield ids.slice(from, from + pageMax);
}

function scopedCount(scope: Scope, table: 'experiments' | 'registered_models'): number {
  const sql = `SELECT count(*) AS n FROM ${table} e WHERE ${workspaceOf(scope, table, 'e')}`;
  return scope.db.get<{ n: number }>(sql)?.n ?? 0;
}

/** Oldest first, so that here too the newest come last. */
function runIds(scope: Scope): string[] {
  const rows = scope.db.all<{ id: string }>(
    `SELECT r.run_uuid AS id FROM runs r JOIN experiments e ON e.experiment_id = r.experiment_id
     WHERE ${workspaceOf(scope, 'experiments', 'e')} ORDER BY r.start_time, r.run_uuid`,
  );
  return rows.map(({ id }) => id);
}

function modelIds(scope: Scope): string[] {
  if (!scope.columns.has('logged_models')) return [];
  const rows = scope.db.all<{ id: string }>(
    `SELECT m.model_id AS id FROM logged_models m JOIN experiments e ON e.experiment_id = m.experiment_id
     WHERE ${workspaceOf(scope, 'experiments', 'e')} ORDER BY m.creation_timestamp_ms, m.model_id`,
  );
  return rows.map(({ id }) => id);
}

function countPoints({ db }: Scope): number {
  return db.get<{ n: number }>('SELECT count(*) AS n FROM metrics')?.n ?? 0;
}

function experiments(scope: Scope): ImportExperiment[] {
  const { db } = scope;
  const rows = db.all<Omit<ImportExperiment, 'tags'>>(
    `SELECT CAST(e.experiment_id AS TEXT) AS experiment_id, e.name, e.artifact_location,
       e.lifecycle_stage, e.creation_time, e.last_update_time
     FROM experiments e WHERE ${workspaceOf(scope, 'experiments', 'e')} ORDER BY e.experiment_id`,
  );
  const tags = groupBy(
    db.all<{ owner: string; key: string; value: string }>(
      `SELECT CAST(experiment_id AS TEXT) AS owner, key, coalesce(value, '') AS value FROM experiment_tags`,
    ),
    ({ owner }) => owner,
  );
  return rows.map((row) => ({ ...present(row), tags: pairs(tags.get(row.experiment_id)) }));
}

const pairs = (
  rows: readonly { readonly key: string; readonly value: string }[] | undefined,
): { key: string; value: string }[] => (rows ?? []).map(({ key, value }) => ({ key, value }));

type PointRow = readonly [
  rowid: number,
  key: string,
  timestamp: number,
  step: number,
  value: number,
  nan: number,
];

/** Of a point: its integers can be told apart from their neighbours, as JSON numbers. */
const isExact = `(${['timestamp', 'step']
  .map((column) => `${column} BETWEEN ${Number.MIN_SAFE_INTEGER} AND ${Number.MAX_SAFE_INTEGER}`)
  .join(' AND ')})`;

/** What a report says of points that are left out. */
function leftOut(db: Database, run: string, count: number): string {
  const some = db.all<{ key: string; timestamp: string; step: string }>(
    `SELECT key, CAST(timestamp AS TEXT) AS timestamp, CAST(step AS TEXT) AS step FROM metrics
     WHERE run_uuid = ? AND NOT ${isExact} ORDER BY rowid LIMIT ${limits.importExamplesMax}`,
    run,
  );
  return describeInexact(some, count);
}

async function* points(
  db: Database,
  of: {
    readonly runs: readonly ImportRun[];
    readonly known: Known['runs'];
    readonly failed: (run: string, reason: string) => void;
  },
): AsyncIterable<ImportMetrics> {
  const ids = of.runs.map(({ run_id }) => run_id);
  const counts = db.all<{ run: string; n: number; inexact: number }>(
    `SELECT run_uuid AS run, sum(${isExact}) AS n, sum(NOT ${isExact}) AS inexact FROM metrics
     WHERE run_uuid IN (SELECT value FROM json_each(?)) GROUP BY run_uuid`,
    JSON.stringify(ids),
  );
  for (const { run, inexact } of counts) if (inexact > 0) of.failed(run, leftOut(db, run, inexact));
  const missing = new Set(
    counts.filter(({ run, n }) => (of.known[run]?.points ?? 0) < n).map(({ run }) => run),
  );
  for (const run of ids.filter((id) => missing.has(id))) {
    try {
      yield* pointsOf(db, run);
    } catch (thrown) {
      // One run's metrics, not the whole import.
      if (thrown instanceof WherefromError) throw thrown;
      of.failed(run, thrown instanceof Error ? thrown.message : String(thrown));
    }
  }
}

/** By rowid, the order in which they were logged: the index on the run holds it. */
async function* pointsOf(db: Database, run: string): AsyncIterable<ImportMetrics> {
  for (let from = -1; ; ) {
    const rows = db.tuples<PointRow>(
      `SELECT rowid, key, timestamp, step, value, is_nan FROM metrics
       WHERE run_uuid = ? AND rowid > ? AND ${isExact} ORDER BY rowid LIMIT ${limits.importPointsPerMessageMax}`,
      run,
      from,
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    yield metricsOf(
      run,
      rows.map(([, key, timestamp, step, value, nan]) => ({
        key,
        timestamp,
        step,
        value: nan === 1 ? 'NaN' : value,
      })),
    );
    if (rows.length < limits.importPointsPerMessageMax) return;
    [from] = last;
  }
}

const modelStatuses = [
  'LOGGED_MODEL_STATUS_UNSPECIFIED',
  'LOGGED_MODEL_PENDING',
  'LOGGED_MODEL_READY',
  'LOGGED_MODEL_UPLOAD_FAILED',
] as const;

function loggedModels(db: Database, ids: readonly string[]): ImportLoggedModel[] {
  const list = JSON.stringify(ids);
  const rows = db.all<Omit<ImportLoggedModel, 'tags' | 'params' | 'status'> & { status: number }>(
    `SELECT model_id, CAST(experiment_id AS TEXT) AS experiment_id, name, model_type, source_run_id,
       artifact_location AS artifact_uri, status, lifecycle_stage, creation_timestamp_ms,
       last_updated_timestamp_ms
     FROM json_each(?) j JOIN logged_models m ON m.model_id = j.value ORDER BY j.key`,
    list,
  );
  const pairsOf = (table: string, name: string) =>
    groupBy(
      db.all<{ owner: string; key: string; value: string }>(
        `SELECT model_id AS owner, ${name}_key AS key, ${name}_value AS value FROM ${table}
         WHERE model_id IN (SELECT value FROM json_each(?))`,
        list,
      ),
      ({ owner }) => owner,
    );
  const tags = pairsOf('logged_model_tags', 'tag');
  const params = pairsOf('logged_model_params', 'param');
  return rows.map(({ status, ...row }) => ({
    ...present(row),
    status: modelStatuses[status] ?? modelStatuses[0],
    tags: pairs(tags.get(row.model_id)),
    params: pairs(params.get(row.model_id)),
  }));
}

interface ModelPointRow {
  readonly run: string;
  readonly model: string;
  readonly key: string;
  readonly timestamp: number;
  readonly step: number;
  readonly value: number | null;
  readonly datasetName: string | null;
  readonly datasetDigest: string | null;
}

const modelPoint = (row: ModelPointRow): SourcePoint => ({
  ...row,
  value: row.value ?? 'NaN',
  datasetName: row.datasetName ?? '',
  datasetDigest: row.datasetDigest ?? '',
});

async function* modelPoints(
  db: Database,
  models: readonly ImportLoggedModel[],
  known: Known['models'],
): AsyncIterable<ImportMetrics> {
  for (const { model_id } of models) {
    // Where NaN was logged the value of the model is 0: the run's own point tells.
    const rows = db.all<ModelPointRow>(
      `SELECT l.run_id AS run, l.model_id AS model, l.metric_name AS key,
         l.metric_timestamp_ms AS timestamp, l.metric_step AS step,
         iif(EXISTS (SELECT 1 FROM metrics m WHERE m.run_uuid = l.run_id AND m.key = l.metric_name
           AND m.timestamp = l.metric_timestamp_ms AND m.step = l.metric_step AND m.is_nan = 1
           AND NOT EXISTS (SELECT 1 FROM metrics o WHERE o.run_uuid = l.run_id
             AND o.key = l.metric_name AND o.timestamp = l.metric_timestamp_ms
             AND o.step = l.metric_step AND o.is_nan = 0)), NULL, l.metric_value) AS value,
         l.dataset_name AS datasetName, l.dataset_digest AS datasetDigest
       FROM logged_model_metrics l WHERE l.model_id = ? ORDER BY l.run_id, l.metric_name`,
      model_id,
    );
    if (rows.length <= (known[model_id]?.points ?? 0)) continue;
    for (const [run, list] of groupBy(rows, (row) => row.run)) {
      for (let from = 0; from < list.length; from += limits.importPointsPerMessageMax) {
        const some = list.slice(from, from + limits.importPointsPerMessageMax);
        yield metricsOf(run, some.map(modelPoint));
      }
    }
  }
}

function left(scope: Scope): Left[] {
  const { db, columns } = scope;
  const found: Left[] = [];
  for (const [table, what] of tablesLeft) {
    if (!columns.has(table)) continue;
    const count = db.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)?.n ?? 0;
    if (count > 0) found.push({ what, count, reason: 'an import does not bring these' });
  }
  return found;
}

function leftElsewhere(scope: Scope): Left[] {
  const { db, workspace } = scope;
  const found: Left[] = [];
  for (const table of ['experiments', 'registered_models'] as const) {
    const sql = `SELECT count(*) AS n FROM ${table} e WHERE NOT (${workspaceOf(scope, table, 'e')})`;
    const count = db.get<{ n: number }>(sql)?.n ?? 0;
    const what = `${table.replace('_', ' ')} of other workspaces`;
    if (count > 0)
      found.push({
        what,
        count,
        reason: `only the workspace ${workspace} was asked for; --all-workspaces brings all`,
      });
  }
  return found;
}
