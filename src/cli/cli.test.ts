import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Environment } from '../server/config.ts';
import { captureCli } from '../testing/cli.ts';

const directory = mkdtempSync(join(tmpdir(), 'wherefrom-cli-'));
const data = join(directory, 'data');
afterAll(() => rmSync(directory, { recursive: true, force: true }));

// Nothing listens on port 1 of loopback.
const environment: Environment = {
  config: {},
  data: undefined,
  configFile: undefined,
  apiKey: undefined,
  url: 'http://127.0.0.1:1',
  noColor: true,
};

const run = (...argv: string[]) => captureCli(argv, environment);

const verbs = [
  'serve',
  'trace',
  'impact',
  'diff',
  'completeness',
  'verify',
  'rebuild',
  'gc',
  'import',
  'key',
  'workspace',
  'webhook',
  'config',
  'doctor',
  'demo',
  'version',
];

describe('help', () => {
  it.each([[], ['--help'], ['-h'], ['help']])('lists every verb for %j', async (...argv) => {
    const { code, out } = await run(...argv);
    expect(code).toBe(0);
    for (const verb of verbs) expect(out).toContain(`  ${verb}`);
  });

  it.each(verbs)('of %s has an example and no colours in a pipe', async (verb) => {
    const { code, out } = await run(verb, '--help');
    expect(code).toBe(0);
    expect(out).toContain('EXAMPLES');
    expect(out).toContain(`wherefrom ${verb}`);
    expect(out).not.toContain('\u001B');
    expect((await run('help', verb)).out).toBe(out);
  });
});

describe('wrong usage', () => {
  it.each([
    [['trace'], 'REF'],
    [['trace', 'a', 'b'], '"b" is one argument too many'],
    [['trace', 'a', '--dept', '3'], 'no option --dept'],
    [['trace', 'a', '--depth'], '--depth needs a value'],
    [['trace', 'a', '--depth', 'deep'], '--depth is "deep"'],
    [['trace', 'a', '--kinds', 'run,cat'], '"cat" is not a kind'],
    [['trace', 'a', '--at', 'soon'], 'not a time'],
    [['trace', 'a', '--as-of', 'soon'], 'not a time'],
    [['trace', 'a', '--url', 'http://x', '--data', '.'], 'not both'],
    [['diff', 'a'], 'B'],
    [['key', 'make'], 'not create, list or revoke'],
    [['key', 'create'], 'needs a name'],
    [['key', 'create', '--name', 'a', '--role', 'king'], '"king"'],
    [['help', 'nonsense'], 'no command "nonsense"'],
    [['trace', ''], 'REF is empty'],
    [['workspace', 'create', 'Bad Name'], 'cannot be the name of a workspace'],
    [['serve', '--port', 'abc'], '"port" (flag)'],
    [['serve', '--base-path', 'a b'], 'basePath'],
  ])('%j ends with 2 and says why', async (argv, why) => {
    const { code, err, out } = await run(...argv);
    expect(code).toBe(2);
    expect(err).toContain(why);
    expect(out).toBe('');
  });

  it('is told programs as JSON', async () => {
    const { code, err } = await run('trace', 'x', '--depth', 'deep', '--json');
    expect(code).toBe(2);
    expect(JSON.parse(err)).toMatchObject({
      code: 'invalid_message',
      title: 'The command line is wrong',
      detail: expect.stringContaining('--depth is "deep"'),
    });
  });

  it('guesses at a misspelt command', async () => {
    expect((await run('tarce', 'x')).err).toContain('wherefrom trace');
    expect((await run('verfy')).err).toContain('wherefrom verify');
  });
});

