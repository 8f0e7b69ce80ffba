import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
