import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sha256Hex } from '../../../base/digest.ts';
import { refusal, startMlflowServer } from '../../../testing/mlflow-server.ts';

let server: Awaited<ReturnType<typeof startMlflowServer>>;
let run: string;

beforeEach(async () => {
  server = await startMlflowServer();
  run = await server.createRun();
});
afterEach(async () => {
  expect(await server.rebuild()).toEqual([]);
  await server.close();
});

const create = async (more: object = {}) =>
  (
    await server.post('logged-models', {
      experiment_id: '0',
      name: 'm',
      source_run_id: run,
      ...more,
    })
  ).body.model.info.model_id as string;
const get = async (id: string) => (await server.call('GET', `logged-models/${id}`)).body.model;
const ready = (id: string) =>
  server.call('PATCH', `logged-models/${id}`, { model_id: id, status: 'LOGGED_MODEL_READY' });

describe('a logged model', () => {
  test('goes from pending to ready', async () => {
    const id = await create({
      model_type: 'classifier',
      params: [{ key: 'a', value: '1' }],
      tags: [{ key: 't', value: 'x' }],
    });
    expect(id).toMatch(/^m-[0-9a-f]{32}$/);
    expect(await get(id)).toMatchObject({
      info: {
        model_id: id,
        experiment_id: '0',
        name: 'm',
        status: 'LOGGED_MODEL_PENDING',
        model_type: 'classifier',
        source_run_id: run,
        artifact_uri: `mlflow-artifacts:/0/models/${id}/artifacts`,
        tags: [{ key: 't', value: 'x' }],
      },
      data: { params: [{ key: 'a', value: '1' }] },
    });
    expect((await ready(id)).body.model.info.status).toBe('LOGGED_MODEL_READY');
  });

  test('is known by its files, its signature and the environment that it locks', async () => {
    const id = await create();
    const root = `0/models/${id}/artifacts`;
    const files: Record<string, string> = {
      MLmodel: `flavors:\n  sklearn: {}\nsignature:\n  inputs: '[{"name": "x", "type": "double"}]'\n  outputs: '[{"type": "long"}]'\n`,
      'requirements.txt': 'scikit-learn==1.9.1\nmlflow==3.17.2\n',
      'python_env.yaml': 'python: "3.10"\n',
      'data/model.pkl': 'bytes',
    };
    for (const [path, content] of Object.entries(files))
      await server.put(`${root}/${path}`, content);
    expect((await ready(id)).headers['wherefrom-receipt']).toBeDefined();
    expect((await ready(id)).headers['wherefrom-receipt']).toBeUndefined();
    const ref = `artifact:default/${id}`;
    const lines = Object.entries(files)
      .map(([path, content]) => `${path} ${sha256Hex(content)}`)
      .sort();
    expect(await server.attributes(ref)).toMatchObject({
      name: 'm',
      digest: `sha256:${sha256Hex(lines.join('\n'))}`,
      files: 4,
      bytes: Object.values(files).join('').length,
      flavors: ['sklearn'],
      inputs: [{ name: 'x', type: 'double' }],
      outputs: [{ name: 'column0', type: 'long' }],
    });
    const edges = await server.edges(ref);
    expect(edges).toContainEqual({
      from: `run:default/${run}`,
      to: ref,
      relation: 'produced',
      role: null,
      known: 'observed',
      rule: 'mlflow.logged-models/source_run_id',
    });
    const environment = edges.find(({ relation }) => relation === 'used-by')?.from ?? '';
    expect(await server.attributes(environment)).toEqual({
      packages: ['mlflow==3.17.2', 'scikit-learn==1.9.1'],
      python: '3.10',
      source: 'requirements.txt',
    });
    const users = (await server.edges(environment)).map(({ to }) => to).sort();
    expect(users).toEqual([ref, `run:default/${run}`]);
    const listed = await server.call(
      'GET',
      `logged-models/${id}/artifacts/directories?artifact_directory_path=data`,
    );
    expect(listed.body).toEqual({
      root_uri: `mlflow-artifacts:/${root}`,
      files: [{ path: 'data/model.pkl', is_dir: false, file_size: 5 }],
    });
    expect(
      (await server.call('GET', `logged-models/${id}/artifacts/files?artifact_file_path=MLmodel`))
        .body,
    ).toBe(files.MLmodel);
  });

  test('has the metrics that were logged for it, apart from its run', async () => {
    const id = await create();
    await server.post('runs/log-metric', {
      run_id: run,
      key: 'acc',
      value: 0.5,
      timestamp: 1,
      model_id: id,
      dataset_name: 'd',
      dataset_digest: 'x',
    });
    await server.post('runs/log-batch', {
      run_id: run,
      metrics: [
        { key: 'loss', value: 1, timestamp: 2, model_id: id },
        { key: 'alone', value: 1, timestamp: 2 },
      ],
    });
    expect((await get(id)).data.metrics).toEqual([
      {
        key: 'acc',
        value: 0.5,
        timestamp: 1,
        step: 0,
        dataset_name: 'd',
        dataset_digest: 'x',
        model_id: id,
        run_id: run,
      },
      { key: 'loss', value: 1, timestamp: 2, step: 0, model_id: id, run_id: run },
    ]);
    expect(
      await server.post('runs/log-metric', {
        run_id: run,
        key: 'acc',
        value: 1,
        timestamp: 1,
        model_id: 'm-none',
      }),
    ).toMatchObject(
      refusal(404, 'RESOURCE_DOES_NOT_EXIST', "Logged model with ID 'm-none' not found."),
    );
  });

  test('gets and loses tags, gets parameters', async () => {
    const id = await create({ tags: [{ key: 'a', value: '1' }] });
    await server.call('PATCH', `logged-models/${id}/tags`, {
      tags: [
        { key: 'a', value: '2' },
        { key: 'b', value: '3' },
      ],
    });
    expect((await server.call('DELETE', `logged-models/${id}/tags/b`)).status).toBe(200);
    expect(await server.call('DELETE', `logged-models/${id}/tags/b`)).toMatchObject(
      refusal(
        404,
        'RESOURCE_DOES_NOT_EXIST',
        `No tag with key 'b' found for model with ID '${id}'.`,
      ),
    );
    await server.post(`logged-models/${id}/params`, {
      model_id: id,
      params: [{ key: 'p', value: '1' }],
    });
    expect(await get(id)).toMatchObject({
      info: { tags: [{ key: 'a', value: '2' }] },
      data: { params: [{ key: 'p', value: '1' }] },
    });
  });

  test('is gone at once when deleted', async () => {
    const id = await create();
    expect((await server.call('DELETE', `logged-models/${id}`)).body).toEqual({});
    expect((await server.call('GET', `logged-models/${id}`)).status).toBe(404);
    expect((await server.call('GET', `logged-models/${id}?allow_deleted=true`)).status).toBe(200);
    expect((await server.post('logged-models/search', { experiment_ids: ['0'] })).body).toEqual({});
    const node = await server.store.read(({ lineage }) =>
      lineage.findNode(`artifact:default/${id}`),
    );
    expect(node?.deletedTime).not.toBeNull();
  });

  test.each(['a/b', 'a:b', 'a.b', 'a%b', "a'b"])('may not be called %s', async (name) => {
    expect((await server.post('logged-models', { experiment_id: '0', name })).body.message).toMatch(
      /^Invalid model name/,
    );
  });
});

