import { WherefromError } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import type { RunState, WriteMode } from '../facts/facts.ts';
import type { Known } from '../facts/relations.ts';
import { areOne, type Family } from './identity/family.ts';
import { iso } from './iso.ts';
import type { DatasetUseRow, EdgeRow, NodeRow, SupersededRow } from './store.ts';

/** What was known (positions up to `position`) and what was true (at `at`, ms). */
export interface Moment {
  readonly position: number;
  readonly at: number | undefined;
  /** Without `at`: when it was asked, ms. Names that were one until then no longer are. */
  readonly now?: number | undefined;
}

/** The time, ms, that names and statements are told as of. */
export function instantOf({ at, now }: Moment): number {
  return at ?? now ?? Number.MAX_SAFE_INTEGER;
}

/** A row: the entry that told of it, and when it was true (an event time, or from and to), ms. */
export interface Told {
  readonly position: number;
  readonly time?: number;
  readonly validFrom?: number;
  readonly validTo?: number | null;
}

/** A run as its events up to the moment tell, in event order. */
export interface RunStatus {
  readonly state: RunState;
  readonly startTime: number;
  /** When what it wrote became current; undefined while it runs and when it failed. */
  readonly completedTime: number | undefined;
  readonly endTime: number | undefined;
}

/** One completed write: a version of a dataset that was current from `time` on. */
export interface Write {
  readonly version: number;
  readonly run: number;
  readonly time: number;
  readonly mode: WriteMode;
  readonly row: DatasetUseRow;
}

/** A statement as stored, with all that ever took its place. Times are ms since 1970. */
export interface Statement {
  readonly id: string;
  readonly type: string;
  readonly said: JsonObject;
  /** When it was made. */
  readonly time: number;
  readonly position: number;
  readonly validFrom: number | undefined;
  readonly validTo: number | undefined;
  readonly superseded: readonly SupersededRow[];
}

/** Event time [from, to) in ms of a dataset. */
export interface Span {
  readonly dataset: number;
  readonly from: number;
  readonly to: number | undefined;
}

/** When a dataset was dropped, ms. */
export interface Drop {
  readonly dataset: number;
  readonly time: number;
}

/** The refusal of what had not come to be at the time, ms. */
export const notYet = (ref: string, at: number): WherefromError =>
  new WherefromError('not_found', `${ref} did not exist yet at ${iso(at)}.`, {
    hint: 'Ask about a later time; without one the answer is about now.',
  });

const terminal: ReadonlySet<string> = new Set(['COMPLETE', 'FAIL', 'ABORT']);
const terminalRank: Readonly<Record<string, number>> = { COMPLETE: 0, ABORT: 1, FAIL: 2 };

/** Names a span among those of a moment. */
export const spanId = ({ dataset, from, to }: Span): string => `${dataset} ${from} ${to ?? ''}`;

/** An end that was told of after the moment is not known yet. */
export function openAt(row: EdgeRow, { position }: Moment): EdgeRow {
  const later = (row.validToPosition ?? -1) > position;
  return later ? { ...row, validTo: null, validToPosition: null } : row;
}

/** A tombstone that was told of after the moment is not known yet. */
export function aliveAt(node: NodeRow, { position }: Moment): NodeRow {
  const later = (node.deletedPosition ?? -1) > position;
  return later ? { ...node, deletedTime: null, deletedPosition: null } : node;
}

/** What the writes of a dataset are judged by: which names were one when, and when names were dropped. */
export interface Past {
  readonly family: Family;
  readonly drops: readonly Drop[];
}

/** Completed writes of a family's datasets, oldest first, by all their writes. */
export function chainOf(
  rows: readonly DatasetUseRow[],
  statusOfRun: (run: number) => RunStatus | undefined,
): readonly Write[] {
  const writes: Write[] = [];
  for (const row of preferNamed(rows)) {
    const completed = statusOfRun(row.run)?.completedTime;
    if (completed === undefined || row.version === null) continue;
    writes.push({ version: row.version, run: row.run, time: completed, mode: row.mode, row });
  }
  return writes.sort((a, b) => a.time - b.time || a.row.time - b.row.time || a.version - b.version);
}

