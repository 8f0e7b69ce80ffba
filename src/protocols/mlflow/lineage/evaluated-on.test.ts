import { afterEach, beforeEach, expect, it } from 'vitest';
import { startMlflowServer } from '../../../testing/mlflow-server.ts';

let server: Awaited<ReturnType<typeof startMlflowServer>>;
let model: string;
let run: string;

beforeEach(async () => {
  server = await startMlflowServer();
  run = await server.createRun();
  const created = await server.post('logged-models', { experiment_id: '0', name: 'm' });
  model = created.body.model.info.model_id;
});

afterEach(async () => {
  expect(await server.rebuild()).toEqual([]);
  await server.close();
});

const metric = (more: object = {}) => ({
  key: 'accuracy',
  value: 0.5,
  timestamp: 7,
  model_id: model,
  dataset_name: 'holdout',
  dataset_digest: 'abc',
  ...more,
});

const logInput = () =>
  server.post('runs/log-inputs', {
    run_id: run,
    datasets: [
      {
        dataset: {
          name: 'holdout',
          digest: 'abc',
          source_type: 'local',
          source: '{"uri":"/data/holdout.csv"}',
        },
      },
    ],
  });

const evaluated = async (ref: string): Promise<unknown[]> =>
  (await server.edges(ref))
    .filter(({ relation }) => relation === 'evaluated-on')
    .map(({ to, known, rule }) => ({ to, known, rule }));

it('a model with metrics on an input of the run was evaluated on that version', async () => {
  await logInput();
  const batch = {
    run_id: run,
    metrics: [metric(), metric({ key: 'f1' }), { ...metric(), step: 1 }],
  };
  expect((await server.post('runs/log-batch', batch)).status).toBe(200);
  expect(await evaluated(`artifact:default/${model}`)).toEqual([
    {
      to: 'datasetVersion:file//data/holdout.csv@mlflow-abc',
      known: 'observed',
      rule: 'mlflow.metric.dataset',
    },
  ]);
});

it('a dataset that is no input of the run is known by its name alone', async () => {
  await server.post('runs/log-metric', { run_id: run, ...metric() });
  expect(await evaluated(`artifact:default/${model}`)).toEqual([
    {
      to: 'datasetVersion:mlflow:default/0/holdout@mlflow-abc',
      known: 'inferred',
      rule: 'dataset-name',
    },
  ]);
});

it('versions that the model was registered as before were evaluated with it', async () => {
  await server.post('registered-models/create', { name: 'm' });
  const source = `models:/${model}`;
  await server.post('model-versions/create', { name: 'm', source, model_id: model });
  await logInput();
  await server.post('runs/log-metric', { run_id: run, ...metric() });
  expect(await evaluated('modelVersion:default/m@1')).toMatchObject([
    { known: 'inferred', rule: 'mlflow.modelVersions' },
  ]);
});

it('metrics without a model, a dataset or its digest say nothing of an evaluation', async () => {
  await logInput();
  const metrics = [
    { ...metric(), model_id: '' },
    { ...metric(), dataset_name: '' },
    { ...metric(), dataset_digest: '' },
  ];
  await server.post('runs/log-batch', { run_id: run, metrics });
  expect(await evaluated(`artifact:default/${model}`)).toEqual([]);
});

const datasetsTag = (...entries: unknown[]) => ({
  key: 'mlflow.datasets',
  value: JSON.stringify(entries),
});
const heldOut = () => ({ name: 'holdout', hash: 'f'.repeat(32), model });

it('a registered model that a run evaluated is told of by a tag of the run', async () => {
  await logInput();
  const tags = [datasetsTag(heldOut())];
  expect((await server.post('runs/log-batch', { run_id: run, tags })).status).toBe(200);
  expect(await evaluated(`artifact:default/${model}`)).toEqual([
    {
      to: 'datasetVersion:file//data/holdout.csv@mlflow-abc',
      known: 'observed',
      rule: 'mlflow.datasets',
    },
  ]);
  expect(await server.edges(`run:default/${run}`)).toContainEqual(
    expect.objectContaining({
      from: `artifact:default/${model}`,
      to: `run:default/${run}`,
      relation: 'read-by',
    }),
  );
});

it('a model that the run made was evaluated, and is nothing that the run read', async () => {
  const made = await server.post('logged-models', { experiment_id: '0', source_run_id: run });
  model = made.body.model.info.model_id;
  await logInput();
  await server.post('runs/set-tag', { run_id: run, ...datasetsTag(heldOut()) });
  expect(await evaluated(`artifact:default/${model}`)).toHaveLength(1);
  const reads = (await server.edges(`artifact:default/${model}`)).filter(
    ({ relation }) => relation === 'read-by',
  );
  expect(reads).toEqual([]);
});

it('of data of one name that a run read twice, what a model was evaluated on is inferred', async () => {
  await logInput();
  const dataset = {
    name: 'holdout',
    digest: 'def',
    source_type: 'local',
    source: '{"uri":"/data/holdout.csv"}',
  };
  await server.post('runs/log-inputs', { run_id: run, datasets: [{ dataset }] });
  await server.post('runs/set-tag', { run_id: run, ...datasetsTag(heldOut()) });
  expect(await evaluated(`artifact:default/${model}`)).toMatchObject([
    { known: 'inferred' },
    { known: 'inferred' },
  ]);
});

it.each([
  'no JSON',
  '{"model":"m"}',
  '[1,null,{"model":7},{"name":"holdout","hash":"f","model":"m-unknown"}]',
  '[{"name":{},"hash":[],"model":"m"}]',
])('a tag %s is kept and says nothing', async (value) => {
  await logInput();
  const set = await server.post('runs/set-tag', { run_id: run, key: 'mlflow.datasets', value });
  expect(set.status).toBe(200);
  expect(await evaluated(`artifact:default/${model}`)).toEqual([]);
});
