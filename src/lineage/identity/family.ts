import type { LineageReader, MergeRow, SupersededRow } from '../store.ts';
import { maySupersede } from './stated.ts';

/** What is known at a position of two names: from when to when (ms) they are one, or are kept apart. */
export interface NameLink extends Pick<MergeRow, 'a' | 'b' | 'rule' | 'apart' | 'position'> {
  readonly from: number;
  /** Infinity without an end. */
  readonly to: number;
}

/** All names that were ever those of one dataset, whenever that was. */
export interface Family {
  /** The one that was asked for first. */
  readonly members: readonly number[];
  readonly links: readonly NameLink[];
  /** Which of the names are one differs from time to time. */
  readonly changes: boolean;
}

/** A name that no other was ever joined with. */
export const aloneFamily = (dataset: number): Family => ({
  members: [dataset],
  links: [],
  changes: false,
});

/**
 * The families of the datasets as known at the position: the closure over what joins names at any
 * time. Those of which nothing was ever said are left out. A merge is rare, so most end after one look.
 */
export async function readFamilies(
  reader: LineageReader,
  datasets: readonly number[],
  position: number,
): Promise<ReadonlyMap<number, Family>> {
  // The second look finds the rows of the first again, from their other side.
  const rows = new Map<string, MergeRow>();
  const known = new Set(datasets);
  for (let fresh = datasets; fresh.length > 0; ) {
    const found = (await reader.merges(fresh)).filter((row) => row.position <= position);
    for (const row of found) rows.set(`${row.a} ${row.b} ${row.rule} ${row.statement}`, row);
    fresh = [...new Set(found.flatMap(({ a, b }) => [a, b]))].filter((key) => !known.has(key));
    for (const key of fresh) known.add(key);
  }
  const links = await linksOf(reader, [...rows.values()], position);
  const families = new Map<number, Family>();
  const told = new Set([...rows.values()].flatMap(({ a, b }) => [a, b]));
  const linksOfName = byName(links);
  const joining = byName(links.filter(({ apart }) => !apart));
  for (const dataset of datasets) {
    if (families.has(dataset) || !told.has(dataset)) continue;
    const members = joined(dataset, joining);
    const mine = [...new Set(members.flatMap((member) => linksOfName.get(member) ?? []))];
    const changes = mine.some(
      ({ apart, from, to }) => apart || from !== Number.NEGATIVE_INFINITY || to !== Infinity,
    );
    const family = { members, links: mine, changes };
    for (const member of members) families.set(member, family);
  }
  return families;
}

/** The rows as links, without those that hold at no time: what supersedes a statement ends it. */
async function linksOf(
  reader: LineageReader,
  rows: readonly MergeRow[],
  position: number,
): Promise<NameLink[]> {
  const statements = rows.flatMap(({ statement }) => statement || []);
  const ends = statements.length === 0 ? [] : await reader.superseded(statements);
  const endsOf = Map.groupBy(
    ends.filter((end) => end.position <= position && maySupersede(end)),
    ({ statement }) => statement,
  );
  return rows
    .map((row) => linkOf(row, endsOf.get(row.statement) ?? []))
    .filter(({ from, to }) => from < to);
}

function linkOf(row: MergeRow, ends: readonly SupersededRow[]): NameLink {
  const { a, b, rule, apart, position, validFrom, validTo } = row;
  const from = validFrom ?? Number.NEGATIVE_INFINITY;
  const to = Math.min(
    validTo ?? Infinity,
    ...ends.map((end) => end.validFrom ?? Number.NEGATIVE_INFINITY),
  );
  return { a, b, rule, apart, position, from, to };
}

/** The names that are one with a name of the family at `time`, itself first. */
export function namesAt(family: Family, dataset: number, time: number): readonly number[] {
  if (!family.changes) return family.members;
  return joined(dataset, byName(linksAt(family, time)));
}

/** What joins names of the family at `time`: of two that are kept apart, nothing does. */
function linksAt({ links }: Family, time: number): readonly NameLink[] {
  const holding = links.filter(({ from, to }) => from <= time && time < to);
  const pair = ({ a, b }: NameLink): string => `${a} ${b}`;
  const apart = new Set(holding.filter((link) => link.apart).map(pair));
  return holding.filter((link) => !apart.has(pair(link)));
}

/** Whether two names are one dataset at `time`; `family` is that of the first. */
export function areOne(family: Family, a: number, b: number, time: number): boolean {
  return a === b || namesAt(family, a, time).includes(b);
}

function byName(links: readonly NameLink[]): ReadonlyMap<number, readonly NameLink[]> {
  const found = new Map<number, NameLink[]>();
  for (const link of links) {
    for (const name of [link.a, link.b]) {
      const mine = found.get(name);
      if (mine) mine.push(link);
      else found.set(name, [link]);
    }
  }
  return found;
}

function joined(dataset: number, links: ReadonlyMap<number, readonly NameLink[]>): number[] {
  const members = new Set([dataset]);
  // A set grows while it is walked.
  for (const member of members)
    for (const { a, b } of links.get(member) ?? []) members.add(a === member ? b : a);
  return [...members];
}
