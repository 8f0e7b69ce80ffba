import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWorkspace, type Operation } from '../../../door/index.ts';
import type { Fact } from '../../../facts/facts.ts';
import { type ProtocolServer, startProtocolServer } from '../../../testing/protocol-server.ts';
import { useJsonBodies, useMlflowErrors } from '../routes.ts';
import { registerRegistryRoutes, registryOperations } from './routes.ts';

const run = '0123456789abcdef0123456789abcdef';
const logged = `m-${run}`;
const artifacts = `mlflow-artifacts:/0/${run}/artifacts`;
const files = `mlflow-artifacts:/0/models/${logged}/artifacts`;

const stateFacts: Operation<{ readonly facts: readonly Fact[] }, null> = {
  protocol: 'test',
  operation: 'facts',
  decide: () => ({ outcome: 'accepted', decided: {}, answer: null }),
  translate: ({ message }) => ({ facts: message.facts, warnings: [] }),
};
// Looked up by name at replay, so their types are erased here.
const operations = [createWorkspace, stateFacts, ...registryOperations] as unknown as Operation[];

/** A run and a logged model of it, as the tracking endpoints would state them. */
const tracked: Fact[] = [
  {
    kind: 'run.created',
    run,
    experiment: '0',
    name: 'r',
    user: '',
    startTime: 1,
    artifactUri: artifacts,
    tags: [],
  },
  {
    kind: 'loggedModel.created',
    model: logged,
    experiment: '0',
    name: 'm',
    modelType: '',
    sourceRun: run,
    artifactUri: files,
    params: [],
    tags: [],
    time: 1,
  },
];

let server: ProtocolServer;

beforeEach(async () => {
  server = await startProtocolServer((app, services) => {
    app.register(
      async (scope) => {
        useJsonBodies(scope);
        useMlflowErrors(scope, services);
        registerRegistryRoutes(scope, services);
      },
      { prefix: '/api/2.0' },
    );
  });
  await server.services.door.submit({
    operation: stateFacts,
    workspace: 'default',
    principal: 'tester',
    body: { facts: tracked },
  });
});

afterEach(async () => {
  expect(await server.rebuild(operations)).toEqual([]);
  await server.close();
});

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

async function call(method: Method, path: string, body: Record<string, unknown> = {}) {
  const url = `/api/2.0/mlflow/${path}`;
  const query = Object.entries(body).flatMap(([name, value]) =>
    [value].flat().map((each): [string, string] => [name, String(each)]),
  );
  const response = await server.app.inject(
    method === 'GET'
      ? { method, url: `${url}?${new URLSearchParams(query)}` }
      : { method, url, headers: { 'content-type': 'application/json' }, payload: body },
  );
  return {
    status: response.statusCode,
    receipt: response.headers['wherefrom-receipt'],
    body: response.json(),
  };
}

async function createModel(name: string, more: object = {}): Promise<void> {
  expect((await call('POST', 'registered-models/create', { name, ...more })).status).toBe(200);
}

async function createVersion(name: string, more: object = {}) {
  const body = { name, source: 's3://bucket/model', ...more };
  const answer = await call('POST', 'model-versions/create', body);
  return { ...answer, version: answer.body.model_version };
}

const refusal = (error_code: string, message: string | RegExp) => ({
  body: {
    error_code,
    message: typeof message === 'string' ? message : expect.stringMatching(message),
  },
});

async function nodeOf(ref: string) {
  return server.store.read(async ({ lineage }) => {
    const node = await lineage.findNode(ref);
    const rows = node ? await lineage.attributes([node.key]) : [];
    const attributes = Object.fromEntries(rows.map(({ name, value }) => [name, JSON.parse(value)]));
    return node && { deleted: node.deletedTime !== null, attributes };
  });
}

