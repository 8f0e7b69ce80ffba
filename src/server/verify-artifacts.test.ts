import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256Hex } from '../base/digest.ts';
import { blobPath } from '../blobs/directory.ts';
import { captureCli } from '../testing/cli.ts';
import { type TestServer, testServer } from '../testing/server.ts';
import { temporaryDirectory } from '../testing/store.ts';

const environment = {
  config: {},
  data: undefined,
  configFile: undefined,
  apiKey: undefined,
  url: undefined,
  noColor: true,
};
const large = 'a line of a large file\n'.repeat(200_000);
let server: TestServer;

beforeEach(async () => {
  server = await testServer();
  const created = await server.post('/api/2.0/mlflow/runs/create', { experiment_id: '0' });
  const root = `/api/2.0/mlflow-artifacts/artifacts/0/${created.json.run.info.run_id}/artifacts`;
  for (const [name, payload] of [
    ['small.txt', 'small'],
    ['large.txt', large],
  ] as const) {
    const url = `${root}/${name}`;
    const headers = { host: 'localhost' };
    const { statusCode } = await server.app.inject({ method: 'PUT', url, headers, payload });
    expect(statusCode).toBe(200);
  }
});
afterEach(() => server.remove());

const verify = (...flags: string[]) =>
  captureCli(['verify', '--data', server.data, ...flags], environment);
const pathOf = (content: string) => blobPath(join(server.data, 'blobs'), sha256Hex(content));

test('verify reads every artifact, also beside a running server', async () => {
  const { code, out } = await verify();
  expect(code).toBe(0);
  expect(out).toContain('2 artifacts, 4,600,005 bytes');
});

test('one changed byte of an artifact, or one that is gone, fails verification by name', async () => {
  const bytes = readFileSync(pathOf(large));
  bytes[4_000_000] = (bytes[4_000_000] ?? 0) ^ 1;
  writeFileSync(pathOf(large), bytes);
  rmSync(pathOf('small'));
  const { code, out } = await verify();
  expect(code).toBe(3);
  expect(out).toContain('✗ Not verified: 2 problems');
  expect(out).toContain(`The artifact ${sha256Hex(large)} is damaged.`);
  expect(out).toContain(`The artifact ${sha256Hex('small')} is missing.`);
  const told = await verify('--json');
  expect(told.code).toBe(3);
  expect(JSON.parse(told.out)).toMatchObject({
    verified: false,
    problems: [expect.stringContaining('damaged'), expect.stringContaining('missing')],
    artifacts: { blobs: 1, notes: [] },
  });
  // The record alone is as it was.
  expect(await verify('--no-artifacts')).toMatchObject({ code: 0 });
});

test('artifacts elsewhere are read there; those in a bucket are not, and it says so', async () => {
  const elsewhere = temporaryDirectory();
  const { code, out } = await verify('--artifacts', elsewhere.path);
  expect(code).toBe(3);
  expect(out.match(/is missing/g)).toHaveLength(2);
  elsewhere.remove();
  const bucket = await verify('--artifacts', 's3://bucket/prefix');
  expect(bucket.code).toBe(0);
  expect(bucket.out).toContain('The artifacts in s3://bucket/prefix were not checked.');
  rmSync(join(server.data, 'blobs'), { recursive: true });
  const unsaid = await verify();
  expect(unsaid.code).toBe(0);
  expect(unsaid.out).toContain('The record names 2 artifacts, and none is kept in');
});

test('where the projections are of another version, it says that nothing missing was looked for', async () => {
  const db = new DatabaseSync(join(server.data, 'store.db'));
  db.exec("UPDATE log_meta SET value = '1' WHERE key = 'projections'");
  db.close();
  rmSync(pathOf('small'));
  const { code, out } = await verify();
  expect(code).toBe(0);
  expect(out).toContain('Missing artifacts were not looked for: The projections of this');
});
