import { afterEach, describe, expect, test } from 'vitest';
import { limits } from '../base/limits.ts';
import type { Answer } from '../contract/answer.ts';
import { type TestServer, testServer } from '../testing/server.ts';

let servers: TestServer[] = [];
async function server(): Promise<TestServer> {
  const opened = await testServer({});
  servers.push(opened);
  return opened;
}
afterEach(async () => {
  for (const each of servers) await each.remove();
  servers = [];
});

const api = '/api/wherefrom/v1';
const mlflow = '/api/2.0/mlflow';

/** Records something. @returns the answer, and the newest position by then. */
async function post(
  open: TestServer,
  url: string,
  body: object,
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the test asserts
): Promise<{ json: any; position: number }> {
  const { status, text } = await open.post(url, body);
  expect(status, text).toBeLessThan(300);
  const { position } = (await open.get(`${api}/status`)).json;
  return { json: text === '' ? undefined : JSON.parse(text), position };
}

async function ask(open: TestServer, walk: string, query: Record<string, string>): Promise<Answer> {
  const { status, json } = await open.get(`${api}/${walk}?${new URLSearchParams(query)}`);
  expect(status, JSON.stringify(json)).toBe(200);
  return json;
}

/** Registers credit@1, made by a new run. @returns the run's id. */
async function registerCredit(open: TestServer, start: object = {}): Promise<string> {
  const asked = { experiment_id: '0', ...start };
  const { json: created } = await post(open, `${mlflow}/runs/create`, asked);
  const { run_id } = created.run.info;
  await post(open, `${mlflow}/registered-models/create`, { name: 'credit' });
  const version = { name: 'credit', source: 's3://b/m', run_id };
  await post(open, `${mlflow}/model-versions/create`, version);
  return run_id;
}

test('a model is found and shown by the name that it had', async () => {
  const open = await server();
  const run_id = await registerCredit(open);
  const { position } = await post(open, `${api}/predictions`, {
    id: 'p1',
    modelVersion: 'credit@1',
    output: 1,
  });
  await post(open, `${mlflow}/registered-models/rename`, { name: 'credit', new_name: 'risk' });
  // The name is used again: that is another model.
  await post(open, `${mlflow}/registered-models/create`, { name: 'credit' });
  const then = { asOf: String(position) };
  for (const ref of ['credit@1', 'risk@1', 'modelVersion:default/credit@1', 'credit']) {
    const answer = await ask(open, 'trace', { ref, ...then });
    expect(answer.ref, ref).toMatch(/credit/);
    const names = answer.nodes
      .filter(({ kind }) => kind === 'modelVersion')
      .map(({ name }) => name);
    expect(names, ref).toEqual(['credit@1']);
    expect(answer.nodes.map((node) => node.ref)).toContain(`run:default/${run_id}`);
  }
  expect((await ask(open, 'impact', { ref: run_id, ...then })).counts).toEqual([
    { ref: 'modelVersion:default/credit@1', kind: 'prediction', count: 1 },
  ]);
  expect((await ask(open, 'impact', { ref: run_id })).counts).toEqual([
    { ref: 'modelVersion:default/risk@1', kind: 'prediction', count: 1 },
  ]);
  expect((await ask(open, 'completeness', { ref: 'credit@1', ...then })).ref).toMatch(/credit@1/);
  const today = await ask(open, 'trace', { ref: 'p1' });
  expect(today.nodes.map(({ ref }) => ref)).toContain('modelVersion:default/risk@1');
});

test('an alias of a model means the version that it pointed at', async () => {
  const open = await server();
  await post(open, `${mlflow}/registered-models/create`, { name: 'credit' });
  const versions = async (source: string) =>
    post(open, `${mlflow}/model-versions/create`, { name: 'credit', source });
  const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
  const point = async (to: string) => {
    const alias = { name: 'credit', alias: 'champion', version: to };
    const { position } = await post(open, `${mlflow}/registered-models/alias`, alias);
    await pause();
    const then = { position: String(position), time: new Date().toISOString() };
    await pause();
    return then;
  };
  await versions('s3://b/1');
  const first = await point('1');
  await versions('s3://b/2');
  const second = await point('2');
  for (const moment of [{ asOf: first.position }, { asOf: first.time }, { at: first.time }]) {
    for (const ref of ['credit@champion', 'credit@latest'])
      expect((await ask(open, 'trace', { ref, ...moment })).ref).toMatch(/credit@1$/);
  }
  for (const moment of [{}, { asOf: second.position }, { at: second.time }])
    expect((await ask(open, 'trace', { ref: 'credit@champion', ...moment })).ref).toMatch(/@2$/);
});

