import { WherefromError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Candidate, Resolution, SearchResult } from '../contract/resolve.ts';
import type { StateReader } from '../door/index.ts';
import type { EntityKind } from '../facts/kinds.ts';
import { findRef, workspaceOf } from '../facts/ref.ts';
import { createNames, type Moment } from '../lineage/index.ts';
import {
  type Lookup,
  prefixCharactersMin,
  type Reading,
  readCode,
  readColumn,
  readFormerNames,
  readIds,
  readingOf,
  readModelVersion,
  readNames,
  readPath,
  readPrefix,
  readRegistered,
  readSuffix,
  readWholeRef,
  visible,
} from './readings.ts';
import { findRenamedModel, readRenamed } from './renamed.ts';
import type { Scope } from './services.ts';

const present: Moment = { position: Number.MAX_SAFE_INTEGER, at: undefined };

/** Who asks, and about which moment: the present when absent. */
export type MomentScope = Scope & Partial<Pick<Lookup, 'moment' | 'instant' | 'scans'>>;

/** Names that people mean when they give a bare name … */
const strongKinds = new Set<EntityKind>([
  'dataset',
  'datasetVersion',
  'job',
  'jobVersion',
  'modelVersion',
  'deployment',
  'artifact',
]);
/** … and those that count only when nothing else has the name. */
const weakKinds = new Set<EntityKind>([
  'model',
  'field',
  'run',
  'source',
  'experiment',
  'code',
  'environment',
  'agent',
]);

/**
 * Finds what a whole or short ref means: a prediction, run or artifact id; a model version by number
 * or alias; a name, a path, `path#column`; the end of a path; a former name; the beginning of an id; a
 * commit. The first of these that finds something decides, but for an id that is also a name; names
 * that are one dataset count once.
 * @throws not_found with near names; conflict with `candidates` when several things are meant;
 *   forbidden for a whole ref of a workspace out of reach, whether or not it is there.
 */
export async function resolveRef(
  state: StateReader,
  text: string,
  scope: MomentScope,
): Promise<Resolution> {
  const query = text.trim();
  const lookup = lookupOf(state, scope, limits.candidatesMax + 1);
  if (query === '' || query.length > limits.refCharactersMax) {
    throw new WherefromError('invalid_message', 'A ref has 1 to 2,048 characters.', {
      hint: 'Give a prediction id, a run id, credit-risk@3, a name, a path or a whole ref.',
    });
  }
  checkReach(query, scope);
  const readings = await read(query, lookup);
  const distinct = await joinSame(readings, lookup);
  const [first] = distinct;
  if (first === undefined) throw await notFound(query, lookup);
  if (distinct.length > 1) throw ambiguous(query, distinct);
  return { query: text, ...candidateOf(first) };
}

function lookupOf(
  state: StateReader,
  { workspace, moment = present, instant, scans }: MomentScope,
  limit: number,
): Lookup {
  return { state, workspace, moment, instant, limit, scans };
}

function checkReach(ref: string, { reach }: Scope): void {
  const workspace = workspaceOf(ref);
  if (workspace === undefined || reach === 'all' || reach.includes(workspace)) return;
  throw new WherefromError('forbidden', `This key may not use the workspace '${workspace}'.`, {
    hint: `It may use: ${reach.join(', ')}.`,
  });
}

/**
 * As `resolveRef`, for a message that is being decided, at its time, ms. Ends of paths mean nothing:
 * all names would be looked through while others wait to write.
 * @throws as `resolveRef` does.
 */
export async function resolveShort(
  state: StateReader,
  text: string,
  { workspace, time }: { readonly workspace: string; readonly time: number },
): Promise<string> {
  const moment = { ...present, now: time };
  const scope = { workspace, reach: [workspace], moment, scans: false };
  return (await resolveRef(state, text, scope)).ref;
}

/** Things whose name is, or begins with, the text. */
export async function searchNames(
  state: StateReader,
  query: string,
  options: MomentScope & { readonly limit: number },
): Promise<SearchResult> {
  const { limit, workspace } = options;
  const lookup = lookupOf(state, options, limit + 1);
  const ids = await readIds(query, lookup);
  const nodes = await state.lineage.findNodesByName(query, {
    prefix: true,
    limit: (limit + 1) * 4,
  });
  const named = visible(nodes, workspace).map((node) => readingOf(node, `${node.kind} name`));
  const found = distinctByRef([
    ...ids,
    ...named,
    ...(await readPrefix(query, lookup)),
    ...(await readCode(query, lookup)),
  ]);
  return { query, items: found.slice(0, limit).map(candidateOf), more: found.length > limit };
}

async function read(query: string, lookup: Lookup): Promise<Reading[]> {
  if (findRef(query) !== undefined) {
    const whole = await readWholeRef(query, lookup);
    return whole === undefined ? [] : [whole];
  }
  const text = withoutScheme(query);
  const readStrong = async (one: string): Promise<Reading[]> => [
    ...(await readModelVersion(one, lookup)),
    ...(await readRegistered(one, lookup)),
    ...(await readPath(one, lookup)),
    ...(await readNames(one, lookup, strongKinds)),
  ];
  const tiers: ((text: string) => Promise<Reading[]>)[] = [
    async (one) => {
      const ids = await readIds(one, lookup);
      // Whoever sends a prediction chooses its id: it must not take the name of a model quietly.
      return ids.length === 0 ? ids : [...ids, ...(await readStrong(one))];
    },
    (one) => readFormerNames(one, lookup),
    readStrong,
    (one) => readSuffix(one, lookup),
    (one) => readColumns(one, lookup),
    (one) => readNames(one, lookup, weakKinds),
    (one) => readRenamed(one, lookup),
    async (one) => [...(await readPrefix(one, lookup)), ...(await readCode(one, lookup))],
  ];
  for (const tier of tiers) {
    const readings = await tier(text);
    if (readings.length > 0) return readings;
  }
  return [];
}