describe('registered models', () => {
  it('are created once, with tags and description, and found again', async () => {
    const tags = [
      { key: 'a', value: '1' },
      { key: 'a', value: '2' },
    ];
    await createModel('credit-risk', { description: 'd', tags });
    const { body } = await call('GET', 'registered-models/get', { name: 'credit-risk' });
    expect(body.registered_model).toMatchObject({
      name: 'credit-risk',
      description: 'd',
      tags: [{ key: 'a', value: '2' }],
    });
    expect(body.registered_model).not.toHaveProperty('latest_versions');
    expect(await call('POST', 'registered-models/create', { name: 'credit-risk' })).toMatchObject({
      status: 400,
      ...refusal('RESOURCE_ALREADY_EXISTS', 'Registered Model (name=credit-risk) already exists.'),
    });
  });

  it.each([
    [
      {},
      "Missing value for required parameter 'name'. See the API docs for more information about request parameters.",
    ],
    [{ name: ' ' }, "Missing value for required parameter 'name'."],
    [{ name: 'a/b' }, "Invalid model name 'a/b'. Names cannot contain '/' or ':'."],
    [{ name: '..' }, /This name would resolve to '\.\.'$/],
    [{ name: 'm', tags: [{ key: 'a$', value: '' }] }, /Names may only contain alphanumerics/],
    [
      { name: 'm', tags: [{ key: 'a', value: 'v'.repeat(100_001) }] },
      "'value' exceeds the maximum length of 100000 characters",
    ],
  ])('are refused with the words of MLflow: %j', async (body, message) => {
    const answer = await call('POST', 'registered-models/create', body);
    expect(answer).toMatchObject({ status: 400, ...refusal('INVALID_PARAMETER_VALUE', message) });
  });

  it('get another ref when the name was used by a deleted model', async () => {
    await createModel('credit-risk');
    await createVersion('credit-risk');
    await call('DELETE', 'registered-models/delete', { name: 'credit-risk' });
    expect(await call('GET', 'registered-models/get', { name: 'credit-risk' })).toMatchObject({
      status: 404,
      ...refusal('RESOURCE_DOES_NOT_EXIST', 'Registered Model with name=credit-risk not found'),
    });
    await createModel('credit-risk');
    expect((await createVersion('credit-risk')).version).toMatchObject({ version: '1' });
    expect(await nodeOf('modelVersion:default/credit-risk@1')).toMatchObject({ deleted: true });
    expect(await nodeOf('modelVersion:default/credit-risk@1~2')).toMatchObject({ deleted: false });
  });

  it('keep versions, tags and aliases when renamed, and free the old name', async () => {
    await createModel('a', { tags: [{ key: 'k', value: 'v' }] });
    await createVersion('a');
    await call('POST', 'registered-models/alias', { name: 'a', alias: 'champion', version: '1' });
    await createModel('taken');
    expect(
      await call('POST', 'registered-models/rename', { name: 'a', new_name: 'taken' }),
    ).toMatchObject(
      refusal('RESOURCE_ALREADY_EXISTS', 'Registered Model (name=taken) already exists.'),
    );
    const renamed = await call('POST', 'registered-models/rename', { name: 'a', new_name: 'b' });
    expect(renamed.body.registered_model).toMatchObject({
      name: 'b',
      tags: [{ key: 'k', value: 'v' }],
      latest_versions: [{ name: 'b', version: '1' }],
    });
    const champion = await call('GET', 'registered-models/alias', { name: 'b', alias: 'champion' });
    expect(champion.body.model_version).toMatchObject({
      name: 'b',
      version: '1',
      aliases: ['champion'],
    });
    await createModel('a');
    await createVersion('a');
    expect(await nodeOf('modelVersion:default/a@1~2')).toMatchObject({ deleted: false });
    await call('POST', 'registered-models/rename', { name: 'b', new_name: 'c' });
    await call('POST', 'registered-models/rename', { name: 'c', new_name: 'b' });
    const uses = await server.store.read(({ registry }) => registry.listNameUses('default', 'b'));
    expect(uses).toMatchObject([{ generation: 1, toTime: null }]);
  });

  it('record nothing when nothing changes', async () => {
    await createModel('a', { description: 'd' });
    await createVersion('a');
    const set = { name: 'a', key: 'k', value: 'v' };
    const alias = { name: 'a', alias: 'x', version: '1' };
    const stage = { name: 'a', version: '1', stage: 'Staging', archive_existing_versions: true };
    const version = { name: 'a', version: '1', description: 'text' };
    const changes: [Method, string, Record<string, unknown>][] = [
      ['POST', 'registered-models/set-tag', set],
      ['DELETE', 'registered-models/delete-tag', set],
      ['PATCH', 'registered-models/update', { name: 'a', description: 'other' }],
      ['POST', 'model-versions/set-tag', { ...set, version: '1' }],
      ['DELETE', 'model-versions/delete-tag', { ...set, version: '1' }],
      ['PATCH', 'model-versions/update', version],
      ['POST', 'model-versions/transition-stage', stage],
      ['POST', 'registered-models/alias', alias],
      ['DELETE', 'registered-models/alias', alias],
    ];
    for (const [method, path, body] of changes) {
      expect(await call(method, path, body)).toMatchObject({
        status: 200,
        receipt: expect.any(String),
      });
      const again = await call(method, path, body);
      expect({ path, ...again }).toMatchObject({ status: 200 });
      expect({ path, receipt: again.receipt }).toEqual({ path, receipt: undefined });
    }
  });
});

