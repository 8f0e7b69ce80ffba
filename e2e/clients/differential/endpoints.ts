/** The endpoints of tracking and registry, with a request that each takes. */
import type { Json } from './compared.ts';

/** A request's fields. */
export type Body = { readonly [field: string]: Json };

/** An endpoint and what it takes. */
export interface Endpoint {
  readonly method: string;
  readonly path: string;
  /** A request that is taken; each case changes one field of it. */
  readonly good: Body;
  /** Fields besides those of `good`, also below others: `tags.0.key`. */
  readonly more?: readonly string[];
  /** Fields without which theirs falls over and ours does not: tried among the last. */
  readonly needs?: readonly string[];
  /** Fields that stay as they are. */
  readonly fixed?: Body;
}

/** What the paths of both begin with. */
export const api = '/api/2.0/mlflow';
/** Tags or parameters. */
const tags = [{ key: 'k', value: 'v' }];
const metric = { key: 'm', value: 1.5, timestamp: 1_700_000_000_000, step: 3 };
const dataset = {
  name: 'd',
  digest: 'g',
  source_type: 'local',
  source: '{}',
  schema: '{}',
  profile: '{}',
};

const post = (path: string, good: Body, more: readonly string[] = []): Endpoint => ({
  method: 'POST',
  path: api + path,
  good,
  more,
});
const loggedModel = (endpoint: Endpoint): Endpoint => ({
  ...endpoint,
  fixed: { model_id: '‹model spare›' },
});
const withMethod = (method: string, endpoint: Endpoint): Endpoint => ({ ...endpoint, method });

const experiments: readonly Endpoint[] = [
  post(
    '/experiments/create',
    { name: 'bad fields #', artifact_location: 's3://bucket/place', tags },
    ['tags.0.key', 'tags.0.value', 'tags.0'],
  ),
  post('/experiments/update', { experiment_id: '‹experiment spare›', new_name: 'another name #' }),
  post('/experiments/set-experiment-tag', {
    experiment_id: '‹experiment spare›',
    key: 'k',
    value: 'v',
  }),
  post('/experiments/delete-experiment-tag', { experiment_id: '‹experiment spare›', key: 'k' }),
  post(
    '/experiments/search',
    { max_results: 5, page_token: '', filter: "name = 'x'", order_by: ['name'], view_type: 'ALL' },
    ['order_by.0'],
  ),
  post('/experiments/delete', { experiment_id: '‹experiment spare›' }),
  post('/experiments/restore', { experiment_id: '‹experiment spare›' }),
  withMethod('GET', post('/experiments/get', { experiment_id: '‹experiment fields›' })),
  withMethod('GET', post('/experiments/get-by-name', { experiment_name: 'Default' })),
];

const runs: readonly Endpoint[] = [
  {
    ...post(
      '/runs/create',
      {
        experiment_id: '‹experiment fields›',
        user_id: 'ann',
        run_name: 'r',
        start_time: '#',
        tags,
      },
      ['tags.0.key', 'tags.0.value', 'tags.0'],
    ),
    needs: ['experiment_id'],
  },
  post(
    '/runs/update',
    { run_id: '‹run spare›', status: 'FINISHED', end_time: 1_700_000_001_000, run_name: 'n' },
    ['run_uuid'],
  ),
  post('/runs/log-metric', { run_id: '‹run spare›', ...metric }, [
    'run_uuid',
    'model_id',
    'dataset_name',
    'dataset_digest',
  ]),
  post('/runs/log-parameter', { run_id: '‹run spare›', key: 'p', value: 'v' }),
  post('/runs/set-tag', { run_id: '‹run spare›', key: 'k', value: 'v' }),
  post('/runs/delete-tag', { run_id: '‹run spare›', key: 'k' }),
  post('/runs/log-batch', { run_id: '‹run spare›', metrics: [metric], params: tags, tags }, [
    ...['metrics.0', 'metrics.0.key', 'metrics.0.value', 'metrics.0.timestamp', 'metrics.0.step'],
    ...[
      'metrics.0.model_id',
      'params.0',
      'params.0.key',
      'params.0.value',
      'tags.0',
      'tags.0.key',
      'tags.0.value',
    ],
  ]),
  post(
    '/runs/search',
    {
      experiment_ids: ['‹experiment fields›'],
      filter: "tags.k = 'v'",
      run_view_type: 'ALL',
      max_results: 2,
      order_by: ['start_time'],
      page_token: '',
    },
    ['experiment_ids.0', 'order_by.0'],
  ),
  post(
    '/runs/log-inputs',
    { run_id: '‹run spare›', datasets: [{ dataset, tags }], models: [{ model_id: 'm-1' }] },
    [
      ...[
        'datasets.0',
        'datasets.0.tags',
        'datasets.0.tags.0',
        'datasets.0.tags.0.key',
        'datasets.0.tags.0.value',
        'datasets.0.dataset',
      ],
      ...Object.keys(dataset).map((field) => `datasets.0.dataset.${field}`),
      ...['models.0', 'models.0.model_id'],
    ],
  ),
  post('/runs/outputs', { run_id: '‹run spare›', models: [{ model_id: 'm-out-#', step: 1 }] }, [
    'models.0',
    'models.0.model_id',
    'models.0.step',
  ]),
  post('/runs/delete', { run_id: '‹run spare›' }),
  post('/runs/restore', { run_id: '‹run spare›' }),
  withMethod('GET', post('/runs/get', { run_id: '‹run spare›' }, ['run_uuid'])),
  withMethod(
    'GET',
    post(
      '/metrics/get-history',
      { run_id: '‹run spare›', metric_key: 'm', max_results: '2', page_token: '' },
      ['run_uuid'],
    ),
  ),
  withMethod(
    'GET',
    post('/metrics/get-history-bulk-interval', {
      run_ids: '‹run spare›',
      metric_key: 'm',
      start_step: '0',
      end_step: '5',
      max_results: '3',
    }),
  ),
];

