import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeBlobs } from '../../src/blobs/blobs-suite.ts';
import { createS3Blobs, type S3BlobsOptions } from '../../src/blobs/s3.ts';
import { awsEnvironment, bucket, type S3Server, startS3Server } from './s3-server.ts';

let server: S3Server;
let spool: string;
const bytesMax = 1024;

beforeAll(async () => {
  Object.assign(process.env, awsEnvironment);
  server = await startS3Server();
  spool = mkdtempSync(join(tmpdir(), 'wherefrom-spool-'));
});
afterAll(async () => {
  await server?.stop();
  rmSync(spool, { recursive: true, force: true });
});

const options = (more: Partial<S3BlobsOptions> = {}): S3BlobsOptions => ({
  bucket,
  prefix: 'artifacts',
  endpoint: server.endpoint,
  pathStyle: true,
  links: true,
  spool: join(spool, 'incoming'),
  ...more,
});

describeBlobs('an S3-compatible bucket', async () => ({
  blobs: createS3Blobs(options()),
  kept: async () => [...(await server.objects()).keys()],
  incoming: async () => readdirSync(join(spool, 'incoming')),
  close: async () => undefined,
}));

test('a bucket is tried by writing, reading and deleting, and stays as it was', async () => {
  const before = await server.objects();
  await createS3Blobs(options({ spool: join(spool, 'other') })).check();
  expect(await server.objects()).toEqual(before);
});

test('a bucket that is not there, or does not answer, is named in the refusal', async () => {
  const wrong = createS3Blobs(options({ bucket: 'nowhere', spool: join(spool, 'other') }));
  const refusal = { code: 'storage_unavailable', message: expect.stringContaining('nowhere') };
  await expect(wrong.check()).rejects.toMatchObject(refusal);
  await expect(wrong.put(Readable.from([Buffer.from('x')]), { bytesMax })).rejects.toMatchObject(
    refusal,
  );
  const silent = createS3Blobs(
    options({ endpoint: 'http://127.0.0.1:9', spool: join(spool, 'x') }),
  );
  await expect(silent.check()).rejects.toMatchObject({
    code: 'storage_unavailable',
    message: expect.stringContaining('ECONNREFUSED'),
  });
});

test('a link reads the blob from the bucket itself, with the headers that were asked for', async () => {
  const blobs = createS3Blobs(options({ spool: join(spool, 'other') }));
  const { digest } = await blobs.put(Readable.from([Buffer.from('hello')]), { bytesMax });
  const url = await blobs.link?.(digest, {
    seconds: 60,
    disposition: 'attachment; filename=a.txt',
    type: 'text/plain',
  });
  const reply = await fetch(url ?? '', { headers: { range: 'bytes=1-3' } });
  expect(reply.status).toBe(206);
  expect(await reply.text()).toBe('ell');
  expect(reply.headers.get('content-disposition')).toBe('attachment; filename=a.txt');
  expect(
    createS3Blobs(options({ links: false, spool: join(spool, 'other') })).link,
  ).toBeUndefined();
});
