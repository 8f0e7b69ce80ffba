import { afterEach, beforeEach, expect, test } from 'vitest';
import { refusal, startMlflowServer } from '../../../testing/mlflow-server.ts';

/** What the comparison with MLflow's own server found, kept without it. */

let server: Awaited<ReturnType<typeof startMlflowServer>>;
let run: string;

beforeEach(async () => {
  server = await startMlflowServer();
  run = await server.createRun({ run_name: 'first' });
});
afterEach(async () => {
  expect(await server.rebuild()).toEqual([]);
  await server.close();
});

const invalid = (message: string): object => refusal(400, 'INVALID_PARAMETER_VALUE', message);

test('a run keeps its name when it is taken away', async () => {
  const tags = [{ key: 'mlflow.runName', value: '' }];
  const sent = [
    await server.post('runs/set-tag', { run_id: run, ...tags[0] }),
    await server.post('runs/log-batch', { run_id: run, tags }),
  ];
  expect(sent.map(({ status }) => status)).toEqual([200, 200]);
  const { body } = await server.call('GET', `runs/get?run_id=${run}`);
  expect(body.run.info.run_name).toBe('first');
  expect(body.run.data.tags).toEqual([{ key: 'mlflow.runName', value: 'first' }]);
});

test('a metric names a dataset and its digest, or neither', async () => {
  const metric = { key: 'm', value: 1, timestamp: 1 };
  const text = 'Both dataset_name and dataset_digest must be provided if one is provided';
  const one = await server.post('runs/log-metric', { run_id: run, ...metric, dataset_name: 'd' });
  expect(one).toMatchObject(invalid(text));
  const metrics = [{ ...metric, dataset_digest: 'g' }];
  expect(await server.post('runs/log-batch', { run_id: run, metrics })).toMatchObject(
    invalid(text),
  );
});

test('a parameter of a logged model has one value', async () => {
  const made = await server.post('logged-models', { experiment_id: '0', name: 'm' });
  const path = `logged-models/${made.body.model.info.model_id}/params`;
  const log = (value: string) => server.post(path, { params: [{ key: 'depth', value }] });
  expect((await log('3')).status).toBe(200);
  expect((await log('3')).status).toBe(200);
  expect(await log('4')).toMatchObject(
    refusal(400, 'BAD_REQUEST', expect.stringContaining('Changing param values is not allowed')),
  );
});

test('a search of runs leaves out the models that they read', async () => {
  await server.post('runs/log-inputs', { run_id: run, models: [{ model_id: 'm-1' }] });
  const { body } = await server.post('runs/search', { experiment_ids: ['0'] });
  expect(body.runs[0].inputs).toEqual({});
  const got = await server.call('GET', `runs/get?run_id=${run}`);
  expect(got.body.run.inputs).toEqual({ model_inputs: [{ model_id: 'm-1' }] });
});

test.each([
  ['s3://b/c#d', "'artifact_location' URL can't include fragments or params."],
  ['http://b/c;d', "'artifact_location' URL can't include fragments or params."],
  ['runs:/x', "Artifact location cannot be a runs:/ URI. Given: 'runs:/x'"],
  ['s3://b?a=..', 'Invalid query string'],
  ['mlflow-artifacts:/a/../b', "Invalid artifact location: 'mlflow-artifacts:/a/../b'"],
])('artifacts are not kept at %s', async (artifact_location, text) => {
  const answer = await server.post('experiments/create', { name: 'e', artifact_location });
  expect(answer).toMatchObject(invalid(text));
});

const foreign = (field: string, scheme: string): string =>
  `'${field}' cannot use the '${scheme}' scheme: the '${scheme}' scheme addresses a host other than the tracking server's configured artifact storage, so the server would connect to the host named in the URI. Set the MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES environment variable on the server to allow it.`;

test.each([
  ['http://h/x', 'http'],
  ['HTTP:', 'http'],
  [' \nht\ttps://h/x', 'https'],
  ['ftp:///x', 'ftp'],
  ['sftp://u@h/x', 'sftp'],
  ['hdfs://h/x', 'hdfs'],
  ['viewfs://h/x', 'viewfs'],
  ['r2://b@h/x', 'r2'],
  ['b2://b@h/x', 'b2'],
  ['abfss://f@a.h/x', 'abfss'],
  ['mlflow-artifacts://other:99/x', 'mlflow-artifacts'],
])('no artifacts are kept at or taken from %j, which names a host', async (place, scheme) => {
  const experiment = { name: 'e', artifact_location: place };
  expect(await server.post('experiments/create', experiment)).toMatchObject(
    invalid(foreign('artifact_location', scheme)),
  );
  expect(
    await server.post('model-versions/create', { name: 'not-there', source: place }),
  ).toMatchObject(invalid(foreign('source', scheme)));
});

test.each(['wasbs://c@a.blob.core.windows.net/x', 'mlflow-artifacts:///x', 'dbfs://p@h/x'])(
  'artifacts may be kept at %s',
  async (artifact_location) => {
    const body = { name: 'e', artifact_location };
    expect((await server.post('experiments/create', body)).status).toBe(200);
  },
);

test('artifacts are kept at places that have no parameters', async () => {
  const body = { name: 'e', artifact_location: 's3://bucket/a;b' };
  expect((await server.post('experiments/create', body)).status).toBe(200);
});

test.each([
  ["'", `"it's"`],
  ['\n', String.raw`'it\ns'`],
  [`'"`, String.raw`'it\'"s'`],
])('a value is shown as Python shows it: %j', async (between, shown) => {
  await server.post('runs/log-parameter', { run_id: run, key: 'p', value: 'x' });
  const params = [{ key: 'p', value: `it${between}s` }];
  const { body } = await server.post('runs/log-batch', { run_id: run, params });
  expect(body.message).toContain(`'new_value': ${shown}}`);
});

test('a version is found by its number in quotes too', async () => {
  await server.post('registered-models/create', { name: 'm' });
  for (const source of ['s3://b/1', 's3://b/2']) {
    await server.post('model-versions/create', { name: 'm', source });
  }
  const filter = encodeURIComponent("version_number < '2'");
  const { body } = await server.call('GET', `model-versions/search?filter=${filter}`);
  expect(body.model_versions).toMatchObject([{ version: '1' }]);
});

test('an order of logged models is a name as it stands', async () => {
  const search = (field_name: string) =>
    server.post('logged-models/search', { experiment_ids: ['0'], order_by: [{ field_name }] });
  expect((await search('metrics.a b')).status).toBe(200);
  expect(await search('nothing')).toMatchObject(invalid('Invalid order by field name: nothing'));
  expect(await search('params.a')).toMatchObject(
    invalid('Invalid order by field name: params.a. Only metrics are supported.'),
  );
});

test('an experiment names its workspace', async () => {
  const { body } = await server.call('GET', 'experiments/get?experiment_id=0');
  expect(body.experiment.workspace).toBe('default');
});
