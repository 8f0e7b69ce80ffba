import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openSqliteStore } from '../store/sqlite/open.ts';
import type { SqliteStore } from '../store/sqlite/store.ts';

/** A directory that goes with the test. */
export function temporaryDirectory(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'wherefrom-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A real store in a directory of its own. */
export function temporaryStore(): {
  readonly store: SqliteStore;
  readonly path: string;
  remove(): void;
} {
  const directory = temporaryDirectory();
  const path = join(directory.path, 'store.db');
  const { store } = openSqliteStore(path);
  return {
    store,
    path,
    remove() {
      store.close();
      directory.remove();
    },
  };
}

/** Overwrites the first page of a table in the file, as a failing disk may. Nobody has it open. */
export function damageTable(storePath: string, table: string): void {
  const db = new DatabaseSync(storePath);
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  const { page } = db
    .prepare('SELECT rootpage AS page FROM sqlite_schema WHERE name = ?')
    .get(table) as { page: number };
  db.close();
  const file = openSync(storePath, 'r+');
  writeSync(file, Buffer.alloc(pageBytes, 0xa5), 0, pageBytes, (page - 1) * pageBytes);
  closeSync(file);
}

/** As SQLite makes files where nothing else is said. */
const pageBytes = 4096;
