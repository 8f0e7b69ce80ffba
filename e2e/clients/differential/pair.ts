/** One request to two servers, and whether they answer alike. */
import type { Answer, Compared, Step } from './compared.ts';
import { comparable, essence } from './differences.ts';

export interface Pair {
  send(step: Step): Promise<Compared>;
}

interface Side {
  readonly url: string;
  readonly ids: Map<string, string>;
}

/** Times of this test lie within a day of now; those that requests name are years away. */
const dayMs = 86_400_000;

/** A name that the server made up for a run or a model. */
const inventedName = /^[a-z]+-[a-z]+-\d{1,4}$/;

/** Lists whose order MLflow leaves to its database. */
const unordered = new Set([
  'params',
  'tags',
  'metrics',
  'aliases',
  'dataset_inputs',
  'model_inputs',
  'model_outputs',
  'dataset_summaries',
  'latest_versions',
  'datasetInputs',
  'modelOutputs',
  'modelVersions',
]);

/** Compares `theirs` (MLflow's own server) with `ours`. */
export function createPair(urls: { readonly theirs: string; readonly ours: string }): Pair {
  const theirs: Side = { url: urls.theirs, ids: new Map() };
  const ours: Side = { url: urls.ours, ids: new Map() };
  return {
    async send(step) {
      const [first, second] = await Promise.all([ask(theirs, step), ask(ours, step)]);
      return { step, theirs: first, ours: second };
    },
  };
}

async function ask(side: Side, step: Step): Promise<Answer> {
  const told = (text: string, write: (id: string) => string = (id) => id): string =>
    text.replaceAll(/‹[^›]*›/g, (symbol) => write(side.ids.get(symbol) ?? symbol));
  const text = step.text ?? (step.body === undefined ? undefined : JSON.stringify(step.body));
  const response = await fetch(side.url + told(step.path, encodeURIComponent), {
    method: step.method,
    ...(text === undefined
      ? {}
      : { body: told(text), headers: { 'content-type': 'application/json' } }),
  });
  const answer = parse(await response.text());
  if (step.keep !== undefined) {
    const id = step.keep.at.reduce<unknown>(
      (at, name) => (at as Record<string, unknown> | undefined)?.[name],
      answer,
    );
    if (typeof id === 'string') side.ids.set(step.keep.symbol, id);
  }
  return { status: response.status, body: normalise(answer, byId(side)) };
}

function parse(text: string): unknown {
  // One of their endpoints writes NaN as Python does, which is no JSON.
  for (const json of [text, text.replaceAll(/: ?NaN\b/g, ':"NaN"')]) {
    try {
      return JSON.parse(json);
    } catch {
      // Then the other way, or as it is.
    }
  }
  return text;
}

/** Ids as symbols wherever they stand; numbers of experiments where a number is that of one. */
function byId({ ids }: Side): (text: string, name: string) => string {
  const known = [...ids].filter(([, id]) => id.length > 8);
  const experiments = new Map(
    [...ids].filter(([, id]) => id.length <= 8).map(([to, id]) => [id, to]),
  );
  const experiment = (id: string): string => experiments.get(id) ?? id;
  return (text, name) => {
    if (name === 'experiment_id') return experiment(text);
    let shown = text;
    for (const [symbol, id] of known) shown = shown.replaceAll(id, symbol);
    return shown
      .replaceAll(/\b(?:m-)?[0-9a-f]{32}\b/g, '‹id›')
      .replace(/^(mlflow-artifacts:\/)(\d+)\b/, (_all, before, id) => before + experiment(id))
      .replace(/\b(id[= ]|experiment )(\d+)\b(?!›)/, (_all, before, id) => before + experiment(id));
  };
}

function normalise(
  value: unknown,
  told: (text: string, name: string) => string,
  name = '',
): unknown {
  if (typeof value === 'string')
    return name === 'next_page_token' || name === 'nextPageToken'
      ? '‹token›'
      : shownText(told(value, name), name);
  if (typeof value === 'number') return Math.abs(value - Date.now()) < dayMs ? '‹now›' : value;
  if (Array.isArray(value)) {
    const items = value.map((item) => normalise(item, told));
    return unordered.has(name)
      ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
      : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value);
  return Object.fromEntries(fields.map(([key, item]) => [key, normalise(item, told, key)]).sort());
}

function shownText(text: string, name: string): string {
  return /^(?:run_name|runName|name|value)$/.test(name) && inventedName.test(text)
    ? '‹name›'
    : text;
}

/** Whether both said the same; error texts by their essence. */
export function isAlike({ theirs, ours }: Compared): boolean {
  return theirs.status === ours.status && said(theirs.body) === said(ours.body);
}

function said(body: unknown): string {
  const message = (body as { message?: unknown } | null)?.message;
  if (typeof message !== 'string') return JSON.stringify(comparable(body));
  return JSON.stringify({ ...(body as object), message: essence(message) });
}

/** Where two answers differ first, as `runs.0.data.tags`. */
export function firstDifference(theirs: unknown, ours: unknown): string {
  const [left, right] = [comparable(theirs), comparable(ours)];
  if (typeof left !== 'object' || left === null) return '';
  if (typeof right !== 'object' || right === null) return '';
  const [one, other] = [new Map(Object.entries(left)), new Map(Object.entries(right))];
  for (const key of new Set([...one.keys(), ...other.keys()])) {
    if (JSON.stringify(one.get(key)) === JSON.stringify(other.get(key))) continue;
    const below = firstDifference(one.get(key), other.get(key));
    return below === '' ? key : `${key}.${below}`;
  }
  return '';
}
