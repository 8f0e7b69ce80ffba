import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { blobPath, listBlobs } from './directory.ts';
import { readBytes } from './receive.ts';

/** A blob that was read through. */
export interface CheckedBlob {
  readonly digest: string;
  readonly bytes: number;
  /** What is wrong with it, to follow its name; absent when its content is what its name says. */
  readonly problem?: string;
}

/**
 * Reads every blob of a directory, in no order, one at a time. Writes nothing there: a server may be
 * at work in it, or it may be on a read-only disk.
 * @throws storage_unavailable when the directory cannot be listed.
 */
export async function* checkBlobs(directory: string): AsyncGenerator<CheckedBlob> {
  for await (const { digest, bytes } of listBlobs(directory)) {
    try {
      const hash = createHash('sha256');
      await pipeline(
        createReadStream(blobPath(directory, digest), { highWaterMark: readBytes }),
        hash,
      );
      const isSound = hash.digest('hex') === digest;
      yield { digest, bytes, ...(!isSound && { problem: 'is damaged' }) };
    } catch (thrown) {
      // A bad block of a disk is damage; so is what nobody may read, to who should check it.
      const { code } = thrown as NodeJS.ErrnoException; // file errors carry one
      yield { digest, bytes, problem: `cannot be read (${code ?? 'unknown error'})` };
    }
  }
}
