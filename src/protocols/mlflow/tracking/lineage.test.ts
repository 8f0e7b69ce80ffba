import { afterEach, beforeEach, expect, test } from 'vitest';
import { startMlflowServer } from '../../../testing/mlflow-server.ts';
import recorded from '../fixtures/datasets.json' with { type: 'json' };

let server: Awaited<ReturnType<typeof startMlflowServer>>;

beforeEach(async () => {
  server = await startMlflowServer();
});
afterEach(async () => {
  expect(await server.rebuild()).toEqual([]);
  await server.close();
});

const time = 1_700_000_000_000;
const tag = (key: string, value: string) => ({ key, value });
const events = (id: string) =>
  server.store.read(async ({ lineage }) => {
    const node = await lineage.findNode(`run:default/${id}`);
    const rows = await lineage.runEvents(node === undefined ? [] : [node.key]);
    return rows.map(({ state, time: at }) => [state, at]);
  });

test('a run is known by its name, experiment, user, code, parent, start and end', async () => {
  const parent = await server.createRun();
  const child = await server.createRun({
    run_name: 'child',
    tags: [
      tag('mlflow.user', 'ann'),
      tag('mlflow.parentRunId', parent),
      tag('mlflow.source.name', 'train.py'),
      tag('mlflow.source.git.commit', 'abc'),
    ],
  });
  await server.post('runs/update', { run_id: child, status: 'FAILED', end_time: time + 7 });
  const ref = `run:default/${child}`;
  const lines = (await server.edges(ref)).map(
    ({ from, relation, to, rule }) => `${from} ${relation} ${to} ${rule}`,
  );
  expect(lines.map((line) => line.replace(/person_\w+/, 'TOKEN')).sort()).toEqual([
    `agent:default/TOKEN did ${ref} mlflow.user`,
    `code:default/train.py@abc used-by ${ref} mlflow.source.git.commit`,
    `${ref} part-of run:default/${parent} mlflow.parentRunId`,
  ]);
  expect(await server.attributes(ref)).toMatchObject({
    name: 'child',
    experiment: 'experiment:default/0',
  });
  expect(await events(child)).toEqual([
    ['START', time],
    ['FAIL', time + 7],
  ]);
});

test('source tags that come one by one name the code together', async () => {
  const run = await server.createRun();
  await server.post('runs/set-tag', { run_id: run, key: 'mlflow.source.name', value: 'train.py' });
  await server.post('runs/log-batch', {
    run_id: run,
    tags: [
      tag('mlflow.source.git.commit', 'abc'),
      tag('mlflow.source.git.repoURL', 'https://host/r'),
    ],
  });
  const codes = (await server.edges(`run:default/${run}`)).map(({ from }) => from).sort();
  expect(codes).toEqual(['code:default/train.py', 'code:https:%2F%2Fhost%2Fr/train.py@abc']);
});

test('a logged dataset is read in its role, at its version, with its columns', async () => {
  const run = await server.createRun();
  const dataset = {
    name: 'credit',
    digest: 'abcd1234',
    source_type: 's3',
    source: JSON.stringify({ uri: 's3://bucket/train.parquet' }),
    schema: JSON.stringify({ mlflow_colspec: [{ name: 'age', type: 'long' }] }),
    profile: JSON.stringify({ num_rows: 10 }),
  };
  await server.post('runs/log-inputs', {
    run_id: run,
    datasets: [{ dataset, tags: [tag('mlflow.data.context', 'training')] }],
    models: [{ model_id: 'm-1' }],
  });
  const uses = await server.store.read(async ({ lineage }) => {
    const node = await lineage.findNode(`run:default/${run}`);
    const rows = await lineage.usesOfRuns(node === undefined ? [] : [node.key], {
      withAttributes: true,
    });
    const [use] = rows;
    const nodes = await lineage.nodes([use?.dataset ?? 0, use?.version ?? 0]);
    return { rows, refs: nodes.map(({ ref }) => ref) };
  });
  expect(uses.rows).toMatchObject([
    { use: 'read', role: 'train', known: 'observed', rule: 'mlflow.runs/log-inputs', time },
  ]);
  expect(JSON.parse(uses.rows[0]?.attributes ?? '{}')).toMatchObject({
    name: 'credit',
    fields: ['age'],
    schema: [{ name: 'age', type: 'long' }],
    profile: { num_rows: 10 },
  });
  expect(uses.refs.join(' ')).toContain('train.parquet@mlflow-abcd1234');
  expect(await server.edges(`run:default/${run}`)).toMatchObject([
    { from: 'artifact:default/m-1', relation: 'read-by' },
  ]);
});

const reads = (id: string) =>
  server.store.read(async ({ lineage }) => {
    const node = await lineage.findNode(`run:default/${id}`);
    const rows = await lineage.usesOfRuns(node === undefined ? [] : [node.key]);
    const nodes = await lineage.nodes(rows.flatMap(({ dataset, version }) => version ?? dataset));
    const refs = new Map(nodes.map(({ key, ref }) => [key, ref]));
    return rows.map(({ dataset, version, role }) => [refs.get(version ?? dataset), role]).sort();
  });

