import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, rmSync } from 'node:fs';
import { access, type FileHandle, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { WherefromError } from '../base/errors.ts';
import type { Blobs, StoredBlob } from './blobs.ts';

export interface DirectoryBlobsOptions {
  /** Where the blobs live; it and its subdirectories are made when they are missing. */
  readonly directory: string;
}

/** Blobs as files of a directory: `sha256/ab/cdef…`, and `incoming/` for those being written. */
export function createDirectoryBlobs({ directory }: DirectoryBlobsOptions): Blobs {
  const incoming = join(directory, 'incoming');
  // What a crash cut off was never named by an entry.
  rmSync(incoming, { recursive: true, force: true });
  const pathOf = (digest: string): string => {
    if (!/^[0-9a-f]{64}$/.test(digest)) throw gone(digest);
    return join(directory, 'sha256', digest.slice(0, 2), digest.slice(2));
  };
  return {
    async put(content, { bytesMax }) {
      const temporary = join(incoming, randomUUID());
      try {
        await mkdir(incoming, { recursive: true });
        const stored = await writeTemporary(temporary, content, bytesMax);
        await keep(temporary, pathOf(stored.digest));
        return stored;
      } catch (thrown) {
        content.destroy();
        await rm(temporary, { force: true }).catch(() => undefined);
        throw explain(thrown);
      }
    },
    async get(digest) {
      const path = pathOf(digest);
      if (!(await exists(path))) throw gone(digest);
      return createReadStream(path);
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
  };
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

function gone(digest: string): WherefromError {
  return new WherefromError('not_found', `There is no blob ${digest.slice(0, 64)}.`, {
    hint: 'Restore the blobs of a backup, or upload the file again.',
  });
}

const tooLarge = (bytesMax: number): WherefromError =>
  new WherefromError('too_large', `The content is larger than ${bytesMax} bytes.`);

/** Streams into a file and puts it on disk. */
async function writeTemporary(
  path: string,
  content: Readable,
  bytesMax: number,
): Promise<StoredBlob> {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(path, 'wx');
  try {
    for await (const chunk of content) {
      // A request or file stream without encoding: its chunks are bytes.
      const part = chunk as Buffer;
      bytes += part.length;
      if (bytes > bytesMax) throw tooLarge(bytesMax);
      hash.update(part);
      await writeAll(file, part);
    }
    await file.datasync();
  } finally {
    await file.close();
  }
  return { digest: hash.digest('hex'), bytes };
}

async function writeAll(file: FileHandle, part: Buffer): Promise<void> {
  let offset = 0;
  while (offset < part.length) {
    const { bytesWritten } = await file.write(part, offset, part.length - offset);
    offset += bytesWritten;
  }
}

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
  await rename(temporary, path);
  await syncDirectory(folder);
  if (made !== undefined) {
    await syncDirectory(dirname(folder));
    await syncDirectory(dirname(dirname(folder)));
  }
}

async function syncDirectory(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** What the disk refused, in our words. */
function explain(thrown: unknown): unknown {
  if (thrown instanceof WherefromError || !(thrown instanceof Error)) return thrown;
  const code = 'code' in thrown ? thrown.code : undefined;
  if (code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE') {
    return new WherefromError('malformed_message', 'The upload ended before it was complete.', {
      cause: thrown,
    });
  }
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new WherefromError(
    'storage_unavailable',
    full
      ? 'The disk that holds the artifacts is full.'
      : `The artifact could not be stored: ${thrown.message}`,
    { hint: 'Make room or repair the disk, then send it again.', cause: thrown },
  );
}
