/** Sequences of requests as clients make them, from a seed: mostly right, sometimes not. */
import type { Json, Step } from './compared.ts';
import { createRandom, type Random } from './random.ts';

const api = '/api/2.0/mlflow';
const time = 1_700_000_000_000;

/** What the sequence has made so far, by symbol or by name. */
interface Made {
  readonly experiments: string[];
  readonly runs: string[];
  readonly models: string[];
  readonly registered: string[];
  count: number;
}

type Action = (random: Random, made: Made) => Step;

const post = (path: string, body: Json): Step => ({ method: 'POST', path: api + path, body });
const get = (path: string, query: Readonly<Record<string, string | number>>): Step => ({
  method: 'GET',
  path: `${api}${path}?${Object.entries(query)
    .map(([name, value]) => `${name}=${text(String(value))}`)
    .join('&')}`,
});
/** Percent-encoded, but for symbols, which the pair replaces. */
const text = (value: string): string => (value.startsWith('‹') ? value : encodeURIComponent(value));

const keys = ['a', 'b', 'c', 'loss', 'a/b', 'a b', 'mlflow.note', 'ü'];
const badKeys = ['', '../x', 'a//b', 'x'.repeat(251), 'a\tb', '.'];
const words = ['one', 'two', '', "it's", 'größe', 'y'.repeat(300), 'a\nb'];
const stages = ['None', 'Staging', 'production', 'Archived', 'nowhere'];

const key = (random: Random): string => random.pick(random.once(15) ? badKeys : keys);
const tag = (random: Random): Json => ({ key: key(random), value: random.pick(words) });
const few = <T>(random: Random, make: () => T): T[] =>
  Array.from({ length: random.below(4) }, make);
const unless = (random: Random, name: string, value: Json): Readonly<Record<string, Json>> =>
  random.once(3) ? {} : { [name]: value };

/** One that was made, or sometimes one that was not. */
function known(random: Random, items: readonly string[], missing: string): string {
  return items.length === 0 || random.once(20) ? missing : random.pick(items);
}
const experimentOf = (random: Random, { experiments }: Made): string =>
  known(random, ['0', ...experiments], random.pick(['777', 'x', '-1']));
const runOf = (random: Random, { runs }: Made): string => known(random, runs, '0'.repeat(32));
const modelOf = (random: Random, { models }: Made): string => known(random, models, 'm-none');
const registeredOf = (random: Random, { registered }: Made): string =>
  known(random, registered, 'nobody');
const versionOf = (random: Random): string => String(1 + random.below(4));

function metric(random: Random): Json {
  return {
    key: key(random),
    value: random.pick<Json>([0, 1, -1.5, 1e300, 'NaN', 'Infinity', '-Infinity', '2.5', 3]),
    timestamp: random.once(20) ? -1 : time + random.below(5),
    ...unless(random, 'step', random.below(4) - 1),
  };
}

function dataset(random: Random): Json {
  const tags = random.once(2)
    ? []
    : [{ key: 'mlflow.data.context', value: random.pick(['train', 'test']) }];
  const name = random.once(15) ? 'n'.repeat(501) : `data ${random.below(3)}`;
  return {
    dataset: { name, digest: `d${random.below(3)}`, source_type: 'local', source: '{"uri": "x"}' },
    tags,
  };
}

