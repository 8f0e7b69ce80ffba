import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';

const main = join(import.meta.dirname, 'main.ts');
const directory = mkdtempSync(join(tmpdir(), 'wherefrom-serve-'));
const data = join(directory, 'data');
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function serve(signals: number, ...flags: string[]) {
  const args = ['--disable-warning=ExperimentalWarning', main, 'serve', '--data', data];
  const child = spawn(process.execPath, [...args, '--port', '0', ...flags]);
  const exited = once(child, 'exit');
  let out = '';
  let err = '';
  child.stderr.on('data', (text) => {
    err += text;
  });
  const last = flags.includes('--json') ? '}\n' : 'Ctrl-C stops.\n';
  for await (const text of child.stdout) {
    out += text;
    if (!out.endsWith(last)) continue;
    // What npm does: the terminal's signal and the one that it passes on.
    for (let sent = 0; sent < signals; sent += 1) {
      child.kill('SIGINT');
      await sleep(20);
    }
  }
  const [code] = await exited;
  return { code, out, err };
}

describe('wherefrom serve', () => {
  it('tells people where it is, where its data is, who may use it and how to point tools at it', async () => {
    const { code, out, err } = await serve(2);
    const [, url] = /listens at (http:\/\/127\.0\.0\.1:\d+)\n/.exec(out) ?? [];
    expect(url).toBeDefined();
    expect(out).toContain(`Data         ${data}\n`);
    expect(out).toContain('no API key: loopback only, everybody on this machine\n');
    expect(out).toContain(`MLFLOW_TRACKING_URI=${url}\n`);
    expect(out).toContain(`OPENLINEAGE_URL=${url}\n`);
    expect(err).toBe('Stopped. Nothing that was answered is lost.\n');
    expect(code).toBe(0);
  });

  it('gives the address behind a prefix as each client keeps it whole', async () => {
    const { out } = await serve(1, '--base-path', '/lineage');
    const [, mlflow] = /MLFLOW_TRACKING_URI=(\S+)\n/.exec(out) ?? [];
    const [, openLineage = ''] = /OPENLINEAGE_URL=(\S+)\n/.exec(out) ?? [];
    expect(mlflow).toMatch(/\/lineage$/);
    expect(new URL('api/v1/lineage', openLineage).pathname).toBe('/lineage/api/v1/lineage');
  });

  it('tells programs one line of JSON', async () => {
    const { code, out, err } = await serve(1, '--json');
    expect(JSON.parse(out)).toMatchObject({ data, pid: expect.any(Number) });
    expect(err).toBe('');
    expect(code).toBe(0);
  });
});
