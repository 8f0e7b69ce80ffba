/** Requests about registered models and their versions. */
import type { Json } from './compared.ts';
import type { Random } from './random.ts';
import {
  type Action,
  get,
  key,
  known,
  type Made,
  named,
  newTags,
  post,
  registeredOf,
  send,
  stages,
  unless,
  words,
} from './sequence-parts.ts';

/** What clients do with registered models. */
export const registry: readonly Action[] = [
  (random, made) => {
    made.count += 1;
    made.registered.push(`registered ${made.count}`);
    return post('/registered-models/create', {
      name: `registered ${made.count}`,
      ...unless(random, 'description', random.pick(words)),
      ...unless(random, 'tags', newTags(random)),
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

/** What clients do with versions. */
export const versions: readonly Action[] = [
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
      tags: newTags(random),
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