/** MLflow's own URIs mean the same things. */
function withoutScheme(text: string): string {
  const run = /^runs:\/([^/]+)/.exec(text)?.[1];
  const model = /^models:\/(.+)$/.exec(text)?.[1];
  return run ?? model?.replace(/\/(\d+)$/, '@$1') ?? text;
}

/** `path#column`: the column of each dataset that the path can mean. */
async function readColumns(text: string, lookup: Lookup): Promise<Reading[]> {
  const hash = text.lastIndexOf('#');
  if (hash <= 0) return [];
  const path = text.slice(0, hash);
  const column = text.slice(hash + 1);
  const datasets = [
    ...(await readPath(path, lookup)),
    ...(await readNames(path, lookup, new Set(['dataset']))),
    ...(await readSuffix(path, lookup)),
  ];
  const columns = await Promise.all(
    distinctByRef(datasets).map((dataset) => readColumn(dataset, column, lookup)),
  );
  return columns.flat();
}

/** One of each group of readings that are the same: by ref, and by what joins names of datasets. */
async function joinSame(
  readings: readonly Reading[],
  { state, moment }: Lookup,
): Promise<Reading[]> {
  const live = readings.filter(({ deleted }) => deleted !== true);
  const distinct = distinctByRef(live.length > 0 ? live : readings);
  const keys = distinct.flatMap(({ key }) => key ?? []);
  if (keys.length < 2) return distinct;
  const names = createNames({
    reader: state.lineage,
    moment,
    memory: { alone: new Set() },
    any: async () => true,
  });
  await names.load(keys);
  const seen: number[] = [];
  return distinct.filter(({ key }) => {
    if (key === undefined) return true;
    if (seen.some((before) => names.areOne(before, key, names.instant))) return false;
    seen.push(key);
    return true;
  });
}

function distinctByRef(readings: readonly Reading[]): Reading[] {
  return [...new Map(readings.toReversed().map((one) => [one.ref, one])).values()].toReversed();
}

function candidateOf({ ref, kind, name, why }: Reading): Candidate {
  return { ref, kind, name, why };
}

function ambiguous(query: string, readings: readonly Reading[]): WherefromError {
  const candidates = readings.slice(0, limits.candidatesMax).map(candidateOf);
  const more = readings.length > limits.candidatesMax;
  const count = more ? `more than ${limits.candidatesMax}` : String(readings.length);
  return new WherefromError('conflict', `"${shown(query)}" can mean ${count} things.`, {
    hint: 'Ask again with one of the whole refs in `candidates`.',
    detail: { candidates, more },
  });
}

async function notFound(query: string, lookup: Lookup): Promise<WherefromError> {
  const near = await nearNames(query, lookup);
  const versions = await versionsOf(query, lookup);
  return new WherefromError('not_found', `Nothing recorded is called "${shown(query)}".`, {
    hint: versions ?? hintOf(query, near),
    detail: { near },
  });
}

function hintOf(query: string, near: readonly Candidate[]): string {
  if (near.length > 0) return `Did you mean ${near.map(({ ref }) => ref).join(' or ')}?`;
  const short = query.length < prefixCharactersMin && /^[0-9a-f-]+$/.test(query);
  if (short) return `Give at least ${prefixCharactersMin} characters of an id.`;
  return 'Give a prediction id, a run id, credit-risk@3, a name, a path, path#column or a whole ref.';
}

/** For `credit-risk@9`: which versions and aliases there are. */
async function versionsOf(query: string, lookup: Lookup): Promise<string | undefined> {
  const { state, workspace } = lookup;
  const at = query.lastIndexOf('@');
  if (at <= 0 || findRef(query) !== undefined) return undefined;
  const asked = query.slice(0, at);
  const model =
    (await state.registry.findModel(workspace, asked)) ?? (await findRenamedModel(asked, lookup));
  if (model === undefined) return undefined;
  const { name } = model;
  const versions = await state.registry.listVersions(model.key, 5);
  const aliases = await state.registry.listAliases(model.key);
  const names = [...versions.map(({ version }) => version), ...aliases.map(({ alias }) => alias)];
  if (names.length === 0) return `The model ${name} has no versions yet.`;
  return `The model ${name} has ${names
    .slice(0, 10)
    .map((one) => `${name}@${one}`)
    .join(', ')}.`;
}

/** Names that differ from the text in a few characters. */
async function nearNames(query: string, { state, workspace }: Lookup): Promise<Candidate[]> {
  const name = findRef(query)?.name ?? query;
  const start = [...name].slice(0, Math.max(2, Math.floor([...name].length / 2))).join('');
  const nodes = await state.lineage.findNodesByName(start, { prefix: true, limit: 200 });
  const farthest = Math.max(2, Math.floor(name.length / 3));
  return visible(nodes, workspace)
    .filter(({ kind }) => kind !== 'datasetVersion')
    .map((node) => ({ node, distance: editDistance(name.slice(0, 100), node.name.slice(0, 100)) }))
    .filter(({ distance }) => distance <= farthest)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 5)
    .map(({ node }) => candidateOf(readingOf(node, 'near name')));
}

/** Insertions, deletions and replacements between two texts. Source: Wagner and Fischer. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function shown(query: string): string {
  return query.length > 100 ? `${query.slice(0, 100)}…` : query;
}
