import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { root } from '../server.ts';
import { command, type Report } from './import-harness.ts';

const directory = mkdtempSync(join(tmpdir(), 'wherefrom-killed-'));
const data = join(directory, 'data');
const source = join(directory, 'mlflow.db');
const fixtures = join(root, 'src', 'protocols', 'mlflow', 'import', 'fixtures');
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Enough of each that several commits are needed. */
const sizes = {
  runs: 3_000,
  traces: 1_500,
  records: 4_000,
  issues: 4_000,
  schemas: 3_000,
  queues: 1_500,
};

function query(sql: string): void {
  const db = new DatabaseSync(source);
  db.exec(`PRAGMA synchronous=OFF; BEGIN; ${sql}; COMMIT`);
  db.close();
}

/** Numbers from 1. */
const numbers = (count: number): string =>
  `WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;

/** A source with much of what came last into imports. */
function fill(): void {
  query(`${readFileSync(join(fixtures, 'schema-3.17.2.sql'), 'utf8')};
    INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time)
      VALUES (1, 'many', 's3://b/1', 'active', 1, 1);
    ${numbers(sizes.runs)} INSERT INTO runs (run_uuid, name, user_id, experiment_id, artifact_uri, status, start_time, lifecycle_stage)
      SELECT printf('%032x', i), 'run', 'ada', 1, 's3://b/1/' || i, 'RUNNING', 1000 + i, 'active' FROM n;
    ${numbers(sizes.runs)} INSERT INTO tags (run_uuid, key, value) SELECT printf('%032x', i), 'team', 'old' FROM n;
    ${numbers(sizes.traces)} INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, execution_time_ms, status)
      SELECT printf('tr-%032x', i), 1, 1000 + i, 5, 'OK' FROM n;
    ${numbers(sizes.traces)} INSERT INTO trace_tags (request_id, key, value) SELECT printf('tr-%032x', i), 'team', 'old' FROM n;
    INSERT INTO evaluation_datasets (dataset_id, name, digest, schema, profile, created_time, last_update_time, workspace)
      VALUES ('d-1', 'golden', 'aaaaaaaa', '{}', '{}', 1, 1, 'default');
    ${numbers(sizes.records)} INSERT INTO evaluation_dataset_records (dataset_record_id, dataset_id, inputs, expectations, tags, created_time, last_update_time, input_hash)
      SELECT 'dr-' || i, 'd-1', '{"q":' || i || '}', '{"e":"old"}', '{}', 1, 1, 'h' || i FROM n;
    ${numbers(sizes.issues)} INSERT INTO issues (issue_id, experiment_id, name, description, status, created_timestamp, last_updated_timestamp)
      SELECT 'iss-' || i, 1, 'issue ' || i, 'd', 'pending', i, i FROM n;
    ${numbers(sizes.schemas)} INSERT INTO label_schemas (schema_id, experiment_id, name, type, instruction, enable_comment, input_type, input_config, created_time, last_update_time, is_default)
      SELECT 'ls-' || i, 1, 'question ' || i, 'feedback', 'old', 0, 'text', '{"max_length": null}', i, i, 0 FROM n;
    ${numbers(sizes.queues)} INSERT INTO review_queues (queue_id, experiment_id, name, name_key, queue_type, creation_time_ms, last_update_time_ms)
      SELECT 'rq-' || i, 1, 'Queue ' || i, 'queue ' || i, 'custom', i, i FROM n;
    ${numbers(sizes.queues)} INSERT INTO review_queue_items (queue_id, item_type, item_id, status, creation_time_ms, last_update_time_ms)
      SELECT 'rq-' || i, 'trace', printf('tr-%032x', i), 'pending', i, i FROM n`);
}

/** The same things go on at the source. */
const goOn = (): void =>
  query(`UPDATE runs SET status = 'FINISHED', end_time = 9000; UPDATE tags SET value = 'new';
    UPDATE trace_tags SET value = 'new';
    UPDATE evaluation_dataset_records SET expectations = '{"e":"new"}', last_update_time = 2;
    UPDATE evaluation_datasets SET digest = 'bbbbbbbb', last_update_time = 2;
    UPDATE issues SET status = 'resolved', last_updated_timestamp = 9000;
    UPDATE label_schemas SET instruction = 'new', last_update_time = 9000;
    UPDATE review_queue_items SET status = 'complete', completed_by = 'ada', completed_time_ms = 9000, last_update_time_ms = 9000`);

/** One number of the store, as the newest commit left it; 0 while there is no store. */
function count(sql: string): number {
  const path = join(data, 'store.db');
  if (!existsSync(path)) return 0;
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return Number(db.prepare(`SELECT count(*) AS n FROM ${sql}`).get()?.n ?? 0);
  } catch {
    return 0; // no tables yet, or busy
  } finally {
    db.close();
  }
}

const argv = ['import', 'mlflow', `sqlite:///${source}`, '--data', data, '--json'];

async function importAll(): Promise<Report> {
  const { stdout } = await promisify(execFile)(command, argv, { maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}').report;
}

/** Starts the import and kills it once `sql` counts some, but not all. @returns how many there were. */
async function killAmong(sql: string): Promise<number> {
  const child = spawn(command, argv, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  while (child.exitCode === null && count(sql) === 0) await sleep(2);
  child.kill('SIGKILL');
  await ended;
  return count(sql);
}

/** What the counts are once all is here, in the order of the import. */
const parts = [
  ["tracking_runs WHERE status = 'STATE'", sizes.runs],
  ["evaluation_records WHERE expectations LIKE '%STATE%'", sizes.records],
  ["issues WHERE status = 'STATE'", sizes.issues],
  ["label_schemas WHERE instruction = 'STATE'", sizes.schemas],
  ["review_items WHERE status = 'STATE'", sizes.queues],
] as const;
const states = {
  first: ['RUNNING', 'old', 'pending', 'old', 'pending'],
  second: ['FINISHED', 'new', 'resolved', 'new', 'complete'],
} as const;
const whole = {
  runs: sizes.runs,
  traces: sizes.traces,
  'evaluation records': sizes.records,
  issues: sizes.issues,
  'label schemas': sizes.schemas,
  'review queues': sizes.queues,
  'review items': sizes.queues,
};

describe.each(['first', 'second'] as const)(
  'the %s import, killed in the middle of each part',
  (time) => {
    test('goes on where it stopped: nothing twice, nothing lost', async () => {
      if (time === 'first') fill();
      else goOn();
      const counts = parts.map(
        ([sql, all], index) => [sql.replace('STATE', states[time][index] ?? ''), all] as const,
      );
      let inTheMiddle = 0;
      for (const [sql, all] of counts) {
        const reached = await killAmong(sql);
        expect(reached).toBeGreaterThan(0);
        if (reached < all) inTheMiddle += 1;
      }
      expect(inTheMiddle).toBe(counts.length);
      const report = await importAll();
      expect([report.troubles, report.differences]).toEqual([[], []]);
      expect(counts.map(([sql]) => count(sql))).toEqual(counts.map(([, all]) => all));
      const again = await importAll();
      expect(again.there).toMatchObject(whole);
      expect(
        Object.values({ ...again.brought, ...again.changed }).every((each) => each === 0),
      ).toBe(true);
      expect([again.troubles, again.differences]).toEqual([[], []]);
    });
  },
);