test('a dataset that is logged in a second context is read in both, and no third time', async () => {
  const run = await server.createRun();
  const dataset = { name: 'd', digest: 'x', source_type: 'local', source: '{"uri": "/d.csv"}' };
  const log = (context: string) =>
    server.post('runs/log-inputs', {
      run_id: run,
      datasets: [{ dataset, tags: [tag('mlflow.data.context', context)] }],
    });
  await log('training');
  expect((await log('eval')).headers['wherefrom-receipt']).toBeDefined();
  for (const context of ['training', 'eval'])
    expect((await log(context)).headers['wherefrom-receipt']).toBeUndefined();
  expect(await reads(run)).toEqual([
    ['datasetVersion:file//d.csv@mlflow-x', 'evaluation'],
    ['datasetVersion:file//d.csv@mlflow-x', 'train'],
  ]);
  const { body } = await server.call('GET', `runs/get?run_id=${run}`);
  expect(body.run.inputs.dataset_inputs).toMatchObject([
    { tags: [tag('mlflow.data.context', 'training')] },
  ]);
});

test.each(recorded.datasets)(
  'a dataset of $call is read where it is',
  async ({ dataset, read }) => {
    const run = await server.createRun();
    await server.post('runs/log-inputs', { run_id: run, datasets: [{ dataset }] });
    expect(await reads(run)).toEqual([[read, null]]);
    const { schema } = await server.attributes(read);
    expect(schema).toEqual(
      expect.arrayContaining([{ name: expect.any(String), type: expect.any(String) }]),
    );
  },
);

test('a model that the run made itself is none that it read', async () => {
  const run = await server.createRun();
  const { body } = await server.post('logged-models', { experiment_id: '0', source_run_id: run });
  const own = body.model.info.model_id;
  const models = [{ model_id: own }, { model_id: 'm-1' }];
  await server.post('runs/log-inputs', { run_id: run, models });
  const edges = await server.edges(`run:default/${run}`);
  expect(edges.map(({ from, relation, to }) => `${from} ${relation} ${to}`).sort()).toEqual([
    `artifact:default/m-1 read-by run:default/${run}`,
    `run:default/${run} produced artifact:default/${own}`,
  ]);
});

test('a dataset that is only described is read at no version, one of many files file by file', async () => {
  const run = await server.createRun();
  const described = {
    name: 'm',
    digest: 'a05cc598',
    source_type: 'http',
    source: '{"url": "https://h/x.csv"}',
  };
  const files = {
    name: 'f',
    digest: '399111e6',
    source_type: 'hugging_face',
    source: JSON.stringify({ path: 'csv', data_files: ['/a.csv', 's3://b/c.csv'] }),
    profile: '{}',
  };
  const tags = [tag('mlflow.data.context', 'training')];
  const datasets = [described, files].map((dataset) => ({ dataset, tags }));
  await server.post('runs/log-inputs', { run_id: run, datasets });
  expect((await reads(run)).map(([ref]) => ref)).toEqual([
    'dataset:file//a.csv',
    'dataset:https:%2F%2Fh//x.csv',
    'dataset:s3:%2F%2Fb/c.csv',
    'datasetVersion:mlflow:default/0/f@mlflow-399111e6',
  ]);
});

test('runs deleted with their experiment are tombstones in the graph, and come back', async () => {
  await server.post('experiments/create', { name: 'a' });
  const run = await server.createRun({ experiment_id: '1' });
  const deleted = async (ref: string) =>
    (await server.store.read(({ lineage }) => lineage.findNode(ref)))?.deletedTime;
  await server.post('experiments/delete', { experiment_id: '1' });
  expect(await deleted(`run:default/${run}`)).not.toBeNull();
  expect(await deleted('experiment:default/1')).not.toBeNull();
  await server.post('experiments/restore', { experiment_id: '1' });
  expect(await deleted(`run:default/${run}`)).toBeNull();
});

test('persons are tokens in the record and names in answers', async () => {
  // With spaces, as Python writes it.
  const source =
    '{"tags": {"mlflow.user": "ann", "mlflow.source.name": "/home/ann/train.py"}, "uri": "s3://me:hush@b"}';
  const run = await server.createRun({
    user_id: 'ann',
    tags: [tag('mlflow.user', 'ann'), tag('mlflow.source.name', '/home/ann/train.py')],
  });
  const dataset = { name: 'd', digest: 'x', source_type: 'code', source };
  await server.post('runs/log-inputs', { run_id: run, datasets: [{ dataset }] });
  await server.post('runs/set-tag', { run_id: run, key: 'mlflow.user', value: 'bob' });
  await server.post('experiments/set-experiment-tag', {
    experiment_id: '0',
    key: 'mlflow.user',
    value: 'cleo',
  });
  const texts = await server.store.read(async ({ ledger, messageOf }) => {
    const { size } = await ledger.head();
    return Array.from({ length: size }, (_, position) => messageOf(position, 0)).join('\n');
  });
  expect(texts).toContain('person_');
  expect(texts).not.toMatch(/"ann"|\\"ann|home\/ann|"bob"|"cleo"/);
  const { body } = await server.call('GET', `runs/get?run_id=${run}`);
  expect(body.run.info.user_id).toBe('ann');
  expect(body.run.data.tags).toContainEqual(tag('mlflow.user', 'bob'));
  expect(body.run.data.tags).toContainEqual(tag('mlflow.source.name', '/home/ann/train.py'));
  expect(body.run.inputs.dataset_inputs[0].dataset.source).toBe(source);
});

test('a copied model version was derived from the one that it copies', async () => {
  for (const name of ['a', 'b']) await server.post('registered-models/create', { name });
  for (const [name, source] of [
    ['a', 's3://bucket/model'],
    ['b', 'models:/a/1'],
  ]) {
    await server.post('model-versions/create', { name, source });
  }
  const edges = await server.edges('modelVersion:default/b@1');
  expect(edges.filter(({ relation }) => relation === 'derived-into')).toMatchObject([
    { from: 'modelVersion:default/a@1', to: 'modelVersion:default/b@1', known: 'observed' },
  ]);
  expect(await server.rebuild()).toEqual([]);
});
