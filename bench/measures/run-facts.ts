/** Generated runs, each with 5 metrics, 5 parameters and 4 tags. */
import { execFile } from 'node:child_process';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { systemClock } from '../../src/base/clock.ts';
import { createDoor, createWorkspace, defaultWorkspace } from '../../src/door/index.ts';
import type { TrackingFact } from '../../src/facts/tracking-facts.ts';
import { openDataDirectory } from '../../src/server/data-directory.ts';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import { projectTracking } from '../../src/tracking/index.ts';

/** Runs that one transaction writes. */
const runsTogether = 5_000;
const metricNames = ['accuracy', 'loss', 'f1', 'precision', 'recall'] as const;
const paramNames = ['depth', 'rate', 'optimizer', 'seed', 'batch'] as const;
const tagNames = ['team', 'stage', 'region', 'mlflow.source.name'] as const;

/** A number from 0 to 1 that looks random and is the same in every run. */
function spread(index: number, salt: number): number {
  return ((Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(salt + 7, 0x85ebca6b)) >>> 0) / 2 ** 32;
}

/** Id of a generated run. */
const generatedRunId = (index: number): string => index.toString(16).padStart(32, '0');

function generatedRun(index: number) {
  const time = Date.UTC(2026, 0, 1) + index * 1_000;
  const point = (key: string, salt: number) => ({
    key,
    value: spread(index, salt),
    timestamp: time,
    step: 0,
  });
  return {
    run: generatedRunId(index),
    name: `run-${index}`,
    time,
    tags: tagNames.map((key, i) => ({ key, value: `${key}-${(index + i) % 20}` })),
    metrics: metricNames.map(point),
    params: paramNames.map((key, i) => ({ key, value: `${key}-${(index * (i + 3)) % 50}` })),
  };
}

function factsOf(index: number): TrackingFact[] {
  const { run, name, time, tags, metrics, params } = generatedRun(index);
  return [
    {
      kind: 'run.created',
      run,
      experiment: '0',
      name,
      user: 'bench',
      startTime: time,
      tags,
    },
    { kind: 'metrics.logged', run, metrics },
    { kind: 'params.logged', run, params },
  ];
}

/** Makes a database of MLflow with the same runs, by MLflow's own schema. */
export async function fillMlflowRuns(python: string, path: string, count: number): Promise<void> {
  const env = { ...process.env, MLFLOW_DISABLE_TELEMETRY: 'true', DO_NOT_TRACK: 'true' };
  const upgrade = ['-m', 'mlflow', 'db', 'upgrade', `sqlite:///${path}`];
  await promisify(execFile)(python, upgrade, { env });
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA synchronous=OFF; BEGIN;
    INSERT OR IGNORE INTO experiments (experiment_id, name, artifact_location, lifecycle_stage)
      VALUES (0, 'Default', 'mlflow-artifacts:/0', 'active');`);
  const addRun = db.prepare(`INSERT INTO runs
    (run_uuid, name, source_type, user_id, status, start_time, lifecycle_stage, artifact_uri, experiment_id)
    VALUES (?, ?, 'LOCAL', 'bench', 'RUNNING', ?, 'active', ?, 0)`);
  const addTag = db.prepare('INSERT INTO tags (run_uuid, key, value) VALUES (?, ?, ?)');
  const addParam = db.prepare('INSERT INTO params (run_uuid, key, value) VALUES (?, ?, ?)');
  const point = '(run_uuid, key, value, timestamp, step, is_nan) VALUES (?, ?, ?, ?, ?, 0)';
  const addMetric = db.prepare(`INSERT INTO metrics ${point}`);
  const addLatest = db.prepare(`INSERT INTO latest_metrics ${point}`);
  for (let index = 0; index < count; index += 1) {
    const { run, name, time, tags, metrics, params } = generatedRun(index);
    addRun.run(run, name, time, `mlflow-artifacts:/0/${run}/artifacts`);
    for (const { key, value } of tags) addTag.run(run, key, value);
    for (const { key, value } of params) addParam.run(run, key, value);
    for (const { key, value, timestamp, step } of metrics) {
      addMetric.run(run, key, value, timestamp, step);
      addLatest.run(run, key, value, timestamp, step);
    }
  }
  db.exec('COMMIT');
  db.close();
}

/**
 * Fills a new data directory with `count` runs by the projection alone: what search reads is as a
 * server would have written it, without the hour that a million requests take. Its ledger is empty.
 */
export async function fillRuns(path: string, count: number): Promise<void> {
  const directory = openDataDirectory(path);
  const { store } = openSqliteStore(directory.storePath);
  try {
    const clock = systemClock;
    const door = createDoor({ store, clock, log: directory.log, secret: directory.secret });
    await door.submit({
      operation: createWorkspace,
      workspace: defaultWorkspace,
      principal: 'bench',
      body: { name: defaultWorkspace },
    });
    for (let from = 0; from < count; from += runsTogether) {
      await store.transaction(async ({ tracking }) => {
        for (let index = from; index < Math.min(count, from + runsTogether); index += 1) {
          const context = { position: 0, index: 0, time: 0, workspace: defaultWorkspace };
          await projectTracking(factsOf(index), { ...context, principal: 'bench' }, tracking);
        }
      });
    }
  } finally {
    store.close();
    directory.lock?.release();
  }
}
