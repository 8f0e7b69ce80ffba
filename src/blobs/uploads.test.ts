import { existsSync, readdirSync } from 'node:fs';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256Hex } from '../base/digest.ts';
import { limits } from '../base/limits.ts';
import { temporaryDirectory } from '../testing/store.ts';
import type { StoredBlob } from './blobs.ts';
import { createUploads, type Uploads } from './uploads.ts';

let directory: ReturnType<typeof temporaryDirectory>;
let uploads: Uploads;
let now: number;
let stored: string[];
const target = '["default","0/run/artifacts/a.bin"]';

const open = (): Uploads =>
  createUploads({
    directory: directory.path,
    clock: { now: () => now, random: (count) => Buffer.alloc(count) },
  });
beforeEach(() => {
  directory = temporaryDirectory();
  now = 1_000;
  stored = [];
  uploads = open();
});
afterEach(() => directory.remove());

const part = (id: string, number: number, text: string): Promise<string> =>
  uploads.putPart(id, number, Readable.from([Buffer.from(text)]));
const left = (): string[] =>
  existsSync(directory.path) ? readdirSync(directory.path, { recursive: true }).map(String) : [];

async function store(content: Readable): Promise<StoredBlob> {
  const parts: Buffer[] = [];
  for await (const each of content) parts.push(each);
  const whole = Buffer.concat(parts);
  stored.push(whole.toString());
  return { digest: sha256Hex(whole), bytes: whole.length };
}

test('parts that came in any order are put together in theirs, once, and are gone then', async () => {
  const id = await uploads.begin(target);
  const [third, first, second] = await Promise.all([
    part(id, 3, 'C'),
    part(id, 1, 'A'),
    part(id, 2, 'B'),
  ]);
  const parts = [
    { number: 2, etag: second ?? '' },
    { number: 1, etag: `"${first}"` },
    { number: 3, etag: third ?? '' },
  ];
  const [once, again] = await Promise.all([
    uploads.complete({ id, target, parts }, store),
    uploads.complete({ id, target, parts }, store),
  ]);
  expect(once).toEqual({ digest: sha256Hex('ABC'), bytes: 3 });
  expect(again).toEqual(once);
  // A client that did not hear the answer asks again.
  expect(await uploads.complete({ id, target, parts }, store)).toEqual(once);
  expect(stored).toEqual(['ABC']);
  expect(left()).toEqual([]);
  await expect(part(id, 4, 'D')).rejects.toMatchObject({ code: 'not_found' });
});

test('a part that is sent again takes the place of the one before', async () => {
  const id = await uploads.begin(target);
  const before = await part(id, 1, 'old');
  const etag = await part(id, 1, 'new');
  const complete = (one: string) =>
    uploads.complete({ id, target, parts: [{ number: 1, etag: one }] }, store);
  await expect(complete(before)).rejects.toMatchObject({ code: 'invalid_message' });
  await complete(etag);
  expect(stored).toEqual(['new']);
});

test('parts that were not sent, or are named twice, are refused, and may still be sent', async () => {
  const id = await uploads.begin(target);
  const first = { number: 1, etag: await part(id, 1, 'A') };
  const refusal = { code: 'invalid_message' };
  const complete = (...parts: { number: number; etag: string }[]) =>
    uploads.complete({ id, target, parts }, store);
  await expect(complete(first, { number: 2, etag: 'x' })).rejects.toMatchObject(refusal);
  await expect(complete(first, first)).rejects.toMatchObject(refusal);
  const second = { number: 2, etag: await part(id, 2, 'B') };
  await complete(first, second);
  expect(stored).toEqual(['AB']);
});

test('a store that fails may be asked again', async () => {
  const id = await uploads.begin(target);
  const parts = [{ number: 1, etag: await part(id, 1, 'A') }];
  const fail = (): Promise<StoredBlob> => Promise.reject(new Error('no room'));
  await expect(uploads.complete({ id, target, parts }, fail)).rejects.toThrow('no room');
  await uploads.complete({ id, target, parts }, store);
  expect(stored).toEqual(['A']);
});

test('a part that breaks off leaves nothing', async () => {
  const id = await uploads.begin(target);
  const broken = Readable.from(
    (async function* () {
      yield Buffer.from('half');
      throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
    })(),
  );
  await expect(uploads.putPart(id, 1, broken)).rejects.toMatchObject({ code: 'malformed_message' });
  expect(left()).toEqual([id]);
});

test('an upload is aborted, and is known for its own target only', async () => {
  const id = await uploads.begin(target);
  const parts = [{ number: 1, etag: await part(id, 1, 'A') }];
  const refusal = { code: 'not_found' };
  await expect(uploads.complete({ id, target: 'other', parts }, store)).rejects.toMatchObject(
    refusal,
  );
  await expect(uploads.abort(id, 'other')).rejects.toMatchObject(refusal);
  await uploads.abort(id, target);
  expect(left()).toEqual([]);
  await expect(part(id, 2, 'B')).rejects.toMatchObject(refusal);
  await expect(uploads.complete({ id, target, parts }, store)).rejects.toMatchObject(refusal);
});

test('an upload that was given up goes when another begins, and all go with a restart', async () => {
  const old = await uploads.begin(target);
  await part(old, 1, 'A');
  now += limits.uploadIdleMsMax + 1;
  const id = await uploads.begin(target);
  expect(left()).toEqual([id]);
  await expect(part(old, 2, 'B')).rejects.toMatchObject({ code: 'not_found' });
  open();
  expect(left()).toEqual([]);
});

test('uploads beyond the limit wait', async () => {
  for (let i = 0; i < limits.uploadsMax; i += 1) await uploads.begin(target);
  await expect(uploads.begin(target)).rejects.toMatchObject({ code: 'overloaded' });
});
