/** Requests about experiments, runs and logged models. */
import type { Json, Step } from './compared.ts';
import { api } from './endpoints.ts';
import type { Random } from './random.ts';
import {
  type Action,
  dataset,
  experimentOf,
  few,
  get,
  key,
  keys,
  known,
  type Made,
  metric,
  modelOf,
  newTags,
  post,
  runOf,
  tag,
  time,
  unless,
  words,
} from './sequence-parts.ts';

/** What clients do with experiments. */
export const experiments: readonly Action[] = [
  (random, made) => {
    made.count += 1;
    // Ids of experiments are numbers that count up on both servers: names tell them apart.
    const symbol = `‹experiment ${made.count}›`;
    made.experiments.push(symbol);
    return {
      ...post('/experiments/create', {
        name: `experiment ${made.count}`,
        ...unless(random, 'tags', newTags(random)),
      }),
      keep: { symbol, at: ['experiment_id'] },
    };
  },
  (random) =>
    post('/experiments/create', {
      name: random.pick(['Default', '', 'experiment 1', 'x'.repeat(501)]),
      ...unless(
        random,
        'artifact_location',
        random.pick(['s3://b/c', 's3://b/c#d', 'runs:/x', 's3://b/c;d']),
      ),
    }),
  (random, made) =>
    post('/experiments/update', {
      experiment_id: experimentOf(random, made),
      new_name: random.once(4) ? 'Default' : `renamed ${random.below(50)}`,
    }),
  (random, made) =>
    post('/experiments/delete', {
      experiment_id: experimentOf(random, { ...made, experiments: made.experiments.slice(2) }),
    }),
  (random, made) => post('/experiments/restore', { experiment_id: experimentOf(random, made) }),
  (random, made) =>
    post('/experiments/set-experiment-tag', {
      experiment_id: experimentOf(random, made),
      key: key(random),
      value: random.pick(words),
    }),
  (random, made) =>
    post('/experiments/delete-experiment-tag', {
      experiment_id: experimentOf(random, made),
      key: key(random),
    }),
  (random, made) => get('/experiments/get', { experiment_id: experimentOf(random, made) }),
  (random) =>
    get('/experiments/get-by-name', {
      experiment_name: random.pick(['Default', 'experiment 1', 'renamed 1', 'none']),
    }),
  (random) =>
    post('/experiments/search', {
      max_results: random.pick([1, 3, 50]),
      order_by: ['experiment_id'],
      view_type: random.pick(['ALL', 'ACTIVE_ONLY', 'DELETED_ONLY']),
    }),
];

/** What clients do with runs. */
export const runs: readonly Action[] = [
  (random, made) => {
    made.count += 1;
    const symbol = `‹run ${made.count}›`;
    made.runs.push(symbol);
    const named = random.pick<Readonly<Record<string, Json>>>([
      { run_name: `run ${made.count}` },
      {},
      { run_name: '' },
    ]);
    const tags = newTags(random);
    return {
      ...post('/runs/create', {
        experiment_id: experimentOf(random, made),
        start_time: time + made.count,
        ...named,
        ...unless(random, 'tags', tags),
      }),
      keep: { symbol, at: ['run', 'info', 'run_id'] },
    };
  },
  (random, made) => {
    made.count += 1;
    return post('/runs/create', {
      experiment_id: '0',
      run_name: 'a',
      start_time: time + made.count,
      tags: [
        { key: 'mlflow.runName', value: random.pick(['a', 'b', '']) },
        { key: made.runs.length > 3 ? 'x' : '', value: 'v' },
      ],
    });
  },
  (random, made) =>
    post('/runs/update', {
      run_id: runOf(random, made),
      ...unless(
        random,
        'status',
        random.pick(['RUNNING', 'FINISHED', 'FAILED', 'KILLED', 'SCHEDULED']),
      ),
      ...unless(random, 'end_time', time + 9),
      ...unless(random, 'run_name', random.pick(words)),
    }),
  (random, made) => post('/runs/delete', { run_id: runOf(random, made) }),
  (random, made) => post('/runs/restore', { run_id: runOf(random, made) }),
  (random, made) => post('/runs/restore', { run_id: runOf(random, made) }),
  (random, made) =>
    get('/runs/get', { [random.pick(['run_id', 'run_uuid'])]: runOf(random, made) }),
  (random, made) =>
    post('/runs/search', {
      experiment_ids: ['0', ...made.experiments],
      max_results: random.pick([1, 2, 100]),
      run_view_type: random.pick(['ALL', 'ACTIVE_ONLY', 'DELETED_ONLY']),
      order_by: random.pick([[], ['metrics.a DESC'], ['params.b', 'start_time']]),
      filter: random.pick([
        '',
        'metrics.a > 0',
        "params.a = 'one'",
        "tags.c LIKE '%o%'",
        "attributes.status = 'FINISHED'",
      ]),
    }),
];

