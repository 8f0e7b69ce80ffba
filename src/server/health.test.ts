import { execFileSync, spawn } from 'node:child_process';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { WherefromError } from '../base/errors.ts';
import { testServer } from '../testing/server.ts';
import { temporaryDirectory } from '../testing/store.ts';
import { createHealth, type HealthEvent } from './health.ts';

const full = (): Promise<never> =>
  Promise.reject(new WherefromError('storage_unavailable', 'The disk is full.'));

describe('health', () => {
  test('tells of failing writes at the change and once a minute, and of their recovery', async () => {
    let now = 0;
    let works = false;
    const events: HealthEvent[] = [];
    const probe = () => (works ? Promise.resolve() : full());
    const health = createHealth({
      probes: { data: probe, artifacts: probe },
      clock: { ...systemClock, now: () => now },
      report: (event) => events.push(event),
      failed: () => undefined,
      probeMs: 1,
    });
    const fail = () => expect(health.watch('data', full())).rejects.toThrow('full');
    for (let count = 0; count < 5; count += 1) await fail();
    expect(events).toMatchObject([
      { event: 'writes.failing', place: 'data', reason: 'The disk is full.', failed: 1 },
    ]);
    now += 60_000;
    await fail();
    expect(events[1]).toMatchObject({ event: 'writes.failing', failed: 5 });
    expect(health.trouble()).toContain('data directory');
    // A message that is refused or changes nothing is no proof that the disk has room.
    await health.watch('data', Promise.resolve());
    expect(health.trouble()).toBeDefined();
    works = true;
    await vi.waitFor(() => expect(health.trouble()).toBeUndefined());
    expect(events[2]).toMatchObject({ event: 'writes.recovered', place: 'data' });
    // Failing again within the minute is no news.
    await fail();
    expect(health.trouble()).toBeDefined();
    expect(events).toHaveLength(3);
    health.close();
  });

  test('does not mind refusals', async () => {
    const refused = Promise.reject(new WherefromError('conflict', 'No.'));
    const health = createHealth({
      probes: { data: full, artifacts: full },
      clock: systemClock,
      report: () => expect.unreachable(),
      failed: () => expect.unreachable(),
    });
    await expect(health.watch('data', refused)).rejects.toThrow('No.');
    expect(health.trouble()).toBeUndefined();
  });
});

describe('a server', () => {
  const directory = temporaryDirectory();
  const written = vi.spyOn(process.stderr, 'write');
  afterEach(() => written.mockReset());

  test('that cannot reach its artifacts says so at the start, in /health and in /metrics', async () => {
    written.mockReturnValue(true);
    const artifacts = join(directory.path, 'artifacts');
    writeFileSync(artifacts, 'in the way');
    const server = await testServer({ artifacts });
    await vi.waitFor(() => expect(written).toHaveBeenCalledOnce());
    expect(written.mock.calls[0]?.[0]).toMatch(/^wherefrom: the artifacts cannot be written/);
    expect(await server.get('/health')).toMatchObject({
      status: 503,
      text: 'Artifacts cannot be stored.',
    });
    const put = server.services.blobs.put(Readable.from([Buffer.from('x')]), { bytesMax: 1 });
    await expect(put).rejects.toMatchObject({ code: 'storage_unavailable' });
    const metrics = (await server.get('/metrics')).text;
    expect(metrics).toContain('wherefrom_healthy 0\n');
    expect(metrics).toContain('wherefrom_failed_writes_total{place="artifacts"} 1\n');
    expect(written).toHaveBeenCalledOnce();
    rmSync(artifacts);
    await vi.waitFor(async () => expect((await server.get('/health')).text).toBe('OK'), 10_000);
    expect(written.mock.calls.at(-1)?.[0]).toBe('wherefrom: the artifacts can be written again.\n');
    await server.remove();
  }, 20_000);

  test('counts the write-ahead log to the size of its store', async () => {
    const server = await testServer();
    const size = (suffix: string): number => statSync(join(server.data, `store.db${suffix}`)).size;
    const [, bytes] = /wherefrom_store_bytes (\d+)/.exec((await server.get('/metrics')).text) ?? [];
    expect(size('-wal')).toBeGreaterThan(0);
    expect(Number(bytes)).toBe(size('') + size('-wal') + size('-shm'));
    await server.remove();
  });
});

/** Of util-linux: not on every machine. */
const limiter = 'prlimit';

/** Files of a process may not grow: what a full disk is to it. Given back by its own parent. */
const hasPrlimit = ((): boolean => {
  try {
    execFileSync(limiter, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

test.runIf(hasPrlimit)(
  'a server whose disk is full is not healthy, says so once, and recovers by itself',
  async () => {
    const directory = temporaryDirectory();
    const main = join(import.meta.dirname, '..', 'cli', 'main.ts');
    const data = join(directory.path, 'data');
    const flags = ['serve', '--json', '--port', '0', '--data', data];
    const child = spawn(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      main,
      ...flags,
    ]);
    let err = '';
    child.stderr.on('data', (text) => {
      err += text;
    });
    const out = await new Promise<string>((resolve) =>
      child.stdout.once('data', (text) => resolve(String(text))),
    );
    const { url } = JSON.parse(out);
    const allow = (bytes: string) =>
      execFileSync(limiter, ['--pid', String(child.pid), `--fsize=${bytes}`]);
    const health = async () => (await fetch(`${url}/health`)).text();
    const write = async (name: string) => {
      const body = JSON.stringify({ name });
      const headers = { 'content-type': 'application/json' };
      const path = `${url}/api/2.0/mlflow/experiments/create`;
      return (await fetch(path, { method: 'POST', headers, body })).status;
    };
    expect(await write('before')).toBe(200);
    allow('1024:unlimited');
    expect(await Promise.all(['a', 'b', 'c'].map(write))).toEqual([503, 503, 503]);
    expect(await health()).toBe('Writes to the data directory fail.');
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('wherefrom_healthy 0\n');
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    allow('unlimited:unlimited');
    while ((await health()) !== 'OK') await sleep(200);
    expect(await write('after')).toBe(200);
    expect(err).toMatch(/cannot be written .*\n.*can be written again\.\n$/);
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
    directory.remove();
  },
  30_000,
);
