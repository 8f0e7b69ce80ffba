import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { WherefromError } from '../base/errors.ts';
import type { StoredBlob } from './blobs.ts';

/** Bytes of one write: a socket gives 64 KiB, and each write is a trip to another thread. */
const gatheredBytesMin = 1024 * 1024;
/** Bytes after which the disk is told to begin: the wait at the end is short then. */
const flushedBytesMin = 32 * 1024 * 1024;
/** Reading is in pieces of this size, for the same reason as writing. */
export const readBytes = 1024 * 1024;

export interface ReceiveOptions {
  /** A file that must not be there yet. */
  readonly path: string;
  readonly bytesMax: number;
  /** Puts the bytes on disk before it returns. */
  readonly durable: boolean;
}

/**
 * Writes a stream into a new file and hashes it on the way. At most two gatherings are in memory.
 * @throws too_large; malformed_message when the stream breaks off; storage_unavailable. The file is
 *   the caller's to remove.
 */
export async function receive(content: Readable, options: ReceiveOptions): Promise<StoredBlob> {
  try {
    return await write(content, options);
  } catch (thrown) {
    content.destroy();
    throw explainDisk(thrown);
  }
}

async function write(
  content: Readable,
  { path, bytesMax, durable }: ReceiveOptions,
): Promise<StoredBlob> {
  const hash = createHash('sha256');
  const file = await open(path, 'wx');
  const writer = createWriter(file, durable);
  let bytes = 0;
  try {
    for await (const chunk of content) {
      // A request or file stream without encoding: its chunks are bytes.
      const part = chunk as Buffer;
      bytes += part.length;
      if (bytes > bytesMax) throw tooLarge(bytesMax);
      // Hashed while the gathering before this one is being written.
      hash.update(part);
      await writer.add(part);
    }
    await writer.finish();
  } finally {
    await writer.idle();
    await file.close();
  }
  return { digest: hash.digest('hex'), bytes };
}

const settled = (work: Promise<unknown>): Promise<unknown> => work.catch(() => undefined);

/** Gathers parts and writes one gathering while the next one comes in. */
function createWriter(file: FileHandle, durable: boolean) {
  let parts: Buffer[] = [];
  let gathered = 0;
  let unflushed = 0;
  let writing: Promise<unknown> = Promise.resolve();
  let flushing: Promise<unknown> = Promise.resolve();
  let isFlushing = false;

  /** Lets the disk work beside the transfer. A disk tells a fault once: `finish` asks for all of them. */
  function flush(): void {
    if (!durable || isFlushing || unflushed < flushedBytesMin) return;
    unflushed = 0;
    isFlushing = true;
    flushing = Promise.all([flushing, file.datasync()]).finally(() => {
      isFlushing = false;
    });
    void settled(flushing);
  }

  async function send(): Promise<void> {
    await writing;
    flush();
    const [taken, size] = [parts, gathered];
    parts = [];
    gathered = 0;
    unflushed += size;
    writing = writeAll(file, taken, size);
    // Whoever comes next awaits it; until then its failure is not unhandled.
    void settled(writing);
  }

  return {
    async add(part: Buffer): Promise<void> {
      parts.push(part);
      gathered += part.length;
      if (gathered >= gatheredBytesMin) await send();
    },
    async finish(): Promise<void> {
      if (gathered > 0) await send();
      await writing;
      await flushing;
      if (durable) await file.datasync();
    },
    /** Nothing uses the file any more; failures are told elsewhere. */
    async idle(): Promise<void> {
      await settled(writing);
      await settled(flushing);
    },
  };
}

async function writeAll(file: FileHandle, parts: Buffer[], size: number): Promise<void> {
  const { bytesWritten } = await file.writev(parts);
  if (bytesWritten === size) return;
  // The disk took less than it was given: the rest goes piece by piece.
  const rest = Buffer.concat(parts).subarray(bytesWritten);
  for (let offset = 0; offset < rest.length; ) {
    const written = await file.write(rest, offset, rest.length - offset);
    offset += written.bytesWritten;
  }
}

/** The refusal of content that is larger than it may be. */
export const tooLarge = (bytesMax: number): WherefromError =>
  new WherefromError('too_large', `The content is larger than ${bytesMax} bytes.`);

/** The refusal of a digest that nothing is kept under. */
export function gone(digest: string): WherefromError {
  return new WherefromError('not_found', `There is no blob ${digest.slice(0, 64)}.`, {
    hint: 'Restore the blobs of a backup, or upload the file again.',
  });
}

/** What the disk refused, or how a stream ended, in our words. */
export function explainDisk(thrown: unknown): unknown {
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
      : `The artifact could not be stored: ${thrown.message}.`,
    { hint: 'Make room or repair the disk, then send it again.', cause: thrown },
  );
}
