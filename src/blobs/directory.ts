import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { access, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BlobStore, ListedBlob } from './blobs.ts';
import { checkWritable, renameDurably, syncDirectory } from './durable.ts';
import { explainDisk, gone, readBytes, receive, tooLarge } from './receive.ts';

export interface DirectoryBlobsOptions {
  /** Where the blobs live; it and its subdirectories are made when they are missing. */
  readonly directory: string;
}

/** Blobs as files of a directory: `sha256/ab/cdef…`, and `incoming/` for those being written. */
export function createDirectoryBlobs({ directory }: DirectoryBlobsOptions): BlobStore {
  const incoming = join(directory, 'incoming');
  // What a crash cut off was never named by an entry.
  rmSync(incoming, { recursive: true, force: true });
  const pathOf = (digest: string): string => blobPath(directory, digest);
  return {
    async put(content, { bytesMax }) {
      const temporary = join(incoming, randomUUID());
      try {
        await mkdir(incoming, { recursive: true });
        const stored = await receive(content, { path: temporary, bytesMax, durable: true });
        await keep(temporary, pathOf(stored.digest));
        return stored;
      } catch (thrown) {
        content.destroy();
        await rm(temporary, { force: true }).catch(() => undefined);
        throw explainDisk(thrown);
      }
    },
    async get(digest, range) {
      const path = pathOf(digest);
      // Opened here, so that what is missing is told before an answer has begun.
      const file = await open(path).catch((thrown: NodeJS.ErrnoException) => {
        throw thrown.code === 'ENOENT' ? gone(digest) : explainDisk(thrown);
      });
      return file.createReadStream({ ...range, highWaterMark: readBytes });
    },
    async read(digest, bytesMax) {
      const path = pathOf(digest);
      const size = await stat(path).then(
        (found) => found.size,
        () => undefined,
      );
      if (size === undefined) throw gone(digest);
      if (size > bytesMax) throw tooLarge(bytesMax);
      return readFile(path);
    },
    async has(digest) {
      return /^[0-9a-f]{64}$/.test(digest) && (await exists(pathOf(digest)));
    },
    async check() {
      try {
        await mkdir(incoming, { recursive: true });
        await checkWritable(incoming);
      } catch (thrown) {
        throw explainDisk(thrown);
      }
    },
    list: () => listBlobs(directory),
    async remove(digest) {
      await rm(pathOf(digest), { force: true }).catch((thrown: unknown) => {
        throw explainDisk(thrown);
      });
    },
  };
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Where a blob lies in a directory of blobs. @throws not_found when that is no name of one. */
export function blobPath(directory: string, digest: string): string {
  if (!/^[0-9a-f]{64}$/.test(digest)) throw gone(digest);
  return join(directory, 'sha256', digest.slice(0, 2), digest.slice(2));
}

/** `BlobStore.list` of a directory, which need not be there. */
export async function* listBlobs(directory: string): AsyncGenerator<ListedBlob> {
  const root = join(directory, 'sha256');
  for (const start of await namesIn(root)) {
    for (const rest of await namesIn(join(root, start))) {
      const digest = start + rest;
      if (!/^[0-9a-f]{64}$/.test(digest)) continue;
      const { size: bytes, mtimeMs: storedTime } = await stat(join(root, start, rest));
      yield { digest, bytes, storedTime };
    }
  }
}

/** Names in a directory; none where there is no directory. @throws storage_unavailable. */
const namesIn = (path: string): Promise<string[]> =>
  readdir(path).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR') return [];
    throw explainDisk(thrown);
  });

/** Moves the file to its name and puts the name on disk: a crash leaves the whole blob or none. */
async function keep(temporary: string, path: string): Promise<void> {
  const folder = dirname(path);
  if (await exists(path)) {
    // Whoever put it there may not have put its name on disk yet.
    await syncDirectory(folder);
    await rm(temporary);
    return;
  }
  const made = await mkdir(folder, { recursive: true });
  await renameDurably(temporary, path);
  if (made !== undefined) {
    await syncDirectory(dirname(folder));
    await syncDirectory(dirname(dirname(folder)));
  }
}
