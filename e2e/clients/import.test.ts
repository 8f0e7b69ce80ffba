import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillImportSource, pointOf, runIdOf } from '../../bench/import-source.ts';
import type { Answer } from '../../src/contract/answer.ts';
import { parseRef } from '../../src/facts/ref.ts';
import { type ChildServer, createKey, startChildServer } from '../server.ts';
import { command, createImportHarness, entries, type Printed } from './import-harness.ts';

const run = promisify(execFile);

let harness: Awaited<ReturnType<typeof createImportHarness>>;
let importFrom: (typeof harness)['importFrom'];
let serve: (typeof harness)['serve'];
let directory: string;
let database: string;
let made: { readonly model_id: string; readonly run: string; readonly gone: string };
/** What MLflow itself shows of the database. */
let there: Printed;
/** The same of traces, evaluation datasets and scorers. */
let genai: Printed;
const servers: ChildServer[] = [];

/** Every experiment, run, history, model, version, alias and file; and models that were loaded. */
const dump = (uri: string, more: object = {}): Promise<Printed> =>
  harness.script(
    'import_dump.py',
    uri,
    ['models:/credit-risk@champion', 'models:/credit-risk/1', `models:/${made.model_id}`],
    more,
  );

const dumpGenai = (uri: string, more: object = {}): Promise<Printed> =>
  harness.script('import_genai.py', uri, ['dump'], more);

beforeAll(async () => {
  harness = await createImportHarness();
  ({ importFrom, serve, directory, database } = harness);
  const { script } = harness;
  made = await script('import_source.py', `sqlite:///${database}`);
  await script('import_genai.py', `sqlite:///${database}`, ['fill']);
  there = await dump(`sqlite:///${database}`);
  genai = await dumpGenai(`sqlite:///${database}`);
});
afterAll(async () => {
  for (const server of servers) await server.stop();
  await harness.close();
});

describe('a database that real mlflow made', () => {
  let server: ChildServer;
  let size: number;

  test('comes over whole: the real client sees the same on both sides', async () => {
    const data = join(directory, 'data');
    const report = await importFrom(`sqlite:///${database}`, '--data', data);
    expect(report.troubles).toEqual([]);
    expect(report.brought).toMatchObject({ runs: 8, 'metric points': 2509, aliases: 2 });
    expect(report.brought).toMatchObject({ traces: 6, spans: 12, 'evaluation records': 5 });
    expect(report.left).toEqual([]);
    server = await serve(data);
    const here = await dump(server.url);
    expect(here).toEqual(there);
    expect(await dumpGenai(server.url)).toEqual(genai);
    expect(here.predictions).toHaveLength(3);
    size = await entries(server.url);
  });

  test('says nothing new the second time: no entry is added', async () => {
    const report = await importFrom(`sqlite:///${database}`, '--to', server.url);
    expect(Object.values(report.brought).every((count) => count === 0)).toBe(true);
    expect(report.there).toMatchObject({ runs: 8, 'metric points': 2509, traces: 6, spans: 12 });
    expect(await entries(server.url)).toBe(size);
  });

  test('is traced from the model version back to run, code, environment and data', async () => {
    const ref = encodeURIComponent('modelVersion:default/credit-risk@3');
    const answer = await fetch(`${server.url}/api/wherefrom/v1/trace?ref=${ref}`);
    const { edges } = (await answer.json()) as Answer;
    const read = edges.map(
      ({ from, relation, to }) => `${parseRef(from).kind} ${relation} ${parseRef(to).kind}`,
    );
    expect(read).toEqual(
      expect.arrayContaining([
        'artifact registered-as modelVersion',
        'run produced artifact',
        'environment used-by artifact',
        'code used-by run',
        'agent did run',
        'datasetVersion read-by run',
      ]),
    );
  });

  test('has traces that are traced back to the model, the prompt and the documents', async () => {
    const id = Object.keys(genai.traces ?? {}).find((each) =>
      (genai.by_prompt as readonly string[]).includes(each),
    );
    const ref = encodeURIComponent(`prediction:default/${id}`);
    const answer = await fetch(`${server.url}/api/wherefrom/v1/trace?ref=${ref}`);
    const { edges } = (await answer.json()) as Answer;
    const read = edges.map(({ from, relation }) => `${parseRef(from).kind} ${relation}`);
    expect(read).toEqual(
      expect.arrayContaining(['model served', 'modelVersion read-by', 'dataset read-by']),
    );
  });
});

describe('a running mlflow server', () => {
  test('comes over through REST, into a server that asks for keys', async () => {
    let key = '';
    const server = await startChildServer([], async (data) => {
      key = await createKey(data, ['--role', 'admin']);
    });
    servers.push(server);
    const mlflow = await harness.startMlflow();
    try {
      const report = await importFrom(mlflow.url, '--to', server.url, '--key', key);
      expect(report.troubles).toEqual([]);
      const here = await dump(server.url, { MLFLOW_TRACKING_TOKEN: key });
      expect(here).toEqual(there);
      expect(await dumpGenai(server.url, { MLFLOW_TRACKING_TOKEN: key })).toEqual(genai);
      const again = await importFrom(mlflow.url, '--to', server.url, '--key', key);
      expect(Object.values(again.brought).every((count) => count === 0)).toBe(true);
    } finally {
      mlflow.stop();
    }
  });
});

interface Progress {
  readonly step: string;
  readonly points: number;
}

/** Imports the database and kills it when the progress is as wanted. */
async function breakOff(
  source: string,
  data: string,
  when: (progress: Progress) => boolean,
): Promise<void> {
  const args = ['import', 'mlflow', `sqlite:///${source}`, '--data', data, '--json'];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], env: harness.quiet });
  for await (const line of createInterface({ input: child.stdout })) {
    const { progress } = JSON.parse(line);
    if (progress && when(progress)) break;
  }
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const hex = (number: number, digits: number): string =>
  (number + 1).toString(16).padStart(digits, '0');
