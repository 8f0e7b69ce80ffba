/** A database of MLflow with as many runs and points as wanted, in the schema of the real one. */
import { execFile } from 'node:child_process';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface SourceSize {
  readonly runs: number;
  /** In each run, spread over its metrics. */
  readonly pointsPerRun: number;
}

const metricNames = [
  'loss',
  'accuracy',
  'f1',
  'auc',
  'rmse',
  'lr',
  'grad_norm',
  'val_loss',
  'val_auc',
  'seconds',
];
const params = 10;
const startTime = 1_700_000_000_000;
const minuteMs = 60_000;

/** Makes the tables with `mlflow db upgrade`, then fills them: 40 experiments, 10 metrics a run. */
export async function makeImportSource(
  python: string,
  path: string,
  size: SourceSize,
): Promise<void> {
  await run(python, ['-m', 'mlflow', 'db', 'upgrade', `sqlite:///${path}`], {
    env: { ...process.env, MLFLOW_DISABLE_TELEMETRY: 'true', DO_NOT_TRACK: 'true' },
  });
  fillImportSource(path, size);
}

/** Id of a run, always the same. */
export const runIdOf = (index: number): string =>
  (BigInt(index + 1) * 0x9e3779b97f4a7c15n).toString(16).padStart(32, '0').slice(-32);

/** Value of a point, always the same; every 97th is no number. */
export function pointOf(index: number, point: number): { value: number; nan: number } {
  const nan = (index + point) % 97 === 0 ? 1 : 0;
  return { value: nan === 1 ? 0 : Math.sin(index * 31 + point), nan };
}

/** Fills a database that has MLflow's tables. */
export function fillImportSource(path: string, { runs, pointsPerRun }: SourceSize): void {
  const db = new DatabaseSync(path);
  db.exec('PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY; BEGIN');
  const experiments = 40;
  const addExperiment = db.prepare(
    "INSERT OR IGNORE INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time) VALUES (?, ?, ?, 'active', ?, ?)",
  );
  for (let id = 1; id <= experiments; id += 1)
    addExperiment.run(
      id,
      `experiment ${id}`,
      `s3://bucket/mlflow/${id}`,
      startTime + id,
      startTime + id,
    );
  const addRun = db.prepare(
    "INSERT INTO runs (run_uuid, name, source_type, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri, experiment_id) VALUES (?, ?, 'LOCAL', ?, 'FINISHED', ?, ?, 'active', ?, ?)",
  );
  const addParam = db.prepare('INSERT INTO params (run_uuid, key, value) VALUES (?, ?, ?)');
  const addTag = db.prepare('INSERT INTO tags (run_uuid, key, value) VALUES (?, ?, ?)');
  const metric = '(run_uuid, key, timestamp, step, value, is_nan) VALUES (?, ?, ?, ?, ?, ?)';
  const addPoint = db.prepare(`INSERT INTO metrics ${metric}`);
  const addLatest = db.prepare(`INSERT INTO latest_metrics ${metric}`);
  for (let index = 0; index < runs; index += 1) {
    const id = runIdOf(index);
    const experiment = 1 + (index % experiments);
    const from = startTime + index * minuteMs;
    const user = `user${index % 20}`;
    addRun.run(
      id,
      `run-${index}`,
      user,
      from,
      from + minuteMs,
      `s3://bucket/mlflow/${experiment}/${id}/artifacts`,
      experiment,
    );
    for (let i = 0; i < params; i += 1) addParam.run(id, `param_${i}`, String(index % (i + 2)));
    addTag.run(id, 'mlflow.runName', `run-${index}`);
    addTag.run(id, 'mlflow.user', user);
    addTag.run(id, 'mlflow.source.name', `train_${index % 30}.py`);
    addTag.run(id, 'mlflow.source.git.commit', String(index % 50).padStart(40, 'a'));
    const perMetric = Math.ceil(pointsPerRun / metricNames.length);
    for (let point = 0; point < pointsPerRun; point += 1) {
      const key = metricNames[Math.floor(point / perMetric)] ?? 'loss';
      const step = point % perMetric;
      const { value, nan } = pointOf(index, point);
      addPoint.run(id, key, from + step * 100, step, value, nan);
      if (step === perMetric - 1 || point === pointsPerRun - 1)
        addLatest.run(id, key, from + step * 100, step, value, nan);
    }
  }
  db.exec('COMMIT');
  db.close();
}