test('datasets are one while an alias about them holds, and no longer', async () => {
  const open = await server();
  const event = (id: string, time: string, sides: object) => ({
    eventType: 'COMPLETE',
    eventTime: time,
    run: { runId: `00000000-0000-4000-8000-00000000000${id}` },
    job: { namespace: 'etl', name: `job ${id}` },
    ...sides,
  });
  const [lake, warehouse] = ['lake', 'warehouse'].map((name) => ({
    namespace: 'postgres://h:1',
    name,
  }));
  await post(open, '/api/v1/lineage', event('1', '2026-01-01T00:00:00Z', { outputs: [lake] }));
  await post(open, '/api/v1/lineage', event('2', '2026-03-01T00:00:00Z', { inputs: [warehouse] }));
  const maker = 'run:default/00000000-0000-4000-8000-000000000001';
  const reader = '00000000-0000-4000-8000-000000000002';
  const isBehind = async (moment: Record<string, string> = {}): Promise<boolean> =>
    (await ask(open, 'trace', { ref: reader, ...moment })).nodes.some(({ ref }) => ref === maker);
  const say = (body: object) =>
    post(open, `${api}/statements`, {
      ref: 'dataset:postgres:%2F%2Fh:1/lake',
      value: { of: 'dataset:postgres:%2F%2Fh:1/warehouse' },
      ...body,
    });
  expect(await isBehind()).toBe(false);
  const made = await say({ type: 'alias', id: 's1', validFrom: '2026-02-01T00:00:00Z' });
  expect(await isBehind()).toBe(true);
  expect(await isBehind({ at: '2026-04-01T00:00:00Z' })).toBe(true);
  await say({ type: 'alias', id: 's2', supersedes: 's1', validTo: '2026-02-15T00:00:00Z' });
  expect(await isBehind()).toBe(false);
  expect(await isBehind({ asOf: String(made.position) })).toBe(true);
  const names = async (at: string) =>
    (await ask(open, 'trace', { ref: 'dataset:postgres:%2F%2Fh:1/warehouse', at })).nodes
      .filter(({ kind }) => kind === 'dataset')
      .map(({ attributes }) => attributes.sameAs);
  expect(await names('2026-02-10T00:00:00Z')).toMatchObject([
    [{ rule: 'declared-alias', validTo: '2026-02-15T00:00:00.000Z' }],
  ]);
  expect((await ask(open, 'resolve', { ref: 'warehouse' })).ref).toBe(
    'dataset:postgres:%2F%2Fh:1/warehouse',
  );
});

test('explicit lineage of a run says which input went into which output', async () => {
  const open = await server();
  const table = (name: string) => ({ namespace: 'postgres://h:1', name });
  const entry = (output: string, input: string) => ({
    type: 'DATASET',
    ...table(output),
    inputs: [{ type: 'DATASET', ...table(input) }],
  });
  const event = {
    eventType: 'COMPLETE',
    eventTime: '2026-01-01T00:00:00Z',
    run: { runId: '00000000-0000-4000-8000-000000000001' },
    job: { namespace: 'etl', name: 'split' },
    inputs: [table('a'), table('b')],
    outputs: [table('x'), table('y')],
  };
  const { position } = await post(open, '/api/v1/lineage', event);
  await post(open, '/api/v1/lineage', {
    ...event,
    job: { ...event.job, facets: { lineage: { entries: [entry('x', 'a'), entry('y', 'b')] } } },
  });
  const tables = async (walk: string, name: string, moment: Record<string, string> = {}) => {
    const ref = `dataset:postgres:%2F%2Fh:1/${name}`;
    const { nodes } = await ask(open, walk, { ref, ...moment });
    const found = nodes.flatMap((node) => /^dataset.*\/(\w)/.exec(node.ref)?.[1] ?? []);
    return [...new Set(found)].sort();
  };
  expect(await tables('trace', 'x')).toEqual(['a', 'x']);
  expect(await tables('impact', 'b')).toEqual(['b', 'y']);
  expect(await tables('trace', 'x', { asOf: String(position) })).toEqual(['a', 'b', 'x']);
});

