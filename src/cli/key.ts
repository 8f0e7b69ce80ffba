import { existsSync } from 'node:fs';
import { WherefromError } from '../base/errors.ts';
import { defaultWorkspace } from '../door/index.ts';
import { openDataDirectory, readDataDirectory } from '../server/data-directory.ts';
import { type ApiKey, createKey, listKeys, type Role, revokeKey, roles } from '../server/keys.ts';
import { openSqliteReader } from '../store/sqlite/open.ts';
import { type ExitCode, exitCodes, type Io, UsageError, writeJson } from './io.ts';
import { readConfig } from './read-config.ts';
import { clean, createStyle } from './style.ts';
import { defineVerb, jsonArg } from './verb.ts';

/** `wherefrom key create|list|revoke`: API keys, in the data directory itself. */
export const verb = defineVerb({
  name: 'key',
  summary: 'Create, list and revoke API keys. Without any key a server listens on loopback only.',
  examples: [
    'wherefrom key create --name airflow --role write   # prints the key once',
    'wherefrom key create --name fraud-team --workspace fraud --workspace shared',
    'wherefrom key list',
    'wherefrom key revoke key_0123456789abcdef          # or its name',
  ],
  args: {
    action: { type: 'positional', required: true, description: 'create, list or revoke.' },
    id: { type: 'positional', required: false, description: 'revoke: id or name of the key.' },
    name: { type: 'string', description: 'create: who or what will use it.' },
    role: { type: 'string', description: `create: ${roles.join(', ')}; write when absent.` },
    workspace: {
      type: 'string',
      description:
        'create: a workspace that it may use; can be given several times, and the first is that of requests which name none. Only "default" when absent; an admin key uses all.',
    },
    data: { type: 'string', description: 'Data directory; ./wherefrom-data.' },
    ...jsonArg,
  },
  repeatable: ['workspace'],
  async run(args, io) {
    const { config } = readConfig({ data: args.data }, io);
    switch (args.action) {
      case 'create':
        return create(config.data, { ...args, json: args.json === true }, io);
      case 'list':
        return listAll(config.data, args.json === true, io);
      case 'revoke':
        return revoke(config.data, { id: args.id, json: args.json === true }, io);
      default:
        throw new UsageError(`"${args.action}" is not create, list or revoke.`);
    }
  },
});

interface CreateOptions {
  readonly name?: string | undefined;
  readonly role?: string | undefined;
  readonly workspace?: string | undefined;
  readonly json: boolean;
}

function create(data: string, options: CreateOptions, io: Io): ExitCode {
  const { name, role = 'write', json } = options;
  if (name === undefined) throw new UsageError('A key needs a name.', 'Give it with --name.');
  if (!isRole(role)) throw new UsageError(`"${role}" is not ${roles.join(', ')}.`);
  ensureDirectory(data);
  const workspaces = (options.workspace ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  const { key, text } = createKey(data, { name, role, workspaces });
  if (json) writeJson(io, { ...shown(key), key: text });
  else {
    io.out(text);
    io.err(`This is the only time that the key is shown. It is ${key.id}, role ${key.role}.`);
  }
  for (const workspace of missingWorkspaces(data, key.workspaces))
    io.err(`There is no workspace "${workspace}" yet: wherefrom workspace create ${workspace}`);
  return exitCodes.done;
}

/** Those that are not there; none when the store cannot tell, as before the server first ran. */
function missingWorkspaces(data: string, workspaces: readonly string[]): string[] {
  const named = workspaces.filter((name) => name !== defaultWorkspace);
  const { storePath } = readDataDirectory(data);
  if (named.length === 0 || !existsSync(storePath)) return named;
  const store = openSqliteReader(storePath, { recordOnly: true });
  try {
    return named.filter((name) => !store.hasWorkspace(name));
  } finally {
    store.close();
  }
}

function isRole(text: string): text is Role {
  return (roles as readonly string[]).includes(text);
}

/** A key can be made before the server first runs. */
function ensureDirectory(data: string): void {
  try {
    readDataDirectory(data);
  } catch (thrown) {
    if (!(thrown instanceof WherefromError) || thrown.code !== 'not_found') throw thrown;
    openDataDirectory(data).lock?.release();
  }
}

function listAll(data: string, json: boolean, io: Io): ExitCode {
  readDataDirectory(data);
  const keys = listKeys(data);
  if (json) writeJson(io, keys.map(shown));
  else if (keys.length === 0) io.out('There are no keys: the server listens on loopback only.');
  const style = createStyle(io.color);
  if (!json) {
    for (const key of keys) {
      const state = key.revokedTime === undefined ? '' : style.red(`  revoked ${key.revokedTime}`);
      io.out(
        `${key.id}  ${key.role.padEnd(5)}  ${clean(key.role === 'admin' ? 'all' : key.workspaces.join(','))}  ${clean(key.name)}${state}`,
      );
    }
  }
  return exitCodes.done;
}

function revoke(
  data: string,
  options: { id: string | undefined; json: boolean },
  io: Io,
): ExitCode {
  if (options.id === undefined)
    throw new UsageError('Which key?', 'wherefrom key list shows them.');
  readDataDirectory(data);
  const key = revokeKey(data, options.id);
  if (options.json) writeJson(io, shown(key));
  else io.out(`Revoked ${key.id} (${clean(key.name)}). A running server notices within a second.`);
  return exitCodes.done;
}

/** A key without its hash. */
function shown({ hash: _hash, ...key }: ApiKey): Omit<ApiKey, 'hash'> {
  return key;
}
