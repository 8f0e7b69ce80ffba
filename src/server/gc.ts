import { join } from 'node:path';
import { limits } from '../base/limits.ts';
import type { BlobStore } from '../blobs/blobs.ts';
import { completedBlobs } from '../blobs/upload-folder.ts';
import { openSqliteReader } from '../store/sqlite/open.ts';
import { openBlobs } from './artifact-store.ts';
import type { Config } from './config.ts';
import { type DataDirectory, openDataDirectory, readDataDirectory } from './data-directory.ts';

/** How many blobs, and their bytes together. */
export interface BlobCount {
  readonly blobs: number;
  readonly bytes: number;
}

/** What became of the blobs. */
export interface Collected {
  /** Removed for good; only found with `dryRun`. */
  readonly removed: BlobCount;
  /** Nothing names them, but they came within `limits.unnamedBlobMsMin`. */
  readonly young: BlobCount;
  readonly named: BlobCount;
}

/**
 * Removes the blobs that nothing names any more, of a data directory that no server uses. Each goes
 * by itself: cut off, it goes on where it was when it is called again.
 * @param options.now ms since 1970, which the age of a blob is counted to.
 * @throws conflict when a server uses the directory, or its projections are of another version;
 *   not_found when it is none; storage_unavailable.
 */
export async function collectBlobs(
  config: Config,
  options: { readonly now: number; readonly dryRun: boolean },
): Promise<Collected> {
  readDataDirectory(config.data);
  const directory = openDataDirectory(config.data);
  try {
    const named = await namedBlobs(directory);
    const blobs = await openBlobs(config, directory.blobsPath);
    return await sweep(blobs, { ...options, named });
  } finally {
    directory.lock?.release();
  }
}

/** Everything that names a blob: whoever lets something else name one adds it here. */
async function namedBlobs({ storePath, blobsPath }: DataDirectory): Promise<Set<string>> {
  const store = openSqliteReader(storePath);
  try {
    // Files of runs, logged models and traces are all at paths; those of deleted runs too, which
    // can be restored.
    const named = new Set(await store.read(({ tracking }) => tracking.namedBlobs()));
    for (const digest of completedBlobs(join(blobsPath, 'uploads'))) named.add(digest);
    return named;
  } finally {
    store.close();
  }
}

async function sweep(
  blobs: BlobStore,
  options: {
    readonly now: number;
    readonly dryRun: boolean;
    readonly named: ReadonlySet<string>;
  },
): Promise<Collected> {
  const counts = { removed: counter(), young: counter(), named: counter() };
  const going: string[] = [];
  const remove = (): Promise<unknown> =>
    Promise.all(going.splice(0).map((digest) => blobs.remove(digest)));
  for await (const { digest, bytes, storedTime } of blobs.list()) {
    if (options.named.has(digest)) counts.named.add(bytes);
    else if (storedTime + limits.unnamedBlobMsMin > options.now) counts.young.add(bytes);
    else {
      counts.removed.add(bytes);
      if (!options.dryRun) going.push(digest);
    }
    if (going.length >= limits.blobRemovalsMax) await remove();
  }
  await remove();
  const { removed, young, named } = counts;
  return { removed: removed.total, young: young.total, named: named.total };
}

function counter() {
  const total = { blobs: 0, bytes: 0 };
  const add = (bytes: number): void => {
    total.blobs += 1;
    total.bytes += bytes;
  };
  return { total, add };
}
