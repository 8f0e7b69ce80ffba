/** What sequences of requests are made of. */
import type { Json, Step } from './compared.ts';
import { api } from './endpoints.ts';
import type { Random } from './random.ts';

/** Times of runs and metrics: none of now. */
export const time = 1_700_000_000_000;

/** What the sequence has made so far, by symbol or by name. */
export interface Made {
  readonly experiments: string[];
  readonly runs: string[];
  readonly models: string[];
  readonly registered: string[];
  count: number;
}

/** Makes one request, and remembers what it makes. */
export type Action = (random: Random, made: Made) => Step;

/** A POST with a JSON body. */
export const post = (path: string, body: Json): Step => ({
  method: 'POST',
  path: api + path,
  body,
});
/** A GET with its query. */
export const get = (path: string, query: Readonly<Record<string, string | number>>): Step => ({
  method: 'GET',
  path: `${api}${path}?${Object.entries(query)
    .map(([name, value]) => `${name}=${text(String(value))}`)
    .join('&')}`,
});
/** Percent-encoded, but for symbols, which the pair replaces. */
const text = (value: string): string => (value.startsWith('‹') ? value : encodeURIComponent(value));

/** Keys that are taken. */
export const keys = ['a', 'b', 'c', 'loss', 'a/b', 'a b', 'mlflow.note', 'ü'];
const badKeys = ['', '../x', 'a//b', 'x'.repeat(251), 'a\tb', '.'];
/** Values. */
export const words = ['one', 'two', '', "it's", 'größe', 'y'.repeat(300), 'a\nb'];
/** Stages, one of them none. */
export const stages = ['None', 'Staging', 'production', 'Archived', 'nowhere'];

/** A key, sometimes a bad one. */
export const key = (random: Random): string => random.pick(random.once(15) ? badKeys : keys);
/** A tag or parameter. */
export const tag = (random: Random): Json => ({ key: key(random), value: random.pick(words) });
/** None to three. */
export const few = <T>(random: Random, make: () => T): T[] =>
  Array.from({ length: random.below(4) }, make);
/** None to three tags, each key once: twice is a fault of their database. */
export function newTags(random: Random): Json[] {
  const byKey = new Map(
    few(random, (): [string, string] => [random.pick(keys), random.pick(words)]),
  );
  return [...byKey].map(([key, value]) => ({ key, value }));
}
/** A field, sometimes left out. */
export const unless = (
  random: Random,
  name: string,
  value: Json,
): Readonly<Record<string, Json>> => (random.once(3) ? {} : { [name]: value });

/** One that was made, or sometimes one that was not. */
export function known(random: Random, items: readonly string[], missing: string): string {
  return items.length === 0 || random.once(20) ? missing : random.pick(items);
}
/** An experiment. */
export const experimentOf = (random: Random, { experiments }: Made): string =>
  known(random, ['0', ...experiments], random.pick(['777', 'x', '-1']));
/** A run. */
export const runOf = (random: Random, { runs }: Made): string =>
  known(random, runs, '0'.repeat(32));
/** A logged model. */
export const modelOf = (random: Random, { models }: Made): string =>
  known(random, models, 'm-none');
/** A registered model. */
export const registeredOf = (random: Random, { registered }: Made): string =>
  known(random, registered, 'nobody');
/** Number of a version. */
export const versionOf = (random: Random): string => String(1 + random.below(4));

/** A metric, sometimes a bad one. */
export function metric(random: Random): Json {
  return {
    key: key(random),
    value: random.pick<Json>([0, 1, -1.5, 1e300, 'NaN', 'Infinity', '-Infinity', '2.5', 3]),
    timestamp: random.once(20) ? -1 : time + random.below(5),
    ...unless(random, 'step', random.below(4) - 1),
  };
}

/** A dataset as an input. */
export function dataset(random: Random): Json {
  const tags = random.once(2)
    ? []
    : [{ key: 'mlflow.data.context', value: random.pick(['train', 'test']) }];
  const name = random.once(15) ? 'n'.repeat(501) : `data ${random.below(3)}`;
  return {
    dataset: { name, digest: `d${random.below(3)}`, source_type: 'local', source: '{"uri": "x"}' },
    tags,
  };
}

/** A request with a JSON body. */
export const send = (method: string, path: string, body: Json): Step => ({
  method,
  path: api + path,
  body,
});
/** A version by name and number. */
export const named = (
  random: Random,
  made: Made,
): { readonly name: string; readonly version: string } => ({
  name: registeredOf(random, made),
  version: versionOf(random),
});
