import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256Hex } from '../base/digest.ts';
import type { Blobs } from './blobs.ts';
import { createDirectoryBlobs } from './directory.ts';

let directory: string;
let blobs: Blobs;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wherefrom-blobs-'));
  blobs = createDirectoryBlobs({ directory });
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

const bytesMax = 1024;
const put = (text: string) => blobs.put(Readable.from([Buffer.from(text)]), { bytesMax });

test('a blob is named by its digest and comes back as it was', async () => {
  const stored = await put('hello');
  expect(stored).toEqual({ digest: sha256Hex('hello'), bytes: 5 });
  expect((await blobs.read(stored.digest, 5)).toString()).toBe('hello');
  const parts: Buffer[] = [];
  for await (const part of await blobs.get(stored.digest)) parts.push(part);
  expect(Buffer.concat(parts).toString()).toBe('hello');
  expect(await blobs.has(stored.digest)).toBe(true);
});

test('the same bytes are kept once, and nothing stays behind in incoming', async () => {
  await put('hello');
  const { digest } = await put('hello');
  expect(await readdir(join(directory, 'sha256', digest.slice(0, 2)))).toHaveLength(1);
  expect(await readdir(join(directory, 'incoming'))).toEqual([]);
});

test('content beyond the limit is refused and leaves nothing', async () => {
  await expect(put('x'.repeat(bytesMax + 1))).rejects.toMatchObject({ code: 'too_large' });
  expect(await readdir(join(directory, 'incoming'))).toEqual([]);
});

test('an upload that breaks off is refused and leaves nothing', async () => {
  const broken = Readable.from(
    (async function* () {
      yield Buffer.from('half');
      throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
    })(),
  );
  await expect(blobs.put(broken, { bytesMax })).rejects.toMatchObject({
    code: 'malformed_message',
  });
  expect(await readdir(join(directory, 'incoming'))).toEqual([]);
});

test('a directory that cannot be written says so', async () => {
  const nowhere = createDirectoryBlobs({ directory: '/dev/null/blobs' });
  await expect(nowhere.put(Readable.from(['x']), { bytesMax })).rejects.toMatchObject({
    code: 'storage_unavailable',
  });
});

test('an unknown blob is not found, whatever its name looks like', async () => {
  for (const digest of [sha256Hex('x'), '../../etc/passwd', '']) {
    await expect(blobs.get(digest)).rejects.toMatchObject({ code: 'not_found' });
    expect(await blobs.has(digest)).toBe(false);
  }
});

test('an empty file is a blob too', async () => {
  expect(await blobs.put(Readable.from([]), { bytesMax })).toEqual({
    digest: sha256Hex(''),
    bytes: 0,
  });
});
