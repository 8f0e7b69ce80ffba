import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { WherefromError } from '../base/errors.ts';
import { isObject } from '../base/json.ts';
import { createSigner, generateSigningKey, type Signer } from '../ledger/index.ts';
import { type DirectoryLock, lockDirectory } from '../store/sqlite/lock.ts';
import { writeFileDurably } from './files.ts';

/** Version of the layout below. A newer layout is refused, an older one is migrated. */
const layoutVersion = 1;

/**
 * A data directory:
 * `wherefrom.json` (layout, log origin), `store.db` (record and projections), `blobs/`, `keys.json`,
 * `secrets/` (signing key, server secret), `lock.db`.
 */
export interface DataDirectory {
  readonly path: string;
  /** Origin of the log: names it in receipts and checkpoints. */
  readonly log: string;
  readonly storePath: string;
  readonly blobsPath: string;
  readonly signer: Signer;
  /** 32 bytes: keys the look-up of persons. */
  readonly secret: Buffer;
  readonly lock: DirectoryLock | undefined;
}

/**
 * Opens a data directory for the one server that may write to it, creating it where it is missing.
 * @throws conflict when it is in use; integrity_broken when it is none, or of a newer layout.
 */
export function openDataDirectory(path: string): DataDirectory {
  const directory = resolve(path);
  try {
    makeDirectory(join(directory, 'secrets'));
  } catch (cause) {
    throw new WherefromError(
      'storage_unavailable',
      `The data directory ${directory} cannot be made.`,
      { hint: 'Look at its rights, or give another one with --data.', cause },
    );
  }
  const lock = lockDirectory(join(directory, 'lock.db'));
  try {
    if (!existsSync(join(directory, 'wherefrom.json'))) createLayout(directory);
    return { ...readLayout(directory), lock };
  } catch (thrown) {
    lock.release();
    throw thrown;
  }
}

/** Makes a private directory with its parents. Node's own way to do so never ends below /proc. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

/** Opens an existing data directory to read, beside a server that may be writing to it. */
export function readDataDirectory(path: string): DataDirectory {
  const directory = resolve(path);
  if (!existsSync(join(directory, 'wherefrom.json'))) {
    throw new WherefromError('not_found', `${directory} is no data directory of Wherefrom.`, {
      hint: 'Give the directory that "wherefrom serve --data" was given.',
    });
  }
  return { ...readLayout(directory), lock: undefined };
}

function createLayout(directory: string): void {
  if (existsSync(join(directory, 'store.db'))) {
    throw new WherefromError(
      'integrity_broken',
      `${directory} has a store but no wherefrom.json.`,
      { hint: 'Restore wherefrom.json from a backup: it names the log.' },
    );
  }
  const secrets = join(directory, 'secrets');
  mkdirSync(join(directory, 'blobs'), { recursive: true });
  writeFileDurably(join(secrets, 'signing-key.pem'), generateSigningKey());
  writeFileDurably(join(secrets, 'server-secret'), randomBytes(32));
  // Written last: a directory without it was never begun.
  const layout = { layout: layoutVersion, log: `wherefrom/${randomBytes(8).toString('hex')}` };
  writeFileDurably(join(directory, 'wherefrom.json'), `${JSON.stringify(layout)}\n`);
}

function readLayout(directory: string): Omit<DataDirectory, 'lock'> {
  const secrets = join(directory, 'secrets');
  try {
    const layout: unknown = JSON.parse(readFileSync(join(directory, 'wherefrom.json'), 'utf8'));
    if (!isObject(layout) || typeof layout.layout !== 'number' || typeof layout.log !== 'string')
      throw new Error('wherefrom.json is damaged');
    if (layout.layout > layoutVersion)
      throw new Error(`its layout is ${layout.layout}, this version knows ${layoutVersion}`);
    return {
      path: directory,
      log: layout.log,
      storePath: join(directory, 'store.db'),
      blobsPath: join(directory, 'blobs'),
      signer: createSigner(layout.log, readFileSync(join(secrets, 'signing-key.pem'), 'utf8')),
      secret: readFileSync(join(secrets, 'server-secret')),
    };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new WherefromError(
      'integrity_broken',
      `The data directory ${directory} cannot be opened: ${why}.`,
      { hint: 'Restore it from a backup, or use the version of Wherefrom that wrote it.', cause },
    );
  }
}
