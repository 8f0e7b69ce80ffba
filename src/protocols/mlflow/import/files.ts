import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceFile } from './source.ts';

/** All files below a directory, by name; none when it is not there. Links are not followed. */
export async function* filesBelow(directory: string, prefix = ''): AsyncIterable<SourceFile> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(
    (thrown: NodeJS.ErrnoException) => {
      if (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR') return [];
      throw thrown;
    },
  );
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = prefix + entry.name;
    const whole = join(directory, entry.name);
    if (entry.isDirectory()) yield* filesBelow(whole, `${path}/`);
    else if (entry.isFile()) {
      const { size, mtimeMs } = await stat(whole);
      yield { path, bytes: size, time: Math.floor(mtimeMs), open: () => createReadStream(whole) };
    }
  }
}