/** What clients log. */
export const logging: readonly Action[] = [
  (random, made) =>
    post('/runs/log-metric', { run_id: runOf(random, made), ...(metric(random) as object) }),
  (random, made) =>
    post('/runs/log-parameter', {
      run_id: runOf(random, made),
      key: key(random),
      value: random.pick(words),
    }),
  (random, made) =>
    post('/runs/set-tag', {
      run_id: runOf(random, made),
      key: random.once(6) ? 'mlflow.runName' : key(random),
      value: random.pick(words),
    }),
  (random, made) => post('/runs/delete-tag', { run_id: runOf(random, made), key: key(random) }),
  (random, made) =>
    post('/runs/log-batch', {
      run_id: runOf(random, made),
      metrics: few(random, () => metric(random)),
      params: few(random, () => tag(random)),
      tags: few(random, () => tag(random)),
    }),
  (random, made) =>
    get('/metrics/get-history', {
      run_id: runOf(random, made),
      metric_key: random.pick(keys),
      ...(random.once(2) ? {} : { max_results: 2 }),
    }),
  (random, made) =>
    get('/metrics/get-history-bulk-interval', {
      run_ids: runOf(random, made),
      metric_key: random.pick(keys),
      max_results: 1 + random.below(4),
    }),
  (random, made) =>
    post('/runs/log-inputs', {
      run_id: runOf(random, made),
      datasets: few(random, () => dataset(random)),
    }),
  (random, made) =>
    post('/runs/log-inputs', {
      run_id: runOf(random, made),
      models: [{ model_id: modelOf(random, made) }],
    }),
  (random, made) =>
    post('/runs/outputs', {
      run_id: runOf(random, made),
      models: [{ model_id: modelOf(random, made), step: 1 }],
    }),
];

/** What clients do with logged models. */
export const loggedModels: readonly Action[] = [
  (random, made) => {
    made.count += 1;
    const symbol = `‹model ${made.count}›`;
    made.models.push(symbol);
    const source = random.once(2) ? {} : { source_run_id: known(random, made.runs, '') };
    return {
      ...post('/logged-models', {
        experiment_id: experimentOf(random, made),
        name: `model ${made.count}`,
        ...source,
        ...unless(random, 'params', [{ key: random.pick(keys), value: 'v' }]),
        ...unless(random, 'tags', [{ key: random.pick(keys), value: random.pick(words) }]),
      }),
      keep: { symbol, at: ['model', 'info', 'model_id'] },
    };
  },
  (random, made) =>
    post('/logged-models', {
      experiment_id: '0',
      name: random.pick(['a/b', 'a.b', "it's", 'a%b']),
      ...unless(random, 'model_type', made.models.length === 0 ? 'x' : 'y'),
    }),
  ...['GET', 'DELETE'].map(
    (method): Action =>
      (random, made) => ({
        method,
        path: `${api}/logged-models/${modelOf(random, method === 'GET' ? made : { ...made, models: made.models.slice(3) })}`,
      }),
  ),
  (random, made) =>
    ofModel(random, made, {
      method: 'PATCH',
      rest: '',
      more: {
        status: random.pick([
          'LOGGED_MODEL_READY',
          'LOGGED_MODEL_UPLOAD_FAILED',
          'LOGGED_MODEL_PENDING',
        ]),
      },
    }),
  (random, made) =>
    ofModel(random, made, {
      method: 'PATCH',
      rest: '/tags',
      more: { tags: [{ key: random.pick(keys), value: random.pick(words) }] },
    }),
  (random, made) =>
    ofModel(random, made, {
      method: 'POST',
      rest: '/params',
      more: { params: [{ key: `p${random.below(1000)}`, value: 'v' }] },
    }),
  (random, made) =>
    ofModel(random, made, {
      method: 'DELETE',
      rest: `/tags/${random.pick(['a', 'b', 'c', 'none'])}`,
      more: {},
    }),
  (random, made) =>
    post('/runs/log-metric', {
      run_id: known(random, made.runs, '0'.repeat(32)),
      key: random.pick(['a', 'b']),
      value: random.below(5),
      timestamp: time + random.below(1000),
      model_id: modelOf(random, made),
      ...(random.once(2) ? {} : { dataset_name: 'd', dataset_digest: 'g' }),
    }),
  (random, made) =>
    post('/logged-models/search', {
      experiment_ids: ['0', ...made.experiments],
      max_results: random.pick([1, 50]),
      order_by: [{ field_name: 'name', ascending: random.once(2) }],
      filter: random.pick(['', 'metrics.a > 1', "tags.a = 'one'", "params.a = 'v'"]),
    }),
];

function ofModel(
  random: Random,
  made: Made,
  { method, rest, more }: { method: string; rest: string; more: Readonly<Record<string, Json>> },
): Step {
  const model_id = modelOf(random, made);
  return { method, path: `${api}/logged-models/${model_id}${rest}`, body: { model_id, ...more } };
}

const pages = '/ajax-api/2.0/mlflow';
const graphql = (query: string): Step => ({ method: 'POST', path: '/graphql', body: { query } });

/** What MLflow's pages ask besides. */
export const pageActions: readonly Action[] = [
  (random, made) => ({
    method: 'GET',
    path: `${pages}/metrics/get-history-bulk?run_id=${runOf(random, made)}&metric_key=${random.pick(['a', 'b', 'loss'])}`,
  }),
  (random, made) => ({
    method: 'POST',
    path: `${pages}/experiments/search-datasets`,
    body: { experiment_ids: random.once(5) ? [] : [experimentOf(random, made)] },
  }),
  (random, made) =>
    graphql(`{ mlflowGetRun(input: { runId: "${runOf(random, made)}" }) { run {
      info { runId runName status startTime endTime lifecycleStage }
      data { metrics { key value step } params { key value } tags { key value } }
      inputs { datasetInputs { dataset { name digest } tags { value } } }
      outputs { modelOutputs { modelId step } } experiment { name } modelVersions { name version }
    } } }`),
  (random, made) =>
    graphql(`mutation { mlflowSearchRuns(input: { experimentIds: ["${experimentOf(random, made)}"],
      maxResults: 3, orderBy: ["start_time"] }) { runs { info { runId } } nextPageToken } }`),
  (random, made) =>
    graphql(`{ mlflowGetExperiment(input: { experimentId: "${experimentOf(random, made)}" }) {
      experiment { name artifactLocation tags { key value } } apiError { code } } }`),
];
