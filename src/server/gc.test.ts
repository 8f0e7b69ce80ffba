import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256Hex } from '../base/digest.ts';
import { limits } from '../base/limits.ts';
import { createDirectoryBlobs } from '../blobs/directory.ts';
import { type TestServer, testServer } from '../testing/server.ts';
import { collectBlobs } from './gc.ts';

let server: TestServer;
let run: string;
const artifacts = '/api/2.0/mlflow-artifacts';

beforeEach(async () => {
  server = await testServer();
  const created = await server.post('/api/2.0/mlflow/runs/create', { experiment_id: '0' });
  run = created.json.run.info.run_id;
});
afterEach(() => server.remove());

async function send(method: 'PUT' | 'DELETE', path: string, content?: string): Promise<void> {
  const url = path.startsWith('http')
    ? path.replace(/^https?:\/\/[^/]+/, '')
    : `${artifacts}/${path}`;
  const { statusCode } = await server.app.inject({
    method,
    url,
    headers: { host: 'localhost' },
    ...(content === undefined ? {} : { payload: content }),
  });
  expect(statusCode).toBe(200);
}
const put = (path: string, content: string) =>
  send('PUT', `artifacts/0/${run}/artifacts/${path}`, content);
const remove = (path: string) => send('DELETE', `artifacts/0/${run}/artifacts/${path}`);

/** Digests of the blobs on the disk. */
async function kept(): Promise<string[]> {
  const blobs = createDirectoryBlobs({ directory: join(server.data, 'blobs') });
  const found: string[] = [];
  for await (const { digest } of blobs.list()) found.push(digest);
  return found.sort();
}
const digests = (...contents: string[]) => contents.map((each) => sha256Hex(each)).sort();
/** Collects, as if so much time had passed. */
const collect = (options: { afterMs?: number; dryRun?: boolean } = {}) =>
  collectBlobs(server.config, {
    now: Date.now() + (options.afterMs ?? limits.unnamedBlobMsMin + 60_000),
    dryRun: options.dryRun === true,
  });

test('what was deleted or replaced goes once it is old enough, and nothing that a path names', async () => {
  await put('replaced.txt', 'before');
  await put('replaced.txt', 'after');
  await put('deleted.txt', 'deleted');
  await put('twice/a.txt', 'at two paths');
  await put('twice/b.txt', 'at two paths');
  await remove('deleted.txt');
  await remove('twice/a.txt');
  await server.post('/api/2.0/mlflow/runs/delete', { run_id: run });
  await server.close();
  const all = digests('before', 'after', 'deleted', 'at two paths');
  const old = { blobs: 2, bytes: 13 };
  const nothing = { blobs: 0, bytes: 0 };
  expect(await collect({ afterMs: limits.unnamedBlobMsMin - 60_000 })).toMatchObject({
    removed: nothing,
    young: old,
  });
  expect(await collect({ dryRun: true })).toMatchObject({ removed: old });
  expect(await kept()).toEqual(all);
  expect(await collect()).toEqual({
    removed: old,
    young: nothing,
    named: { blobs: 2, bytes: 17 },
  });
  expect(await kept()).toEqual(digests('after', 'at two paths'));
  expect(await collect()).toMatchObject({ removed: nothing });
  server = await server.reopen();
  const file = await server.get(`${artifacts}/artifacts/0/${run}/artifacts/replaced.txt`);
  expect(file.text).toBe('after');
  // The same bytes again are stored again.
  await put('deleted.txt', 'deleted');
  expect(await kept()).toEqual(digests('after', 'at two paths', 'deleted'));
});

test('files of logged models and traces, and what an upload has become, are named', async () => {
  const model = await server.post('/api/2.0/mlflow/logged-models', {
    experiment_id: '0',
    name: 'm',
  });
  const id = model.json.model.info.model_id;
  await send('PUT', `artifacts/0/models/${id}/artifacts/MLmodel`, 'flavors: {}');
  await send('PUT', 'artifacts/0/traces/tr-1/artifacts/traces.json', '{"spans":[]}');
  const mpu = async (verb: string, body: object) =>
    (await server.post(`${artifacts}/mpu/${verb}/0/${run}/artifacts`, { path: 'a', ...body })).json;
  const { upload_id, credentials } = await mpu('create', { num_parts: 1 });
  await send('PUT', credentials[0].url, 'in parts');
  const uploads = join(server.data, 'blobs', 'uploads', upload_id);
  const etag = readdirSync(uploads)
    .find((name) => name.startsWith('1-'))
    ?.slice(2);
  await mpu('complete', { upload_id, parts: [{ part_number: 1, etag }] });
  // As after a crash before the entry: the upload alone names it.
  await remove('a');
  await server.close();
  await collect();
  expect(await kept()).toEqual(digests('flavors: {}', '{"spans":[]}', 'in parts'));
});

test('nothing is removed under a running server, of no data directory, and of what is no blob', async () => {
  await put('a.txt', 'a');
  await expect(collect()).rejects.toMatchObject({ code: 'conflict' });
  await remove('a.txt');
  await server.close();
  const note = join(server.data, 'blobs', 'sha256', 'note.txt');
  writeFileSync(note, 'of an operator');
  utimesSync(note, 0, 0);
  await expect(
    collectBlobs({ ...server.config, data: join(server.data, 'blobs') }, { now: 0, dryRun: true }),
  ).rejects.toMatchObject({ code: 'not_found' });
  await collect();
  expect(readFileSync(note, 'utf8')).toBe('of an operator');
  expect(await kept()).toEqual([]);
});
