import type { ApiServices } from '../api/index.ts';
import type { Receipt } from '../door/index.ts';
import { type Checkpoint, type Verification, verifyLedger } from '../ledger/index.ts';
import { openSqliteReader, openSqliteStore } from '../store/sqlite/open.ts';
import { findDamage } from '../store/sqlite/repair.ts';
import { createApiServices } from './api-services.ts';
import { createPersons } from './compose.ts';
import { openDataDirectory, readDataDirectory } from './data-directory.ts';
import { listKeys } from './keys.ts';
import { type Rebuilt, rebuildProjections, recordRebuild } from './rebuild.ts';

/** A data directory opened to read, beside a server or without one. */
export interface OpenedDirectory {
  readonly services: ApiServices;
  close(): Promise<void>;
}

/**
 * @param askedTime answers as if asked at this time, ms since 1970; now when absent.
 * @throws not_found when it is no data directory; integrity_broken when it is damaged.
 */
export async function openReadOnly(
  dataDirectory: string,
  askedTime?: number,
): Promise<OpenedDirectory> {
  const directory = readDataDirectory(dataDirectory);
  const store = openSqliteReader(directory.storePath);
  const persons = createPersons(store, directory);
  const services = createApiServices({
    store,
    directory,
    persons,
    askedTime,
    authentication: () => (listKeys(directory.path).length > 0 ? 'keys' : 'none'),
  });
  return {
    services,
    close: () => Promise.resolve(store.close()),
  };
}

/**
 * Recomputes the whole ledger of a data directory; also while a server runs on it.
 * @param checkpoints kept elsewhere, signatures checked: the log must still contain them.
 */
export async function verifyDirectory(
  dataDirectory: string,
  checkpoints: readonly Checkpoint[] = [],
): Promise<Verification> {
  const directory = readDataDirectory(dataDirectory);
  const store = openSqliteReader(directory.storePath, { recordOnly: true });
  try {
    const found = await store.read((session) => verifyLedger(session.ledger, checkpoints));
    // The ledger does not tell who persons are, so no hash covers them: only the file can be sound.
    const [damage] = findDamage(directory.storePath, 'vault_persons');
    if (damage === undefined) return found;
    const problems = [...found.problems, `The vault of persons is damaged: ${damage}`];
    return { ...found, verified: false, problems };
  } finally {
    store.close();
  }
}

/**
 * Rebuilds the projections of a data directory that no server uses. What was replaced stands in the
 * record then, at `receipt`.
 * @throws conflict when a server uses it.
 */
export async function rebuildDirectory(
  dataDirectory: string,
  options: Parameters<typeof rebuildProjections>[1] = {},
): Promise<Rebuilt & { readonly receipt?: Receipt }> {
  readDataDirectory(dataDirectory);
  const directory = openDataDirectory(dataDirectory);
  try {
    const rebuilt = await rebuildProjections(directory, options);
    if (options.check) return rebuilt;
    const { store } = openSqliteStore(directory.storePath);
    try {
      const receipt = await recordRebuild(store, directory);
      return { ...rebuilt, ...(receipt && { receipt }) };
    } finally {
      store.close();
    }
  } finally {
    directory.lock?.release();
  }
}
