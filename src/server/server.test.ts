import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type TestServer, testServer } from '../testing/server.ts';
import { compose } from './compose.ts';
import { loadConfig, readEnvironment } from './config.ts';
import { startServer } from './index.ts';
import { createKey, listKeys, revokeKey } from './keys.ts';
import { openReadOnly, rebuildDirectory, verifyDirectory } from './offline.ts';

let servers: TestServer[] = [];
async function server(flags: Record<string, unknown> = {}): Promise<TestServer> {
  const opened = await testServer(flags);
  servers.push(opened);
  return opened;
}
afterEach(async () => {
  for (const each of servers) await each.remove();
  servers = [];
});

const runEvent = {
  eventType: 'COMPLETE',
  eventTime: '2026-01-01T00:00:00Z',
  producer: 'test',
  schemaURL: 'test',
  run: { runId: '3f5e83fa-3480-44ff-99c5-ff943904e5e8' },
  job: { namespace: 'etl', name: 'nightly' },
  inputs: [{ namespace: 'file', name: '/in.csv' }],
  outputs: [{ namespace: 'file', name: '/out.csv' }],
};
const createRun = '/api/2.0/mlflow/runs/create';

describe('keys', () => {
  test('without a key everybody on this machine may write; with one nobody without it', async () => {
    const open = await server();
    expect((await open.post(createRun, { experiment_id: '0' })).status).toBe(200);
    const { text } = createKey(open.data, { name: 'ci', role: 'write' });
    const { text: reader } = createKey(open.data, { name: 'viewer', role: 'read' });
    const closed = await open.reopen();
    servers = [closed];
    expect(closed.authentication).toBe('keys');
    const refused = await closed.post(createRun, { experiment_id: '0' });
    expect(refused).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': expect.stringContaining('Basic') },
    });
    expect(refused.json).toMatchObject({ error_code: 'UNAUTHENTICATED' });
    const bearer = { authorization: `Bearer ${text}` };
    const basic = { authorization: `Basic ${Buffer.from(`anybody:${text}`).toString('base64')}` };
    expect((await closed.post(createRun, { experiment_id: '0' }, bearer)).status).toBe(200);
    expect((await closed.post(createRun, { experiment_id: '0' }, basic)).status).toBe(200);
    expect((await closed.post('/api/v1/lineage', runEvent, bearer)).status).toBe(201);
    expect((await closed.post('/api/v1/lineage', runEvent)).json).toMatchObject({
      type: '/problems/unauthenticated',
    });
    const asReader = { authorization: `Bearer ${reader}` };
    expect((await closed.get('/api/wherefrom/v1/status', asReader)).status).toBe(200);
    expect((await closed.post('/api/v1/lineage', runEvent, asReader)).status).toBe(403);
    expect((await closed.get('/health')).status).toBe(200);
    expect((await closed.get('/')).status).toBe(200);
  });

  test('only a hash of a key is kept, and a revoked key opens nothing', async () => {
    const open = await server();
    const { key, text } = createKey(open.data, { name: 'ci', role: 'admin' });
    const kept = readFileSync(join(open.data, 'keys.json'), 'utf8');
    expect(kept).not.toContain(text.split('.')[2]);
    expect(statSync(join(open.data, 'keys.json')).mode & 0o077).toBe(0);
    revokeKey(open.data, key.id);
    expect(listKeys(open.data)[0]?.revokedTime).toBeDefined();
    const closed = await open.reopen();
    servers = [closed];
    expect(
      (await closed.get('/api/wherefrom/v1/status', { authorization: `Bearer ${text}` })).status,
    ).toBe(401);
  });

  test('without a key the server does not listen beyond loopback, and says how to make one', async () => {
    await expect(testServer({ host: '0.0.0.0' })).rejects.toMatchObject({
      code: 'forbidden',
      hint: expect.stringContaining('key create'),
    });
  });
});

