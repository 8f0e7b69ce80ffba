import { isObject, list } from '../../../base/json.ts';
import type { Left } from './source.ts';
import type { ImportResult } from './target.ts';

/** What an import counts. */
export const importedThings = [
  'experiments',
  'runs',
  'metric points',
  'logged models',
  'model metric points',
  'registered models',
  'model versions',
  'aliases',
  'traces',
  'spans',
  'evaluation datasets',
  'evaluation records',
  'scorer versions',
  'issues',
  'label schemas',
  'review queues',
  'review items',
  'webhooks',
  'files',
] as const;
export type ImportedThing = (typeof importedThings)[number];

/** Something that could not be brought. */
export interface Trouble {
  /** For example `run 0123…`. */
  readonly what: string;
  readonly reason: string;
}

/** Something that was changed here since it was brought, and stays as it is. */
export interface Difference {
  readonly what: string;
  /** For example `status`, `tag.team`. */
  readonly fields: readonly string[];
}

/** How an import ended. */
export interface ImportReport {
  readonly brought: Readonly<Record<ImportedThing, number>>;
  /** Was here before, and got what changed at the source. */
  readonly changed: Readonly<Record<ImportedThing, number>>;
  /** Was here before, and says nothing new. */
  readonly there: Readonly<Record<ImportedThing, number>>;
  /** Bytes of the files that were brought. */
  readonly bytes: number;
  /** Left out by its kind, or left where it is: no fault. */
  readonly left: readonly Left[];
  /** What should have come and did not; at most the first thousand. */
  readonly troubles: readonly Trouble[];
  readonly troubleCount: number;
  /** What differs and was left as it is here; at most the first thousand. */
  readonly differences: readonly Difference[];
  readonly differenceCount: number;
  /** What came otherwise than it was there. */
  readonly notes: readonly string[];
}

/** Troubles and notes that a report lists; more are counted. */
const listedMax = 1_000;

/** Counts while an import runs. */
export interface Tally {
  count(thing: ImportedThing, outcome: 'brought' | 'changed' | 'there', by?: number): void;
  /** Counts a result and what it left as it is here; one that was not brought is a trouble. @returns true when the thing is here. */
  result(
    thing: ImportedThing,
    what: string,
    result: ImportResult | undefined,
    by?: number,
  ): boolean;
  trouble(what: string, reason: string): void;
  note(text: string): void;
  leave(left: Left): void;
  bytes(count: number): void;
  /** What was dealt with so far. */
  done(thing: ImportedThing): number;
  report(): ImportReport;
}

const zeros = (): Record<ImportedThing, number> =>
  // Every name of the list is a member.
  Object.fromEntries(importedThings.map((thing) => [thing, 0])) as Record<ImportedThing, number>;

export function createTally(): Tally {
  const brought = zeros();
  const there = zeros();
  const changed = zeros();
  const troubles: Trouble[] = [];
  const notes: string[] = [];
  const differences: Difference[] = [];
  let differenceCount = 0;
  const left = new Map<string, Left>();
  let troubleCount = 0;
  let bytes = 0;
  const columns = { brought, changed, there };
  const count: Tally['count'] = (thing, outcome, by = 1) => {
    columns[outcome][thing] += by;
  };
  /** Things of which a message holds many say how many of them are new or changed. */
  const countParts = (
    thing: ImportedThing,
    of: {
      readonly outcome: 'brought' | 'there';
      readonly answer: Readonly<Record<string, unknown>>;
      readonly by: number;
    },
  ): void => {
    const { outcome, answer, by } = of;
    const { brought: fresh, updated } = answer;
    if (typeof fresh === 'number' && typeof updated === 'number') {
      count(thing, 'brought', fresh);
      count(thing, 'changed', updated);
      count(thing, 'there', Math.max(0, by - fresh - updated));
    } else if (outcome === 'brought' && answer.changed === true) count(thing, 'changed', by);
    else count(thing, outcome, by);
  };
  const differ = (what: string, fields: readonly string[]): void => {
    differenceCount += 1;
    if (differences.length < listedMax) differences.push({ what, fields });
  };
  const trouble: Tally['trouble'] = (what, reason) => {
    troubleCount += 1;
    if (troubles.length < listedMax) troubles.push({ what, reason });
  };
  return {
    count,
    result(thing, what, result, by = 1) {
      const { outcome = 'refused', message = 'It was not answered.' } = result ?? {};
      const answer = isObject(result?.answer) ? result.answer : {};
      if (outcome === 'brought' || outcome === 'there') {
        countParts(thing, { outcome, answer, by });
        const kept = list(answer.kept).map(String);
        if (kept.length > 0) differ(what, kept);
        return true;
      }
      trouble(what, message);
      return false;
    },
    trouble,
    note: (text) => void (notes.length < listedMax && notes.push(text)),
    leave(one) {
      const key = `${one.what}\n${one.reason}`;
      const before = left.get(key);
      const total = (before?.count ?? 0) + (one.count ?? 0);
      left.set(key, { ...one, ...(one.count === undefined ? {} : { count: total }) });
    },
    bytes: (more) => {
      bytes += more;
    },
    done: (thing) => brought[thing] + changed[thing] + there[thing],
    report: () => ({
      brought: { ...brought },
      changed: { ...changed },
      there: { ...there },
      bytes,
      left: [...left.values()],
      troubles,
      troubleCount,
      differences,
      differenceCount,
      notes,
    }),
  };
}
