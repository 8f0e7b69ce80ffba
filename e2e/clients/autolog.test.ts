import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer, AnswerEdge } from '../../src/contract/answer.ts';
import type { Diff } from '../../src/contract/diff.ts';
import { startTestServer, type TestServer } from './openlineage-server.ts';
import { runMlflowFlow } from './python-flow.ts';

/** The environment is made, and each model takes mlflow some seconds to find out what it imports. */
const preparationMs = 15 * 60_000;

let server: TestServer;
// What autolog.py printed; its shape is that script's.
let out: {
  readonly here: string;
  readonly xgboost: string;
  readonly lightgbm: string;
  readonly grid: string;
  readonly study: string;
  readonly trials: readonly [string, string];
  readonly model: string;
  readonly evaluation: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly numpy_source: unknown;
  readonly rest: string;
  readonly from_code: string;
};

beforeAll(async () => {
  server = await startTestServer();
  out = await runMlflowFlow('autolog.py', server, { environment: 'autolog' });
}, preparationMs);
afterAll(() => server?.stop());

async function get<T>(path: string, query: Record<string, string>): Promise<T> {
  const answer = await fetch(`${server.url}${path}?${new URLSearchParams(query)}`, {
    headers: { authorization: `Bearer ${server.key}` },
  });
  expect(answer.status).toBe(200);
  // Our own server's answer, in the shape of its contract.
  return (await answer.json()) as T;
}

const nodeOf = (answer: Answer, ref: string) => answer.nodes.find((node) => node.ref === ref);
const readsOf = (answer: Answer, run: string): AnswerEdge[] =>
  answer.edges.filter(
    ({ relation, to, from }) =>
      relation === 'read-by' && to === `run:default/${run}` && !from.startsWith('field:'),
  );

