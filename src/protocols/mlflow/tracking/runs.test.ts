import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { refusal, startMlflowServer } from '../../../testing/mlflow-server.ts';

let server: Awaited<ReturnType<typeof startMlflowServer>>;

beforeEach(async () => {
  server = await startMlflowServer();
});
afterEach(async () => {
  expect(await server.rebuild()).toEqual([]);
  await server.close();
});

const time = 1_700_000_000_000;
const getRun = async (id: string) => (await server.call('GET', `runs/get?run_id=${id}`)).body.run;
const metric = (run_id: string, key: string, value: unknown, step = 0, timestamp = time) =>
  server.post('runs/log-metric', { run_id, key, value, step, timestamp });
const byKey = (rows: { key: string; value: unknown }[] = []): Record<string, unknown> =>
  Object.fromEntries(rows.map(({ key, value }) => [key, value]));

test('whoever is named only in a request that was refused is not kept', async () => {
  const create = (experiment_id: string) =>
    server.post('runs/create', {
      experiment_id,
      user_id: 'ann',
      tags: [{ key: 'mlflow.source.name', value: '/home/eve/train.py' }],
    });
  expect((await create('7')).status).toBe(404);
  expect(server.services.findToken('ann')).toBeUndefined();
  expect(server.services.findToken('eve')).toBeUndefined();
  const { body } = await create('0');
  const { info, data } = await getRun(body.run.info.run_id);
  expect([info.user_id, byKey(data.tags)]).toMatchObject([
    'ann',
    { 'mlflow.source.name': '/home/eve/train.py' },
  ]);
  expect(server.services.findToken('ann')).toMatch(/^person_/);
});

describe('experiments', () => {
  test('"0" is there from the start and is called Default', async () => {
    const { body } = await server.call('GET', 'experiments/get?experiment_id=0');
    expect(body.experiment).toMatchObject({
      name: 'Default',
      artifact_location: 'mlflow-artifacts:/0',
      lifecycle_stage: 'active',
    });
    expect((await server.post('experiments/create', { name: 'Default' })).status).toBe(400);
  });

  test('are created once under a name, also when that one was deleted', async () => {
    const { body } = await server.post('experiments/create', {
      name: 'a',
      tags: [{ key: 'k', value: 'v' }],
    });
    expect(body).toEqual({ experiment_id: '1' });
    await server.post('experiments/delete', { experiment_id: '1' });
    expect(await server.post('experiments/create', { name: 'a' })).toMatchObject(
      refusal(400, 'RESOURCE_ALREADY_EXISTS', 'Experiment(name=a) already exists.'),
    );
    const found = await server.call('GET', 'experiments/get-by-name?experiment_name=a');
    expect(found.body.experiment).toMatchObject({
      experiment_id: '1',
      lifecycle_stage: 'deleted',
      tags: [{ key: 'k', value: 'v' }],
    });
  });

  test('take their runs with them when deleted, and bring them back', async () => {
    await server.post('experiments/create', { name: 'a' });
    const run = await server.createRun({ experiment_id: '1' });
    await server.post('experiments/delete', { experiment_id: '1' });
    expect((await getRun(run)).info.lifecycle_stage).toBe('deleted');
    expect(await metric(run, 'm', 1)).toMatchObject(
      refusal(
        400,
        'INVALID_PARAMETER_VALUE',
        `The run ${run} must be in the 'active' state. Current state is deleted.`,
      ),
    );
    expect((await server.post('runs/create', { experiment_id: '1' })).body.message).toBe(
      "The experiment 1 must be in the 'active' state. Current state is deleted.",
    );
    await server.post('experiments/restore', { experiment_id: '1' });
    expect((await getRun(run)).info.lifecycle_stage).toBe('active');
    expect((await metric(run, 'm', 1)).status).toBe(200);
  });

  test('are read as they are now, however often they were read before', async () => {
    await server.post('experiments/create', { name: 'a' });
    const get = async () =>
      (await server.call('GET', 'experiments/get?experiment_id=1')).body.experiment;
    expect(await get()).toMatchObject({ name: 'a', lifecycle_stage: 'active' });
    await server.post('experiments/update', { experiment_id: '1', new_name: 'b' });
    await server.post('experiments/delete', { experiment_id: '1' });
    expect(await get()).toMatchObject({ name: 'b', lifecycle_stage: 'deleted' });
  });

  test('are searched by name and tag, page by page', async () => {
    for (const name of ['a1', 'a2', 'b1'])
      await server.post('experiments/create', { name, tags: [{ key: 'team', value: name }] });
    const names = async (body: object) =>
      (await server.post('experiments/search', { max_results: 10, ...body })).body.experiments?.map(
        ({ name }: { name: string }) => name,
      );
    expect(await names({ filter: "name LIKE 'a%'", order_by: ['name DESC'] })).toEqual([
      'a2',
      'a1',
    ]);
    expect(await names({ filter: "tags.team = 'b1'" })).toEqual(['b1']);
    expect(await names({ filter: 'tags.team IS NULL' })).toEqual(['Default']);
    expect(
      await names({ filter: "experiment_id IN ('1', '3')", order_by: ['experiment_id'] }),
    ).toEqual(['a1', 'b1']);
    const first = await server.post('experiments/search', { max_results: 3, order_by: ['name'] });
    expect(first.body.experiments).toHaveLength(3);
    expect(
      await names({ max_results: 3, order_by: ['name'], page_token: first.body.next_page_token }),
    ).toEqual(['b1']);
    expect(await server.post('experiments/search', {})).toMatchObject(
      refusal(400, 'INVALID_PARAMETER_VALUE', /max_results/),
    );
  });
});