const loggedModels: readonly Endpoint[] = [
  post(
    '/logged-models',
    {
      experiment_id: '‹experiment fields›',
      name: 'lm',
      model_type: 't',
      source_run_id: '‹run spare›',
      params: tags,
      tags,
    },
    ['params.0', 'params.0.key', 'params.0.value', 'tags.0.key', 'tags.0.value'],
  ),
  loggedModel(
    withMethod('PATCH', post('/logged-models/‹model spare›', { status: 'LOGGED_MODEL_READY' })),
  ),
  loggedModel(
    withMethod(
      'PATCH',
      post('/logged-models/‹model spare›/tags', { tags }, ['tags.0', 'tags.0.key', 'tags.0.value']),
    ),
  ),
  loggedModel(
    post('/logged-models/‹model spare›/params', { params: [{ key: 'q#', value: 'v' }] }, [
      'params.0',
      'params.0.key',
      'params.0.value',
    ]),
  ),
  post(
    '/logged-models/search',
    {
      ...{
        experiment_ids: ['‹experiment fields›'],
        filter: "name = 'lm'",
        datasets: [{ dataset_name: 'd', dataset_digest: 'g' }],
        max_results: 2,
      },
      ...{ order_by: [{ field_name: 'name', ascending: true }], page_token: '' },
    },
    [
      'experiment_ids.0',
      'datasets.0',
      'datasets.0.dataset_name',
      'datasets.0.dataset_digest',
      'order_by.0',
      'order_by.0.field_name',
      'order_by.0.ascending',
      'order_by.0.dataset_name',
      'order_by.0.dataset_digest',
    ],
  ),
];

const registry: readonly Endpoint[] = [
  post('/registered-models/create', { name: 'bad fields #', tags, description: 'd' }, [
    'tags.0',
    'tags.0.key',
    'tags.0.value',
    'deployment_job_id',
  ]),
  withMethod(
    'PATCH',
    post('/registered-models/update', { name: 'spare', description: 'd' }, ['deployment_job_id']),
  ),
  post('/registered-models/rename', { name: 'to rename', new_name: 'to rename' }),
  post('/registered-models/get-latest-versions', { name: 'spare', stages: ['None'] }, ['stages.0']),
  post('/registered-models/set-tag', { name: 'spare', key: 'k', value: 'v' }),
  post('/registered-models/alias', { name: 'spare', alias: 'a', version: '1' }),
  post(
    '/model-versions/create',
    {
      name: 'spare',
      source: 's3://bucket/model',
      run_id: '‹run spare›',
      tags,
      run_link: 'http://link',
      description: 'd',
    },
    // A version that is refused for its model_id is there in their registry nevertheless.
    ['tags.0', 'tags.0.key', 'tags.0.value'],
  ),
  withMethod(
    'PATCH',
    post('/model-versions/update', { name: 'spare', version: '1', description: 'd' }),
  ),
  post('/model-versions/transition-stage', {
    name: 'spare',
    version: '1',
    stage: 'Staging',
    archive_existing_versions: true,
  }),
  post('/model-versions/set-tag', { name: 'spare', version: '1', key: 'k', value: 'v' }),
  withMethod('DELETE', post('/registered-models/delete-tag', { name: 'spare', key: 'k' })),
  withMethod(
    'DELETE',
    post('/model-versions/delete-tag', { name: 'spare', version: '1', key: 'k' }),
  ),
  withMethod('DELETE', post('/registered-models/alias', { name: 'spare', alias: 'a' })),
  withMethod('DELETE', post('/model-versions/delete', { name: 'spare', version: '2' })),
  withMethod('DELETE', post('/registered-models/delete', { name: 'no such model' })),
  withMethod('GET', post('/registered-models/get', { name: 'spare' })),
  withMethod('GET', post('/registered-models/alias', { name: 'spare', alias: 'a' })),
  withMethod(
    'GET',
    post('/registered-models/get-latest-versions', { name: 'spare', stages: 'None' }),
  ),
  withMethod('GET', post('/model-versions/get', { name: 'spare', version: '1' })),
  withMethod('GET', post('/model-versions/get-download-uri', { name: 'spare', version: '1' })),
  withMethod(
    'GET',
    post('/registered-models/search', {
      filter: "name = 'x'",
      max_results: '3',
      order_by: 'name',
      page_token: '',
    }),
  ),
  withMethod(
    'GET',
    post('/model-versions/search', {
      filter: "name = 'x'",
      max_results: '3',
      order_by: 'name',
      page_token: '',
    }),
  ),
];

/** All endpoints whose fields are tried. */
export const endpoints: readonly Endpoint[] = [
  ...experiments,
  ...runs,
  ...loggedModels,
  ...registry,
];
