import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import { WherefromError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { StoredBlob } from './blobs.ts';
import {
  createFolder,
  readFolders,
  readParts,
  removeFolder,
  removePart,
  settleFolder,
  writePart,
} from './upload-folder.ts';

/** A part as its sender knows it. */
export interface PartName {
  /** From 1. */
  readonly number: number;
  /** What `putPart` answered. */
  readonly etag: string;
}

/**
 * Contents that come in parts, in any order, and are put together when all are there. What was
 * answered is on disk before: an upload goes on after a crash where it was.
 */
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
  /** By number: digests of what was sent. */
  readonly parts: Map<number, Set<string>>;
  /** ms since 1970. */
  touched: number;
  completed?: Promise<StoredBlob>;
  /** `completed` has its blob: only then is there less to keep. */
  isDone: boolean;
}

export interface UploadsOptions {
  /** Where the uploads lie, each in a folder of its own; its parent is there. */
  readonly directory: string;
  readonly clock: Clock;
}

/** Uploads whose parts are files of a directory. Those of before a restart go on. */
export function createUploads({ directory, clock }: UploadsOptions): Uploads {
  const register = createRegister(directory, clock);
  return {
    async begin(target) {
      await register.sweep();
      const id = randomBytes(16).toString('hex');
      const { folder } = register.add(id, target);
      try {
        await createFolder(folder, target);
      } catch (thrown) {
        register.forget(id);
        throw thrown;
      }
      return id;
    },
    async putPart(id, number, content) {
      const upload = register.find(id);
      if (upload.completed !== undefined) throw unknown(id);
      const digest = await writePart(upload.folder, number, content).catch((thrown: unknown) => {
        // Aborted or completed meanwhile: what was on its way is gone.
        throw register.has(id) && upload.completed === undefined ? thrown : unknown(id);
      });
      // Too late: what is being put together stays as it was told to be.
      if (register.find(id).completed !== undefined) throw unknown(id);
      const before = upload.parts.get(number) ?? [];
      upload.parts.set(number, new Set([digest]));
      for (const other of before)
        if (other !== digest) await removePart(upload.folder, number, other);
      return digest;
    },
    async complete({ id, target, parts }, store) {
      const upload = register.find(id, target);
      upload.completed ??= putTogether(upload, parts, store);
      try {
        const stored = await upload.completed;
        upload.isDone = true;
        return stored;
      } catch (thrown) {
        delete upload.completed;
        throw thrown;
      }
    },
    async abort(id, target) {
      const { folder } = register.find(id, target);
      register.forget(id);
      await removeFolder(folder);
    },
  };
}

/** The uploads that are known; those that were given up are removed. */
function createRegister(directory: string, clock: Clock) {
  const uploads = new Map<string, Upload>();
  for (const [id, { completed, ...upload }] of readFolders(directory)) {
    const folder = join(directory, id);
    uploads.set(id, {
      ...upload,
      folder,
      isDone: completed !== undefined,
      ...(completed && { completed: Promise.resolve(completed) }),
    });
  }
  const isOver = ({ isDone, touched }: Upload): boolean =>
    touched + (isDone ? limits.uploadDoneMsMax : limits.uploadIdleMsMax) < clock.now();
  for (const [id, upload] of uploads) {
    if (!isOver(upload)) continue;
    uploads.delete(id);
    rmSync(upload.folder, { recursive: true, force: true });
  }
  return {
    add(id: string, target: string): Upload {
      const open = [...uploads.values()].filter(({ isDone }) => !isDone);
      if (open.length >= limits.uploadsMax) {
        throw new WherefromError('overloaded', `${open.length} uploads are under way.`, {
          hint: 'Wait until some of them are complete.',
        });
      }
      const folder = join(directory, id);
      const touched = clock.now();
      const upload: Upload = { target, folder, parts: new Map(), touched, isDone: false };
      uploads.set(id, upload);
      return upload;
    },
    find(id: string, target?: string): Upload {
      const upload = uploads.get(id);
      if (upload === undefined || (target !== undefined && upload.target !== target))
        throw unknown(id);
      upload.touched = clock.now();
      return upload;
    },
    has: (id: string): boolean => uploads.has(id),
    forget: (id: string): boolean => uploads.delete(id),
    /** Senders that vanish never abort. */
    async sweep(): Promise<void> {
      for (const [id, upload] of uploads) {
        if (!isOver(upload)) continue;
        uploads.delete(id);
        await removeFolder(upload.folder);
      }
    },
  };
}

const unknown = (id: string): WherefromError =>
  new WherefromError('not_found', `There is no upload ${id.slice(0, 64)}.`, {
    hint: 'It was completed, aborted or given up: begin again.',
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
  const inOrder = names
    .map(({ number, etag }) => ({ number, digest: etag.replaceAll('"', '') }))
    .sort((a, b) => a.number - b.number);
  for (const [index, { number, digest }] of inOrder.entries()) {
    if (parts.get(number)?.has(digest) !== true || inOrder[index + 1]?.number === number) {
      throw new WherefromError('invalid_message', `Part ${number} is not the one that was sent.`, {
        hint: 'Send the part again, and complete with the ETag that came back.',
      });
    }
  }
  const stored = await store(Readable.from(readParts(folder, inOrder), { objectMode: false }));
  // Before the entry that will name the blob: whoever asks again after a crash gets it from here.
  await settleFolder(folder, stored);
  return stored;
}
