import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { limits } from '../base/limits.ts';

/** Puts the names in a directory on disk: after a loss of power a file is there only when its name is. */
export async function syncDirectory(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Gives a file whose bytes are on disk another name: a crash leaves it under one of the two, whole. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncDirectory(dirname(to));
}

/** Writes a private small file whole or not at all; `.new` beside it is what a crash may leave. */
export async function writeDurably(path: string, content: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.datasync();
  } finally {
    await file.close();
  }
  await renameDurably(`${path}.new`, path);
}

/** Finds out whether a directory takes files: writes one and removes it. Rejects as the disk does. */
export async function checkWritable(directory: string): Promise<void> {
  const path = join(directory, `check-${randomUUID()}`);
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(Buffer.alloc(limits.healthProbeBytes));
    await file.datasync();
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}