describe('without a server', () => {
  it('says how to get one, and ends with 1', async () => {
    const { code, err } = await run('some-ref');
    expect(code).toBe(1);
    expect(err).toContain('http://127.0.0.1:1 cannot be reached');
    expect(err).toContain('wherefrom serve');
  });

  it('writes the problem as JSON for programs', async () => {
    const { err } = await run('trace', 'x', '--json');
    expect(JSON.parse(err)).toMatchObject({
      code: 'storage_unavailable',
      title: 'The server cannot be reached',
      retryable: true,
    });
  });

  it('refuses an address that is no URL', async () => {
    for (const argv of [
      ['trace', 'x'],
      ['workspace', 'list'],
    ]) {
      const { code, err } = await run(...argv, '--url', 'nonsense');
      expect(code).toBe(2);
      expect(err).toContain('"nonsense" is not the address of a server');
    }
  });

  it('prints the version and the configuration', async () => {
    expect((await run('version')).out).toMatch(/^wherefrom \d/);
    expect((await run('--version')).out).toMatch(/^wherefrom \d/);
    expect((await run('config')).out).toContain('port = 4747');
    expect(JSON.parse((await run('config', '--json')).out)).toContainEqual(
      expect.objectContaining({ key: 'basePath', variable: 'WHEREFROM_BASE_PATH' }),
    );
  });
});

describe('keys and the data directory', () => {
  it('refuses at once a directory that cannot be made', async () => {
    const { code, err } = await run('key', 'create', '--name', 'a', '--data', '/proc/nowhere/x');
    expect(code).toBe(1);
    expect(err).toContain('The data directory /proc/nowhere/x cannot be made.');
  });

  it('says which workspaces of a new key are not there', async () => {
    const args = ['key', 'create', '--name', 'a', '--workspace', 'fraud'];
    const { code, err } = await run(...args, '--data', join(directory, 'fraud'));
    expect(code).toBe(0);
    expect(err).toContain('There is no workspace "fraud" yet');
  });

  it('makes a key before the server first runs, lists it without its secret, and revokes it', async () => {
    const made = JSON.parse(
      (await run('key', 'create', '--name', 'airflow', '--role', 'write', '--data', data, '--json'))
        .out,
    );
    expect(made.key).toMatch(/^wf\.key_/);
    const listed = await run('key', 'list', '--data', data);
    expect(listed.out).toContain('airflow');
    expect(listed.out).not.toContain(made.key);
    expect((await run('key', 'revoke', 'airflow', '--data', data)).code).toBe(0);
    expect((await run('key', 'list', '--data', data)).out).toContain('revoked');
    expect((await run('key', 'revoke', 'nobody', '--data', data)).code).toBe(1);
  });

  it('takes a repeated option as a list', async () => {
    const make = ['key', 'create', '--name', 'team', '--data', data, '--json'];
    const made = await run(...make, '--workspace', 'alpha', '--workspace=beta');
    expect(JSON.parse(made.out).workspaces).toEqual(['alpha', 'beta']);
    expect((await run('key', 'list', '--data', data)).out).toContain('alpha,beta');
    expect(await run(...make, '--workspace')).toMatchObject({ code: 2 });
    expect((await run(...make, '--role', 'admin', '--workspace', 'alpha')).code).toBe(1);
  });

  it('says when a directory is none of ours', async () => {
    for (const argv of [['key', 'list'], ['verify'], ['rebuild'], ['trace', 'x']]) {
      const { code, err } = await run(...argv, '--data', join(directory, 'nowhere'));
      expect(code).toBe(1);
      expect(err).toContain('no data directory');
    }
  });

  it('doctor looks at everything and does not fail for want of a server', async () => {
    const { code, out } = await run('doctor', '--data', data, '--json');
    const { findings } = JSON.parse(out) as { findings: { check: string; state: string }[] };
    expect(findings.map(({ check }) => check)).toEqual(
      expect.arrayContaining(['Node.js', 'data directory', 'lock', 'port', 'server']),
    );
    expect(findings.filter(({ state }) => state === 'bad')).toEqual([]);
    expect(code).toBe(0);
  });

  it('doctor fails on a damaged directory', async () => {
    const damaged = join(directory, 'damaged');
    await run('key', 'create', '--name', 'a', '--data', damaged);
    writeFileSync(join(damaged, 'wherefrom.json'), '{');
    const { code, out } = await run('doctor', '--data', damaged);
    expect(code).toBe(1);
    expect(out).toContain('cannot be opened');
  });
});
