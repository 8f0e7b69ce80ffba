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
import { verifyLedger } from '../ledger/index.ts';
import { operations } from '../protocols/index.ts';
import {
  compareProjections,
  openShadowStore,
  openSqliteReader,
  openSqliteStore,
  projectionVersion,
  swapProjections,
} from '../store/sqlite/open.ts';
import { copyRecord, findDamage, settleStore } from '../store/sqlite/repair.ts';
import type { SqliteStore } from '../store/sqlite/store.ts';
import type { DataDirectory } from './data-directory.ts';
import { replaceFileDurably } from './files.ts';

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
 * transaction. Where the file is damaged, and the record in it is not, the new file gets the record
 * too and takes its place. With `check` nothing is changed: it only says what would come out
 * differently.
 * @throws integrity_broken when the record is damaged.
 */
export async function rebuildProjections(
  directory: DataDirectory,
  options: RebuildOptions = {},
): Promise<Rebuilt> {
  const { storePath } = directory;
  const shadowPath = `${storePath}.rebuild`;
  const remove = (): void => {
    for (const suffix of ['', '-wal', '-shm']) rmSync(shadowPath + suffix, { force: true });
  };
  remove();
  try {
    const { messages, projectionsOnDisk } = await fill(storePath, shadowPath, options);
    // Dropping damaged tables may free pages that are of the record.
    const damage = findDamage(storePath);
    const compared = projectionsOnDisk === projectionVersion;
    const differences = damage.map((line) => `The file is damaged: ${line}`);
    if (damage.length === 0 && compared)
      differences.push(...compareProjections(storePath, shadowPath));
    if (!options.check) {
      const isReplaced = messages > 0 && (!compared || differences.length > 0);
      const note = isReplaced ? { replaced: projectionsOnDisk } : {};
      if (damage.length === 0) swapProjections(storePath, shadowPath, note);
      else await replaceStore(storePath, shadowPath, note);
    }
    return { messages, differences, compared };
  } finally {
    remove();
  }
}

interface RebuildOptions {
  readonly check?: boolean;
  readonly progress?: (entries: number, of: number) => void;
}

/** Makes the projections of a store again, in a new file. */
async function fill(
  storePath: string,
  shadowPath: string,
  { progress }: RebuildOptions,
): Promise<{ readonly messages: number; readonly projectionsOnDisk: number }> {
  const { store, projectionsOnDisk } = openSqliteStore(storePath);
  const target = openShadowStore(shadowPath);
  try {
    const messages = await store.read(({ ledger }) =>
      replay({ ledger, target, operations, ...(progress && { progress }) }),
    );
    return { messages, projectionsOnDisk };
  } finally {
    target.close();
    store.close();
  }
}

/** A crash before the last step leaves the damaged store as it was, one after it the new one. */
async function replaceStore(
  storePath: string,
  shadowPath: string,
  note: { readonly replaced?: number },
): Promise<void> {
  copyRecord(storePath, shadowPath, note);
  const copy = openSqliteReader(shadowPath, { recordOnly: true });
  const { verified, problems } = await copy.read(({ ledger }) => verifyLedger(ledger));
  copy.close();
  if (!verified)
    throw new WherefromError('integrity_broken', `The record itself is damaged: ${problems[0]}`, {
      hint: 'Nothing was changed. Restore the data directory from a backup.',
    });
  settleStore(storePath);
  replaceFileDurably(storePath, shadowPath);
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
