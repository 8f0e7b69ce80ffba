import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  artifacts,
  loggedModel,
  modelFiles,
  refusal,
  run,
  startRegistryServer,
} from '../../../testing/registry-server.ts';

let server: Awaited<ReturnType<typeof startRegistryServer>>;

beforeEach(async () => {
  server = await startRegistryServer();
});

afterEach(async () => {
  expect(await server.rebuild()).toEqual([]);
  await server.close();
});

describe('model versions', () => {
  it('are numbered per model, and no number comes twice', async () => {
    await server.createModel('a');
    await server.createModel('b');
    expect((await server.createVersion('a')).version.version).toBe('1');
    expect((await server.createVersion('a')).version.version).toBe('2');
    await server.call('DELETE', 'model-versions/delete', { name: 'a', version: '2' });
    expect((await server.createVersion('a')).version.version).toBe('3');
    expect((await server.createVersion('b')).version.version).toBe('1');
    expect(
      await server.call('GET', 'model-versions/get', { name: 'a', version: '2' }),
    ).toMatchObject({
      status: 404,
      ...refusal('RESOURCE_DOES_NOT_EXIST', 'Model Version (name=a, version=2) not found'),
    });
  });

  it('take numbers one after another when they come at once', async () => {
    await server.createModel('a');
    const made = await Promise.all(Array.from({ length: 20 }, () => server.createVersion('a')));
    const numbers = made.map(({ version }) => Number(version.version)).sort((x, y) => x - y);
    expect(numbers).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  it('of a logged model know its run, its files, and tell it of themselves', async () => {
    await server.createModel('a');
    const { version } = await server.createVersion('a', {
      source: `models:/${loggedModel}`,
      model_id: loggedModel,
    });
    expect(version).toMatchObject({
      run_id: run,
      source: `models:/${loggedModel}`,
      status: 'READY',
      current_stage: 'None',
    });
    await server.createVersion('a', { source: modelFiles, model_id: loggedModel });
    const uri = await server.call('GET', 'model-versions/get-download-uri', {
      name: 'a',
      version: '1',
    });
    expect(uri.body).toEqual({ artifact_uri: modelFiles });
    const tags = await server.store.read(async ({ tracking }) => {
      const row = await tracking.findLoggedModel('default', loggedModel);
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
      return (await lineage.edges('up', [node?.key ?? 0], 10)).rows;
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
    [`models:/${loggedModel}`, {}, /The model_id request parameter must identify/],
    [artifacts, { model_id: loggedModel }, /The model_id request parameter must identify/],
    [
      `runs:/${run}/model`,
      { model_id: loggedModel },
      /The model_id request parameter must identify/,
    ],
    ['models://host/x', {}, /Registered model sources must use the active model registry/],
    ['models:/a@nope', {}, /^Registered model alias nope not found\.$/],
    ['http://h/api/2.0/mlflow-artifacts/artifacts/x', {}, /^'source' cannot use the 'http' scheme/],
    ['HTTPS://h/x', {}, /^'source' cannot use the 'https' scheme: the 'https' scheme addresses/],
    ['mlflow-artifacts://h:99/x', {}, /^'source' cannot use the 'mlflow-artifacts' scheme/],
  ])('refuse the source %s with %j', async (source, more, message) => {
    await server.createModel('a');
    const answer = await server.createVersion('a', { source, ...more });
    expect(answer).toMatchObject({
      status: 400,
      ...refusal(
        'INVALID_PARAMETER_VALUE',
        typeof message === 'string' ? message : expect.stringMatching(message),
      ),
    });
  });

  it('take sources inside of the run, and copies of other versions', async () => {
    await server.createModel('a');
    for (const source of [`runs:/${run}/model`, `${artifacts}/model`]) {
      expect((await server.createVersion('a', { source, run_id: run })).version).toMatchObject({
        run_id: run,
        source,
      });
    }
    await server.createModel('b');
    expect((await server.createVersion('b', { source: 'models:/a/latest' })).version).toMatchObject(
      {
        source: 'models:/a/2',
        run_id: run,
      },
    );
    const uri = await server.call('GET', 'model-versions/get-download-uri', {
      name: 'b',
      version: '1',
    });
    expect(uri.body).toEqual({ artifact_uri: `${artifacts}/model` });
  });

  it('make room in a stage, and are found as the latest of it', async () => {
    await server.createModel('a');
    for (let count = 0; count < 3; count += 1) await server.createVersion('a');
    const move = (version: string, stage: string, archive = false) =>
      server.call('POST', 'model-versions/transition-stage', {
        name: 'a',
        version,
        stage,
        archive_existing_versions: archive,
      });
    await move('1', 'production');
    const second = await move('2', 'PRODUCTION', true);
    expect(second.body.model_version).toMatchObject({ current_stage: 'Production', version: '2' });
    const latest = await server.call('POST', 'registered-models/get-latest-versions', {
      name: 'a',
    });
    const pairs = latest.body.model_versions.map((each: Record<string, string>) => [
      each.version,
      each.current_stage,
    ]);
    expect(pairs).toEqual([
      ['1', 'Archived'],
      ['2', 'Production'],
      ['3', 'None'],
    ]);
    const some = await server.call('GET', 'registered-models/get-latest-versions', {
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
    expect((await server.nodeOf('modelVersion:default/a@1'))?.attributes.stage).toBe('Archived');
  });
});

describe('aliases', () => {
  it('move, end with their version, and are refused as MLflow refuses them', async () => {
    await server.createModel('a');
    await server.createVersion('a');
    await server.createVersion('a');
    const set = (alias: string, version = '1') =>
      server.call('POST', 'registered-models/alias', { name: 'a', alias, version });
    const get = (alias: string) =>
      server.call('GET', 'registered-models/alias', { name: 'a', alias });
    await set('champion', '1');
    expect((await server.nodeOf('modelVersion:default/a@1'))?.attributes.aliases).toEqual([
      'champion',
    ]);
    await set('champion', '2');
    expect((await server.nodeOf('modelVersion:default/a@1'))?.attributes.aliases).toEqual([]);
    expect((await get('champion')).body.model_version.version).toBe('2');
    expect((await get('latest')).body.model_version.version).toBe('2');
    await server.call('DELETE', 'model-versions/delete', { name: 'a', version: '2' });
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
      refusal('INVALID_PARAMETER_VALUE', expect.stringMatching(/^Invalid alias name: 'a b'/)),
    );
    expect(await set('x', '9')).toMatchObject({ status: 404 });
  });
});
