import type { Awaitable } from '../base/awaitable.ts';

/** Size, root and subtree roots of the log. Positions come from this row, never from a sequence. */
export interface LogHead {
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** Roots of the complete subtrees, largest first, 32 bytes each. */
  readonly peaks: readonly Uint8Array[];
  /** Recorded time of the last entry, ms since 1970; 0 in an empty log. */
  readonly time: number;
}

/** One entry with its payload as they are stored. */
export interface StoredEntry {
  readonly position: number;
  /** Canonical JSON, the leaf of the tree. */
  readonly entry: Uint8Array;
  /** 32 random bytes from which the salts are derived. */
  readonly batchKey: Uint8Array;
  /** The messages, encoded by `block.ts`. */
  readonly block: Uint8Array;
  /** SHA-256 of the block, so that a damaged block is found even where decompression forgives it. */
  readonly blockDigest: Uint8Array;
  /** Recorded time, ms: the entry's own, repeated to be searched by. */
  readonly time: number;
}

export interface LedgerReader {
  head(): Awaitable<LogHead>;
  /** Up to `limit` entries from `position` on. */
  list(position: number, limit: number): Awaitable<readonly StoredEntry[]>;
  /** Recorded time of an entry, ms; undefined when there is none. */
  timeOf(position: number): Awaitable<number | undefined>;
  /** Recorded times of many entries, ms, by position; those that are not there are left out. */
  timesOf(positions: readonly number[]): Awaitable<ReadonlyMap<number, number>>;
  /** Position of the last entry recorded at or before the time; -1 when there is none. */
  positionAt(time: number): Awaitable<number>;
}

export interface LedgerStore extends LedgerReader {
  append(entry: StoredEntry): Awaitable<void>;
  setHead(head: LogHead): Awaitable<void>;
}
