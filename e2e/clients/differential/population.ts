/** A fixed population for searches: odd numbers, missing keys, ties, quotes, wildcards, deleted rows. */
import type { Json, Step } from './compared.ts';

const api = '/api/2.0/mlflow';
const post = (path: string, body: Json, keep?: Step['keep']): Step => ({
  method: 'POST',
  path: api + path,
  body,
  ...(keep === undefined ? {} : { keep }),
});
const pairs = (values: Readonly<Record<string, string>>): Json =>
  Object.entries(values).map(([key, value]) => ({ key, value }));

interface Run {
  readonly name: string;
  readonly metrics?: Readonly<Record<string, number | 'NaN' | 'Infinity' | '-Infinity'>>;
  readonly params?: Readonly<Record<string, string>>;
  readonly tags?: Readonly<Record<string, string>>;
  readonly datasets?: readonly (readonly [name: string, digest: string, context: string])[];
  readonly status?: string;
  readonly deleted?: boolean;
}

/** Each run starts a second after the one before: no two tie by start time. */
const runs: readonly Run[] = [
  {
    name: 'plain',
    metrics: { loss: 0.5, acc: 0.9 },
    params: { model: 'tree', depth: '3' },
    tags: { team: 'a' },
    status: 'FINISHED',
  },
  {
    name: 'Plain',
    metrics: { loss: 0.5, acc: 0.8 },
    params: { model: 'Tree', depth: '10' },
    tags: { team: 'A' },
    status: 'FINISHED',
  },
  {
    name: 'nan',
    metrics: { loss: 'NaN', acc: 0.7 },
    params: { model: 'forest' },
    tags: { team: 'b' },
    status: 'FAILED',
  },
  {
    name: 'endless',
    metrics: { loss: 'Infinity', acc: 'NaN' },
    params: { model: 'for%est' },
    status: 'KILLED',
  },
  {
    name: 'minus endless',
    metrics: { loss: '-Infinity' },
    params: { model: 'for_est' },
    tags: { team: '' },
  },
  { name: 'nothing' },
  {
    name: 'zero',
    metrics: { loss: 0, acc: -1 },
    params: { model: '', depth: '' },
    tags: { team: 'a b' },
  },
  {
    name: "it's",
    metrics: { 'a metric/with.parts': 2, loss: 1e-300 },
    params: { 'a param': "it's" },
    tags: { 'a tag': "it's" },
  },
  {
    name: 'say "so"',
    metrics: { loss: 3 },
    params: { model: 'say "so"' },
    tags: { team: 'say "so"' },
  },
  {
    name: 'müller ☃',
    metrics: { loss: 4, größe: 1 },
    params: { model: 'Größe' },
    tags: { team: 'größe', ü: 'ü' },
  },
  {
    name: 'brackets [a-z]*?',
    metrics: { loss: 5 },
    params: { model: '[a-z]*?' },
    tags: { team: '[a-z]*?' },
  },
  { name: '100%', metrics: { loss: 0.5 }, params: { model: '100%' }, tags: { team: '100%' } },
  {
    name: 'under_score',
    metrics: { loss: 6 },
    params: { model: 'under_score' },
    tags: { team: 'underXscore' },
  },
  {
    name: 'back\\slash',
    metrics: { loss: 7 },
    params: { model: 'back\\slash' },
    tags: { team: 'back\\slash' },
  },
  {
    name: 'line\nbreak',
    metrics: { loss: 8 },
    params: { model: 'line\nbreak' },
    tags: { team: 'line\nbreak' },
  },
  {
    name: 'data one',
    metrics: { loss: 9 },
    datasets: [
      ['wine', 'd1', 'train'],
      ['wine', 'd2', 'test'],
    ],
  },
  {
    name: 'data two',
    metrics: { loss: 0.5 },
    datasets: [['Wine', 'd1', 'eval']],
    params: { model: 'NULL' },
  },
  { name: 'data three', datasets: [["o'hara", 'd3', 'train']], tags: { 'mlflow.user': 'ann' } },
  {
    name: 'deleted',
    metrics: { loss: 0.5 },
    params: { model: 'tree' },
    tags: { team: 'a' },
    deleted: true,
  },
  {
    name: 'numbers',
    metrics: { loss: 10, '1': 1 },
    params: { '1': 'one', 'a-b': 'dash', 'a.b': 'dot' },
    tags: { '1': 'one', 'a-b': 'dash', 'a.b': 'dot', and: 'x' },
  },
];

/** Experiment ids of the population, alike on both servers. */
export const populated = '‹experiment searched›';

function runSteps(run: Run, index: number): Step[] {
  const symbol = `‹run ${run.name}›`;
  const time = 1_700_000_000_000 + index * 1_000;
  const steps = [
    post(
      '/runs/create',
      {
        experiment_id: populated,
        run_name: run.name,
        start_time: time,
        user_id: `user ${index % 3}`,
      },
      { symbol, at: ['run', 'info', 'run_id'] },
    ),
    post('/runs/log-batch', {
      run_id: symbol,
      metrics: Object.entries(run.metrics ?? {}).map(([key, value]) => ({
        key,
        value,
        timestamp: time,
        step: 0,
      })),
      params: pairs(run.params ?? {}),
      tags: pairs(run.tags ?? {}),
    }),
  ];
  if (run.datasets !== undefined) {
    const datasets = run.datasets.map(([name, digest, context]) => ({
      dataset: { name, digest, source_type: 'local', source: '{}' },
      tags: [{ key: 'mlflow.data.context', value: context }],
    }));
    steps.push(post('/runs/log-inputs', { run_id: symbol, datasets }));
  }
  if (run.status !== undefined)
    steps.push(post('/runs/update', { run_id: symbol, status: run.status, end_time: time + 500 }));
  if (run.deleted === true) steps.push(post('/runs/delete', { run_id: symbol }));
  return steps;
}

