import { emptyRoot } from '../../ledger/merkle.ts';
import type { LedgerStore, LogHead, StoredEntry } from '../../ledger/store.ts';
import type { Database } from './database.ts';

const hashBytes = 32;

/** The log and its head over one connection. */
export class SqliteLedgerStore implements LedgerStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  head(): LogHead {
    const row = this.#db.get<{ size: number; root: Uint8Array; peaks: Uint8Array; time: number }>(
      'SELECT size, root, peaks, time FROM log_head WHERE id = 1',
    );
    if (!row) return { size: 0, root: emptyRoot, peaks: [], time: 0 };
    const peaks: Uint8Array[] = [];
    for (let offset = 0; offset < row.peaks.length; offset += hashBytes)
      peaks.push(row.peaks.subarray(offset, offset + hashBytes));
    return { size: row.size, root: row.root, peaks, time: row.time };
  }

  list(position: number, limit: number): StoredEntry[] {
    return this.#db.all<StoredEntry>(
      `SELECT e.position, e.entry, e.time, p.batch_key AS batchKey, p.block, p.digest AS blockDigest
       FROM log_entries e JOIN log_payloads p ON p.position = e.position WHERE e.position >= ? ORDER BY e.position LIMIT ?`,
      position,
      limit,
    );
  }

  positionAt(time: number): number {
    const newest = this.#db.get<{ position: number }>(
      'SELECT position FROM log_entries ORDER BY position DESC LIMIT 1',
    );
    // Times never decrease along the log: halve the span until the last entry that fits is found.
    let low = -1;
    let high = newest?.position ?? -1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.timeOf(middle) ?? Number.POSITIVE_INFINITY) <= time) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  timeOf(position: number): number | undefined {
    return this.#db.get<{ time: number }>(
      'SELECT time FROM log_entries WHERE position = ?',
      position,
    )?.time;
  }

  timesOf(positions: readonly number[]): Map<number, number> {
    const rows = this.#db.all<{ position: number; time: number }>(
      'SELECT position, time FROM log_entries WHERE position IN (SELECT value FROM json_each(?))',
      JSON.stringify(positions),
    );
    return new Map(rows.map(({ position, time }) => [position, time]));
  }

  append(entry: StoredEntry): void {
    this.#db.run(
      'INSERT INTO log_entries (position, entry, time) VALUES (?, ?, ?)',
      entry.position,
      entry.entry,
      entry.time,
    );
    this.#db.run(
      'INSERT INTO log_payloads (position, batch_key, block, digest) VALUES (?, ?, ?, ?)',
      entry.position,
      entry.batchKey,
      entry.block,
      entry.blockDigest,
    );
  }

  setHead(head: LogHead): void {
    this.#db.run(
      `INSERT INTO log_head (id, size, root, peaks, time) VALUES (1, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET size = excluded.size, root = excluded.root, peaks = excluded.peaks, time = excluded.time`,
      head.size,
      head.root,
      Buffer.concat(head.peaks),
      head.time,
    );
  }
}
