import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryDirectory } from '../testing/store.ts';
import { openBlobs, openBucket } from './artifact-store.ts';
import { type Environment, loadConfig, readEnvironment } from './config.ts';

const environment: Environment = { ...readEnvironment(), config: {}, configFile: undefined };
const configure = (flags: Readonly<Record<string, unknown>>) =>
  loadConfig(flags, environment).config;

let directory: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => directory.remove());

test.each([
  [{ artifacts: 'gs://bucket' }, 's3://BUCKET/PREFIX, or a directory'],
  [{ artifacts: 's3://' }, 's3://BUCKET/PREFIX, or a directory'],
  [{ artifacts: 's3://key:secret@bucket/x' }, 's3://BUCKET/PREFIX, or a directory'],
  [{ s3Endpoint: 'minio:9000' }, 'is a URL'],
  [{ s3Endpoint: 'http://key:secret@minio:9000' }, 'no user name or password'],
  [{ s3Addressing: 'other' }, 's3Addressing'],
  [{ publicUrl: 'lineage.example.com' }, 'is a URL'],
])('%o is refused', (flags, message) => {
  expect(() => configure(flags)).toThrow(message);
  expect(() => configure(flags)).not.toThrow('secret');
});

test('artifacts are kept with the data, or in a directory of their own', async () => {
  const data = join(directory.path, 'data');
  const own = join(directory.path, 'own');
  for (const [artifacts, place] of [
    ['', data],
    [own, own],
  ] as const) {
    const blobs = await openBlobs(configure({ artifacts }), data);
    const { digest } = await blobs.put(Readable.from([Buffer.from(artifacts)]), { bytesMax: 1e3 });
    expect(existsSync(join(place, 'sha256', digest.slice(0, 2), digest.slice(2)))).toBe(true);
    expect(blobs.link).toBeUndefined();
  }
});

test('links lead to the bucket that was named, in the way that was said, without its keys', async () => {
  process.env.AWS_ACCESS_KEY_ID = 'a-key';
  process.env.AWS_SECRET_ACCESS_KEY = 'a-secret';
  const digest = 'ab'.repeat(32);
  const link = async (flags: Readonly<Record<string, unknown>>) => {
    const config = configure({ s3DirectDownloads: true, s3Region: 'eu-west-1', ...flags });
    const bucket = await openBucket(config, join(directory.path, 'spool'));
    const url = await bucket?.link?.(digest, { seconds: 60, disposition: 'attachment', type: 'x' });
    expect(url).not.toContain('a-secret');
    return url?.split('?')[0];
  };
  const key = `sha256/ab/${digest.slice(2)}`;
  const there = { artifacts: 's3://bucket/of/team/', s3Endpoint: 'http://minio:9000/' };
  expect(await link(there)).toBe(`http://minio:9000/bucket/of/team/${key}`);
  expect(await link({ ...there, s3Addressing: 'host' })).toBe(
    `http://bucket.minio:9000/of/team/${key}`,
  );
  expect(await link({ artifacts: 's3://bucket' })).toBe(
    `https://bucket.s3.eu-west-1.amazonaws.com/${key}`,
  );
  const kept = await openBucket(configure({ artifacts: 's3://b', s3Region: 'x' }), directory.path);
  expect(kept?.link).toBeUndefined();
});