/** When what was written was gone, ms: its name, or one that was the same then, was dropped. */
export function dropTimeOf({ time, row }: Write, { family, drops }: Past): number | undefined {
  const gone = drops.filter(
    (drop) => drop.time > time && areOne(family, row.dataset, drop.dataset, drop.time),
  );
  return gone.length === 0 ? undefined : Math.min(...gone.map((drop) => drop.time));
}

/** Whether what was written is gone by `time`, ms. */
export function isDropped(write: Write, time: number, past: Past): boolean {
  return (dropTimeOf(write, past) ?? Infinity) <= time;
}

/** The write before one of the chain that is still there, to what was the same dataset by then. */
export function writeBefore(chain: readonly Write[], index: number, past: Past): Write | undefined {
  const write = chain[index];
  if (write === undefined) return undefined;
  for (let at = index - 1; at >= 0; at -= 1) {
    const before = chain[at];
    if (before && goesOn(before, write, past)) return before;
  }
  return undefined;
}

/** The write after one of the chain to what was the same dataset by then. */
export function writeAfter(chain: readonly Write[], index: number, past: Past): Write | undefined {
  const write = chain[index];
  if (write === undefined) return undefined;
  for (let at = index + 1; at < chain.length; at += 1) {
    const next = chain[at];
    if (next && goesOn(write, next, past)) return next;
  }
  return undefined;
}

const goesOn = (before: Write, write: Write, past: Past): boolean =>
  areOne(past.family, write.row.dataset, before.row.dataset, write.time) &&
  !isDropped(before, write.time, past);

/** What a run's events come to: the last end counts, of ends at one time the worse. */
export function statusOf(
  events: readonly { state: RunState; time: number; streaming: boolean }[],
): RunStatus | undefined {
  if (events.length === 0) return undefined;
  const startTime = Math.min(...events.map((event) => event.time));
  const lastTime = Math.max(...events.map((event) => event.time));
  const ends = events
    .filter((event) => terminal.has(event.state))
    .sort((a, b) => b.time - a.time || (terminalRank[b.state] ?? 0) - (terminalRank[a.state] ?? 0));
  const end = ends[0];
  // What a streaming run writes is current from its start, and stays when it ends, however that is.
  const streaming = events.some((event) => event.streaming);
  if (end) {
    const completed = end.state === 'COMPLETE' ? end.time : undefined;
    return {
      state: end.state,
      startTime,
      endTime: end.time,
      completedTime: streaming ? startTime : completed,
    };
  }
  const started = events.some((event) => event.state === 'START' || event.state === 'RUNNING');
  if (!started) return { state: 'OTHER', startTime, endTime: lastTime, completedTime: lastTime };
  return {
    state: events.some((event) => event.state === 'RUNNING') ? 'RUNNING' : 'START',
    startTime,
    endTime: undefined,
    completedTime: streaming ? startTime : undefined,
  };
}

/** Of one run and dataset, what named a version hides what named none. */
export function preferNamed(rows: readonly DatasetUseRow[]): readonly DatasetUseRow[] {
  if (rows.every((row) => row.named === rows[0]?.named)) return rows;
  const named = new Set(
    rows.filter((row) => row.named).map((row) => `${row.use} ${row.run} ${row.dataset}`),
  );
  return rows.filter((row) => row.named || !named.has(`${row.use} ${row.run} ${row.dataset}`));
}

/** How a version is known to continue the one before it: by the write's mode, else by guess. */
export function continuation(
  mode: WriteMode,
): { readonly known: Known; readonly rule: string } | undefined {
  if (mode === 'replace') return undefined;
  return mode === 'append'
    ? { known: 'observed', rule: 'append' }
    : { known: 'inferred', rule: 'write-mode-unknown' };
}
