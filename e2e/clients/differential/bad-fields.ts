/** Every field of every endpoint with values it does not take, and with those at its edges. */
import type { Json, Step } from './compared.ts';
import { api, type Body, type Endpoint, endpoints } from './endpoints.ts';

const absent: unique symbol = Symbol('absent');

/** Values for any field; each is wrong for most types. Long texts pass one limit or another. */
const values: readonly (Json | typeof absent)[] = [
  absent,
  ...[
    null,
    '',
    ' ',
    'x',
    'a/../b',
    '/a',
    "it's",
    'ü ☃',
    'a\nb',
    '0',
    '-1',
    '1.5',
    '1e3',
    'NaN',
    'Infinity',
  ],
  ...[0, 7, -1, 1.5, 2 ** 31, true, false, [], ['x'], [1], [null], {}, { a: 1 }],
  ...[
    'k'.repeat(37),
    'k'.repeat(251),
    'k'.repeat(501),
    'k'.repeat(6_001),
    'k'.repeat(20_001),
    'k'.repeat(100_001),
  ],
];

const texts = values.filter(
  (value) => value === absent || (typeof value === 'string' && value.length < 1_000),
);

/** What must be there before the cases: an experiment, a run, logged models, a model with versions. */
export const spares: readonly Step[] = [
  {
    method: 'POST',
    path: `${api}/experiments/create`,
    body: { name: 'fields' },
    keep: { symbol: '‹experiment fields›', at: ['experiment_id'] },
  },
  {
    method: 'POST',
    path: `${api}/experiments/create`,
    body: { name: 'spare' },
    keep: { symbol: '‹experiment spare›', at: ['experiment_id'] },
  },
  {
    method: 'POST',
    path: `${api}/runs/create`,
    body: { experiment_id: '‹experiment fields›', run_name: 'spare', start_time: 1 },
    keep: { symbol: '‹run spare›', at: ['run', 'info', 'run_id'] },
  },
  {
    method: 'POST',
    path: `${api}/logged-models`,
    body: { experiment_id: '‹experiment fields›', name: 'spare' },
    keep: { symbol: '‹model spare›', at: ['model', 'info', 'model_id'] },
  },
  { method: 'POST', path: `${api}/registered-models/create`, body: { name: 'spare' } },
  { method: 'POST', path: `${api}/registered-models/create`, body: { name: 'to rename' } },
  ...['one', 'two', 'three'].map(
    (name): Step => ({
      method: 'POST',
      path: `${api}/model-versions/create`,
      body: { name: 'spare', source: `s3://bucket/${name}` },
    }),
  ),
];

/**
 * All cases, endpoint by endpoint: `edges` are of the field's type, and both servers must answer
 * the same; `wrong` are of another type, which we always refuse.
 */
export function badFieldSteps(): {
  readonly edges: readonly Step[];
  readonly wrong: readonly Step[];
} {
  const cases = endpoints.flatMap(casesOf);
  return {
    edges: cases.filter(({ fits }) => fits).map(({ step }) => step),
    wrong: cases.filter(({ fits }) => !fits).map(({ step }) => ({ ...step, wrongType: true })),
  };
}

/** Fields without which an input is none: their protobuf requires them, their server does not. */
const required = /^(?:datasets\.0(?:$|\.(?:dataset|tags\.0\b))|models\.0\b)/;

function fitsAt(
  path: readonly string[],
  good: Json | undefined,
  value: Json | typeof absent,
): boolean {
  const isEmpty = value === absent || value === null || value === '' || typeof value === 'object';
  if (isEmpty && required.test(path.join('.')) && !Array.isArray(good)) return false;
  if (value === absent || value === null) return !isItem(path);
  // int32 fields have small numbers in `good`.
  if (typeof value === 'number' && value >= 2 ** 31 && typeof good === 'number' && good < 2 ** 31) {
    return false;
  }
  return fitsLike(good, value);
}

