import { WherefromError } from '../../base/errors.ts';
import { isObject } from '../../base/json.ts';

// Primary result codes. Source: sqlite.org/rescode.html
const failed = 1;
const busy = 5;
const readonly = 8;
const ioError = 10;
const corrupt = 11;
const full = 13;
const cannotOpen = 14;
const notADatabase = 26;

/** Another connection holds the lock. */
export function isBusy(thrown: unknown): boolean {
  return codeOf(thrown) === busy;
}

/**
 * What a constant statement over tables that are always there fails with only when the file is
 * damaged: tables that are gone, pages that are none, numbers that nobody wrote.
 */
export function isDamage(thrown: unknown): boolean {
  const isNumberTooLarge = isObject(thrown) && thrown.code === 'ERR_OUT_OF_RANGE';
  return isNumberTooLarge || [failed, corrupt, notADatabase].includes(codeOf(thrown));
}

/** The file, or what SQLite needs beside it, cannot be opened or made. */
export function cannotBeOpened(thrown: unknown): boolean {
  return [readonly, cannotOpen, ioError].includes(codeOf(thrown));
}

/** Primary result code of an error of the driver; 0 for any other error. */
function codeOf(thrown: unknown): number {
  return isObject(thrown) && thrown.code === 'ERR_SQLITE_ERROR' ? Number(thrown.errcode) % 256 : 0;
}

/** What an error of the driver means for who asked. Anything else is returned as it is. */
export function explainSqliteError(thrown: unknown): unknown {
  switch (codeOf(thrown)) {
    case full:
      return new WherefromError('storage_unavailable', 'The disk is full: nothing was written.', {
        hint: 'Free space on the disk of the data directory, then send again.',
        cause: thrown,
      });
    case cannotOpen:
      return new WherefromError('storage_unavailable', 'The store cannot be opened.', {
        hint: 'Look at the disk and the rights of the data directory, and whether store.db is there.',
        cause: thrown,
      });
    case ioError:
    case readonly:
    case busy:
      return new WherefromError(
        'storage_unavailable',
        'The store cannot write: nothing was changed.',
        {
          hint: 'Look at the disk and the rights of the data directory, then send again.',
          cause: thrown,
        },
      );
    case corrupt:
    case notADatabase:
      return new WherefromError('integrity_broken', 'The database file is damaged.', {
        hint: 'Stop the server and run "wherefrom verify". When the record verifies, "wherefrom rebuild" repairs the rest; else restore the data directory from a backup.',
        cause: thrown,
      });
    default:
      return thrown;
  }
}