describe('pages in a browser', () => {
  test('a name that only resolves to this machine is refused', async () => {
    const open = await server();
    expect((await open.get('/api/wherefrom/v1/status', { host: 'evil.example' })).status).toBe(403);
    expect((await open.get('/api/wherefrom/v1/status', { host: '127.0.0.1:4747' })).status).toBe(
      200,
    );
  });

  test('a page of another origin is refused unless it was allowed', async () => {
    const open = await server({ allowedOrigins: 'https://ui.example' });
    const origin = (value: string) => open.post('/api/v1/lineage', runEvent, { origin: value });
    expect((await origin('https://evil.example')).status).toBe(403);
    expect((await origin('null')).status).toBe(403);
    expect(await origin('https://ui.example')).toMatchObject({
      status: 201,
      headers: { 'access-control-allow-origin': 'https://ui.example' },
    });
    expect((await origin('http://localhost')).status).toBe(201);
    const preflight = await open.app.inject({
      method: 'OPTIONS',
      url: '/api/v1/lineage',
      headers: {
        host: 'localhost',
        origin: 'https://ui.example',
        'access-control-request-method': 'POST',
      },
    });
    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers['access-control-allow-headers']).toContain('authorization');
  });
});

describe('serving', () => {
  test('behind a proxy with a base path, cut off by it or not', async () => {
    const open = await server({ basePath: '/lineage/' });
    expect((await open.get('/lineage/health')).text).toBe('OK');
    expect((await open.get('/health')).text).toBe('OK');
    expect(await open.get('/lineage')).toMatchObject({
      status: 308,
      headers: { location: '/lineage/' },
    });
    expect((await open.get('/lineage/')).status).toBe(200);
  });

  test('/metrics tells queue, commits, messages and refusals, disk', async () => {
    const open = await server();
    await open.post('/api/v1/lineage', runEvent);
    await open.post('/api/v1/lineage', '{');
    const { text } = await open.get('/metrics');
    expect(text).toContain('wherefrom_messages_total{protocol="openlineage",outcome="accepted"} 1');
    expect(text).toContain('wherefrom_messages_total{protocol="openlineage",outcome="refused"} 1');
    expect(text).toMatch(/wherefrom_queue_messages 0/);
    expect(text).toMatch(/wherefrom_commit_duration_seconds_count [1-9]/);
    expect(text).toMatch(/wherefrom_disk_free_bytes [1-9]/);
  });

  test('a port in use and a data directory in use are said plainly', async () => {
    const open = await server();
    await expect(compose(open.config)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('in use'),
    });
    const blocker = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => blocker.once('listening', resolve));
    const { port } = blocker.address() as { port: number };
    const other = await server();
    const config = { ...other.config, port, data: `${other.data}-2` };
    await expect(startServer(config)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(`Port ${port}`),
    });
    blocker.close();
  });

  test('what is configured wrongly is said with key, source and form', () => {
    const environment = { ...readEnvironment(), config: { port: 'many' }, configFile: undefined };
    expect(() => loadConfig({}, environment)).toThrow('"port" (environment) is "many"');
    expect(() => loadConfig({ basePath: 'no slash' }, { ...environment, config: {} })).toThrow(
      '"basePath" (flag)',
    );
    expect(() => loadConfig({ colour: 'red' }, { ...environment, config: {} })).toThrow(
      'no setting "colour"',
    );
  });
});

