import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { describeBlobs } from './blobs-suite.ts';
import { createDirectoryBlobs } from './directory.ts';

const listed = (path: string): Promise<string[]> =>
  readdir(path, { recursive: true, withFileTypes: true }).then(
    (entries) =>
      entries
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => join(parentPath, name)),
    () => [],
  );

describeBlobs('a directory', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'wherefrom-blobs-'));
  return {
    blobs: createDirectoryBlobs({ directory }),
    kept: () => listed(join(directory, 'sha256')),
    incoming: () => listed(join(directory, 'incoming')),
    close: () => rm(directory, { recursive: true }),
  };
});

test('what a crash left on its way is gone at the next start', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'wherefrom-blobs-'));
  await mkdir(join(directory, 'incoming'));
  await writeFile(join(directory, 'incoming', 'half'), 'half of it');
  createDirectoryBlobs({ directory });
  expect(await listed(directory)).toEqual([]);
  await rm(directory, { recursive: true });
});

test('a directory that cannot be written says so', async () => {
  const nowhere = createDirectoryBlobs({ directory: '/dev/null/blobs' });
  await expect(nowhere.put(Readable.from(['x']), { bytesMax: 1 })).rejects.toMatchObject({
    code: 'storage_unavailable',
  });
});
