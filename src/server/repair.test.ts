import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { captureCli } from '../testing/cli.ts';
import { testServer } from '../testing/server.ts';
import { damageTable, temporaryDirectory } from '../testing/store.ts';

const directory = temporaryDirectory();
const sound = join(directory.path, 'sound');
const environment = {
  config: {},
  data: undefined,
  configFile: undefined,
  apiKey: undefined,
  url: undefined,
  noColor: true,
};
const run = (...argv: string[]) => captureCli(argv, environment);

beforeAll(async () => {
  const server = await testServer();
  await server.post('/api/2.0/mlflow/registered-models/create', { name: 'm' });
  const version = { name: 'm', source: 's3://models/1' };
  await server.post('/api/2.0/mlflow/model-versions/create', version);
  for (let i = 0; i < 20; i += 1) {
    await server.post('/api/2.0/mlflow/runs/create', { experiment_id: '0', run_name: `r${i}` });
    const prediction = { id: `p${i}`, modelVersion: 'm@1', output: i };
    await server.post('/api/wherefrom/v1/predictions', [prediction]);
  }
  const statement = { ref: 'm@1', type: 'approval', author: 'Ada Lovelace' };
  const stated = await server.post('/api/wherefrom/v1/statements', statement);
  expect(stated.text).not.toContain('problems');
  await server.close();
  cpSync(server.data, sound, { recursive: true });
  await server.remove().catch(() => undefined);
});
afterAll(() => directory.remove());

/** A copy of the sound directory, with one table damaged. */
function damaged(table: string): string {
  const data = join(directory.path, table);
  cpSync(sound, data, { recursive: true });
  damageTable(join(data, 'store.db'), table);
  return data;
}

function rowsOf(data: string, table: string): unknown[] {
  const db = new DatabaseSync(join(data, 'store.db'), { readOnly: true });
  const rows = db.prepare(`SELECT * FROM ${table}`).all();
  db.close();
  return rows;
}

test.each(['lineage_nodes', 'tracking_runs', 'workspaces', 'predictions'])(
  'rebuild repairs a damaged page of a projection, and the record says so: %s',
  { timeout: 60_000 },
  async (table) => {
    const data = damaged(table);
    expect((await run('doctor', '--data', data)).out).toContain('The file is damaged');
    expect((await run('verify', '--data', data)).out).toContain('✓ Verified');
    const before = rowsOf(data, 'log_entries');
    const checked = await run('rebuild', '--check', '--data', data);
    expect(checked).toMatchObject({ code: 3, out: expect.stringContaining('The file is damaged') });
    const repaired = await run('rebuild', '--data', data);
    expect(repaired).toMatchObject({ code: 0, out: expect.stringContaining('in entry') });
    expect(rowsOf(data, 'log_entries').slice(0, before.length)).toEqual(before);
    expect(rowsOf(data, 'vault_persons')).toEqual(rowsOf(sound, 'vault_persons'));
    expect(rowsOf(data, table)).toEqual(rowsOf(sound, table));
    const again = await run('rebuild', '--check', '--data', data);
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining('comes out the same') });
    expect((await run('verify', '--data', data)).out).toContain('✓ Verified');
    expect((await run('trace', 'm@1', '--data', data)).out).toContain('Ada Lovelace');
    expect((await run('doctor', '--data', data)).out).not.toContain('damaged');
    expect(readdirSync(data).filter((name) => name.includes('.rebuild'))).toEqual([]);
  },
);

test.each(['log_entries', 'log_payloads', 'log_head', 'log_meta', 'vault_persons'])(
  'rebuild changes nothing where the record itself is damaged, and says so: %s',
  { timeout: 60_000 },
  async (table) => {
    const data = damaged(table);
    damageTable(join(data, 'store.db'), 'tracking_runs');
    const verified = await run('verify', '--data', data);
    expect(verified).toMatchObject({ code: table === 'log_meta' ? 0 : 3, err: '' });
    for (const flags of [[], ['--json']]) {
      const { code, err } = await run('rebuild', '--data', data, ...flags);
      expect(code).toBe(3);
      expect(err).toContain('damaged');
      expect(err).toMatch(/backup/);
      expect(err).not.toContain('"internal"');
    }
    expect(existsSync(join(data, 'store.db.rebuild'))).toBe(false);
  },
);
