import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refusal, startRegistryServer } from '../../../testing/registry-server.ts';

let server: Awaited<ReturnType<typeof startRegistryServer>>;

beforeEach(async () => {
  server = await startRegistryServer();
});

afterEach(async () => {
  expect(await server.rebuild()).toEqual([]);
  await server.close();
});

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

describe('registered models', () => {
  it('are created once, with tags and description, and found again', async () => {
    const tags = [
      { key: 'a', value: '1' },
      { key: 'a', value: '2' },
    ];
    await server.createModel('credit-risk', { description: 'd', tags });
    const { body } = await server.call('GET', 'registered-models/get', { name: 'credit-risk' });
    expect(body.registered_model).toMatchObject({
      name: 'credit-risk',
      description: 'd',
      tags: [{ key: 'a', value: '2' }],
    });
    expect(body.registered_model).not.toHaveProperty('latest_versions');
    expect(
      await server.call('POST', 'registered-models/create', { name: 'credit-risk' }),
    ).toMatchObject({
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
    const answer = await server.call('POST', 'registered-models/create', body);
    expect(answer).toMatchObject({
      status: 400,
      ...refusal(
        'INVALID_PARAMETER_VALUE',
        typeof message === 'string' ? message : expect.stringMatching(message),
      ),
    });
  });

  it('get another ref when the name was used by a deleted model', async () => {
    await server.createModel('credit-risk');
    await server.createVersion('credit-risk');
    await server.call('DELETE', 'registered-models/delete', { name: 'credit-risk' });
    expect(
      await server.call('GET', 'registered-models/get', { name: 'credit-risk' }),
    ).toMatchObject({
      status: 404,
      ...refusal('RESOURCE_DOES_NOT_EXIST', 'Registered Model with name=credit-risk not found'),
    });
    await server.createModel('credit-risk');
    expect((await server.createVersion('credit-risk')).version).toMatchObject({ version: '1' });
    expect(await server.nodeOf('modelVersion:default/credit-risk@1')).toMatchObject({
      deleted: true,
    });
    expect(await server.nodeOf('modelVersion:default/credit-risk@1~2')).toMatchObject({
      deleted: false,
    });
  });

  it('keep versions, tags and aliases when renamed, and free the old name', async () => {
    await server.createModel('a', { tags: [{ key: 'k', value: 'v' }] });
    await server.createVersion('a');
    await server.call('POST', 'registered-models/alias', {
      name: 'a',
      alias: 'champion',
      version: '1',
    });
    await server.createModel('taken');
    expect(
      await server.call('POST', 'registered-models/rename', { name: 'a', new_name: 'taken' }),
    ).toMatchObject(
      refusal('RESOURCE_ALREADY_EXISTS', 'Registered Model (name=taken) already exists.'),
    );
    const renamed = await server.call('POST', 'registered-models/rename', {
      name: 'a',
      new_name: 'b',
    });
    expect(renamed.body.registered_model).toMatchObject({
      name: 'b',
      tags: [{ key: 'k', value: 'v' }],
      latest_versions: [{ name: 'b', version: '1' }],
    });
    const champion = await server.call('GET', 'registered-models/alias', {
      name: 'b',
      alias: 'champion',
    });
    expect(champion.body.model_version).toMatchObject({
      name: 'b',
      version: '1',
      aliases: ['champion'],
    });
    await server.createModel('a');
    await server.createVersion('a');
    expect(await server.nodeOf('modelVersion:default/a@1~2')).toMatchObject({ deleted: false });
    await server.call('POST', 'registered-models/rename', { name: 'b', new_name: 'c' });
    await server.call('POST', 'registered-models/rename', { name: 'c', new_name: 'b' });
    const uses = await server.store.read(({ registry }) => registry.listNameUses('default', 'b'));
    expect(uses).toMatchObject([{ generation: 1, toTime: null }]);
  });

  it('record nothing when nothing changes', async () => {
    await server.createModel('a', { description: 'd' });
    await server.createVersion('a');
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
      expect(await server.call(method, path, body)).toMatchObject({
        status: 200,
        receipt: expect.any(String),
      });
      const again = await server.call(method, path, body);
      expect({ path, ...again }).toMatchObject({ status: 200 });
      expect({ path, receipt: again.receipt }).toEqual({ path, receipt: undefined });
    }
  });
});
