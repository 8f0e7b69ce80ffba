import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKey } from '../../../server/keys.ts';
import { type TestReply, type TestServer, testServer } from '../../../testing/server.ts';
import { otlpSpan } from '../../../testing/traces-server.ts';

let server: TestServer;
const keys = { admin: '', alpha: '', beta: '', both: '', plain: '' };

beforeAll(async () => {
  server = await testServer({ webhookAllow: ['127.0.0.1'] });
  const make = (name: keyof typeof keys, ...workspaces: string[]): void => {
    const role = name === 'admin' ? 'admin' : 'write';
    keys[name] = createKey(server.data, { name, role, workspaces }).text;
  };
  make('admin');
  make('alpha', 'alpha');
  make('beta', 'beta');
  make('both', 'alpha', 'beta');
  make('plain');
  server = await server.reopen();
  await create('alpha', { description: 'team alpha' });
  await create('beta');
});
afterAll(() => server.remove());

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
interface Options {
  readonly body?: unknown;
  readonly workspace?: string;
}

async function as(
  key: keyof typeof keys,
  method: Method,
  url: string,
  { body, workspace }: Options = {},
): Promise<TestReply> {
  const reply = await server.app.inject({
    method,
    url,
    headers: {
      host: 'localhost',
      authorization: `Bearer ${keys[key]}`,
      ...(workspace === undefined ? {} : { 'x-mlflow-workspace': workspace }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined
      ? {}
      : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return {
    status: reply.statusCode,
    headers: reply.headers,
    text: reply.body,
    get json() {
      return reply.json();
    },
  };
}

/** One span of a plain exporter. */
const otlp = (options: Options): Promise<TestReply> =>
  as('admin', 'POST', '/v1/traces', {
    ...options,
    body: { resourceSpans: [{ scopeSpans: [{ spans: [otlpSpan({ trace: 1, span: 1 })] }] }] },
  });

const workspaces = '/api/3.0/mlflow/workspaces';
const mlflow = (path: string): string => `/api/2.0/mlflow/${path}`;
const own = (path: string): string => `/api/wherefrom/v1/${path}`;

const create = (name: string, more: object = {}): Promise<TestReply> =>
  as('admin', 'POST', workspaces, { body: { name, ...more } });

async function createRun(key: keyof typeof keys, options: Options = {}): Promise<string> {
  const body = { experiment_id: '0', start_time: 1_700_000_000_000 };
  const reply = await as(key, 'POST', mlflow('runs/create'), { ...options, body });
  expect(reply.status).toBe(200);
  return reply.json.run.info.run_id;
}

describe('the endpoints of workspaces', () => {
  it('create, show, list, change and delete them', async () => {
    const created = await create('gamma', {
      description: 'g',
      default_artifact_root: 's3://bucket/gamma',
      trace_archival_config: { location: 's3://bucket/traces', retention: '30d' },
    });
    expect(created.status).toBe(201);
    expect(created.headers['wherefrom-receipt']).toBeDefined();
    expect(created.json.workspace).toEqual({
      name: 'gamma',
      description: 'g',
      default_artifact_root: 's3://bucket/gamma',
      trace_archival_config: { location: 's3://bucket/traces', retention: '30d' },
    });
    const changed = await as('admin', 'PATCH', `${workspaces}/gamma`, {
      body: { description: 'h', default_artifact_root: '' },
    });
    expect(changed.json.workspace).toMatchObject({ name: 'gamma', description: 'h' });
    expect(changed.json.workspace.default_artifact_root).toBeUndefined();
    const names = (await as('admin', 'GET', workspaces)).json.workspaces.map(
      ({ name }: { name: string }) => name,
    );
    expect(names).toEqual(['alpha', 'beta', 'default', 'gamma']);
    expect((await as('admin', 'DELETE', `${workspaces}/gamma`)).status).toBe(204);
    expect((await as('admin', 'GET', `${workspaces}/gamma`)).json).toMatchObject({
      error_code: 'RESOURCE_DOES_NOT_EXIST',
      message: "Workspace 'gamma' not found",
    });
    expect(
      (
        await as('admin', 'POST', mlflow('experiments/search'), {
          body: { max_results: 1 },
          workspace: 'gamma',
        })
      ).status,
    ).toBe(404);
    expect((await create('gamma')).json.error_code).toBe('RESOURCE_ALREADY_EXISTS');
  });

  it.each([
    ['POST', '', { name: 'alpha' }, 'RESOURCE_ALREADY_EXISTS', "Workspace 'alpha' already exists."],
    [
      'POST',
      '',
      { name: 'default' },
      'INVALID_PARAMETER_VALUE',
      "The 'default' workspace is reserved and cannot be created",
    ],
    ['POST', '', { name: 'a' }, 'INVALID_PARAMETER_VALUE', 'must be between 2 and 63 characters'],
    ['POST', '', { name: 'Alpha' }, 'INVALID_PARAMETER_VALUE', 'must match the pattern'],
    ['POST', '', { name: 'api' }, 'INVALID_PARAMETER_VALUE', 'is reserved and cannot be used'],
    [
      'POST',
      '',
      { name: 'ok', default_artifact_root: 'relative' },
      'INVALID_PARAMETER_VALUE',
      'Expected a URI',
    ],
    [
      'POST',
      '',
      { name: 'ok', default_artifact_root: 'hdfs://h/x' },
      'INVALID_PARAMETER_VALUE',
      "'default_artifact_root' cannot use the 'hdfs' scheme",
    ],
    [
      'POST',
      '',
      { name: 'ok', trace_archival_config: { location: 'abfss://f@a.h/x' } },
      'INVALID_PARAMETER_VALUE',
      "'trace_archival_config.location' cannot use the 'abfss' scheme",
    ],
    [
      'POST',
      '',
      { name: 'ok', trace_archival_config: { retention: '3 weeks' } },
      'INVALID_PARAMETER_VALUE',
      'Expected a duration',
    ],
    ['POST', '', {}, 'INVALID_PARAMETER_VALUE', "Missing value for required parameter 'name'"],
    [
      'PATCH',
      '/alpha',
      {},
      'INVALID_PARAMETER_VALUE',
      'Workspace update must have at least one key',
    ],
    ['DELETE', '/default', undefined, 'INVALID_PARAMETER_VALUE', 'reserved and cannot be deleted'],
    [
      'DELETE',
      '/alpha?mode=BURN',
      undefined,
      'INVALID_PARAMETER_VALUE',
      "Invalid deletion mode 'BURN'",
    ],
  ] as const)('refuse %s %s %j in the words of MLflow', async (method, path, body, code, text) => {
    const { json } = await as('admin', method, workspaces + path, { body });
    expect(json.error_code).toBe(code);
    expect(json.message).toContain(text);
  });

  it('are changed by an admin key only, and shown as far as a key reaches', async () => {
    const refused = await as('alpha', 'POST', workspaces, { body: { name: 'mine' } });
    expect([refused.status, refused.json.error_code]).toEqual([403, 'PERMISSION_DENIED']);
    expect((await as('both', 'GET', workspaces)).json.workspaces).toHaveLength(2);
    expect((await as('alpha', 'GET', `${workspaces}/alpha`)).json.workspace.name).toBe('alpha');
    expect((await as('alpha', 'GET', `${workspaces}/beta`)).status).toBe(403);
    expect((await as('alpha', 'GET', `${workspaces}/nowhere`)).status).toBe(403);
  });

  it('delete what is not empty only with CASCADE, and then no request reaches it', async () => {
    await create('doomed');
    const run = await createRun('admin', { workspace: 'doomed' });
    const refused = await as('admin', 'DELETE', `${workspaces}/doomed`);
    expect([refused.status, refused.json.message]).toEqual([
      400,
      "Cannot delete workspace 'doomed': it still contains runs. Remove or reassign them before deleting the workspace.",
    ]);
    const moved = await as('admin', 'DELETE', `${workspaces}/doomed?mode=SET_DEFAULT`);
    expect(moved.status).toBe(400);
    expect((await as('admin', 'DELETE', `${workspaces}/doomed?mode=CASCADE`)).status).toBe(204);
    const gone = await as('admin', 'GET', mlflow(`runs/get?run_id=${run}`), {
      workspace: 'doomed',
    });
    expect(gone.status).toBe(404);
  });

  it.each([
    ['traces', async (options: Options) => otlp({ ...options })],
    [
      'evaluation datasets',
      (options: Options) =>
        as('admin', 'POST', '/api/3.0/mlflow/datasets/create', {
          ...options,
          body: { name: 'golden' },
        }),
    ],
    [
      'scorers',
      (options: Options) =>
        as('admin', 'POST', '/api/3.0/mlflow/scorers/register', {
          ...options,
          body: { experiment_id: '0', name: 's', serialized_scorer: '{"name":"s"}' },
        }),
    ],
  ])('keep a workspace that holds nothing but %s', async (held, fill) => {
    const name = `holds-${held.replaceAll(' ', '-')}`;
    await create(name);
    expect((await fill({ workspace: name })).status).toBe(200);
    const refused = await as('admin', 'DELETE', `${workspaces}/${name}`);
    expect(refused.json.message).toContain(`it still contains ${held}.`);
  });

  it('leave tombstones in the graph, from the time of the deletion on', async () => {
    await create('left');
    const run = `run:left/${await createRun('admin', { workspace: 'left' })}`;
    const ask = async (more = '') => {
      const query = `ref=${encodeURIComponent(run)}${more}`;
      const { json } = await as('admin', 'GET', `/api/wherefrom/v1/trace?${query}`);
      const node = json.nodes.find(({ ref }: { ref: string }) => ref === run);
      return { position: json.asOf.position, deleted: node?.attributes.deletedTime };
    };
    const { position, deleted } = await ask();
    expect(deleted).toBeUndefined();
    const before = Date.now();
    await new Promise((done) => setTimeout(done, 5));
    await as('admin', 'DELETE', `${workspaces}/left?mode=CASCADE`);
    expect((await ask()).deleted).toMatch(/^20\d\d-/);
    expect((await ask(`&asOf=${position}`)).deleted).toBeUndefined();
    expect((await ask(`&at=${before}`)).deleted).toBeUndefined();
  });

  it('stop the webhooks of a workspace that is deleted', async () => {
    await create('hooked');
    const options = { workspace: 'hooked' };
    const events = [{ entity: 'REGISTERED_MODEL', action: 'CREATED' }];
    // Nobody listens on the discard port: the call stays owed.
    const hook = { name: 'ci', url: 'http://127.0.0.1:9/', events };
    expect((await as('admin', 'POST', mlflow('webhooks'), { ...options, body: hook })).status).toBe(
      200,
    );
    expect((await as('admin', 'DELETE', `${workspaces}/hooked`)).json.message).toContain(
      'webhooks',
    );
    const model = { ...options, body: { name: 'm' } };
    await as('admin', 'POST', mlflow('registered-models/create'), model);
    const owed = async (): Promise<string> =>
      (await as('admin', 'GET', '/metrics')).text.match(
        /^wherefrom_webhook_queue_calls \d+$/m,
      )?.[0] ?? '';
    expect(await owed()).toBe('wherefrom_webhook_queue_calls 1');
    expect((await as('admin', 'DELETE', `${workspaces}/hooked?mode=CASCADE`)).status).toBe(204);
    expect(await owed()).toBe('wherefrom_webhook_queue_calls 0');
  });

  it('give the experiments of a workspace its own artifact root', async () => {
    await create('rooted', { default_artifact_root: 's3://bucket/rooted/' });
    const options = { workspace: 'rooted' };
    const { experiment_id: id } = (
      await as('admin', 'POST', mlflow('experiments/create'), { ...options, body: { name: 'e' } })
    ).json;
    const location = async (experiment: string): Promise<string> =>
      (await as('admin', 'GET', mlflow(`experiments/get?experiment_id=${experiment}`), options))
        .json.experiment.artifact_location;
    expect(await location(id)).toBe(`s3://bucket/rooted/${id}`);
    expect(await location('0')).toBe('s3://bucket/rooted/0');
  });
});

describe('a workspace', () => {
  it('is the one of the header, else the first of the key', async () => {
    const run = await createRun('beta');
    const get = (key: keyof typeof keys, workspace?: string): Promise<TestReply> =>
      as(
        key,
        'GET',
        mlflow(`runs/get?run_id=${run}`),
        workspace === undefined ? {} : { workspace },
      );
    expect((await get('beta')).status).toBe(200);
    expect((await get('both')).status).toBe(404);
    expect((await get('both', 'beta')).status).toBe(200);
    expect((await get('admin')).status).toBe(404);
    expect((await get('admin', 'beta')).status).toBe(200);
    const byOwnName = await server.get(own(`resolve?ref=${run}`), {
      authorization: `Bearer ${keys.admin}`,
      'wherefrom-workspace': 'beta',
    });
    expect(byOwnName.json.ref).toBe(`run:beta/${run}`);
    expect((await get('alpha', 'beta')).json.error_code).toBe('PERMISSION_DENIED');
    expect((await get('plain', 'alpha')).status).toBe(403);
    expect((await get('admin', 'nowhere')).json).toMatchObject({
      error_code: 'RESOURCE_DOES_NOT_EXIST',
      message: "Workspace 'nowhere' not found",
    });
  });

  it('has models, experiments and artifacts of its own under the same names', async () => {
    for (const key of ['alpha', 'beta'] as const) {
      const post = (path: string, body: object): Promise<TestReply> =>
        as(key, 'POST', mlflow(path), { body });
      expect((await post('registered-models/create', { name: 'fraud' })).status).toBe(200);
      expect((await post('experiments/create', { name: 'same' })).status).toBe(200);
      await as(key, 'PUT', '/api/2.0/mlflow-artifacts/artifacts/0/x.txt', { body: `of ${key}` });
    }
    for (const key of ['alpha', 'beta'] as const) {
      const read = await as(key, 'GET', '/api/2.0/mlflow-artifacts/artifacts/0/x.txt');
      expect(read.text).toBe(`of ${key}`);
    }
    expect((await as('plain', 'GET', '/api/2.0/mlflow-artifacts/artifacts/0/x.txt')).status).toBe(
      404,
    );
    const found = await as('plain', 'GET', mlflow('registered-models/search'));
    expect(found.json.registered_models).toBeUndefined();
  });

  it('is not looked into by questions of others: a shared dataset leads to its border', async () => {
    const shared = { namespace: 's3://lake', name: 'shared.parquet' };
    const event = (runId: string, outputs: object[]): object => ({
      eventType: 'COMPLETE',
      eventTime: '2026-01-01T00:00:00Z',
      producer: 'https://example.org/test',
      schemaURL: 'https://openlineage.io/spec/2-0-2/OpenLineage.json',
      run: { runId },
      job: { namespace: 'etl', name: 'make' },
      inputs: [],
      outputs,
    });
    const runId = '01890000-0000-7000-8000-00000000000b';
    const sent = await as('beta', 'POST', '/api/v1/lineage', { body: event(runId, [shared]) });
    expect(sent.status).toBe(201);

    const trace = async (key: keyof typeof keys) =>
      (await as(key, 'GET', own('trace?ref=shared.parquet'))).json;
    const whole = await trace('beta');
    expect(JSON.stringify(whole)).toContain(`run:beta/${runId}`);
    const cut = await trace('alpha');
    expect(JSON.stringify(cut)).not.toContain('run:beta/');
    expect(cut.stopped).toContainEqual({
      ref: expect.stringContaining('datasetVersion:'),
      reason: 'permission',
      count: 1,
    });
    expect(JSON.stringify(await trace('admin'))).toContain(`run:beta/${runId}`);
    for (const path of ['trace', 'impact', 'completeness', 'resolve']) {
      const asked = await as('alpha', 'GET', own(`${path}?ref=run:beta/${runId}`));
      expect([path, asked.status]).toEqual([path, 403]);
    }
    expect((await as('alpha', 'GET', own(`resolve?ref=${runId}`))).status).toBe(404);
    const [, position, index] = String(sent.headers['wherefrom-receipt']).split(' ');
    expect((await as('alpha', 'GET', own(`receipts/${position}/${index}`))).status).toBe(403);
    expect((await as('beta', 'GET', own(`receipts/${position}/${index}`))).status).toBe(200);
  });

  it('takes no predictions or statements about things of others', async () => {
    const predictions = {
      id: 'p-1',
      model: 'fraud@1',
      features: {},
      output: 1,
      time: '2026-01-01T00:00:00Z',
    };
    await as('beta', 'POST', own('predictions'), { body: predictions });
    expect((await as('beta', 'GET', own('predictions/p-1'))).status).toBe(200);
    expect((await as('alpha', 'GET', own('predictions/p-1'))).status).toBe(404);
    const statement = { ref: 'model:beta/fraud', type: 'approval', body: 'ok' };
    const refused = await as('alpha', 'POST', own('statements'), { body: statement });
    expect([refused.status, refused.text]).toEqual([
      403,
      expect.stringContaining('another workspace'),
    ]);
  });
});

it('the tables of workspaces come out of the ledger the same', async () => {
  const { rebuildDirectory } = await import('../../../server/offline.ts');
  await server.close();
  const rebuilt = await rebuildDirectory(server.data, { check: true });
  expect(rebuilt.differences).toEqual([]);
});
