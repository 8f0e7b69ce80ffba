import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run, startRegistryServer } from '../../../testing/registry-server.ts';

let server: Awaited<ReturnType<typeof startRegistryServer>>;

beforeEach(async () => {
  server = await startRegistryServer();
});

afterEach(async () => {
  expect(await server.rebuild()).toEqual([]);
  await server.close();
});

describe('searches', () => {
  beforeEach(async () => {
    await server.createModel('m1', { tags: [{ key: 'team', value: 'risk' }] });
    await server.createModel('m2', { tags: [{ key: 'team', value: 'fraud' }] });
    await server.createModel('M3');
    await server.createModel('p1', { tags: [{ key: 'mlflow.prompt.is_prompt', value: 'true' }] });
    await server.createVersion('m1', {
      source: `runs:/${run}/model`,
      run_id: run,
      tags: [{ key: 'k', value: '1' }],
    });
    await server.createVersion('m1');
    await server.createVersion('m2');
  });

  const models = async (body: Record<string, unknown>) => {
    const answer = await server.call('GET', 'registered-models/search', body);
    return (answer.body.registered_models ?? []).map((each: { name: string }) => each.name);
  };
  const versions = async (body: Record<string, unknown>) => {
    const answer = await server.call('GET', 'model-versions/search', body);
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
    const first = await server.call('GET', 'registered-models/search', { max_results: 2 });
    const page_token = first.body.next_page_token;
    expect(await models({ max_results: 2, page_token })).toEqual(['m2']);
    expect(
      await server.call('GET', 'registered-models/search', { page_token: 'zzz' }),
    ).toMatchObject({
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
      await server.call('GET', 'model-versions/search', { filter: "status = 'READY'" }),
    ).toMatchObject({ status: 400 });
  });
});
