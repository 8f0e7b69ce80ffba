import { afterEach, beforeEach, expect, test } from 'vitest';
import { WherefromError } from '../../../base/errors.ts';
import { limits } from '../../../base/limits.ts';
import { startImportServer } from '../../../testing/mlflow-import.ts';
import { cutBySize } from './accept-pages.ts';
import type { RestClient } from './rest-client.ts';
import { readRestTraces } from './rest-traces.ts';

type Imports = Awaited<ReturnType<typeof startImportServer>>;

let imports: Imports;

beforeEach(async () => {
  imports = await startImportServer();
});
afterEach(() => imports.close());

const experiment = `INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time)
  VALUES (1, 'chat', 's3://b/1', 'active', 1000, 2000);`;

/** A trace with one span. Zeroes are no id of a span. */
function traceRows(trace: number, spanId: number): string {
  const id = (number: number, bytes: number): string =>
    number.toString(16).padStart(bytes * 2, '0');
  const base64 = (number: number, bytes: number): string =>
    Buffer.from(id(number, bytes), 'hex').toString('base64');
  const request = `tr-${id(trace, 16)}`;
  const content = JSON.stringify({
    trace_id: base64(trace, 16),
    span_id: base64(spanId, 8),
    parent_span_id: null,
    name: 'ask',
    start_time_unix_nano: 1_000_000,
    end_time_unix_nano: 2_000_000,
    attributes: {},
    events: [],
    links: [],
    status: { code: 'STATUS_CODE_OK', message: '' },
  });
  return `INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, execution_time_ms, status) VALUES ('${request}', 1, ${trace}, 1, 'OK');
    INSERT INTO trace_tags (request_id, key, value) VALUES ('${request}', 'mlflow.trace.spansLocation', 'TRACKING_STORE');
    INSERT INTO spans (trace_id, experiment_id, span_id, name, status, start_time_unix_nano, content)
      VALUES ('${request}', 1, '${id(spanId, 8)}', 'ask', 'OK', 1000000, '${content}');`;
}

test('a span that cannot be kept holds back no spans of other traces', async () => {
  imports.makeDatabase(
    '3.17.2',
    `${experiment}${traceRows(1, 1)}${traceRows(2, 0)}${traceRows(3, 3)}`,
  );
  const report = await imports.importAll();
  expect(report.brought).toMatchObject({ traces: 3, spans: 2 });
  expect(report.troubles).toHaveLength(1);
  expect(report.troubles[0]?.what).toMatch(/^1 spans from trace 0+2$/);
  expect((await imports.importAll()).there).toMatchObject({ traces: 3, spans: 2 });
});

test('a point that was logged in nanoseconds is left out alone, and named', async () => {
  const run = 'a'.repeat(32);
  const points = [1, 2, 3].map(
    (step) =>
      `INSERT INTO metrics (run_uuid, key, timestamp, step, value, is_nan) VALUES ('${run}', 'loss', ${step === 2 ? '1795250000000000000' : `179525000000${step}`}, ${step}, 0.5, 0);`,
  );
  imports.makeDatabase(
    '3.17.2',
    `${experiment}
    INSERT INTO runs (run_uuid, name, source_type, user_id, status, start_time, lifecycle_stage, artifact_uri, experiment_id)
      VALUES ('${run}', 'r', 'LOCAL', 'u', 'FINISHED', 1000, 'active', 's3://b/1/r', 1);
    ${points.join('\n')}`,
  );
  const report = await imports.importAll();
  expect(report.brought).toMatchObject({ runs: 1, 'metric points': 2 });
  expect(report.troubles).toMatchObject([
    {
      what: `metrics of run ${run}`,
      reason: expect.stringContaining('loss at step 2 and time 1795250000000000000'),
    },
  ]);
  expect((await imports.importAll()).there).toMatchObject({ runs: 1, 'metric points': 2 });
});

test('a webhook that is in another workspace is said to be', async () => {
  imports.makeDatabase(
    '3.17.2',
    `INSERT INTO webhooks (webhook_id, name, url, status, creation_timestamp, last_updated_timestamp)
      VALUES ('w-1', 'ci', 'https://ci.example/x', 'ACTIVE', 100, 200);`,
  );
  await imports.importAll();
  await imports.target().accept([{ import: 'workspace', body: { name: 'risk', description: '' } }]);
  const report = await imports.importAll(imports.target('risk'));
  expect(report.troubles).toEqual([
    { what: 'webhook ci', reason: 'Webhook w-1 is in another workspace here.' },
  ]);
});

test('a server that fails or refuses is no server without traces; one that is too old is', async () => {
  const read = async (code: 'storage_unavailable' | 'forbidden' | 'not_found'): Promise<number> => {
    const fail = (): Promise<never> => Promise.reject(new WherefromError(code, 'no'));
    const client: RestClient = { get: fail, post: fail, fetch: fail };
    let pages = 0;
    for await (const _ of readRestTraces(client, { runs: new Map([['1', []]]), prompts: [] }))
      pages += 1;
    return pages;
  };
  await expect(read('storage_unavailable')).rejects.toThrow('no');
  await expect(read('forbidden')).rejects.toThrow('no');
  expect(await read('not_found')).toBe(0);
});

test('what is sent is cut by count and by size, and nothing is left out', () => {
  const large = 'x'.repeat(limits.importRequestBytesMax / 2);
  expect(cutBySize([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
  expect(cutBySize([large, large, large], 100).map(({ length }) => length)).toEqual([1, 1, 1]);
  expect(cutBySize([`${large}${large}${large}`, 1], 100).map(({ length }) => length)).toEqual([
    1, 1,
  ]);
  expect(cutBySize([], 10)).toEqual([]);
});
