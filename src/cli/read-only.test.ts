import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testServer } from '../testing/server.ts';
import { temporaryDirectory } from '../testing/store.ts';

const directory = temporaryDirectory();
/** As a server leaves it when it stops, and as one leaves it that was killed. */
const stopped = join(directory.path, 'stopped');
const killed = join(directory.path, 'killed');
const main = join(import.meta.dirname, 'main.ts');

/** The superuser writes wherever rights say no: only a read-only mount of its own holds it off. */
const isSuperuser = process.getuid?.() === 0;
const ownMounts = ['unshare', '-m', 'sh', '-c'];
const canMount =
  isSuperuser &&
  spawnSync('env', [...ownMounts, 'mount --bind "$0" "$0"', directory.path]).status === 0;
const readOnly = isSuperuser
  ? 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
  : 'chmod -R a-w "$0" && "$@"; code=$?; chmod -R u+w "$0"; exit $code';

beforeAll(async () => {
  const server = await testServer();
  await server.post('/api/2.0/mlflow/registered-models/create', { name: 'kept' });
  const version = { name: 'kept', source: 's3://models/1' };
  await server.post('/api/2.0/mlflow/model-versions/create', version);
  cpSync(server.data, killed, { recursive: true });
  await server.close();
  cpSync(server.data, stopped, { recursive: true });
  await server.remove().catch(() => undefined);
});
afterAll(() => directory.remove());

const node = [process.execPath, '--disable-warning=ExperimentalWarning', main];

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function spawn(args: readonly string[]): Ran {
  const { status, stdout, stderr } = spawnSync('env', args, { encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

/** Runs the command line on a data directory that cannot be written. */
function run(data: string, ...argv: string[]): Ran {
  const shell = isSuperuser ? ownMounts : ['sh', '-c'];
  return spawn([...shell, readOnly, data, ...node, ...argv, '--data', data]);
}

test('a copy of a running server’s directory is read with its write-ahead log', () => {
  const copy = join(directory.path, 'copy');
  cpSync(killed, copy, { recursive: true });
  const traced = spawn([...node, 'trace', 'kept@1', '--data', copy]);
  expect(traced).toMatchObject({ code: 0, out: expect.stringContaining('model version kept@1') });
});

// Skipped for a superuser who may not mount, as in most containers.
const here = test.skipIf(isSuperuser && !canMount);

here('an auditor reads a copy on a read-only medium', { timeout: 60_000 }, () => {
  expect(existsSync(join(stopped, 'store.db-wal'))).toBe(false);
  const verified = run(stopped, 'verify');
  expect(verified).toMatchObject({ code: 0, out: expect.stringContaining('✓ Verified') });
  const traced = run(stopped, 'trace', 'kept@1');
  expect(traced).toMatchObject({ code: 0, out: expect.stringContaining('model version kept@1') });
  const key = run(stopped, 'key', 'create', '--name', 'a');
  expect(key.code).toBe(1);
  expect(key.err).toMatch(/The key file .* cannot be written \(E\w+\): no key was changed/);
});

here(
  'a write-ahead log that was left there is read or told of, not passed over',
  {
    timeout: 60_000,
  },
  () => {
    expect(statSync(join(killed, 'store.db-wal')).size).toBeGreaterThan(0);
    const whole = run(killed, 'trace', 'kept@1');
    expect(whole).toMatchObject({ code: 0, out: expect.stringContaining('model version kept@1') });
    rmSync(join(killed, 'store.db-shm'));
    for (const argv of [['verify'], ['trace', 'kept@1']]) {
      const { code, err } = run(killed, ...argv);
      expect(code).toBe(1);
      expect(err).toContain('store.db-wal');
      expect(err).toContain('read the copy');
    }
  },
);
