import { DatabaseSync } from 'node:sqlite';
import { WherefromError } from '../../base/errors.ts';

/** A held lock; released by `release` or, by the operating system, when the process ends in any way. */
export interface DirectoryLock {
  release(): void;
}

/**
 * Takes the one lock of a data directory, so that two servers never write to it. It is a lock that
 * SQLite takes on a small file of its own: `kill -9` leaves none behind.
 * @throws conflict when another process holds it.
 */
export function lockDirectory(path: string): DirectoryLock {
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec('PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE;');
  } catch (cause) {
    db.close();
    throw new WherefromError(
      'conflict',
      'The data directory is in use by another Wherefrom process.',
      {
        hint: 'Stop that one first, or give this one a directory of its own with --data.',
        cause,
      },
    );
  }
  return { release: () => db.close() };
}
