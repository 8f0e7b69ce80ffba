import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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
  existsSync(directory.path)
    ? readdirSync(directory.path, { recursive: true }).map(String).sort()
    : [];

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
  expect(left()).toEqual([id, `${id}/completed`, `${id}/target`]);
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
  expect(left()).toEqual([id, `${id}/target`]);
});

test('a part that is still coming when its upload ends is told that there is none', async () => {
  for (const end of ['complete', 'abort'] as const) {
    const id = await uploads.begin(target);
    const parts = [{ number: 1, etag: await part(id, 1, 'A') }];
    const late = uploads.putPart(
      id,
      1,
      Readable.from(
        (async function* () {
          yield Buffer.from('late');
          await (end === 'abort'
            ? uploads.abort(id, target)
            : uploads.complete({ id, target, parts }, store));
        })(),
      ),
    );
    await expect(late).rejects.toMatchObject({ code: 'not_found' });
  }
  expect(stored).toEqual(['A']);
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

test('an upload that was given up goes when another begins', async () => {
  const old = await uploads.begin(target);
  await part(old, 1, 'A');
  now += limits.uploadIdleMsMax + 1;
  const id = await uploads.begin(target);
  expect(left()).toEqual([id, `${id}/target`]);
  await expect(part(old, 2, 'B')).rejects.toMatchObject({ code: 'not_found' });
});

test('the same bytes sent again are the same part, also while they are put together', async () => {
  const id = await uploads.begin(target);
  const etag = await part(id, 1, 'A');
  expect(await part(id, 1, 'A')).toBe(etag);
  const parts = [{ number: 1, etag }];
  await uploads.complete({ id, target, parts }, async (content) => {
    await expect(part(id, 1, 'B')).rejects.toMatchObject({ code: 'not_found' });
    return store(content);
  });
  expect(stored).toEqual(['A']);
});

describe('after a restart', () => {
  beforeEach(() => {
    // The age of what is found is that of its folder, which the system's clock gives.
    now = Date.now();
  });

  test('an upload goes on where it was', async () => {
    const id = await uploads.begin(target);
    const second = await part(id, 2, 'B');
    uploads = open();
    const parts = [
      { number: 1, etag: await part(id, 1, 'A') },
      { number: 2, etag: second },
    ];
    uploads = open();
    const other = { id, target: 'other', parts };
    await expect(uploads.complete(other, store)).rejects.toMatchObject({ code: 'not_found' });
    await uploads.complete({ id, target, parts }, store);
    expect(stored).toEqual(['AB']);
  });

  test('a completed one answers the same, for as long as it is remembered', async () => {
    const id = await uploads.begin(target);
    const parts = [{ number: 1, etag: await part(id, 1, 'A') }];
    const once = await uploads.complete({ id, target, parts }, store);
    uploads = open();
    expect(await uploads.complete({ id, target, parts }, store)).toEqual(once);
    expect(stored).toEqual(['A']);
    now += limits.uploadDoneMsMax + 60_000;
    uploads = open();
    expect(left()).toEqual([]);
  });

  test('both are good of two that a crash left for one part: either may have been answered', async () => {
    const id = await uploads.begin(target);
    const first = await part(id, 1, 'old');
    copyFileSync(join(directory.path, id, `1-${first}`), join(directory.path, 'kept'));
    const second = await part(id, 1, 'new');
    copyFileSync(join(directory.path, 'kept'), join(directory.path, id, `1-${first}`));
    for (const [etag, content] of [
      [first, 'old'],
      [second, 'new'],
    ] as const) {
      cpSync(join(directory.path, id), join(directory.path, `${id}-${content}`), {
        recursive: true,
      });
      uploads = open();
      const parts = [{ number: 1, etag }];
      await uploads.complete({ id: `${id}-${content}`, target, parts }, store);
      expect(stored.at(-1)).toBe(content);
    }
  });

  test('nothing is left of what was never answered, or was given up', async () => {
    const id = await uploads.begin(target);
    await part(id, 1, 'A');
    writeFileSync(join(directory.path, id, 'half.new'), 'half of a part');
    mkdirSync(join(directory.path, 'begun'));
    writeFileSync(join(directory.path, 'begun', 'target.new'), target);
    uploads = open();
    expect(left().map((name) => name.replace(/-.*/, '-…'))).toEqual([
      id,
      `${id}/1-…`,
      `${id}/target`,
    ]);
    now += limits.uploadIdleMsMax + 60_000;
    uploads = open();
    expect(left()).toEqual([]);
    await expect(part(id, 2, 'B')).rejects.toMatchObject({ code: 'not_found' });
  });
});

test('uploads beyond the limit wait', async () => {
  // Most of them from before a restart: they count as well.
  for (let i = 1; i < limits.uploadsMax; i += 1) {
    mkdirSync(join(directory.path, `before-${i}`));
    writeFileSync(join(directory.path, `before-${i}`, 'target'), target);
  }
  uploads = open();
  await uploads.begin(target);
  await expect(uploads.begin(target)).rejects.toMatchObject({ code: 'overloaded' });
});