describe('logged models', () => {
  test('are searched by what they are and what was measured', async () => {
    const ids: Record<string, string> = {};
    for (const [name, value] of [
      ['low', 0.1],
      ['high', 0.9],
      ['none', undefined],
    ] as const) {
      ids[name] = await create({ name, params: [{ key: 'p', value: name }] });
      if (value !== undefined)
        await server.post('runs/log-metric', {
          run_id: run,
          key: 'acc',
          value,
          timestamp: 1,
          model_id: ids[name],
          dataset_name: 'd',
          dataset_digest: name,
        });
    }
    await ready(ids.high ?? '');
    const search = async (body: object) => {
      const reply = await server.post('logged-models/search', { experiment_ids: ['0'], ...body });
      return (
        reply.body.models?.map(({ info }: { info: { name: string } }) => info.name) ??
        reply.body.message ??
        []
      );
    };
    expect(await search({ filter: 'metrics.acc > 0.5' })).toEqual(['high']);
    expect(await search({ filter: "params.p LIKE 'l%'" })).toEqual(['low']);
    expect(await search({ filter: "status = 'READY'" })).toEqual(['high']);
    expect(await search({ datasets: [{ dataset_name: 'd', dataset_digest: 'low' }] })).toEqual([
      'low',
    ]);
    expect(await search({ order_by: [{ field_name: 'metrics.acc', ascending: false }] })).toEqual([
      'high',
      'low',
      'none',
    ]);
    expect(await search({ order_by: [{ field_name: 'name' }] })).toEqual(['high', 'low', 'none']);
    const query = { order_by: [{ field_name: 'name' }], max_results: 2 };
    const page = await server.post('logged-models/search', { experiment_ids: ['0'], ...query });
    expect(await search({ ...query, page_token: page.body.next_page_token })).toEqual(['none']);
    expect(await search({ max_results: 2, page_token: page.body.next_page_token })).toMatch(
      /^Order by in the page token/,
    );
    expect(await search({ page_token: 'x' })).toMatch(/^Invalid page token/);
  });
});