describe('runs', () => {
  test('get an id, a name that is also a tag, and a place for their artifacts', async () => {
    const { body, headers } = await server.post('runs/create', { start_time: time });
    const { info, data } = body.run;
    expect(info).toMatchObject({
      run_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      run_uuid: info.run_id,
      experiment_id: '0',
      run_name: expect.stringMatching(/^[a-z]+-[a-z]+(-\d*)?$/),
      user_id: '',
      status: 'RUNNING',
      start_time: time,
      artifact_uri: `mlflow-artifacts:/0/${info.run_id}/artifacts`,
      lifecycle_stage: 'active',
    });
    expect(data.tags).toEqual([{ key: 'mlflow.runName', value: info.run_name }]);
    expect(headers['wherefrom-receipt']).toMatch(/^\S+ \d+ \d+$/);
    expect((await getRun(info.run_id)).info).toEqual(info);
  });

  test('are renamed by the tag, by the batch and by the update alike', async () => {
    const run = await server.createRun({ run_name: 'first' });
    await server.post('runs/set-tag', { run_id: run, key: 'mlflow.runName', value: 'second' });
    expect((await getRun(run)).info.run_name).toBe('second');
    await server.post('runs/log-batch', {
      run_id: run,
      tags: [{ key: 'mlflow.runName', value: 'third' }],
    });
    expect((await getRun(run)).info.run_name).toBe('third');
    const { body } = await server.post('runs/update', {
      run_id: run,
      run_name: 'fourth',
      status: 'FINISHED',
      end_time: time + 5,
    });
    expect(body.run_info).toMatchObject({
      run_name: 'fourth',
      status: 'FINISHED',
      end_time: time + 5,
    });
    expect(byKey((await getRun(run)).data.tags)).toEqual({ 'mlflow.runName': 'fourth' });
    expect(
      await server.post('runs/create', {
        run_name: 'a',
        tags: [{ key: 'mlflow.runName', value: 'b' }],
      }),
    ).toMatchObject(
      refusal(
        400,
        'INVALID_PARAMETER_VALUE',
        /Both 'run_name' argument and 'mlflow.runName' tag are specified/,
      ),
    );
  });

  test('show the metric that is latest by step, then time, then value', async () => {
    const run = await server.createRun();
    await metric(run, 'm', 1, 5, time);
    await metric(run, 'm', 9, 2, time + 1_000);
    expect(byKey((await getRun(run)).data.metrics)).toEqual({ m: 1 });
    await metric(run, 'm', 0.5, 5, time);
    expect(byKey((await getRun(run)).data.metrics)).toEqual({ m: 1 });
    await metric(run, 'm', 0.25, 5, time + 1);
    expect(byKey((await getRun(run)).data.metrics)).toEqual({ m: 0.25 });
    const { body } = await server.call('GET', `metrics/get-history?run_id=${run}&metric_key=m`);
    expect(body.metrics.map(({ value }: { value: number }) => value)).toEqual([0.5, 1, 0.25, 9]);
    const page = await server.call(
      'GET',
      `metrics/get-history?run_id=${run}&metric_key=m&max_results=3`,
    );
    expect(page.body.metrics).toHaveLength(3);
    const rest = await server.call(
      'GET',
      `metrics/get-history?run_id=${run}&metric_key=m&max_results=3&page_token=${page.body.next_page_token}`,
    );
    expect(rest.body).toMatchObject({ metrics: [{ value: 9 }] });
    expect(rest.body.next_page_token).toBeUndefined();
  });

  test('keep what is no finite number', async () => {
    const run = await server.createRun();
    await metric(run, 'nan', 'NaN');
    await metric(run, 'inf', '-Infinity');
    expect(byKey((await getRun(run)).data.metrics)).toEqual({ nan: 'NaN', inf: -Number.MAX_VALUE });
  });

  test('do not write what they know already: no receipt, no entry', async () => {
    const run = await server.createRun();
    const twice = async (path: string, body: object) => {
      const first = await server.post(path, body);
      expect(first.headers['wherefrom-receipt']).toBeDefined();
      const second = await server.post(path, body);
      expect(second).toMatchObject({ status: 200, body: first.body });
      expect(second.headers['wherefrom-receipt']).toBeUndefined();
    };
    await twice('runs/log-metric', { run_id: run, key: 'm', value: 1, timestamp: time });
    await twice('runs/log-parameter', { run_id: run, key: 'p', value: '1' });
    await twice('runs/set-tag', { run_id: run, key: 't', value: '1' });
    await twice('runs/log-batch', {
      run_id: run,
      metrics: [{ key: 'b', value: 1, timestamp: time }],
      params: [{ key: 'q', value: '1' }],
      tags: [{ key: 'u', value: '1' }],
    });
    await twice('runs/update', { run_id: run, status: 'FINISHED', end_time: time });
    const dataset = { name: 'd', digest: 'x', source_type: 'local', source: '{"uri": "/d.csv"}' };
    await twice('runs/log-inputs', { run_id: run, datasets: [{ dataset }] });
    await twice('runs/outputs', { run_id: run, models: [{ model_id: 'm-1', step: 0 }] });
    await twice('runs/delete', { run_id: run });
  });

  test('refuse another value of a parameter, and the whole batch with it', async () => {
    const run = await server.createRun();
    await server.post('runs/log-parameter', { run_id: run, key: 'p', value: '1' });
    expect(
      await server.post('runs/log-parameter', { run_id: run, key: 'p', value: '2' }),
    ).toMatchObject(
      refusal(
        400,
        'INVALID_PARAMETER_VALUE',
        `Changing param values is not allowed. Param with key='p' was already logged with value='1' for run ID='${run}'. Attempted logging new value '2'.`,
      ),
    );
    const batch = {
      run_id: run,
      params: [
        { key: 'new', value: '1' },
        { key: 'p', value: '3' },
      ],
      metrics: [{ key: 'm', value: 1, timestamp: time }],
      tags: [{ key: 't', value: 'x' }],
    };
    expect((await server.post('runs/log-batch', batch)).body.message).toMatch(
      /^Changing param values is not allowed\. Params were already logged='\[\{'key': 'p', 'old_value': '1', 'new_value': '3'\}\]'/,
    );
    const { data } = await getRun(run);
    expect(data).toEqual({ params: [{ key: 'p', value: '1' }], tags: data.tags });
    expect(byKey(data.tags)).not.toHaveProperty('t');
  });

  test('that come at once are decided one after another', async () => {
    const run = await server.createRun();
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        server.post('runs/log-parameter', { run_id: run, key: 'p', value: String(index % 2) }),
      ),
    );
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(replies.filter(({ status }) => status === 400)).toHaveLength(10);
  });

  test.each([
    [
      {
        metrics: Array.from({ length: 1_001 }, (_, i) => ({
          key: `m${i}`,
          value: 1,
          timestamp: 1,
        })),
      },
      /at most 1000 metrics\. Got 1001 metrics/,
    ],
    [
      { params: Array.from({ length: 101 }, (_, i) => ({ key: `p${i}`, value: '1' })) },
      /at most 100 params/,
    ],
    [
      {
        params: [
          { key: 'a', value: '1' },
          { key: 'a', value: '1' },
        ],
      },
      /^Duplicate parameter keys have been submitted: \['a'\]/,
    ],
    [{ metrics: [{ key: 'a', timestamp: 1 }] }, /'metrics\[0\]\.value'/],
    [{ tags: [{ key: 'a*', value: '1' }] }, /for parameter 'tags\[0\]\.key' supplied/],
  ])('refuse a batch beyond the limits', async (batch, text) => {
    const run = await server.createRun();
    expect(await server.post('runs/log-batch', { run_id: run, ...batch })).toMatchObject(
      refusal(400, 'INVALID_PARAMETER_VALUE', expect.stringMatching(text)),
    );
  });

  test('lose a tag once', async () => {
    const run = await server.createRun({ tags: [{ key: 't', value: '1' }] });
    expect((await server.post('runs/delete-tag', { run_id: run, key: 't' })).status).toBe(200);
    expect(await server.post('runs/delete-tag', { run_id: run, key: 't' })).toMatchObject(
      refusal(404, 'RESOURCE_DOES_NOT_EXIST', `No tag with name: t in run with id ${run}`),
    );
  });

  test('keep the models that a 2.x client logs', async () => {
    const run = await server.createRun();
    const model = { artifact_path: 'model', flavors: {}, utc_time_created: 'now', run_id: run };
    for (const path of ['a', 'b']) {
      await server.post('runs/log-model', {
        run_id: run,
        model_json: JSON.stringify({ ...model, artifact_path: path }),
      });
    }
    const history = byKey((await getRun(run)).data.tags)['mlflow.log-model.history'];
    expect(
      JSON.parse(String(history)).map(
        ({ artifact_path }: { artifact_path: string }) => artifact_path,
      ),
    ).toEqual(['a', 'b']);
    expect(
      (await server.post('runs/log-model', { run_id: run, model_json: '{}' })).body.message,
    ).toMatch(/missing mandatory fields/);
  });
});