describe('autologging', () => {
  test.each([
    ['boosted', 'xgboost', 'xgboost==', { max_depth: '2', seed: '4' }],
    ['light', 'lightgbm', 'lightgbm==', { num_boost_round: '3' }],
  ] as const)(
    'leaves behind %s data, code, environment, parameters and metrics',
    async (...row) => {
      const [model, name, packageName, parameters] = row;
      const answer = await server.ask('trace', `modelVersion:default/${model}@1`);
      const run = nodeOf(answer, `run:default/${out[name]}`);
      expect(run?.attributes).toMatchObject({ state: 'COMPLETE', parameters });
      expect(Object.keys(run?.attributes.metrics ?? {})).not.toHaveLength(0);
      expect(new Set(readsOf(answer, out[name]).map(({ role }) => role))).toEqual(
        new Set(['train', 'evaluation']),
      );
      const kinds = answer.nodes.map(({ kind }) => kind);
      expect(kinds).toEqual(expect.arrayContaining(['code', 'environment', 'agent', 'artifact']));
      const environment = answer.nodes.find(({ kind }) => kind === 'environment');
      expect(environment?.attributes).toMatchObject({
        packages: expect.arrayContaining([expect.stringContaining(packageName)]),
        python: expect.stringMatching(/^3\./),
      });
      const artifact = answer.nodes.find(({ kind }) => kind === 'artifact');
      expect(artifact?.attributes).toMatchObject({
        digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
        flavors: expect.arrayContaining(['python_function', name]),
      });
    },
  );

  test('is reached from a prediction', async () => {
    const sent = await fetch(`${server.url}/api/wherefrom/v1/predictions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'p-1', modelVersion: 'boosted@1', features: { a: 1 }, output: 1 }),
    });
    expect(sent.status).toBe(201);
    const answer = await server.ask('trace', 'prediction:default/p-1');
    const kinds = new Set(answer.nodes.map(({ kind }) => kind));
    for (const kind of ['modelVersion', 'artifact', 'run', 'code', 'environment', 'datasetVersion'])
      expect(kinds).toContain(kind);
  });
});

describe('a search', () => {
  test('of scikit-learn is a run with its trials', async () => {
    const answer = await server.ask('trace', `run:default/${out.grid}`);
    const parts = answer.edges.filter(({ relation }) => relation === 'part-of');
    expect(parts.map(({ to }) => to)).toEqual(Array(2).fill(`run:default/${out.grid}`));
    for (const { from } of parts)
      expect(nodeOf(answer, from)?.attributes.parameters).toHaveProperty('C');
  });

  test('has its data behind the model of its best trial, and the model in what they reached', async () => {
    const answer = await server.ask('trace', 'modelVersion:default/best@1');
    const refs = answer.nodes.map(({ ref }) => ref);
    expect(refs).toEqual(
      expect.arrayContaining([`run:default/${out.trials[1]}`, `run:default/${out.study}`]),
    );
    expect(refs).not.toContain(`run:default/${out.trials[0]}`);
    const [read] = readsOf(answer, out.study);
    expect(read).toMatchObject({ role: 'train' });
    expect(answer.completeness.missing.map(({ what }) => what)).not.toContain('training data');
    const reached = await server.ask('impact', `dataset:file/${out.here}/iris.parquet`);
    expect(reached.nodes.map(({ ref }) => ref)).toContain('modelVersion:default/best@1');
  });

  test('is compared trial by trial', async () => {
    const [a, b] = out.trials.map((id) => `run:default/${id}`) as [string, string];
    const diff = await get<Diff>('/api/wherefrom/v1/diff', { a, b });
    const changed = diff.changes.map(({ area, name, change }) => `${area} ${name} ${change}`);
    expect(changed).toContain('parameters C changed');
  });
});

test('an evaluation reads the model and the data, and leaves metrics and plots', async () => {
  const ref = `run:default/${out.evaluation}`;
  const answer = await server.ask('trace', ref);
  expect(readsOf(answer, out.evaluation).map(({ from }) => from.replace(/@.*/, ''))).toEqual(
    expect.arrayContaining([
      `artifact:default/${out.model}`,
      'datasetVersion:s3:%2F%2Flake/iris.parquet',
    ]),
  );
  expect(nodeOf(answer, ref)?.attributes.metrics).toHaveProperty('accuracy_score');
  const made = (await server.ask('impact', ref)).edges.map(({ role }) => role);
  expect(made).toEqual(expect.arrayContaining(['confusion_matrix.png', 'roc_curve_plot.png']));
  // The model's own metrics name the data that they were measured on.
  const path = `/api/2.0/mlflow/logged-models/${out.model}`;
  const { model } = await get<{ model: { data: { metrics: unknown[] } } }>(path, {});
  expect(model.data.metrics).toContainEqual(
    expect.objectContaining({ key: 'accuracy_score', dataset_name: 'held-out' }),
  );
});

describe('a dataset', () => {
  const file = (name: string) => `file/${out.here}/${name}`;
  test.each([
    ['pandas', () => [`datasetVersion:${file('a.csv')}@mlflow-`]],
    ['code', () => ['datasetVersion:mlflow:default/', '/made@mlflow-']],
    ['numpy', () => ['datasetVersion:https:%2F%2Fhost.example//x.npz@mlflow-']],
    ['hub', () => [`datasetVersion:hf/owner/texts@${'a'.repeat(40)}`]],
    ['delta', () => [`datasetVersion:${file('delta')}@2`]],
    ['described', () => [`dataset:${file('elsewhere')}`]],
  ])('from %s is read as what it is, for training and evaluation', async (name, parts) => {
    const run = out.inputs[name] ?? '';
    const reads = readsOf(await server.ask('trace', `run:default/${run}`), run);
    expect(reads.map(({ role }) => role).sort()).toEqual(['evaluation', 'train']);
    for (const { from } of reads) for (const part of parts()) expect(from).toContain(part);
  });

  test('from several files is read with each of them', async () => {
    const run = out.inputs.files ?? '';
    const answer = await server.ask('trace', `run:default/${run}`);
    const reads = readsOf(answer, run).filter(({ role }) => role === 'train');
    expect(reads.map(({ from }) => from).sort()).toEqual([
      expect.stringMatching(/^dataset:file\/.*\/a\.csv$/),
      expect.stringMatching(/^dataset:file\/.*\/b\.csv$/),
      expect.stringMatching(/^datasetVersion:mlflow:default\/.*\/two%20files@mlflow-/),
    ]);
  });

  test('keeps its schema, profile and source; secrets come back to the client only', async () => {
    const run = out.inputs.numpy ?? '';
    const answer = await server.ask('trace', `run:default/${run}`);
    const version = answer.nodes.find(({ kind }) => kind === 'datasetVersion');
    expect(version?.attributes).toMatchObject({
      sourceType: 'http',
      schema: expect.arrayContaining([
        { name: 'x', type: 'tensor(float64)[-1,4]' },
        { name: 'target0', type: 'tensor(float64)[-1]' },
      ]),
      profile: { features_shape: { x: [3, 4] } },
    });
    expect(out.numpy_source).toEqual({ url: 'https://user:hush@host.example/x.npz?sig=hidden' });
  });
});

test('tables, dictionaries, images, a model from code and system metrics belong to their run', async () => {
  const ref = `run:default/${out.rest}`;
  const reached = await server.ask('impact', ref);
  expect(reached.edges.map(({ role }) => role)).toEqual(
    expect.arrayContaining(['tables/one.json', 'one.yaml', 'one.png']),
  );
  expect(nodeOf(reached, `artifact:default/${out.from_code}`)?.attributes).toMatchObject({
    flavors: ['python_function'],
  });
  expect(nodeOf(reached, ref)?.attributes.metrics).toHaveProperty(
    'system/cpu_utilization_percentage',
  );
});