/** Whether a path leads to an item of a list: null is no item. */
const isItem = (path: readonly string[]): boolean => /^\d+$/.test(path.at(-1) ?? '');

let count = 0;

/** Names that must not be taken yet, and times by which runs are in order: `#` is another number each time. */
function numbered(body: Body): Body {
  count += 1;
  const text = JSON.stringify(body)
    .replaceAll('"#"', String(1_700_000_000_000 + count))
    .replaceAll('#', String(count));
  // An object before and after.
  return JSON.parse(text) as Body;
}

function valuesFor({ method, path }: Endpoint): typeof values {
  if (method === 'GET') return texts;
  // Longer than any limit but those of tags of the registry: only there is it worth its time. Keys of
  // logged models beyond 250 characters pass in SQLite, not in their other databases, nor here.
  const isRegistry = /registered-models|model-versions/.test(path);
  const longest = isRegistry ? 200_000 : /logged-models/.test(path) ? 250 : 50_000;
  return values.filter((one) => typeof one !== 'string' || one.length <= longest);
}

function casesOf(endpoint: Endpoint): { readonly step: Step; readonly fits: boolean }[] {
  const { method, path, good } = endpoint;
  const fields = [...Object.keys(good), ...(endpoint.more ?? [])].map((field) => field.split('.'));
  return fields.flatMap((field) =>
    valuesFor(endpoint).map((value) => {
      const isNeeded = endpoint.needs?.includes(field.join('.')) === true;
      const isEmpty = value === absent || value === null || value === '';
      const fits = fitsAt(field, valueAt(good, field), value) && !(isNeeded && isEmpty);
      const body = numbered({ ...endpoint.fixed, ...(changed(good, field, value) as Body) });
      return {
        fits,
        step: method === 'GET' ? { method, path: withQuery(path, body) } : { method, path, body },
      };
    }),
  );
}

function withQuery(path: string, body: Body): string {
  // Symbols stay as they are: the pair puts ids there.
  const text = (value: string): string =>
    value.startsWith('‹') ? value : encodeURIComponent(value);
  return `${path}?${Object.entries(body)
    .map(([name, value]) => `${name}=${text(String(value))}`)
    .join('&')}`;
}

function valueAt(body: Json | undefined, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>(
    (at, name) => (at as Record<string, Json> | undefined)?.[name],
    body,
  );
}

const isEnum = (text: string): boolean => /^(?!NaN)[A-Z][A-Z_]+$/.test(text);

/** Whether a value is of the type of a good one; null stands for absent everywhere. */
function fitsLike(good: Json | undefined, value: Json): boolean {
  if (Array.isArray(good))
    return Array.isArray(value) && value.every((item) => fitsLike(good[0], item) && item !== null);
  if (typeof good === 'object' && good !== null)
    return typeof value === 'object' && !Array.isArray(value);
  if (typeof good === 'boolean') return typeof value === 'boolean';
  if (typeof good === 'string' && isEnum(good)) return false;
  const isNumber = typeof good === 'number' || (typeof good === 'string' && /^(\d+|#)$/.test(good));
  if (!isNumber || (typeof good === 'string' && good !== '#' && typeof value !== 'string')) {
    return typeof value === 'string';
  }
  const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
  const whole = Number.isInteger(good) || typeof good === 'string';
  return (
    (typeof value === 'number' || typeof value === 'string') &&
    (whole ? Number.isInteger(number) : !Number.isNaN(number) || value === 'NaN')
  );
}

function changed(good: Json, path: readonly string[], value: Json | typeof absent): Json {
  const [name = '', ...rest] = path;
  const copy = (Array.isArray(good) ? [...good] : { ...(good as Body) }) as Record<string, Json>;
  if (rest.length > 0) copy[name] = changed(copy[name] ?? {}, rest, value);
  else if (value === absent) delete copy[name];
  else copy[name] = value;
  return copy;
}
