import { randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex } from '../base/digest.ts';
import { WherefromError } from '../base/errors.ts';
import { defaultWorkspace, isWorkspaceName } from '../door/index.ts';
import { writeFileDurably } from './files.ts';

export type Role = 'read' | 'write' | 'admin';
export const roles: readonly Role[] = ['read', 'write', 'admin'];

/** One API key as it is kept: its secret only as a hash. */
export interface ApiKey {
  /** Opaque; ledger entries name it as the principal. */
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** The first is that of requests which name none. An admin key acts in every workspace. */
  readonly workspaces: readonly string[];
  /** SHA-256 of the secret, hex. The secret has 256 random bits, so a plain hash is enough. */
  readonly hash: string;
  readonly createdTime: string;
  readonly revokedTime?: string;
}

/** A key in the file; those made before a key could have several workspaces name one. */
type StoredKey = Omit<ApiKey, 'workspaces'> & {
  readonly workspace?: string;
  readonly workspaces?: readonly string[];
};

const fileName = 'keys.json';

/** Reads the keys of a data directory; none when there is no file. */
export function listKeys(dataDirectory: string): ApiKey[] {
  const path = join(dataDirectory, fileName);
  if (!existsSync(path)) return [];
  try {
    const stored = JSON.parse(readFileSync(path, 'utf8')) as StoredKey[]; // written by us, below
    return stored.map(({ workspace = defaultWorkspace, ...key }) => ({
      ...key,
      workspaces: key.workspaces ?? [workspace],
    }));
  } catch (cause) {
    throw new WherefromError('integrity_broken', `The key file ${path} is damaged.`, {
      hint: 'Restore it from a backup, or stop the server, delete it and make new keys.',
      cause,
    });
  }
}

/** What a new key is made with. */
export interface NewKey {
  readonly name: string;
  readonly role: Role;
  /** Only the default workspace when empty. They need not exist yet. */
  readonly workspaces?: readonly string[] | undefined;
}

/**
 * Makes a key. Its text is returned once and never kept.
 * @throws invalid_message on an unknown role, an empty name, or a workspace that cannot be.
 */
export function createKey(dataDirectory: string, options: NewKey): { key: ApiKey; text: string } {
  if (!roles.includes(options.role))
    throw new WherefromError('invalid_message', `There is no role "${options.role}".`, {
      hint: `Roles are ${roles.join(', ')}.`,
    });
  if (options.name.trim() === '')
    throw new WherefromError('invalid_message', 'A key needs a name.', {
      hint: 'Name it after who or what will use it.',
    });
  const workspaces = readWorkspaces(options);
  const secret = randomBytes(32).toString('base64url');
  const key: ApiKey = {
    id: `key_${randomBytes(8).toString('hex')}`,
    name: options.name.trim(),
    role: options.role,
    workspaces,
    hash: sha256Hex(secret),
    createdTime: new Date().toISOString(),
  };
  save(dataDirectory, [...listKeys(dataDirectory), key]);
  return { key, text: `wf.${key.id}.${secret}` };
}

function readWorkspaces({ role, workspaces = [] }: NewKey): readonly string[] {
  if (role === 'admin' && workspaces.length > 0)
    throw new WherefromError('invalid_message', 'An admin key acts in every workspace.', {
      hint: 'Leave --workspace out, or give the key the role write.',
    });
  const wrong = workspaces.find((name) => !isWorkspaceName(name));
  if (wrong !== undefined)
    throw new WherefromError('invalid_message', `"${wrong}" cannot be the name of a workspace.`, {
      hint: 'Names have 2 to 63 lowercase letters, digits and inner hyphens.',
    });
  return workspaces.length === 0 ? [defaultWorkspace] : [...new Set(workspaces)];
}

/**
 * Revokes a key, by its id or by a name that no other valid key has.
 * @throws not_found when there is no such key; conflict when it is revoked already, or when several
 *   valid keys have the name.
 */
export function revokeKey(dataDirectory: string, id: string): ApiKey {
  const keys = listKeys(dataDirectory);
  const found = findToRevoke(keys, id);
  const revoked = { ...found, revokedTime: new Date().toISOString() };
  save(
    dataDirectory,
    keys.map((key) => (key.id === found.id ? revoked : key)),
  );
  return revoked;
}

function findToRevoke(keys: readonly ApiKey[], id: string): ApiKey {
  const byId = keys.filter((key) => key.id === id);
  const named = byId.length > 0 ? byId : keys.filter((key) => key.name === id);
  const [found, ...others] = named.filter(({ revokedTime }) => revokedTime === undefined);
  if (found !== undefined && others.length === 0) return found;
  if (found !== undefined) {
    const ids = [found, ...others].map((key) => key.id);
    throw new WherefromError('conflict', `${ids.length} valid keys have the name "${id}".`, {
      hint: `Give the id of one: ${ids.join(', ')}.`,
      detail: { ids },
    });
  }
  const last = named.at(-1);
  if (last === undefined)
    throw new WherefromError('not_found', `There is no key "${id}".`, {
      hint: '"wherefrom key list" shows them.',
    });
  throw new WherefromError('conflict', `The key ${last.id} was revoked at ${last.revokedTime}.`, {
    hint: '"wherefrom key list" shows those that are valid.',
  });
}

function save(dataDirectory: string, keys: readonly ApiKey[]): void {
  const path = join(dataDirectory, fileName);
  try {
    writeFileDurably(path, `${JSON.stringify(keys, null, 2)}\n`);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException; // file errors carry one
    throw new WherefromError(
      'storage_unavailable',
      `The key file ${path} cannot be written (${code ?? 'unknown error'}): no key was changed.`,
      { hint: 'Look at the disk and the rights of the data directory, then try again.', cause },
    );
  }
}

/** The keys of a running server: read again when the file changed, at most once a second. */
export interface KeyRing {
  /** False while no key was ever made: then everybody on this machine may do everything. */
  required(): boolean;
  /** The key of that text when it is valid. */
  find(text: string): ApiKey | undefined;
}

export function createKeyRing(dataDirectory: string): KeyRing {
  let keys = listKeys(dataDirectory);
  // A server that once asked for keys goes on asking, also when the file is gone.
  let everRequired = keys.length > 0;
  let checked = Date.now();
  let modified = modifiedTime(dataDirectory);
  const refresh = (): void => {
    if (Date.now() - checked < 1_000) return;
    checked = Date.now();
    const now = modifiedTime(dataDirectory);
    if (now === modified) return;
    modified = now;
    keys = listKeys(dataDirectory);
    everRequired ||= keys.length > 0;
  };
  return {
    required() {
      refresh();
      return everRequired;
    },
    find(text) {
      refresh();
      const [prefix, id, secret] = text.split('.');
      if (prefix !== 'wf' || id === undefined || secret === undefined) return undefined;
      const key = keys.find((each) => each.id === id && each.revokedTime === undefined);
      if (!key) return undefined;
      return timingSafeEqual(Buffer.from(sha256Hex(secret)), Buffer.from(key.hash))
        ? key
        : undefined;
    },
  };
}

function modifiedTime(dataDirectory: string): number {
  return statSync(join(dataDirectory, fileName), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
