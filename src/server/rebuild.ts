import { rmSync } from 'node:fs';
import { systemClock } from '../base/clock.ts';
import { WherefromError } from '../base/errors.ts';
import {
  createDoor,
  defaultWorkspace,
  projectionsRebuilt,
  type Receipt,
  replay,
} from '../door/index.ts';
import { operations } from '../protocols/index.ts';
import {
  compareProjections,
  openShadowStore,
  openSqliteStore,
  projectionVersion,
  swapProjections,
} from '../store/sqlite/open.ts';
import type { SqliteStore } from '../store/sqlite/store.ts';
import type { DataDirectory } from './data-directory.ts';

/**
 * Opens the store and rebuilds projections of an earlier version.
 * @throws integrity_broken when the head of the ledger does not fit its last entry.
 */
export async function openStore(directory: DataDirectory): Promise<SqliteStore> {
  const { store, projectionsOnDisk } = openSqliteStore(directory.storePath);
  const sound = await store.read(async (session) => {
    const { size } = await session.ledger.head();
    return (await session.ledger.positionAt(Number.MAX_SAFE_INTEGER)) === size - 1;
  });
  if (!sound) {
    store.close();
    throw new WherefromError(
      'integrity_broken',
      'The head of the ledger does not fit its entries.',
      { hint: 'Run "wherefrom verify", and restore the data directory from a backup.' },
    );
  }
  if (projectionsOnDisk === projectionVersion) return store;
  store.close();
  await rebuildProjections(directory);
  return openSqliteStore(directory.storePath).store;
}

/** What a rebuild did; `differences` lists projection tables that came out other than they were. */
export interface Rebuilt {
  readonly messages: number;
  readonly differences: readonly string[];
  /** False when the projections were of another version: then nothing could be compared. */
  readonly compared: boolean;
}

/**
 * Rebuilds every projection from the payloads in a file beside the store, then swaps them in one
 * transaction. With `check` nothing is swapped: it only says what would come out differently.
 */
export async function rebuildProjections(
  directory: DataDirectory,
  options: {
    readonly check?: boolean;
    readonly progress?: (entries: number, of: number) => void;
  } = {},
): Promise<Rebuilt> {
  const shadowPath = `${directory.storePath}.rebuild`;
  const remove = (): void => {
    for (const suffix of ['', '-wal', '-shm']) rmSync(shadowPath + suffix, { force: true });
  };
  remove();
  const { store, projectionsOnDisk } = openSqliteStore(directory.storePath);
  const shadow = openShadowStore(shadowPath);
  try {
    const messages = await store.read((session) =>
      replay({
        ledger: session.ledger,
        target: shadow,
        operations,
        ...(options.progress ? { progress: options.progress } : {}),
      }),
    );
    shadow.close();
    store.close();
    const compared = projectionsOnDisk === projectionVersion;
    const differences = compared ? compareProjections(directory.storePath, shadowPath) : [];
    if (!options.check) {
      const isReplaced = messages > 0 && (!compared || differences.length > 0);
      swapProjections(directory.storePath, shadowPath, {
        ...(isReplaced && { replaced: projectionsOnDisk }),
      });
    }
    return { messages, differences, compared };
  } finally {
    remove();
  }
}

/**
 * Puts into the record that a rebuild has replaced projections, where it does not say so yet. What
 * is still to be said is forgotten in the transaction of the entry: a crash neither loses nor
 * repeats it.
 * @returns where it stands; undefined when there was nothing to say.
 */
export async function recordRebuild(
  store: SqliteStore,
  { log, secret }: Pick<DataDirectory, 'log' | 'secret'>,
): Promise<Receipt | undefined> {
  const from = await store.transaction(async (session) => session.replacedVersion());
  if (from === undefined) return undefined;
  const door = createDoor({
    store: {
      transaction: (work) =>
        store.transaction(async (session) => {
          const done = await work(session);
          session.forgetReplaced();
          return done;
        }),
    },
    clock: systemClock,
    log,
    secret,
  });
  const { receipt } = await door.submit({
    operation: projectionsRebuilt,
    workspace: defaultWorkspace,
    principal: 'system',
    body: { from, to: projectionVersion },
  });
  return receipt;
}
