import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { limits } from '../../../base/limits.ts';
import { type TestServer, testServer } from '../../../testing/server.ts';

const api = '/api/2.0/mlflow';
/** More than are read on the server's thread. */
const count = limits.pointsReadInlineMax + 1_500;
let server: TestServer;
let run: string;

async function createRun(name: string): Promise<string> {
  const body = { experiment_id: '0', run_name: name, user_id: 'ada' };
  const { json } = await server.post(`${api}/runs/create`, body);
  return json.run.info.run_id;
}

beforeAll(async () => {
  server = await testServer();
  run = await createRun('long');
  for (let from = 0; from < count; from += 500) {
    const metrics = Array.from({ length: Math.min(500, count - from) }, (_, index) => {
      const step = from + index;
      return {
        key: 'loss',
        value: step % 7 === 0 ? 'NaN' : step / 8,
        timestamp: 1_000 + step,
        step,
      };
    });
    await server.post(`${api}/runs/log-batch`, { run_id: run, metrics });
  }
}, 60_000);
afterAll(() => server.remove());

const history = (more = '') =>
  server.get(`${api}/metrics/get-history?run_id=${run}&metric_key=loss${more}`);

test('a search whose thread cannot work is refused as MLflow refuses, and the next one is answered', async () => {
  const path = join(server.data, 'store.db');
  renameSync(path, `${path}.away`);
  const refused = await history();
  renameSync(`${path}.away`, path);
  expect(refused).toMatchObject({
    status: 503,
    json: { error_code: 'TEMPORARILY_UNAVAILABLE', message: 'The search ended unexpectedly.' },
  });
  expect(await history('&max_results=1')).toMatchObject({ status: 200 });
});

test('a history longer than is read and written at once is whole and in order', async () => {
  const { status, headers, json } = await history();
  expect(status).toBe(200);
  expect(headers['content-type']).toBe('application/json');
  expect(json.metrics).toHaveLength(count);
  expect(json.metrics.map(({ step }: { step: number }) => step)).toEqual([...Array(count).keys()]);
  expect(json.metrics[9]).toEqual({ key: 'loss', value: 9 / 8, timestamp: 1_009, step: 9 });
  expect(json.metrics[14].value).toBe('NaN');
  expect(Object.keys(json)).toEqual(['metrics']);
});

test('a page of it names the next one', async () => {
  const first = await history('&max_results=1000');
  expect(first.json.metrics).toHaveLength(1_000);
  const next = await history(`&max_results=1000&page_token=${first.json.next_page_token}`);
  expect(next.json.metrics[0].step).toBe(1_000);
});

test('a sample in GraphQL, asked for twice, is there twice', async () => {
  const ask = '{ metrics { step } }';
  const input = 'input: { runIds: $runs, metricKey: "loss", maxResults: 900 }';
  const { json } = await server.post('/graphql', {
    query: `query ($runs: [String!]) {
      a: mlflowGetMetricHistoryBulkInterval(${input}) ${ask}
      b: mlflowGetMetricHistoryBulkInterval(${input}) { one: metrics { step } two: metrics { step } } }`,
    variables: { runs: [run] },
  });
  const { a, b } = json.data;
  expect(a.metrics).toHaveLength(900);
  expect([b.one, b.two]).toEqual([a.metrics, a.metrics]);
});

test('runs beyond one slice come in order, with their persons', async () => {
  const names = Array.from({ length: limits.rowsReadAtOnce * 2 + 30 }, (_, index) => `n${index}`);
  for (const name of names) await createRun(name);
  const { json } = await server.post(`${api}/runs/search`, {
    experiment_ids: ['0'],
    max_results: 1_000,
    order_by: ['attributes.start_time ASC'],
    filter: "attributes.run_name LIKE 'n%'",
  });
  const found = json.runs.map(({ info }: { info: { run_name: string } }) => info.run_name);
  expect(found.sort()).toEqual([...names].sort());
  expect(json.runs.at(-1).info.user_id).toBe('ada');
});