describe('the data directory', () => {
  test('a damaged database is refused at start, and verify says so', async () => {
    const open = await server();
    for (let i = 0; i < 50; i += 1)
      await open.post('/api/v1/lineage', { ...runEvent, run: { runId: `r${i}` } });
    await open.close();
    const path = join(open.data, 'store.db');
    const bytes = readFileSync(path);
    bytes.fill(0xff, 4096, bytes.length);
    writeFileSync(path, bytes);
    await expect(compose(open.config)).rejects.toMatchObject({ code: 'integrity_broken' });
    await expect(verifyDirectory(open.data)).rejects.toMatchObject({ code: 'integrity_broken' });
    truncateSync(path, 100);
    await expect(compose(open.config)).rejects.toMatchObject({ code: 'integrity_broken' });
  });

  test('a newer layout is refused with the reason', async () => {
    const open = await server();
    await open.close();
    const path = join(open.data, 'wherefrom.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), layout: 99 }));
    await expect(compose(open.config)).rejects.toMatchObject({
      code: 'integrity_broken',
      message: expect.stringContaining('layout is 99'),
    });
  });

  test('a rebuild gives the same projections, and repairs ones that were changed', async () => {
    const open = await server();
    await fill(open);
    const answer = (await open.get('/api/wherefrom/v1/trace?ref=p-1&columns=true')).json;
    await open.close();
    expect(await rebuildDirectory(open.data, { check: true })).toMatchObject({ differences: [] });
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(join(open.data, 'store.db'));
    db.exec("DELETE FROM lineage_edges; UPDATE tracking_params SET value = 'forged'");
    db.close();
    const found = await rebuildDirectory(open.data, { check: true });
    expect(found.differences.map((line) => line.split(':')[0])).toEqual([
      'lineage_edges',
      'tracking_params',
    ]);
    expect((await rebuildDirectory(open.data)).messages).toBeGreaterThan(5);
    expect(await rebuildDirectory(open.data, { check: true })).toMatchObject({ differences: [] });
    const { services, close } = await openReadOnly(open.data);
    const again = await services.answers.trace(
      { ref: 'p-1', columns: true },
      { workspace: 'default', reach: 'all' },
    );
    // The entry that tells of the repair stands behind all that the answer is of.
    const { asOf, asked, checkpoint } = again;
    expect(asOf.position).toBe(answer.asOf.position + 1);
    expect(JSON.parse(services.reveal(JSON.stringify(again)))).toEqual({
      ...answer,
      asOf,
      asked,
      checkpoint,
    });
    await close();
    expect(await verifyDirectory(open.data)).toMatchObject({ verified: true });
  });

  test('a rebuild gives the same after restarts, whatever was remembered between them', async () => {
    let open = await server();
    for (let day = 1; day <= 3; day += 1) {
      const eventTime = `2026-01-0${day}T00:00:00Z`;
      await open.post('/api/v1/lineage', { ...runEvent, eventTime });
      await open.post(createRun, { experiment_id: '0', user_id: 'Ann' });
      if (day === 1) await fill(open);
      open = await open.reopen();
      servers = [open];
    }
    await open.close();
    expect(await rebuildDirectory(open.data, { check: true })).toMatchObject({ differences: [] });
  });

  test('after a restart everything is there', async () => {
    const open = await server();
    await fill(open);
    const before = (await open.get('/api/wherefrom/v1/status')).json;
    const again = await open.reopen();
    servers = [again];
    expect((await again.get('/api/wherefrom/v1/status')).json).toEqual({
      ...before,
      startedAt: expect.any(String),
    });
  });
});

test('a prediction reaches what it led to, and is behind it', async () => {
  const open = await server();
  const api = '/api/wherefrom/v1';
  const second = { id: '01890a5d-ac96-774b-bcce-b302099a8057', output: 2 };
  const predictions = [
    { id: 'retrieved', modelVersion: 'm@1', output: 1 },
    { ...second, modelVersion: 'm@1', parents: ['retrieved'] },
  ];
  expect((await open.post(`${api}/predictions`, { predictions })).status).toBe(201);
  for (const [walk, ref] of [
    ['impact', 'retrieved'],
    ['trace', '01890a5d-ac96-774b-bcce-b302099a8057'],
  ]) {
    const { json } = await open.get(`${api}/${walk}?ref=${ref}`);
    const { edges } = json as { edges: { relation: string; from: string; to: string }[] };
    expect(edges).toMatchObject([
      {
        relation: 'led-to',
        from: 'prediction:default/retrieved',
        to: 'prediction:default/01890a5d-ac96-774b-bcce-b302099a8057',
      },
    ]);
  }
  await open.close();
  expect(await rebuildDirectory(open.data, { check: true })).toMatchObject({ differences: [] });
});

test('an answer that was given before tells what was logged since', async () => {
  const open = await server();
  const api = '/api/2.0/mlflow/runs';
  const made = await open.post(`${api}/create`, { experiment_id: '0', run_name: 'first' });
  const { run_id } = (made.json as { run: { info: { run_id: string } } }).run.info;
  const logged = async (value: number) => {
    await open.post(`${api}/log-metric`, { run_id, key: 'loss', value, timestamp: value });
    const { json } = await open.get(`/api/wherefrom/v1/trace?ref=${run_id}`);
    const { nodes } = json as { nodes: { kind: string; attributes: Record<string, unknown> }[] };
    return nodes.find(({ kind }) => kind === 'run')?.attributes;
  };
  expect(await logged(1)).toMatchObject({ metrics: { loss: 1 }, state: 'START' });
  expect(await logged(2)).toMatchObject({ metrics: { loss: 2 }, state: 'START' });
  await open.post(`${api}/update`, { run_id, status: 'FINISHED' });
  expect(await logged(3)).toMatchObject({ metrics: { loss: 3 }, state: 'COMPLETE' });
});

test('a model made again under its name takes over no prediction of the one before', async () => {
  const open = await server();
  const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
  const make = async (): Promise<void> => {
    await open.post('/api/2.0/mlflow/registered-models/create', { name: 'm' });
    const version = { name: 'm', source: 's3://bucket/model' };
    expect((await open.post('/api/2.0/mlflow/model-versions/create', version)).status).toBe(200);
    await pause();
  };
  const before = Date.now() - 60_000;
  await make();
  const during = Date.now();
  await pause();
  const headers = { host: 'localhost', 'content-type': 'application/json' };
  const url = '/api/2.0/mlflow/registered-models/delete';
  await open.app.inject({ method: 'DELETE', url, headers, payload: { name: 'm' } });
  await pause();
  const between = Date.now();
  await pause();
  await make();
  const after = Date.now();
  const served: Record<string, string> = {};
  for (const [id, time] of Object.entries({ before, during, between, after })) {
    await open.post('/api/wherefrom/v1/predictions', { id, time, modelVersion: 'm@1', output: 1 });
    const { edges } = (await open.get(`/api/wherefrom/v1/trace?ref=${id}`)).json;
    served[id] = edges.find((edge: { relation: string }) => edge.relation === 'served')?.from;
  }
  const first = 'modelVersion:default/m@1';
  expect(served).toEqual({ before: first, during: first, between: first, after: `${first}~2` });
});

/** A run, a model, its deployment, a prediction, an outcome, a statement and some lineage. */
async function fill(open: TestServer): Promise<void> {
  const { run } = (
    await open.post(createRun, {
      experiment_id: '0',
      user_id: 'ann',
      tags: [
        { key: 'mlflow.user', value: 'ann' },
        { key: 'mlflow.source.name', value: '/home/ann/train.py' },
      ],
    })
  ).json;
  const id = run.info.run_id;
  await open.post('/api/2.0/mlflow/runs/log-batch', {
    run_id: id,
    params: [{ key: 'depth', value: '3' }],
    metrics: [{ key: 'auc', value: 0.7, timestamp: 5, step: 0 }],
  });
  await open.post('/api/v1/lineage', runEvent);
  await open.post('/api/2.0/mlflow/runs/log-inputs', {
    run_id: id,
    datasets: [
      {
        tags: [{ key: 'mlflow.data.context', value: 'training' }],
        dataset: {
          name: 'out',
          digest: '1a2b3c4d',
          source_type: 'local',
          source: '{"uri":"/out.csv"}',
          schema: '{"mlflow_colspec":[{"type":"long","name":"age","required":true}]}',
        },
      },
    ],
  });
  await open.post('/api/2.0/mlflow/registered-models/create', { name: 'credit-risk' });
  const version = await open.post('/api/2.0/mlflow/model-versions/create', {
    name: 'credit-risk',
    source: `mlflow-artifacts:/0/${id}/artifacts/model`,
    run_id: id,
  });
  expect(version.status, version.text).toBe(200);
  const deployed = await open.post('/api/wherefrom/v1/deployments', {
    name: 'scoring',
    modelVersion: 'credit-risk@1',
    environment: 'production',
    by: 'ann',
  });
  expect(deployed.status, deployed.text).toBeLessThan(300);
  const kept = await open.post('/api/wherefrom/v1/predictions', {
    id: 'p-1',
    deployment: 'scoring',
    features: { age: 67 },
    output: 0.9,
    decision: 'refuse',
    subject: 'Ann Lee',
  });
  expect(kept.status, kept.text).toBe(201);
  await open.post('/api/wherefrom/v1/outcomes', {
    prediction: 'p-1',
    type: 'override',
    value: 'grant',
    by: 'bob',
  });
  await open.post('/api/wherefrom/v1/statements', {
    ref: 'modelVersion:default/credit-risk@1',
    type: 'approval',
    text: 'fine',
    author: 'bob',
  });
}
