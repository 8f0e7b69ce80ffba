import { sha256Hex } from '../../../base/digest.ts';
import type { DecideContext } from '../../../door/index.ts';
import type { ImportFact } from '../../../facts/import-facts.ts';
import type { KeyValue } from '../../../facts/tracking-facts.ts';

/**
 * What is stated of a thing, by field; what is undefined is not stated. A field with a dot is a member
 * of a set that the source tells whole (`tag.team`): a member that it does not state is not there.
 */
export type Statements = Readonly<
  Record<string, string | number | boolean | readonly string[] | null | undefined>
>;

/** What an import does with a thing that is here already. */
export interface Weighed {
  /** Fields that the source changed since the last import, and nobody here: what it states is taken. */
  readonly take: readonly string[];
  /** Fields that differ and stay as they are: they were changed here. */
  readonly kept: readonly string[];
}

/** What an operation answers of a thing that was here before. */
export interface Updated {
  /** True when something was taken over. */
  readonly changed?: boolean;
  readonly kept?: readonly string[];
}

const digits = 16;
const fingerprint = (field: string, value: unknown): string =>
  sha256Hex(JSON.stringify([field, value])).slice(0, digits);

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What the source says of a thing, to be remembered until the next import. Pure. */
export function saidFact(thing: string, id: string, there: Statements): ImportFact {
  const prints = Object.entries(there)
    .filter(([, value]) => value !== undefined)
    .map(([field, value]) => fingerprint(field, value));
  return { kind: 'import.said', thing, id, said: prints.sort().join('') };
}

/** Tells whether the source said a value of a field when the thing was last brought. */
type Said = (field: string, value: unknown) => boolean;

/** What the source said of the thing at the last import; undefined when no import brought it. */
export async function findSaid(
  thing: string,
  id: string,
  { state, workspace }: Pick<DecideContext, 'state' | 'workspace'>,
): Promise<Said | undefined> {
  const said = await state.imports.findSaid(workspace, thing, id);
  if (said === undefined) return undefined;
  const prints = new Set<string>();
  for (let at = 0; at < said.length; at += digits) prints.add(said.slice(at, at + digits));
  return (field, value) => prints.has(fingerprint(field, value));
}

/**
 * Compares what the source states with what is here, in the light of what it said last time: what
 * differs from that there was changed there, what differs from it here was changed here.
 * @param said undefined for a thing that no import brought: what is stated here stays.
 */
export function weigh(there: Statements, here: Statements, said: Said | undefined): Weighed {
  const take: string[] = [];
  const kept: string[] = [];
  for (const field of new Set([...Object.keys(there), ...Object.keys(here)])) {
    const [theirs, ours] = [there[field], here[field]];
    if (same(theirs, ours)) continue;
    if (theirs === undefined) {
      // A member that was added here is no difference worth telling.
      if (field.includes('.') && said?.(field, ours)) take.push(field);
    } else if (ours === undefined ? !said?.(field, theirs) : said?.(field, ours)) take.push(field);
    else kept.push(field);
  }
  return { take, kept };
}

/** The answer of an operation that found its thing here. */
export const updatedBy = ({ take, kept }: Weighed): Updated => ({
  ...(take.length === 0 ? {} : { changed: true }),
  ...(kept.length === 0 ? {} : { kept }),
});

/** Members of a set as statements: `tag.KEY`. */
export const members = (set: string, pairs: readonly KeyValue[] | undefined): Statements =>
  Object.fromEntries((pairs ?? []).map(({ key, value }) => [`${set}.${key}`, value]));

/** Members of the set that are taken: those to be set, and the keys of those to be removed. */
export function takenMembers(
  set: string,
  there: readonly KeyValue[],
  take: readonly string[],
): { readonly set: KeyValue[]; readonly removed: string[] } {
  const keys = take
    .filter((field) => field.startsWith(`${set}.`))
    .map((field) => field.slice(set.length + 1));
  const stated = new Map(there.map((pair) => [pair.key, pair]));
  return {
    set: keys.flatMap((key) => stated.get(key) ?? []),
    removed: keys.filter((key) => !stated.has(key)),
  };
}

/** Those of the fields that are taken. */
export const taken = <T extends object>(fields: T, take: readonly string[]): Partial<T> =>
  // A subset of the fields of T.
  Object.fromEntries(
    Object.entries(fields).filter(([field]) => take.includes(field)),
  ) as Partial<T>;
