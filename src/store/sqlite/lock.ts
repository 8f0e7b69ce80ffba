import { DatabaseSync } from 'node:sqlite';
import { WherefromError } from '../../base/errors.ts';
import { explainSqliteError, isBusy } from './sqlite-errors.ts';

/** A held lock; released by `release` or, by the operating system, when the process ends in any way. */
export interface DirectoryLock {
  release(): void;
}

/**
 * Takes the one lock of a data directory, so that two servers never write to it. It is a lock that
 * SQLite takes on a small file of its own: `kill -9` leaves none behind.
 * @throws conflict when another process holds it; storage_unavailable when it cannot be opened.
 */
export function lockDirectory(path: string): DirectoryLock {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { timeout: 0 });
    db.exec('PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE;');
  } catch (cause) {
    db?.close();
    if (!isBusy(cause)) throw explainSqliteError(cause);
    throw new WherefromError(
      'conflict',
      'The data directory is in use by another Wherefrom process.',
      {
        hint: 'Stop that one first, or give this one a directory of its own with --data.',
        cause,
      },
    );
  }
  const held = db;
  return { release: () => held.close() };
}
