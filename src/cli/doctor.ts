import { randomUUID } from 'node:crypto';
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { toWherefromError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { ClientError } from '../client/index.ts';
import type { Status } from '../contract/status.ts';
import { openBucket } from '../server/artifact-store.ts';
import type { Config } from '../server/config.ts';
import { readDataDirectory } from '../server/data-directory.ts';
import { listKeys } from '../server/keys.ts';
import { packageVersion } from '../server/package-info.ts';
import { lockDirectory } from '../store/sqlite/lock.ts';
import { findDamage } from '../store/sqlite/repair.ts';
import { artifactArgs, artifactFlags } from './artifact-args.ts';
import { exitCodes, type Io, writeJson } from './io.ts';
import { readConfig } from './read-config.ts';
import { clientOf } from './source.ts';
import { clean, countOf, createStyle } from './style.ts';
import { defineVerb, jsonArg } from './verb.ts';

/** One thing that was looked at. `bad` makes doctor fail; `note` does not. */
interface Finding {
  readonly check: string;
  readonly state: 'good' | 'note' | 'bad';
  readonly says: string;
  readonly hint?: string;
}

const nodeMajorMin = 24;
const freeBytesMin = 1024 ** 3;
const connectTimeoutMs = 2_000;

/** `wherefrom doctor`: is everything here as it should be? */
export const verb = defineVerb({
  name: 'doctor',
  summary:
    'Check Node, the data directory, its lock, artifacts, the port, the server and its protocols.',
  examples: ['wherefrom doctor', 'wherefrom doctor --data /var/lib/wherefrom --json'],
  args: {
    data: { type: 'string', description: 'Data directory; ./wherefrom-data.' },
    port: { type: 'string', description: 'Port that the server uses; 4747.' },
    url: { type: 'string', description: 'Server to ask; WHEREFROM_URL, else that port.' },
    key: { type: 'string', description: 'API key; WHEREFROM_API_KEY.' },
    ...artifactArgs,
    ...jsonArg,
  },
  async run(args, io) {
    const { config } = readConfig({ data: args.data, port: args.port, ...artifactFlags(args) }, io);
    const url =
      args.url ?? io.environment.url ?? `http://127.0.0.1:${config.port}${config.basePath}`;
    const server = await checkServer({ url, key: args.key }, io);
    const findings = [
      checkNode(),
      ...checkDirectory(config),
      ...(await checkArtifacts(config)),
      ...(args.url === undefined ? [await checkPort(config, server)] : []),
      ...server,
    ];
    if (args.json) writeJson(io, { version: packageVersion(), findings });
    else print(findings, io);
    return findings.some(({ state }) => state === 'bad') ? exitCodes.failed : exitCodes.done;
  },
});

function print(findings: readonly Finding[], io: Io): void {
  const style = createStyle(io.color);
  const marks = { good: '✓', note: '·', bad: style.red('✗') } as const;
  io.out(`wherefrom ${packageVersion()}`);
  for (const { check, state, says, hint } of findings) {
    io.out(`${marks[state]} ${check.padEnd(14)} ${clean(says)}`);
    if (hint !== undefined) io.out(style.dim(`  ${' '.repeat(14)} ${clean(hint)}`));
  }
}

function checkNode(): Finding {
  const version = process.versions.node;
  const good = Number.parseInt(version, 10) >= nodeMajorMin;
  if (good) return { check: 'Node.js', state: 'good', says: version };
  const hint = `Version ${nodeMajorMin} or newer is needed.`;
  return { check: 'Node.js', state: 'bad', says: version, hint };
}

function checkDirectory(config: Config): Finding[] {
  const path = resolve(config.data);
  if (!existsSync(path)) {
    const says = `${path} does not exist yet`;
    return [{ check: 'data directory', state: 'note', says, hint: '`wherefrom serve` makes it.' }];
  }
  try {
    accessSync(path, constants.R_OK);
    const directory = readDataDirectory(path);
    const keys = listKeys(path).filter(({ revokedTime }) => revokedTime === undefined);
    return [
      ...checkRights(path),
      ...checkStore(directory.storePath),
      keys.length > 0
        ? { check: 'API keys', state: 'good', says: countOf(keys.length, 'valid key') }
        : { check: 'API keys', state: 'note', says: 'none: the server listens on loopback only' },
    ];
  } catch (thrown) {
    const { message, hint } = toWherefromError(thrown);
    return [{ check: 'data directory', state: 'bad', says: message, ...(hint ? { hint } : {}) }];
  }
}

/** An auditor's copy may be on a medium that cannot be written. */
function checkRights(path: string): Finding[] {
  const check = 'data directory';
  try {
    accessSync(path, constants.W_OK);
  } catch {
    const hint = 'What reads it works here: `verify`, and `trace --data`. A server does not.';
    return [{ check, state: 'bad', says: `${path} cannot be written`, hint }];
  }
  return [{ check, state: 'good', says: path }, checkDisk(path), checkLock(join(path, 'lock.db'))];
}

/** Is the file sound? Whether the record is what was committed to is for `verify` to tell. */
function checkStore(path: string): Finding[] {
  const check = 'store';
  const bytes = statSync(path, { throwIfNoEntry: false })?.size;
  if (bytes === undefined) return [];
  const size = mebibytes(bytes);
  if (bytes > limits.doctorStoreBytesMax)
    return [{ check, state: 'note', says: `${size}: too large to read through here` }];
  const [damage] = findDamage(path);
  if (damage === undefined) return [{ check, state: 'good', says: size }];
  const hint =
    'Stop the server and run `wherefrom verify`: when the record verifies, `wherefrom rebuild` repairs the rest.';
  return [{ check, state: 'bad', says: `The file is damaged: ${damage}`, hint }];
}

/** Artifacts that are not kept with the data: can they be written and read where they are? */
async function checkArtifacts(config: Config): Promise<Finding[]> {
  if (config.artifacts === '') return [];
  const check = 'artifacts';
  try {
    // Nothing is on its way through this process: the name only has to be free.
    const bucket = await openBucket(config, join(tmpdir(), `wherefrom-${randomUUID()}`));
    if (bucket !== undefined) await bucket.check();
    else if (existsSync(config.artifacts)) accessSync(config.artifacts, constants.W_OK);
    return [{ check, state: 'good', says: config.artifacts }];
  } catch (thrown) {
    const { message, hint } = toWherefromError(thrown);
    return [{ check, state: 'bad', says: message, ...(hint ? { hint } : {}) }];
  }
}

function checkDisk(path: string): Finding {
  const { bavail, bsize } = statfsSync(path);
  const free = bavail * bsize;
  const says = `${mebibytes(free)} free`;
  if (free >= freeBytesMin) return { check: 'disk', state: 'good', says };
  return { check: 'disk', state: 'bad', says, hint: 'A full disk stops all writes. Make room.' };
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2).toLocaleString('en-US')} MiB`;
}

/** Is something else listening on our port? */
async function checkPort({ port }: Config, server: readonly Finding[]): Promise<Finding> {
  const taken = await new Promise<boolean>((done) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: connectTimeoutMs });
    const end = (answer: boolean) => (): void => {
      socket.destroy();
      done(answer);
    };
    socket.on('connect', end(true)).on('error', end(false)).on('timeout', end(false));
  });
  if (!taken) return { check: 'port', state: 'good', says: `${port} is free` };
  const ours = server.some(({ check, state }) => check === 'server' && state !== 'bad');
  if (ours) return { check: 'port', state: 'good', says: `${port} is in use by Wherefrom` };
  const says = `${port} is in use by another program`;
  return { check: 'port', state: 'bad', says, hint: 'Stop it, or serve on another --port.' };
}

async function checkServer(
  where: { readonly url: string; readonly key: string | undefined },
  io: Io,
): Promise<Finding[]> {
  try {
    return describeServer(where.url, await clientOf(where, io).status());
  } catch (thrown) {
    const says = thrown instanceof Error ? thrown.message : String(thrown);
    const refused = thrown instanceof ClientError && thrown.problem !== undefined;
    const answered = thrown instanceof ClientError && thrown.status !== undefined;
    const hint = refused
      ? 'Give a valid key with --key, or in WHEREFROM_API_KEY.'
      : 'Start it with `wherefrom serve`, or give --url.';
    return [{ check: 'server', state: answered && !refused ? 'bad' : 'note', says, hint }];
  }
}

function describeServer(url: string, status: Status): Finding[] {
  const says = `${url}, version ${status.version}, ${countOf(status.entries, 'entry')}`;
  const ours = packageVersion();
  const server: Finding =
    status.version === ours
      ? { check: 'server', state: 'good', says }
      : { check: 'server', state: 'note', says, hint: `This command is version ${ours}.` };
  const protocols = (status.protocols ?? []).map(
    ({ id, title, versions }): Finding => ({
      check: 'protocol',
      state: 'good',
      says: `${title} (${id}) ${versions.join(', ')}`,
    }),
  );
  return [server, ...protocols];
}

/** A directory in use is as it should be, when a server runs. */
function checkLock(path: string): Finding {
  try {
    lockDirectory(path).release();
    return { check: 'lock', state: 'good', says: 'free: no server uses the directory' };
  } catch (thrown) {
    return { check: 'lock', state: 'note', says: toWherefromError(thrown).message };
  }
}