const experiments: readonly Action[] = [
  (random, made) => {
    made.count += 1;
    // Ids of experiments are numbers that count up on both servers: names tell them apart.
    const symbol = `‹experiment ${made.count}›`;
    made.experiments.push(symbol);
    return {
      ...post('/experiments/create', {
        name: `experiment ${made.count}`,
        ...unless(
          random,
          'tags',
          few(random, () => ({ key: random.pick(keys), value: 'v' })),
        ),
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

const runs: readonly Action[] = [
  (random, made) => {
    made.count += 1;
    const symbol = `‹run ${made.count}›`;
    made.runs.push(symbol);
    const named = random.pick<Readonly<Record<string, Json>>>([
      { run_name: `run ${made.count}` },
      {},
      { run_name: '' },
    ]);
    const tags = few(random, () => ({ key: random.pick(keys), value: random.pick(words) }));
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
  (random, made) =>
    post('/runs/create', {
      experiment_id: '0',
      run_name: 'a',
      start_time: time,
      tags: [
        { key: 'mlflow.runName', value: random.pick(['a', 'b', '']) },
        { key: made.runs.length > 3 ? 'x' : '', value: 'v' },
      ],
    }),
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

const logging: readonly Action[] = [
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
      models: [{ model_id: modelOf(random, made), step: random.below(3) }],
    }),
];

const loggedModels: readonly Action[] = [
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
      name: random.pick(['a/b', 'a.b', "it's", 'a%b', '']),
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

const send = (method: string, path: string, body: Json): Step => ({
  method,
  path: api + path,
  body,
});
const named = (
  random: Random,
  made: Made,
): { readonly name: string; readonly version: string } => ({
  name: registeredOf(random, made),
  version: versionOf(random),
});

const registry: readonly Action[] = [
  (random, made) => {
    made.count += 1;
    made.registered.push(`registered ${made.count}`);
    return post('/registered-models/create', {
      name: `registered ${made.count}`,
      ...unless(random, 'description', random.pick(words)),
      ...unless(
        random,
        'tags',
        few(random, () => ({ key: random.pick(keys), value: 'v' })),
      ),
    });
  },
  (random, made) =>
    post('/registered-models/create', {
      name: random.pick(['', 'a/b', 'a:b', ' ', made.registered[0] ?? 'first']),
    }),
  (random, made) =>
    send('PATCH', '/registered-models/update', {
      name: registeredOf(random, made),
      ...unless(random, 'description', random.pick(words)),
    }),
  (random, made) => {
    made.count += 1;
    const at = random.below(made.registered.length + 1);
    const name = made.registered[at] ?? 'nobody';
    if (made.registered[at] !== undefined) made.registered[at] = `moved ${made.count}`;
    return post('/registered-models/rename', { name, new_name: `moved ${made.count}` });
  },
  (random, made) => get('/registered-models/get', { name: registeredOf(random, made) }),
  (random, made) =>
    post('/registered-models/set-tag', {
      name: registeredOf(random, made),
      key: key(random),
      value: random.pick(words),
    }),
  (random, made) =>
    send('DELETE', '/registered-models/delete-tag', {
      name: registeredOf(random, made),
      key: key(random),
    }),
  (random, made) =>
    post('/registered-models/alias', {
      ...named(random, made),
      alias: random.pick(['champion', 'best', 'latest', 'v1', 'a b', '']),
    }),
  (random, made) =>
    send('DELETE', '/registered-models/alias', {
      name: registeredOf(random, made),
      alias: random.pick(['champion', 'best']),
    }),
  (random, made) =>
    get('/registered-models/alias', {
      name: registeredOf(random, made),
      alias: random.pick(['champion', 'best']),
    }),
  (random, made) =>
    post('/registered-models/get-latest-versions', {
      name: registeredOf(random, made),
      ...unless(random, 'stages', [random.pick(stages)]),
    }),
  (random) =>
    get('/registered-models/search', {
      max_results: random.pick([1, 100]),
      order_by: 'name',
      filter: random.pick(["name LIKE 'registered%'", "tags.a = 'v'", '']),
    }),
];

/** Sources of versions: of a run, of a logged model, elsewhere, and such as are refused. */
function source(random: Random, made: Made): Readonly<Record<string, Json>> {
  const run = known(random, made.runs, '0'.repeat(32));
  const model = known(random, made.models, 'm-none');
  return random.pick([
    { source: 's3://bucket/model' },
    { source: 's3://bucket/model', run_id: run },
    { source: `runs:/${run}/model`, run_id: run },
    { source: `models:/${model}`, model_id: model },
    { source: `mlflow-artifacts:/0/${run}/artifacts/model` },
    { source: '' },
  ]);
}

const versions: readonly Action[] = [
  (random, made) =>
    post('/model-versions/create', {
      name: registeredOf(random, made),
      ...source(random, made),
      ...unless(random, 'description', random.pick(words)),
    }),
  (random, made) =>
    post('/model-versions/create', {
      name: registeredOf(random, made),
      source: 's3://b/m',
      tags: few(random, () => ({ key: random.pick(keys), value: 'v' })),
    }),
  (random, made) =>
    send('PATCH', '/model-versions/update', {
      ...named(random, made),
      ...unless(random, 'description', random.pick(words)),
    }),
  (random, made) =>
    post('/model-versions/transition-stage', {
      ...named(random, made),
      stage: random.pick(stages),
      archive_existing_versions: random.once(2),
    }),
  (random, made) => get('/model-versions/get', named(random, made)),
  (random, made) => get('/model-versions/get-download-uri', named(random, made)),
  (random, made) =>
    post('/model-versions/set-tag', {
      ...named(random, made),
      key: key(random),
      value: random.pick(words),
    }),
  (random, made) =>
    send('DELETE', '/model-versions/delete-tag', { ...named(random, made), key: key(random) }),
  (random, made) =>
    get('/model-versions/search', {
      filter: random.pick([
        `name='${registeredOf(random, made)}'`,
        "tags.a = 'v'",
        'version_number > 1',
      ]),
      order_by: 'name',
    }),
];

/** More of what clients do most. */
const actions: readonly Action[] = [
  ...[...experiments, ...runs, ...logging, ...logging, ...loggedModels, ...registry, ...versions],
  ...[runs[0], runs[0], loggedModels[0], registry[0], versions[0], versions[1]].filter(
    (action) => action !== undefined,
  ),
];

/** Model versions and models are deleted at the end: numbers of deleted versions are given out again by MLflow. */
function endings(random: Random, made: Made): Step[] {
  return made.registered
    .slice(0, 6)
    .flatMap((name) => [
      send('DELETE', '/model-versions/delete', { name, version: versionOf(random) }),
      get('/registered-models/get', { name }),
      send('DELETE', '/registered-models/delete', { name }),
      get('/registered-models/get', { name }),
    ]);
}

/** The requests of a seed, about `length` of them. */
export function sequence(seed: number, length: number): Step[] {
  const random = createRandom(seed);
  const made: Made = { experiments: [], runs: [], models: [], registered: [], count: 0 };
  const steps = Array.from({ length }, () => random.pick(actions)(random, made));
  return [...steps, ...endings(random, made)];
}
