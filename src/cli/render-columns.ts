import type { AnswerEdge, AnswerNode } from '../contract/answer.ts';
import { findRef } from '../facts/ref.ts';
import { clean, countOf, cut, kindWords, lengthOf, shortenStart } from './style.ts';
import type { Column } from './tree.ts';

/** Characters of a dataset's path that stay when a line is too narrow. */
const pathWidthMin = 16;

/** Columns of one dataset that a column is derived from, or goes to, in the same way. */
interface Origin {
  readonly fields: readonly string[];
  readonly dataset: string;
  /** How they are derived and known, and in how many runs. */
  readonly how: string;
}

/**
 * A column and what it is derived from: `· age_group ← age of /data/raw.csv DIRECT/IDENTITY, observed`.
 * Links that read alike are one; paths are shortened where the room is too small.
 */
export function renderColumn(column: Column, arrow: string, room: number): string {
  const { node, links } = column;
  const name = `· ${clean(findRef(node.ref)?.field ?? node.name)}`;
  const origins = originsOf(links);
  if (origins.length === 0) return cut(name, room);
  const write = (width: number): string =>
    `${name} ${arrow} ${origins.map((origin) => originText(origin, width)).join('; ')}`;
  const whole = write(Number.POSITIVE_INFINITY);
  const excess = lengthOf(whole) - room;
  if (excess <= 0) return whole;
  const paths = origins.reduce((sum, { dataset }) => sum + lengthOf(dataset), 0);
  const width = Math.floor((paths - excess) / origins.length);
  return cut(write(Math.max(width, pathWidthMin)), room);
}

function originText({ fields, dataset, how }: Origin, width: number): string {
  const of = dataset === '' ? '' : ` of ${shortenStart(dataset, width)}`;
  return `${fields.join(', ')}${of}${how}`;
}

/** Links by what they say of each column, then columns of one dataset together. */
function originsOf(links: Column['links']): Origin[] {
  const ofColumn = Map.groupBy(links, ({ other, edge }) =>
    JSON.stringify([...partsOf(other), edge.how ?? null, edge.known]),
  );
  const columns = [...ofColumn.values()].flatMap((alike) => {
    const [first] = alike;
    if (first === undefined) return [];
    const [dataset, field] = partsOf(first.other);
    return [{ dataset, field, how: howText(alike.map(({ edge }) => edge)) }];
  });
  const ofDataset = Map.groupBy(columns, ({ dataset, how }) => JSON.stringify([dataset, how]));
  return [...ofDataset.values()].flatMap((alike) => {
    const [first] = alike;
    if (first === undefined) return [];
    return [{ ...first, fields: alike.map(({ field }) => field) }];
  });
}

/** Dataset and column, safe to print. */
function partsOf({ ref, name }: AnswerNode): [dataset: string, field: string] {
  const parts = findRef(ref);
  return parts?.field === undefined ? ['', clean(name)] : [clean(parts.name), clean(parts.field)];
}

function howText(edges: readonly AnswerEdge[]): string {
  const [first] = edges;
  if (first === undefined) return '';
  const how = first.how === undefined ? '' : ` ${clean(first.how)}`;
  const runs = edges.flatMap(({ run }) => run ?? []);
  return `${how}, ${first.known}${new Set(runs).size > 1 ? `,${inRuns(runs)}` : ''}`;
}

/** ` in 2 runs`: the runs, or declaring jobs, of links that are otherwise alike. */
export function inRuns(refs: readonly string[]): string {
  const kinds = Map.groupBy(new Set(refs), (ref) => findRef(ref)?.kind ?? 'run');
  const counts = [...kinds].map(([kind, ofKind]) => countOf(ofKind.length, kindWords(kind)));
  return ` in ${counts.join(' and ')}`;
}
