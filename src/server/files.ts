import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes a private file whole or not at all, and durably: a new file, fsync, rename, fsync of the directory. */
export function writeFileDurably(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.new`;
  const file = openSync(temporary, 'w', 0o600);
  try {
    writeSync(file, typeof content === 'string' ? Buffer.from(content) : content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  sync(dirname(path));
}

/** Puts a file in the place of another, durably: a crash leaves one of the two, whole. */
export function replaceFileDurably(path: string, by: string): void {
  sync(by);
  renameSync(by, path);
  sync(dirname(path));
}

/** Puts a file, or the names in a directory, on disk. */
function sync(path: string): void {
  const opened = openSync(path, 'r');
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}
