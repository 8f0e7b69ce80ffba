import { randomUUID } from 'node:crypto';
import { createReadStream, rmSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { WherefromError } from '../base/errors.ts';
import type { Blobs, ByteRange } from './blobs.ts';
import { gone, readBytes, receive, tooLarge } from './receive.ts';

/** Bytes of one part. With S3's 10,000 parts that is 160 GiB, above the limit for one artifact. */
const partBytes = 16 * 1024 * 1024;
/** Parts under way at once: with their size, what one upload holds in memory. */
const partsAtOnce = 3;

export interface S3BlobsOptions {
  readonly bucket: string;
  /** Put before every key; without slashes at its ends, may be empty. */
  readonly prefix: string;
  /** A local directory for what is on its way; emptied at the start. */
  readonly spool: string;
  /** URL of an S3-compatible server; AWS when it is left out. */
  readonly endpoint?: string;
  /** The SDK's own rules when it is left out. */
  readonly region?: string;
  /** The bucket in the path of URLs, not in the host name. */
  readonly pathStyle: boolean;
  /** Clients reach the store: `link` is there. */
  readonly links: boolean;
}

/** Blobs in a bucket, and a way to find out whether the bucket can be used. */
export interface S3Blobs extends Blobs {
  /** Writes, reads and deletes an object. @throws storage_unavailable saying what was refused. */
  check(): Promise<void>;
}

/** Content-addressed objects, `prefix/sha256/ab/cdef…`. Credentials are those of the AWS SDK's chain. */
export function createS3Blobs(options: S3BlobsOptions): S3Blobs {
  const { bucket, spool } = options;
  const client = createClient(options);
  // What a crash cut off was never sent to the bucket.
  rmSync(spool, { recursive: true, force: true });
  const keyOf = (digest: string): string => {
    if (!/^[0-9a-f]{64}$/.test(digest)) throw gone(digest);
    const name = `sha256/${digest.slice(0, 2)}/${digest.slice(2)}`;
    return options.prefix === '' ? name : `${options.prefix}/${name}`;
  };
  const explain = (thrown: unknown, digest?: string): unknown => explainS3(thrown, bucket, digest);

  async function get(digest: string, range?: ByteRange): Promise<Readable> {
    const Range = range === undefined ? {} : { Range: `bytes=${range.start}-${range.end}` };
    const Key = keyOf(digest);
    const { Body } = await client
      .send(new GetObjectCommand({ Bucket: bucket, Key, ...Range }))
      .catch((thrown: unknown) => {
        throw explain(thrown, digest);
      });
    // In Node.js the SDK gives a stream of Node.js; it knows browsers too.
    return Body instanceof Readable ? Body : Readable.from([]);
  }

  /** Bytes of what is there already; undefined when it is not, or when we may not know. */
  async function stored(digest: string): Promise<number | undefined> {
    const { ContentLength } = await client
      .send(new HeadObjectCommand({ Bucket: bucket, Key: keyOf(digest) }))
      .catch(() => ({ ContentLength: undefined }));
    return ContentLength;
  }

  return {
    async put(content, { bytesMax }) {
      const path = join(spool, randomUUID());
      try {
        await mkdir(spool, { recursive: true });
        const blob = await receive(content, { path, bytesMax, durable: false });
        if ((await stored(blob.digest)) !== blob.bytes)
          await send(client, { path, bucket, key: keyOf(blob.digest) });
        return blob;
      } catch (thrown) {
        content.destroy();
        throw explain(thrown);
      } finally {
        await rm(path, { force: true });
      }
    },
    get,
    async read(digest, bytesMax) {
      const parts: Buffer[] = [];
      let bytes = 0;
      for await (const part of await get(digest)) {
        bytes += part.length;
        if (bytes > bytesMax) throw tooLarge(bytesMax);
        parts.push(part);
      }
      return Buffer.concat(parts);
    },
    async has(digest) {
      return /^[0-9a-f]{64}$/.test(digest) && (await stored(digest)) !== undefined;
    },
    ...(options.links && {
      link: (digest, { seconds, disposition, type }) =>
        getSignedUrl(
          client,
          new GetObjectCommand({
            Bucket: bucket,
            Key: keyOf(digest),
            ResponseContentDisposition: disposition,
            ResponseContentType: type,
          }),
          { expiresIn: seconds },
        ),
    }),
    check: () =>
      check(client, bucket, join(options.prefix, `check-${randomUUID()}`)).catch((thrown) => {
        throw explain(thrown);
      }),
  };
}

function createClient({ endpoint, region, pathStyle }: S3BlobsOptions): S3Client {
  return new S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    forcePathStyle: pathStyle,
    // Servers other than AWS do not all know the SDK's newer checksums; requests are signed anyway.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

/** Sends a file as one object: nothing of it can be seen before all of it is there. */
async function send(
  client: S3Client,
  { path, bucket, key }: { path: string; bucket: string; key: string },
): Promise<void> {
  await new Upload({
    client,
    params: {
      Bucket: bucket,
      Key: key,
      Body: createReadStream(path, { highWaterMark: readBytes }),
    },
    partSize: partBytes,
    queueSize: partsAtOnce,
    leavePartsOnError: false,
  }).done();
}

async function check(client: S3Client, bucket: string, key: string): Promise<void> {
  const where = { Bucket: bucket, Key: key };
  await client.send(new PutObjectCommand({ ...where, Body: 'wherefrom' }));
  const { Body } = await client.send(new GetObjectCommand(where));
  const text = await Body?.transformToString();
  await client.send(new DeleteObjectCommand(where));
  if (text !== 'wherefrom') {
    throw new WherefromError(
      'storage_unavailable',
      `The bucket ${bucket} gave back other bytes than it was given.`,
    );
  }
}

/** What the store answered, in our words; never with a key or a signature in it. */
function explainS3(thrown: unknown, bucket: string, digest?: string): unknown {
  if (thrown instanceof WherefromError || !(thrown instanceof Error)) return thrown;
  const { name } = thrown;
  if (digest !== undefined && (name === 'NoSuchKey' || name === 'NotFound')) return gone(digest);
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : name;
  const why = thrown.message === '' || thrown.message === 'UnknownError' ? code : thrown.message;
  return new WherefromError(
    'storage_unavailable',
    `The bucket ${bucket} could not be used: ${why}${why.includes(code) ? '' : ` (${code})`}.`,
    {
      hint: 'Look at the bucket, the endpoint, the region and the credentials: "wherefrom doctor" tries them.',
      cause: thrown,
    },
  );
}
