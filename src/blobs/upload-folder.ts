import { randomUUID } from 'node:crypto';
import { createReadStream, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { limits } from '../base/limits.ts';
import type { StoredBlob } from './blobs.ts';
import { renameDurably, syncDirectory, writeDurably } from './durable.ts';
import { explainDisk, readBytes, receive } from './receive.ts';

/**
 * What a folder holds of an upload: all there is to know of it, so that a restart finds it again.
 * `target` is what it belongs to, and is there before the upload is known to anybody; `3-<digest>` is
 * part 3; `completed` names the blob that the parts became; `*.new` is on its way.
 */
export interface UploadOnDisk {
  readonly target: string;
  /** By number: digests (SHA-256, hex) of what was sent; two only where a crash came between them. */
  readonly parts: Map<number, Set<string>>;
  readonly completed?: StoredBlob;
  /** When it last changed, ms since 1970. */
  readonly touched: number;
}

const partName = (number: number, digest: string): string => `${number}-${digest}`;

/** Makes the folder. When it returns, the upload outlives a crash. @throws storage_unavailable. */
export async function createFolder(folder: string, target: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await writeDurably(join(folder, 'target'), target);
    await syncDirectory(dirname(folder));
    await syncDirectory(dirname(dirname(folder)));
  } catch (thrown) {
    throw explainDisk(thrown);
  }
}

/** Removes the folder; `target` goes first, so that what a crash leaves is no upload any more. */
export async function removeFolder(folder: string): Promise<void> {
  await rm(join(folder, 'target'), { force: true });
  await rm(folder, { recursive: true, force: true });
  await syncDirectory(dirname(folder));
}

/**
 * Takes a part. When it returns, the part outlives a crash.
 * @returns its digest, which is its ETag: the same bytes sent again are the same part.
 * @throws what `receive` throws.
 */
export async function writePart(
  folder: string,
  number: number,
  content: Readable,
): Promise<string> {
  const temporary = join(folder, `${randomUUID()}.new`);
  try {
    const { digest } = await receive(content, {
      path: temporary,
      bytesMax: limits.uploadPartBytesMax,
      durable: true,
    });
    await renameDurably(temporary, join(folder, partName(number, digest)));
    return digest;
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw explainDisk(thrown);
  }
}

/** Removes a part that another has taken the place of. */
export const removePart = (folder: string, number: number, digest: string): Promise<void> =>
  rm(join(folder, partName(number, digest)), { force: true });

/** The bytes of parts, one after the other. */
export async function* readParts(
  folder: string,
  parts: readonly { readonly number: number; readonly digest: string }[],
): AsyncGenerator<Buffer> {
  try {
    for (const { number, digest } of parts)
      yield* createReadStream(join(folder, partName(number, digest)), { highWaterMark: readBytes });
  } catch (thrown) {
    throw explainDisk(thrown);
  }
}

/** Writes what the parts have become, then lets go of them: the blob is durable. @throws storage_unavailable. */
export async function settleFolder(folder: string, stored: StoredBlob): Promise<void> {
  try {
    await writeDurably(join(folder, 'completed'), JSON.stringify(stored));
  } catch (thrown) {
    throw explainDisk(thrown);
  }
  for (const name of namesIn(folder)) {
    // What cannot be removed now goes with the folder.
    if (!keptNames.has(name)) await rm(join(folder, name), { force: true }).catch(() => undefined);
  }
}

const keptNames: ReadonlySet<string> = new Set(['target', 'completed']);

/** Blobs that uploads of a directory have become, and that no entry may name yet. Changes nothing. */
export function completedBlobs(directory: string): string[] {
  return namesIn(directory).flatMap((id) => {
    const folder = join(directory, id);
    return namesIn(folder).includes('completed') ? [readCompleted(folder).digest] : [];
  });
}

/** Written by `settleFolder`, whole or not at all. */
const readCompleted = (folder: string): StoredBlob =>
  JSON.parse(readFileSync(join(folder, 'completed'), 'utf8')) as StoredBlob;

/** The uploads of a directory, by id. What nobody was told of, because a crash came before, is removed. */
export function readFolders(directory: string): Map<string, UploadOnDisk> {
  const uploads = new Map<string, UploadOnDisk>();
  for (const id of namesIn(directory)) {
    const folder = join(directory, id);
    const upload = readFolder(folder);
    if (upload) uploads.set(id, upload);
    else rmSync(folder, { recursive: true, force: true });
  }
  return uploads;
}

function readFolder(folder: string): UploadOnDisk | undefined {
  // Before anything is removed: removing touches the folder.
  const touched = statSync(folder).mtimeMs;
  const names = namesIn(folder);
  if (!names.includes('target')) return undefined;
  const isCompleted = names.includes('completed');
  const parts = new Map<number, Set<string>>();
  for (const name of names) {
    const [, number, digest] = /^(\d+)-([0-9a-f]{64})$/.exec(name) ?? [];
    if (number !== undefined && digest !== undefined && !isCompleted) {
      parts.set(Number(number), (parts.get(Number(number)) ?? new Set()).add(digest));
    } else if (!keptNames.has(name)) rmSync(join(folder, name), { force: true });
  }
  return {
    target: readFileSync(join(folder, 'target'), 'utf8'),
    parts,
    ...(isCompleted && { completed: readCompleted(folder) }),
    touched,
  };
}

/** Names in a directory; none where there is no directory. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw explainDisk(thrown);
  }
}