describe('model versions', () => {
  it('are numbered per model, and no number comes twice', async () => {
    await createModel('a');
    await createModel('b');
    expect((await createVersion('a')).version.version).toBe('1');
    expect((await createVersion('a')).version.version).toBe('2');
    await call('DELETE', 'model-versions/delete', { name: 'a', version: '2' });
    expect((await createVersion('a')).version.version).toBe('3');
    expect((await createVersion('b')).version.version).toBe('1');
    expect(await call('GET', 'model-versions/get', { name: 'a', version: '2' })).toMatchObject({
      status: 404,
      ...refusal('RESOURCE_DOES_NOT_EXIST', 'Model Version (name=a, version=2) not found'),
    });
  });

  it('take numbers one after another when they come at once', async () => {
    await createModel('a');
    const made = await Promise.all(Array.from({ length: 20 }, () => createVersion('a')));
    const numbers = made.map(({ version }) => Number(version.version)).sort((x, y) => x - y);
    expect(numbers).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  it('of a logged model know its run, its files, and tell it of themselves', async () => {
    await createModel('a');
    const { version } = await createVersion('a', { source: `models:/${logged}`, model_id: logged });
    expect(version).toMatchObject({
      run_id: run,
      source: `models:/${logged}`,
      status: 'READY',
      current_stage: 'None',
    });
    await createVersion('a', { source: files, model_id: logged });
    const uri = await call('GET', 'model-versions/get-download-uri', { name: 'a', version: '1' });
    expect(uri.body).toEqual({ artifact_uri: files });
    const tags = await server.store.read(async ({ tracking }) => {
      const row = await tracking.findLoggedModel('default', logged);
      return row && tracking.loggedModelTags([row.key]);
    });
    expect(tags).toMatchObject([
      {
        key: 'mlflow.modelVersions',
        value: '[{"name": "a", "version": 1}, {"name": "a", "version": 2}]',
      },
    ]);
    const edges = await server.store.read(async ({ lineage }) => {
      const node = await lineage.findNode('modelVersion:default/a@1');
      return lineage.edges('up', [node?.key ?? 0], 10);
    });
    expect(edges.map(({ relation }) => relation).sort()).toEqual(['has-version', 'registered-as']);
  });

  it.each([
    ['s3://b/../x', {}, /an absolute path must be provided without relative path references/],
    ['s3://b/%252e%252e/x', {}, /an absolute path must be provided/],
    ['/tmp/x', {}, /To use a local path as a model version source, the run_id request parameter/],
    [`runs:/${run}/model`, {}, /The run_id request parameter must identify the resource/],
    ['runs:/other/model', { run_id: run }, /The run_id request parameter must identify/],
    [`${artifacts}x/model`, { run_id: run }, /The run_id request parameter must identify/],
    [`${artifacts}/model`, {}, /The run_id request parameter must identify/],
    [`models:/${logged}`, {}, /The model_id request parameter must identify/],
    [artifacts, { model_id: logged }, /The model_id request parameter must identify/],
    [`runs:/${run}/model`, { model_id: logged }, /The model_id request parameter must identify/],
    ['models://host/x', {}, /Registered model sources must use the active model registry/],
    ['models:/a@nope', {}, /^Registered model alias nope not found\.$/],
    [
      'http://h/api/2.0/mlflow-artifacts/artifacts/x',
      {},
      /The run_id request parameter must identify/,
    ],
  ])('refuse the source %s with %j', async (source, more, message) => {
    await createModel('a');
    const answer = await createVersion('a', { source, ...more });
    expect(answer).toMatchObject({ status: 400, ...refusal('INVALID_PARAMETER_VALUE', message) });
  });

  it('take sources inside of the run, and copies of other versions', async () => {
    await createModel('a');
    for (const source of [`runs:/${run}/model`, `${artifacts}/model`]) {
      expect((await createVersion('a', { source, run_id: run })).version).toMatchObject({
        run_id: run,
        source,
      });
    }
    await createModel('b');
    expect((await createVersion('b', { source: 'models:/a/latest' })).version).toMatchObject({
      source: 'models:/a/2',
      run_id: run,
    });
    const uri = await call('GET', 'model-versions/get-download-uri', { name: 'b', version: '1' });
    expect(uri.body).toEqual({ artifact_uri: `${artifacts}/model` });
  });

  it('make room in a stage, and are found as the latest of it', async () => {
    await createModel('a');
    for (let count = 0; count < 3; count += 1) await createVersion('a');
    const move = (version: string, stage: string, archive = false) =>
      call('POST', 'model-versions/transition-stage', {
        name: 'a',
        version,
        stage,
        archive_existing_versions: archive,
      });
    await move('1', 'production');
    const second = await move('2', 'PRODUCTION', true);
    expect(second.body.model_version).toMatchObject({ current_stage: 'Production', version: '2' });
    const latest = await call('POST', 'registered-models/get-latest-versions', { name: 'a' });
    const pairs = latest.body.model_versions.map((each: Record<string, string>) => [
      each.version,
      each.current_stage,
    ]);
    expect(pairs).toEqual([
      ['1', 'Archived'],
      ['2', 'Production'],
      ['3', 'None'],
    ]);
    const some = await call('GET', 'registered-models/get-latest-versions', {
      name: 'a',
      stages: ['none', 'Archived'],
    });
    expect(some.body.model_versions).toHaveLength(2);
    expect(await move('3', 'bogus')).toMatchObject(
      refusal(
        'INVALID_PARAMETER_VALUE',
        'Invalid Model Version stage: bogus. Value must be one of None, Staging, Production, Archived.',
      ),
    );
    expect(await move('3', 'None', true)).toMatchObject({ status: 400 });
    expect((await nodeOf('modelVersion:default/a@1'))?.attributes.stage).toBe('Archived');
  });
});

describe('aliases', () => {
  it('move, end with their version, and are refused as MLflow refuses them', async () => {
    await createModel('a');
    await createVersion('a');
    await createVersion('a');
    const set = (alias: string, version = '1') =>
      call('POST', 'registered-models/alias', { name: 'a', alias, version });
    const get = (alias: string) => call('GET', 'registered-models/alias', { name: 'a', alias });
    await set('champion', '1');
    expect((await nodeOf('modelVersion:default/a@1'))?.attributes.aliases).toEqual(['champion']);
    await set('champion', '2');
    expect((await nodeOf('modelVersion:default/a@1'))?.attributes.aliases).toEqual([]);
    expect((await get('champion')).body.model_version.version).toBe('2');
    expect((await get('latest')).body.model_version.version).toBe('2');
    await call('DELETE', 'model-versions/delete', { name: 'a', version: '2' });
    expect(await get('champion')).toMatchObject({
      status: 400,
      ...refusal('INVALID_PARAMETER_VALUE', 'Registered model alias champion not found.'),
    });
    expect(await set('latest')).toMatchObject(
      refusal('INVALID_PARAMETER_VALUE', "'latest' alias name (case insensitive) is reserved."),
    );
    expect(await set('v1')).toMatchObject(
      refusal('INVALID_PARAMETER_VALUE', "Version alias name 'v1' is reserved."),
    );
    expect(await set('a b')).toMatchObject(
      refusal('INVALID_PARAMETER_VALUE', /^Invalid alias name: 'a b'/),
    );
    expect(await set('x', '9')).toMatchObject({ status: 404 });
  });
});

describe('searches', () => {
  beforeEach(async () => {
    await createModel('m1', { tags: [{ key: 'team', value: 'risk' }] });
    await createModel('m2', { tags: [{ key: 'team', value: 'fraud' }] });
    await createModel('M3');
    await createModel('p1', { tags: [{ key: 'mlflow.prompt.is_prompt', value: 'true' }] });
    await createVersion('m1', {
      source: `runs:/${run}/model`,
      run_id: run,
      tags: [{ key: 'k', value: '1' }],
    });
    await createVersion('m1');
    await createVersion('m2');
  });

  const models = async (body: Record<string, unknown>) => {
    const answer = await call('GET', 'registered-models/search', body);
    return (answer.body.registered_models ?? []).map((each: { name: string }) => each.name);
  };
  const versions = async (body: Record<string, unknown>) => {
    const answer = await call('GET', 'model-versions/search', body);
    return (answer.body.model_versions ?? []).map(
      (each: Record<string, string>) => `${each.name}@${each.version}`,
    );
  };

  it.each([
    ['', ['M3', 'm1', 'm2']],
    ["name = 'm1'", ['m1']],
    ["name LIKE 'm%'", ['m1', 'm2']],
    ["name ILIKE 'm%'", ['M3', 'm1', 'm2']],
    ["name IN ('m1', 'M3')", ['M3', 'm1']],
    ["name NOT IN ('m1')", ['M3', 'm2']],
    ["tags.team = 'risk'", ['m1']],
    ["tags.team != 'risk'", ['m2']],
    ["tags.team LIKE '%r%' AND name != 'm1'", ['m2']],
    ["tags.`mlflow.prompt.is_prompt` = 'true'", ['p1']],
    ["tags.`mlflow.prompt.is_prompt` != 'true'", ['M3', 'm1', 'm2']],
    ["tags.team = 'x''; DROP TABLE registry_models; --'", []],
  ])('find models by %s', async (filter, names) => {
    expect(await models({ filter })).toEqual(names);
  });

  it('order and page models', async () => {
    expect(await models({ order_by: ['name DESC'] })).toEqual(['m2', 'm1', 'M3']);
    const first = await call('GET', 'registered-models/search', { max_results: 2 });
    const page_token = first.body.next_page_token;
    expect(await models({ max_results: 2, page_token })).toEqual(['m2']);
    expect(await call('GET', 'registered-models/search', { page_token: 'zzz' })).toMatchObject({
      status: 400,
    });
  });

  it.each([
    ["name = 'm1'", ['m1@2', 'm1@1']],
    [`run_id = '${run}'`, ['m1@1']],
    [`run_id IN ('${run}', 'x')`, ['m1@1']],
    ["run_id = ''", ['m2@1', 'm1@2']],
    ['version_number > 1', ['m1@2']],
    ["source_path LIKE 'runs:/%'", ['m1@1']],
    ["tags.k = '1'", ['m1@1']],
  ])('find versions by %s', async (filter, names) => {
    expect(new Set(await versions({ filter }))).toEqual(new Set(names));
  });

  it('order versions', async () => {
    expect(await versions({ order_by: ['name DESC', 'version_number ASC'] })).toEqual([
      'm2@1',
      'm1@1',
      'm1@2',
    ]);
    expect(
      await call('GET', 'model-versions/search', { filter: "status = 'READY'" }),
    ).toMatchObject({ status: 400 });
  });
});
