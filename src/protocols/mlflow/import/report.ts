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

type Counts = Pick<ImportReport, 'brought' | 'changed' | 'there'>;

/** Counts by what became of things. */
function createCounts(): {
  readonly columns: Counts;
  readonly count: Tally['count'];
  /** Things of which a message holds many say how many of them are new or changed. */
  readonly countResult: (
    thing: ImportedThing,
    of: { readonly outcome: 'brought' | 'there'; readonly answer: Answer; readonly by: number },
  ) => void;
} {
  const columns = { brought: zeros(), changed: zeros(), there: zeros() };
  const count: Tally['count'] = (thing, outcome, by = 1) => {
    columns[outcome][thing] += by;
  };
  return {
    columns,
    count,
    countResult(thing, { outcome, answer, by }) {
      const { brought: fresh, updated } = answer;
      if (typeof fresh === 'number' && typeof updated === 'number') {
        count(thing, 'brought', fresh);
        count(thing, 'changed', updated);
        count(thing, 'there', Math.max(0, by - fresh - updated));
      } else if (outcome === 'brought' && answer.changed === true) count(thing, 'changed', by);
      else count(thing, outcome, by);
    },
  };
}

type Answer = Readonly<Record<string, unknown>>;

/** A list that keeps the first thousand, and counts all. */
function createList<T>(): { readonly kept: T[]; add(item: T): void; count(): number } {
  const kept: T[] = [];
  let count = 0;
  return {
    kept,
    add(item) {
      count += 1;
      if (kept.length < listedMax) kept.push(item);
    },
    count: () => count,
  };
}

export function createTally(): Tally {
  const { columns, count, countResult } = createCounts();
  const { brought, changed, there } = columns;
  const troubles = createList<Trouble>();
  const differences = createList<Difference>();
  const notes = createList<string>();
  const left = new Map<string, Left>();
  let bytes = 0;
  return {
    count,
    result(thing, what, result, by = 1) {
      const { outcome = 'refused', message = 'It was not answered.' } = result ?? {};
      if (outcome !== 'brought' && outcome !== 'there') {
        troubles.add({ what, reason: message });
        return false;
      }
      const answer = isObject(result?.answer) ? result.answer : {};
      countResult(thing, { outcome, answer, by });
      const fields = list(answer.kept).map(String);
      if (fields.length > 0) differences.add({ what, fields });
      return true;
    },
    trouble: (what, reason) => troubles.add({ what, reason }),
    note: notes.add,
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
      ...{ brought: { ...brought }, changed: { ...changed }, there: { ...there }, bytes },
      left: [...left.values()],
      ...{ troubles: troubles.kept, troubleCount: troubles.count() },
      ...{ differences: differences.kept, differenceCount: differences.count() },
      notes: notes.kept,
    }),
  };
}
