import { afterAll, beforeAll, expect, test } from 'vitest';
import { startMlflowServer } from '../../../testing/mlflow-server.ts';

let server: Awaited<ReturnType<typeof startMlflowServer>>;
const names = new Map<string, string>();

/** Five runs: three with the metric `acc` (one of them NaN), two without. */
beforeAll(async () => {
  server = await startMlflowServer();
  await server.post('experiments/create', { name: 'other' });
  const add = async (
    name: string,
    start: number,
    more: { acc?: unknown; p?: string; user?: string; experiment?: string } = {},
  ) => {
    const tags = more.user === undefined ? [] : [{ key: 'mlflow.user', value: more.user }];
    const id = await server.createRun({
      run_name: name,
      start_time: start,
      tags,
      experiment_id: more.experiment ?? '0',
      user_id: more.user ?? '',
    });
    names.set(id, name);
    if (more.acc !== undefined)
      await server.post('runs/log-metric', {
        run_id: id,
        key: 'acc',
        value: more.acc,
        timestamp: 1,
      });
    if (more.p !== undefined)
      await server.post('runs/log-parameter', { run_id: id, key: 'model', value: more.p });
    return id;
  };
  const low = await add('low', 1, { acc: 0.1, p: 'tree', user: 'ann' });
  await add('high', 2, { acc: 0.9, p: 'Forest_1', user: 'bob' });
  await add('nan', 3, { acc: 'NaN', p: 'tree' });
  await add('bare', 4);
  const gone = await add('gone', 5, { acc: 0.5 });
  await add('elsewhere', 6, { acc: 0.7, experiment: '1' });
  await server.post('runs/delete', { run_id: gone });
  await server.post('runs/update', { run_id: low, status: 'FINISHED', end_time: 9 });
  const dataset = { name: 'd1', digest: 'abc', source_type: 'local', source: '{"uri": "/d.csv"}' };
  await server.post('runs/log-inputs', {
    run_id: low,
    datasets: [{ dataset, tags: [{ key: 'mlflow.data.context', value: 'train' }] }],
  });
});
afterAll(() => server.close());

const search = async (body: object): Promise<string[]> => {
  const reply = await server.post('runs/search', { experiment_ids: ['0'], ...body });
  expect(reply.status, reply.body.message).toBe(200);
  return (reply.body.runs ?? []).map(({ info }: { info: { run_id: string } }) =>
    names.get(info.run_id),
  );
};

test.each([
  ['', ['bare', 'nan', 'high', 'low']],
  ['metrics.acc > 0.5', ['high']],
  ['metrics.acc < 1', ['high', 'low']],
  ['metrics.acc != 0.9', ['nan', 'low']],
  ["params.model = 'tree'", ['nan', 'low']],
  ["params.model != 'tree'", ['high']],
  ["params.model LIKE 'forest%'", []],
  ["params.model ILIKE 'forest%'", ['high']],
  ["params.model LIKE '%o_est_1'", ['high']],
  ["params.model LIKE 'Forest[_]1'", []],
  ['params.model IS NULL', ['bare']],
  ["status = 'FINISHED'", ['low']],
  ["run_name IN ('low')", 'refused'],
  ['start_time >= 3', ['bare', 'nan']],
  ['end_time > 0', ['low']],
  ["tags.`mlflow.user` = 'ann'", ['low']],
  ["user_id != 'ann' AND user_id != ''", ['high']],
  ["user_id = 'nobody'", []],
  ["dataset.name = 'd1' AND dataset.context = 'train'", ['low']],
  ["dataset.digest IN ('abc', 'x')", ['low']],
  ["artifact_uri LIKE 'mlflow-artifacts:/0/%/artifacts'", ['bare', 'nan', 'high', 'low']],
])('the filter %j finds %j', async (filter, expected) => {
  if (expected === 'refused') {
    expect((await server.post('runs/search', { experiment_ids: ['0'], filter })).status).toBe(400);
    return;
  }
  expect(await search({ filter })).toEqual(expected);
});

test.each([
  [['metrics.acc'], ['low', 'high', 'nan', 'bare']],
  [['metrics.acc DESC'], ['high', 'low', 'nan', 'bare']],
  [
    ['params.model', 'start_time ASC'],
    ['high', 'low', 'nan', 'bare'],
  ],
  [['params.model DESC'], ['nan', 'low', 'high', 'bare']],
  [['start_time'], ['low', 'high', 'nan', 'bare']],
  [['end_time'], ['low', 'bare', 'nan', 'high']],
  [['run_name'], ['bare', 'high', 'low', 'nan']],
])('the order %j lists %j', async (order_by, expected) => {
  expect(await search({ order_by })).toEqual(expected);
});

test.each([
  ['metrics.acc > 0.05', 'metrics.acc DESC', ['high', 'low']],
  ['metrics.acc > 0.05 AND metrics.acc < 0.5', 'metrics.acc', ['low']],
  ['metrics.acc != 0.9', 'metrics.acc', ['low', 'nan']],
  ["params.model = 'tree'", 'metrics.acc DESC', ['low', 'nan']],
  ['metrics.acc = 0.9', 'metrics.other', ['high']],
])('the filter %j with the order %j finds %j', async (filter, order, expected) => {
  expect(await search({ filter, order_by: [order] })).toEqual(expected);
});

test.each([1, 2, 3])('pages of %i by metric show every run once, in order', async (max_results) => {
  const found: string[] = [];
  let page_token: string | undefined;
  do {
    const { body } = await server.post('runs/search', {
      experiment_ids: ['0'],
      order_by: ['metrics.acc DESC'],
      max_results,
      page_token,
    });
    found.push(
      ...body.runs.map(({ info }: { info: { run_id: string } }) => names.get(info.run_id)),
    );
    page_token = body.next_page_token;
  } while (page_token !== undefined);
  expect(found).toEqual(['high', 'low', 'nan', 'bare']);
});

test('deleted runs are found when asked for, other experiments when named', async () => {
  expect(await search({ run_view_type: 'DELETED_ONLY' })).toEqual(['gone']);
  expect(await search({ run_view_type: 'ALL', order_by: ['metrics.acc'] })).toEqual([
    'low',
    'gone',
    'high',
    'nan',
    'bare',
  ]);
  expect(await search({ experiment_ids: ['0', '1'], filter: 'metrics.acc > 0.5' })).toEqual([
    'elsewhere',
    'high',
  ]);
  expect(await search({ experiment_ids: ['99'] })).toEqual([]);
});

test.each([
  [{ max_results: 0 }, /positive integer/],
  [{ max_results: 50_001 }, /at most 50000/],
  [{ page_token: 'garbage' }, /Invalid page token/],
  [{ experiment_ids: ['x'] }, /Invalid experiment ID 'x'/],
  [
    { filter: Array.from({ length: 60 }, () => 'metrics.a > 1').join(' AND ') },
    /at most 50 conditions/,
  ],
])('%j is refused', async (body, text) => {
  const reply = await server.post('runs/search', { experiment_ids: ['0'], ...body });
  expect(reply).toMatchObject({
    status: 400,
    body: { error_code: 'INVALID_PARAMETER_VALUE', message: expect.stringMatching(text) },
  });
});