const experiments: readonly (readonly [name: string, tags: Readonly<Record<string, string>>])[] = [
  ['exp one', { team: 'a', size: 'big' }],
  ['Exp One', { team: 'A' }],
  ["exp 'quoted'", { team: "it's" }],
  ['exp_under%', { 'a tag': 'x' }],
  ['größe', {}],
  ['exp deleted', { team: 'a' }],
];

const models: readonly (readonly [
  name: string,
  tags: Readonly<Record<string, string>>,
  versions: number,
])[] = [
  ['model one', { team: 'a', size: 'big' }, 3],
  ['Model One', { team: 'A' }, 2],
  ["model 'quoted'", { team: "it's" }, 1],
  ['model_under%', { 'a tag': 'x' }, 0],
  ['größe', {}, 1],
  ['a prompt', { 'mlflow.prompt.is_prompt': 'true' }, 0],
];

function modelSteps([name, tags, versions]: (typeof models)[number]): Step[] {
  return [
    post('/registered-models/create', { name, tags: pairs(tags) }),
    ...Array.from({ length: versions }, (_, index) =>
      post('/model-versions/create', {
        name,
        source: `s3://bucket/${index === 1 ? 'Second' : 'first_%'}/${name}`,
        tags: pairs(index === 0 ? { team: 'a', stage: 'new' } : { team: 'B' }),
        ...(index === 2 ? {} : { run_id: index === 0 ? '‹run plain›' : '‹run Plain›' }),
      }),
    ),
  ];
}

interface Logged {
  readonly name: string;
  readonly type?: string;
  readonly run?: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly tags?: Readonly<Record<string, string>>;
  readonly status?: string;
  readonly metrics?: readonly (readonly [
    key: string,
    value: number | 'NaN',
    dataset: string | undefined,
    step?: number,
  ])[];
}

const logged: readonly Logged[] = [
  {
    name: 'lm one',
    type: 'agent',
    run: 'plain',
    params: { depth: '3' },
    tags: { team: 'a' },
    status: 'LOGGED_MODEL_READY',
    metrics: [
      ['acc', 0.9, 'wine'],
      ['acc', 0.8, 'beer', 2],
      ['loss', 1, undefined],
    ],
  },
  {
    name: 'lm One',
    run: 'Plain',
    params: { depth: '10' },
    status: 'LOGGED_MODEL_UPLOAD_FAILED',
    metrics: [['acc', 0.5, 'beer']],
  },
  {
    name: 'lm_%',
    type: 'Agent',
    tags: { team: 'A', size: 'big' },
    metrics: [
      ['acc', 'NaN', 'wine'],
      ['loss', 2, undefined],
    ],
  },
  { name: 'größe', run: 'nan', tags: { team: '' } },
  { name: 'lm deleted', run: 'nan', tags: { team: 'a' } },
];

function loggedSteps(model: Logged, index: number): Step[] {
  const symbol = `‹model ${model.name}›`;
  const steps = [
    post(
      '/logged-models',
      {
        ...{
          experiment_id: populated,
          name: model.name,
          params: pairs(model.params ?? {}),
          tags: pairs(model.tags ?? {}),
        },
        ...(model.type === undefined ? {} : { model_type: model.type }),
        ...(model.run === undefined ? {} : { source_run_id: `‹run ${model.run}›` }),
      },
      { symbol, at: ['model', 'info', 'model_id'] },
    ),
  ];
  for (const [key, value, dataset, step = 1] of model.metrics ?? []) {
    const on =
      dataset === undefined ? {} : { dataset_name: dataset, dataset_digest: `${dataset}-1` };
    steps.push(
      post('/runs/log-metric', {
        run_id: '‹run nothing›',
        key,
        value,
        timestamp: 1_700_000_000_000 + index,
        step,
        model_id: symbol,
        ...on,
      }),
    );
  }
  const path = `${api}/logged-models/${symbol}`;
  if (model.status !== undefined)
    steps.push({ method: 'PATCH', path, body: { model_id: symbol, status: model.status } });
  if (model.name === 'lm deleted') steps.push({ method: 'DELETE', path });
  return steps;
}

/** The requests that make the population. */
export function populationSteps(): Step[] {
  return [
    post('/experiments/create', { name: 'searched' }, { symbol: populated, at: ['experiment_id'] }),
    ...experiments.map(([name, tags]) =>
      post(
        '/experiments/create',
        { name, tags: pairs(tags) },
        { symbol: `‹experiment ${name}›`, at: ['experiment_id'] },
      ),
    ),
    post('/experiments/delete', { experiment_id: '‹experiment exp deleted›' }),
    ...runs.flatMap(runSteps),
    ...logged.flatMap(loggedSteps),
    ...models.flatMap(modelSteps),
    {
      method: 'DELETE',
      path: `${api}/model-versions/delete`,
      body: { name: 'model one', version: '2' },
    },
  ];
}