const traceIdOf = (index: number): string => `tr-${hex(index, 32)}`;

/** Adds traces of two spans to a database that has MLflow's tables. */
function fillTraces(path: string, count: number): void {
  const db = new DatabaseSync(path);
  db.exec('PRAGMA synchronous=OFF; BEGIN');
  const addTrace = db.prepare(
    "INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, execution_time_ms, status) VALUES (?, 1, ?, 5, 'OK')",
  );
  const addTag = db.prepare(
    "INSERT INTO trace_tags (request_id, key, value) VALUES (?, 'mlflow.trace.spansLocation', 'TRACKING_STORE')",
  );
  const addSpan = db.prepare(
    "INSERT INTO spans (trace_id, experiment_id, span_id, parent_span_id, name, status, start_time_unix_nano, end_time_unix_nano, content) VALUES (?, 1, ?, ?, ?, 'OK', ?, ?, ?)",
  );
  const base64 = (id: string): string => Buffer.from(id, 'hex').toString('base64');
  for (let index = 0; index < count; index += 1) {
    const id = traceIdOf(index);
    const time = 1_700_000_000_000 + index;
    addTrace.run(id, time);
    addTag.run(id);
    const root = hex(2 * index, 16);
    for (const [span, parent, name] of [
      [root, null, `root ${index}`],
      [hex(2 * index + 1, 16), root, `child ${index}`],
    ] as const) {
      const start = BigInt(time) * 1_000_000n;
      const content = JSON.stringify({
        trace_id: base64(id.slice(3)),
        span_id: base64(span),
        parent_span_id: parent === null ? null : base64(parent),
        name,
        start_time_unix_nano: String(start),
        end_time_unix_nano: String(start + 5_000_000n),
        status: { code: 'STATUS_CODE_OK', message: '' },
        attributes: { 'mlflow.spanInputs': JSON.stringify({ text: 'x'.repeat(2_000) }) },
      });
      addSpan.run(id, span, parent, name, start, start + 5_000_000n, content);
    }
  }
  db.exec('COMMIT');
  db.close();
}

describe('an import that is broken off', () => {
  // Some seconds each: progress is told once a second, and there must be something left to kill.
  const size = { runs: 5_000, pointsPerRun: 60 };
  const traceCount = 4_000;

  test('in the middle of its traces goes on with those that are missing', async () => {
    const source = join(directory, 'traces.db');
    await run(harness.python, ['-m', 'mlflow', 'db', 'upgrade', `sqlite:///${source}`], {
      env: harness.quiet,
    });
    fillImportSource(source, { runs: 1, pointsPerRun: 1 });
    fillTraces(source, traceCount);
    const data = join(directory, 'traces-data');
    await breakOff(source, data, ({ step }) => step === 'traces');
    const report = await importFrom(`sqlite:///${source}`, '--data', data);
    const both = (thing: string): number =>
      (report.brought[thing] ?? 0) + (report.there[thing] ?? 0);
    expect(report.there.traces).toBeGreaterThan(0);
    expect(report.brought.traces).toBeGreaterThan(0);
    expect([both('traces'), both('spans')]).toEqual([traceCount, 2 * traceCount]);
    const again = await importFrom(`sqlite:///${source}`, '--data', data);
    expect(Object.values(again.brought).every((count) => count === 0)).toBe(true);
    const server = await serve(data);
    for (const index of [0, 700, traceCount - 1]) {
      const id = traceIdOf(index);
      const answer = await fetch(`${server.url}/api/3.0/mlflow/traces/get?trace_id=${id}`);
      const { trace } = (await answer.json()) as { trace: { spans: { name: string }[] } };
      expect(trace.spans.map(({ name }) => name)).toEqual([`root ${index}`, `child ${index}`]);
    }
  });

  test('goes on where it stopped, and nothing is lost', async () => {
    const large = join(directory, 'large.db');
    await run(harness.python, ['-m', 'mlflow', 'db', 'upgrade', `sqlite:///${large}`], {
      env: harness.quiet,
    });
    fillImportSource(large, size);
    const data = join(directory, 'large-data');
    const wanted = size.runs * size.pointsPerRun;
    await breakOff(large, data, ({ points }) => points > 0 && points < wanted);

    const report = await importFrom(`sqlite:///${large}`, '--data', data);
    expect(report.there.runs).toBeGreaterThan(0);
    expect(report.brought.runs).toBeGreaterThan(0);
    const points = 'metric points';
    const all = (report.brought[points] ?? 0) + (report.there[points] ?? 0);
    expect(all).toBeGreaterThanOrEqual(size.runs * size.pointsPerRun);
    const again = await importFrom(`sqlite:///${large}`, '--data', data);
    expect(again.there).toMatchObject({ runs: size.runs, [points]: size.runs * size.pointsPerRun });
    const server = await serve(data);
    for (const index of [0, 2_599, size.runs - 1]) await expectHistory(server.url, index);
  });

  async function expectHistory(url: string, index: number): Promise<void> {
    const query = `run_id=${runIdOf(index)}&metric_key=loss`;
    const answer = await fetch(`${url}/api/2.0/mlflow/metrics/get-history?${query}`);
    const { metrics } = (await answer.json()) as { metrics: { step: number; value: unknown }[] };
    const expected = [0, 1, 2, 3, 4, 5].map((step) => {
      const { value, nan } = pointOf(index, step);
      return nan === 1 ? 'NaN' : value;
    });
    expect(metrics.map(({ value }) => value)).toEqual(expected);
  }
});