describe('metrics of runs', () => {
  async function startRun(open: TestServer): Promise<string> {
    const { json } = await post(open, `${mlflow}/runs/create`, { experiment_id: '0' });
    return json.run.info.run_id;
  }
  const point = (key: string, value: number, step: number, timestamp = 1_000 * step) => ({
    key,
    value,
    step,
    timestamp,
  });
  const finish = (open: TestServer, run_id: string) =>
    post(open, `${mlflow}/runs/update`, { run_id, status: 'FINISHED', end_time: 9_000 });
  const metricsOf = async (open: TestServer, ref: string, moment: Record<string, string> = {}) =>
    (await ask(open, 'trace', { ref, ...moment })).nodes.find(({ kind }) => kind === 'run')
      ?.attributes.metrics;

  test('are shown as they were at an earlier position', async () => {
    const open = await server();
    const run_id = await startRun(open);
    const created = (await open.get(`${api}/status`)).json.position;
    const positions = [];
    for (const step of [1, 2, 3]) {
      const metric = { run_id, ...point('loss', 1 / step, step) };
      positions.push((await post(open, `${mlflow}/runs/log-metric`, metric)).position);
    }
    const { position: ended } = await finish(open, run_id);
    await post(open, `${mlflow}/runs/log-batch`, {
      run_id,
      metrics: [point('loss', 7, 9), point('late', 8, 9)],
    });
    await open.reopen().then((again) => servers.splice(0, 1, again));
    const again = servers[0] ?? open;
    const at = (position: number) => metricsOf(again, run_id, { asOf: String(position) });
    expect(await at(created)).toBeUndefined();
    expect(await at(positions[0] ?? 0)).toEqual({ loss: 1 });
    expect(await at(positions[1] ?? 0)).toEqual({ loss: 0.5 });
    expect(await at(ended)).toEqual({ loss: 1 / 3 });
    expect(await metricsOf(again, run_id)).toEqual({ late: 8, loss: 7 });
  });

  test('are shown as they were at an earlier time', async () => {
    const open = await server();
    const run_id = await startRun(open);
    const metrics = [1, 2, 3].map((step) => point('loss', 1 / step, step));
    await post(open, `${mlflow}/runs/log-batch`, { run_id, metrics });
    const now = Date.now() + 60_000;
    await post(open, `${mlflow}/runs/log-metric`, { run_id, ...point('loss', 5, 9, now) });
    const at = (time: number) => metricsOf(open, run_id, { at: new Date(time).toISOString() });
    expect(await at(now - 1)).toEqual({ loss: 1 / 3 });
    expect(await at(now)).toEqual({ loss: 5 });
  });

  test('of a run that ended are told without looking for them in the record', async () => {
    const open = await server();
    const run_id = await startRun(open);
    await post(open, `${mlflow}/runs/log-metric`, { run_id, ...point('loss', 1, 1) });
    const { position: ended } = await finish(open, run_id);
    const quiet = await startRun(open);
    await post(open, `${mlflow}/runs/log-metric`, { run_id: quiet, ...point('loss', 4, 1) });
    const other = await startRun(open);
    for (let step = 0; step <= limits.recordedEntriesMax; step += 1)
      await open.post(`${mlflow}/runs/log-metric`, { run_id: other, ...point('loss', 2, step) });
    const head = (await open.get(`${api}/status`)).json.position;
    await open.post(`${mlflow}/runs/log-metric`, { run_id: other, ...point('loss', 3, 9_999) });
    expect(head - ended).toBeGreaterThan(limits.recordedEntriesMax);
    const asOf = { asOf: String(head - 1) };
    expect(await metricsOf(open, run_id, asOf)).toEqual({ loss: 1 });
    // Only the entries since its newest points' part was begun are read.
    expect(await metricsOf(open, other, asOf)).toEqual({ loss: 2 });
    // Whether it logged anything since then is not known without reading too much.
    expect(await metricsOf(open, quiet, asOf)).toBeUndefined();
    expect(await metricsOf(open, quiet)).toEqual({ loss: 4 });
  });
});

test('what did not exist yet at a time is said not to, and not shown bare', async () => {
  const open = await server();
  const before = Date.now() - 60_000;
  const run_id = await registerCredit(open, { start_time: Date.now() });
  await post(open, `${api}/deployments`, { name: 'scoring', modelVersion: 'credit@1' });
  await post(open, `${api}/predictions`, { id: 'p1', modelVersion: 'credit@1', output: 1 });
  const refs = ['modelVersion:default/credit@1', 'model:default/credit', `run:default/${run_id}`];
  for (const ref of [...refs, 'deployment:default/scoring@1', 'prediction:default/p1']) {
    for (const walk of ['trace', 'impact', 'completeness']) {
      const query = new URLSearchParams({ ref, at: String(before) });
      const { status, json } = await open.get(`${api}/${walk}?${query}`);
      expect([status, json.detail], `${walk} ${ref}`).toEqual([
        404,
        `${ref} did not exist yet at ${new Date(before).toISOString()}.`,
      ]);
    }
    expect((await ask(open, 'trace', { ref, at: String(Date.now() + 1) })).nodes).not.toEqual([]);
  }
});
