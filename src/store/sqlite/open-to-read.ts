import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { WherefromError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { cannotBeOpened } from './sqlite-errors.ts';

/**
 * Opens a file to read. In WAL mode SQLite keeps an index beside it even for readers: where it cannot,
 * on a read-only medium, the file is read as one that does not change, when all of it is in the file.
 * @throws storage_unavailable when part of it is in a write-ahead log that cannot be read there; as
 *   the driver does.
 * Source: sqlite.org/wal.html, "Read-Only Databases".
 */
export function openToRead(path: string): DatabaseSync {
  const options = { readOnly: true, timeout: limits.busyTimeoutMs };
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, options);
    db.exec('PRAGMA schema_version');
    return db;
  } catch (thrown) {
    db?.close();
    if (!cannotBeOpened(thrown) || !existsSync(path) || isWritable(dirname(path))) throw thrown;
    // Whoever writes to it has an index there: then it does change.
    if (bytesOf(`${path}-wal`) > 0 || existsSync(`${path}-shm`)) throw unfinished(path, thrown);
    return new DatabaseSync(new URL(`${pathToFileURL(path).href}?immutable=1`), options);
  }
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const bytesOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

function unfinished(path: string, cause: unknown): WherefromError {
  const name = basename(path);
  return new WherefromError(
    'storage_unavailable',
    `${dirname(path)} cannot be written, and what was last recorded stands in ${name}-wal, which can only be read with a file beside it.`,
    {
      hint: `Copy the whole directory, with ${name}-wal, to where it can be written, and read the copy.`,
      cause,
    },
  );
}
