import { randomBytes } from 'node:crypto';
import { createReadStream, rmSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import { WherefromError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { StoredBlob } from './blobs.ts';
import { explainDisk, readBytes, receive } from './receive.ts';

/** A part as its sender knows it. */
export interface PartName {
  /** From 1. */
  readonly number: number;
  /** What `putPart` answered. */
  readonly etag: string;
}

/** Contents that come in parts, in any order, and are put together when all are there. */
export interface Uploads {
  /** Begins one for a target, an opaque text. @returns its id. @throws overloaded. */
  begin(target: string): Promise<string>;
  /** Takes a part; sent again it takes the place of the one before. @returns its etag. @throws not_found. */
  putPart(id: string, number: number, content: Readable): Promise<string>;
  /**
   * Puts the parts together, in their order, and hands them to `store`. Asked again it answers the
   * same: a client repeats what took longer than it waits.
   * @throws not_found; invalid_message for parts that are missing or are not those that were sent.
   */
  complete(
    upload: { readonly id: string; readonly target: string; readonly parts: readonly PartName[] },
    store: (content: Readable) => Promise<StoredBlob>,
  ): Promise<StoredBlob>;
  /** Forgets one and its parts. @throws not_found. */
  abort(id: string, target: string): Promise<void>;
}

interface Upload {
  readonly target: string;
  readonly folder: string;
  /** By number: where the part lies. */
  readonly parts: Map<number, { readonly path: string; readonly etag: string }>;
  touched: number;
  completed?: Promise<StoredBlob>;
}

export interface UploadsOptions {
  /** Where the parts lie; emptied at the start: nobody can go on with what a restart cut off. */
  readonly directory: string;
  readonly clock: Clock;
}

/** The uploads that are known. */
function createRegister(clock: Clock) {
  const uploads = new Map<string, Upload>();
  return {
    add(id: string, upload: Omit<Upload, 'touched'>): void {
      const open = [...uploads.values()].filter(({ completed }) => completed === undefined);
      if (open.length >= limits.uploadsMax) {
        throw new WherefromError('overloaded', `${open.length} uploads are under way.`, {
          hint: 'Wait until some of them are complete.',
        });
      }
      uploads.set(id, { ...upload, touched: clock.now() });
    },
    find(id: string, target?: string): Upload {
      const upload = uploads.get(id);
      if (upload === undefined || (target !== undefined && upload.target !== target))
        throw unknown(id);
      upload.touched = clock.now();
      return upload;
    },
    async remove(id: string, { folder }: Upload): Promise<void> {
      uploads.delete(id);
      await rm(folder, { recursive: true, force: true });
    },
    /** Senders that vanish never abort. */
    async sweep(): Promise<void> {
      const now = clock.now();
      for (const [id, upload] of uploads) {
        const { uploadIdleMsMax, uploadDoneMsMax } = limits;
        const kept = upload.completed === undefined ? uploadIdleMsMax : uploadDoneMsMax;
        if (upload.touched + kept < now) await this.remove(id, upload);
      }
    },
  };
}

/** Uploads whose parts are files of a directory. */
export function createUploads({ directory, clock }: UploadsOptions): Uploads {
  rmSync(directory, { recursive: true, force: true });
  const register = createRegister(clock);
  return {
    async begin(target) {
      await register.sweep();
      const id = randomBytes(16).toString('hex');
      const folder = join(directory, id);
      register.add(id, { target, folder, parts: new Map() });
      await mkdir(folder, { recursive: true });
      return id;
    },
    async putPart(id, number, content) {
      const { folder, parts, completed } = register.find(id);
      if (completed !== undefined) throw unknown(id);
      const etag = randomBytes(16).toString('hex');
      const path = join(folder, etag);
      try {
        await receive(content, { path, bytesMax: limits.uploadPartBytesMax, durable: false });
      } catch (thrown) {
        await rm(path, { force: true });
        throw thrown;
      }
      const before = parts.get(number);
      parts.set(number, { path, etag });
      if (before !== undefined) await rm(before.path, { force: true });
      return etag;
    },
    async complete({ id, target, parts }, store) {
      const upload = register.find(id, target);
      upload.completed ??= putTogether(upload, parts, store);
      try {
        return await upload.completed;
      } catch (thrown) {
        delete upload.completed;
        throw thrown;
      }
    },
    abort: async (id, target) => register.remove(id, register.find(id, target)),
  };
}

const unknown = (id: string): WherefromError =>
  new WherefromError('not_found', `There is no upload ${id.slice(0, 64)}.`, {
    hint: 'It was completed, aborted or cut off: begin again.',
  });

async function putTogether(
  { parts, folder }: Upload,
  names: readonly PartName[],
  store: (content: Readable) => Promise<StoredBlob>,
): Promise<StoredBlob> {
  // Nothing at all is an empty file; but whoever sent parts means them.
  if (names.length === 0 && parts.size > 0) {
    throw new WherefromError('invalid_message', 'The upload names none of its parts.', {
      hint: 'Complete it with the number and the ETag of each.',
    });
  }
  const inOrder = [...names].sort((a, b) => a.number - b.number);
  const paths = inOrder.map(({ number, etag }, index) => {
    const part = parts.get(number);
    if (part?.etag !== etag.replaceAll('"', '') || inOrder[index + 1]?.number === number) {
      throw new WherefromError('invalid_message', `Part ${number} is not the one that was sent.`, {
        hint: 'Send the part again, and complete with the ETag that came back.',
      });
    }
    return part.path;
  });
  const stored = await store(Readable.from(contentOf(paths), { objectMode: false }));
  await rm(folder, { recursive: true, force: true });
  return stored;
}

async function* contentOf(paths: readonly string[]): AsyncGenerator<Buffer> {
  try {
    for (const path of paths) yield* createReadStream(path, { highWaterMark: readBytes });
  } catch (thrown) {
    throw explainDisk(thrown);
  }
}
