import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addressOf, root } from '../server.ts';

const run = promisify(execFile);
/** As on a machine whose own Node is new enough. */
const env = {
  ...process.env,
  PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`,
};

/** What a program of a user does with the package. */
const program = `
import { createClient } from 'wherefrom/client';
const client = createClient({ url: process.argv[2] });
const { results } = await client.recordPredictions([{ id: 'p-1', modelVersion: 'credit@1', output: 0.9 }]);
const { ref, nodes } = await client.trace({ ref: 'p-1' });
console.log(JSON.stringify({ results, ref, nodes: nodes.length }));
`;

let directory: string;
let app: string;

/** Packs a copy of the checkout, so that its own build stays as it is, and installs that elsewhere. */
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'wherefrom-package-'));
  const checkout = join(directory, 'checkout');
  const listed = await run('git', ['ls-files', '-z'], { cwd: root });
  for (const path of listed.stdout.split('\0').filter((each) => each !== ''))
    cpSync(join(root, path), join(checkout, path));
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
  const packed = await run('npm', ['pack', '--pack-destination', directory], {
    cwd: checkout,
    env,
  });
  // The last line names the tarball.
  const tarball = join(directory, packed.stdout.trim().split('\n').at(-1) ?? '');
  app = join(directory, 'app');
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), '{ "private": true, "type": "module" }');
  writeFileSync(join(app, 'program.js'), program);
  await run('npm', ['install', '--no-audit', '--no-fund', tarball], { cwd: app, env });
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('the package, packed and installed elsewhere', () => {
  test('serves, answers a program, shows its web UI, and its record verifies', async () => {
    const command = join(app, 'node_modules', '.bin', 'wherefrom');
    const data = join(directory, 'data');
    const server = spawn(command, ['serve', '--data', data, '--port', '0', '--json'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: app,
      env,
    });
    const ended = new Promise((resolve) => server.once('exit', resolve));
    try {
      const { url } = await addressOf(server);
      const { stdout } = await run(process.execPath, ['program.js', url], { cwd: app, env });
      expect(JSON.parse(stdout)).toMatchObject({
        results: [{ id: 'p-1', status: 'flagged' }],
        ref: 'prediction:default/p-1',
      });
      const page = await (await fetch(url)).text();
      expect(page).toContain('<div id="root">');
      const script = /src="([^"]+\.js)"/.exec(page)?.[1] ?? '';
      expect((await fetch(new URL(script, `${url}/`))).headers.get('content-type')).toContain(
        'javascript',
      );
    } finally {
      server.kill('SIGTERM');
      await ended;
    }
    const verified = await run(command, ['verify', '--data', data], { cwd: app, env });
    expect(verified.stdout).toContain('✓ Verified');
  });
});
