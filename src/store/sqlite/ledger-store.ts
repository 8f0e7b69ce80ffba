import { WherefromError } from '../../base/errors.ts';
import { emptyRoot } from '../../ledger/merkle.ts';
import type { LedgerStore, LogHead, StoredEntry } from '../../ledger/store.ts';
import type { Database } from './database.ts';
import { isDamage } from './sqlite-errors.ts';

const hashBytes = 32;

/** The log and its head over one connection. */
export class SqliteLedgerStore implements LedgerStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** @throws integrity_broken when it is damaged. */
  head(): LogHead {
    const row = readRecord('The log head is damaged.', () =>
      this.#db.get('SELECT size, root, peaks, time FROM log_head WHERE id = 1'),
    );
    if (!row) return { size: 0, root: emptyRoot, peaks: [], time: 0 };
    const { size, time } = row;
    if (!Number.isSafeInteger(size) || !Number.isSafeInteger(time))
      throw damaged('The log head is damaged.');
    const joined = bytesOf(row.peaks);
    const peaks: Uint8Array[] = [];
    for (let offset = 0; offset < joined.length; offset += hashBytes)
      peaks.push(joined.subarray(offset, offset + hashBytes));
    return { size: Number(size), root: bytesOf(row.root), peaks, time: Number(time) };
  }

  /** @throws integrity_broken when the file is damaged where they are. */
  list(position: number, limit: number): StoredEntry[] {
    const rows = readRecord(`The ledger cannot be read from entry ${position} on.`, () =>
      this.#db.all(
        `SELECT e.position, e.entry, e.time, p.batch_key AS batchKey, p.block, p.digest AS blockDigest
         FROM log_entries e JOIN log_payloads p ON p.position = e.position WHERE e.position >= ? ORDER BY e.position LIMIT ?`,
        position,
        limit,
      ),
    );
    return rows.map((row) => ({
      position: Number(row.position),
      entry: bytesOf(row.entry),
      time: Number(row.time),
      batchKey: bytesOf(row.batchKey),
      block: bytesOf(row.block),
      blockDigest: bytesOf(row.blockDigest),
    }));
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

/** A damaged cell may hold anything: what is no bytes is none, which no entry, payload or root is. */
const bytesOf = (cell: unknown): Uint8Array => (cell instanceof Uint8Array ? cell : noBytes);
const noBytes = new Uint8Array();

/** Reads rows of the record. @throws integrity_broken saying `message` when the file is damaged there. */
function readRecord<T>(message: string, read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    throw isDamage(thrown) ? damaged(message, thrown) : thrown;
  }
}

function damaged(message: string, cause?: unknown): WherefromError {
  return new WherefromError('integrity_broken', message, {
    hint: 'The record is damaged: stop the server, and restore the data directory from a backup.',
    cause,
  });
}
