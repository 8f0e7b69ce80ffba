import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256Hex } from '../base/digest.ts';
import type { BlobStore, ListedBlob } from './blobs.ts';

/** An implementation under test. */
export interface BlobsUnderTest {
  readonly blobs: BlobStore;
  /** Names of everything that is kept, and of what is still on its way. */
  readonly kept: () => Promise<readonly string[]>;
  readonly incoming: () => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
}

const bytesMax = 40 * 1024 * 1024;

async function collect(content: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts);
}

/** Pieces of a content that differ from one another. */
const pieces = (count: number, size: number): Buffer[] =>
  Array.from({ length: count }, (_, index) => Buffer.alloc(size, `${index}:`));

/** What every kind of blobs does, whatever keeps the bytes. */
export function describeBlobs(name: string, open: () => Promise<BlobsUnderTest>): void {
  describe(`blobs in ${name}`, () => {
    let under: BlobsUnderTest;
    beforeAll(async () => {
      under = await open();
    });
    afterAll(() => under?.close());
    const put = (...parts: (string | Buffer)[]) =>
      under.blobs.put(Readable.from(parts.map((part) => Buffer.from(part))), { bytesMax });

    test('are named by their digest and come back as they were', async () => {
      const { blobs } = under;
      const stored = await put('hello');
      expect(stored).toEqual({ digest: sha256Hex('hello'), bytes: 5 });
      expect((await blobs.read(stored.digest, 5)).toString()).toBe('hello');
      expect((await collect(await blobs.get(stored.digest))).toString()).toBe('hello');
      expect(await blobs.has(stored.digest)).toBe(true);
    });

    test('are kept once, and nothing stays behind of those on their way', async () => {
      const before = (await under.kept()).length;
      const [first] = await Promise.all([put('twice'), put('tw', 'ice')]);
      await put('twice');
      const kept = await under.kept();
      expect(kept).toHaveLength(before + 1);
      expect(kept.some((each) => each.endsWith(first.digest.slice(2)))).toBe(true);
      expect(await under.incoming()).toEqual([]);
    });

    test('may be of many parts and of a length that nobody said before', async () => {
      const parts = pieces(36, 1024 * 1024 + 1);
      const whole = Buffer.concat(parts);
      const stored = await put(...parts);
      expect(stored).toEqual({ digest: sha256Hex(whole), bytes: whole.length });
      const { digest } = stored;
      expect((await collect(await under.blobs.get(digest))).equals(whole)).toBe(true);
      const range = { start: 1024 * 1024 - 1, end: 20 * 1024 * 1024 };
      const part = await collect(await under.blobs.get(digest, range));
      expect(part.equals(whole.subarray(range.start, range.end + 1))).toBe(true);
    });

    test('may be empty', async () => {
      const { digest } = await under.blobs.put(Readable.from([]), { bytesMax });
      expect(digest).toBe(sha256Hex(''));
      expect(await collect(await under.blobs.get(digest))).toHaveLength(0);
      expect(await under.blobs.read(digest, 0)).toHaveLength(0);
    });

    test('beyond the limit are refused and leave nothing', async () => {
      const { digest } = await put('hello');
      const before = await under.kept();
      const small = Readable.from([Buffer.from('abcdef')]);
      const refusal = { code: 'too_large' };
      await expect(under.blobs.put(small, { bytesMax: 5 })).rejects.toMatchObject(refusal);
      await expect(under.blobs.read(digest, 4)).rejects.toMatchObject(refusal);
      expect(await under.incoming()).toEqual([]);
      expect(await under.kept()).toEqual(before);
    });

    test('that break off are refused and leave nothing', async () => {
      const before = await under.kept();
      const broken = Readable.from(
        (async function* () {
          yield Buffer.alloc(3 * 1024 * 1024, 'half');
          throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
        })(),
      );
      await expect(under.blobs.put(broken, { bytesMax })).rejects.toMatchObject({
        code: 'malformed_message',
      });
      expect(await under.incoming()).toEqual([]);
      expect(await under.kept()).toEqual(before);
    });

    test('are listed with size and age, and removed one by one, for good', async () => {
      const { blobs } = under;
      const [kept, other] = [await put('this one stays'), await put('this one goes')];
      const listed = async () => {
        const found: ListedBlob[] = [];
        for await (const each of blobs.list())
          if ([kept.digest, other.digest].includes(each.digest)) found.push(each);
        return found;
      };
      for (const { digest, bytes, storedTime } of await listed()) {
        expect(bytes).toBe(digest === kept.digest ? 14 : 13);
        expect(Math.abs(storedTime - Date.now())).toBeLessThan(60_000);
      }
      await blobs.remove(other.digest);
      await blobs.remove(other.digest);
      expect((await listed()).map(({ digest }) => digest)).toEqual([kept.digest]);
      expect(await blobs.has(other.digest)).toBe(false);
      expect((await blobs.read(kept.digest, 14)).toString()).toBe('this one stays');
      await put('this one goes');
      expect(await listed()).toHaveLength(2);
    });

    test('that nobody stored are not found, whatever their name looks like', async () => {
      for (const digest of [sha256Hex('nowhere'), '../../etc/passwd', '']) {
        const refusal = { code: 'not_found' };
        await expect(under.blobs.get(digest)).rejects.toMatchObject(refusal);
        await expect(under.blobs.read(digest, 1)).rejects.toMatchObject(refusal);
        expect(await under.blobs.has(digest)).toBe(false);
      }
    });
  });
}
