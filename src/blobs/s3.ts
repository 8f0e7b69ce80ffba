import { randomUUID } from 'node:crypto';
import { createReadStream, rmSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { WherefromError } from '../base/errors.ts';
import type { BlobStore, ByteRange, LinkOptions, ListedBlob } from './blobs.ts';
import { explainDisk, gone, readBytes, receive, tooLarge } from './receive.ts';

/** Bytes of one part. With S3's 10,000 parts that is 78 GiB, above the limit for one artifact. */
const partBytes = 8 * 1024 * 1024;
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

/** Content-addressed objects, `prefix/sha256/ab/cdef…`. Credentials are those of the AWS SDK's chain. */
export function createS3Blobs(options: S3BlobsOptions): BlobStore {
  const { spool } = options;
  const bucket = openBucket(options);
  // What a crash cut off was never sent to the bucket.
  rmSync(spool, { recursive: true, force: true });
  return {
    async put(content, { bytesMax }) {
      const path = join(spool, randomUUID());
      try {
        await mkdir(spool, { recursive: true });
        const blob = await receive(content, { path, bytesMax, durable: false });
        if ((await bucket.bytesOf(blob.digest)) !== blob.bytes)
          await bucket.send(path, blob.digest);
        return blob;
      } catch (thrown) {
        content.destroy();
        throw explainDisk(thrown);
      } finally {
        await rm(path, { force: true });
      }
    },
    get: bucket.get,
    async read(digest, bytesMax) {
      const parts: Buffer[] = [];
      let bytes = 0;
      for await (const part of await bucket.get(digest)) {
        bytes += part.length;
        if (bytes > bytesMax) throw tooLarge(bytesMax);
        parts.push(part);
      }
      return Buffer.concat(parts);
    },
    async has(digest) {
      return /^[0-9a-f]{64}$/.test(digest) && (await bucket.bytesOf(digest)) !== undefined;
    },
    ...(options.links && { link: bucket.link }),
    list: bucket.list,
    remove: bucket.remove,
    check: bucket.check,
  };
}

/** The bucket by digests; whatever it refuses is said in our words. */
function openBucket(options: S3BlobsOptions) {
  const { bucket: Bucket, prefix } = options;
  const client = createClient(options);
  const placeOf = (digest: string): { Bucket: string; Key: string } => {
    if (!/^[0-9a-f]{64}$/.test(digest)) throw gone(digest);
    return { Bucket, Key: posix.join(prefix, 'sha256', digest.slice(0, 2), digest.slice(2)) };
  };
  const explained = <T>(work: Promise<T>, digest?: string): Promise<T> =>
    work.catch((thrown: unknown) => {
      throw explainS3(thrown, Bucket, digest);
    });
  return {
    async get(digest: string, range?: ByteRange): Promise<Readable> {
      const Range = range === undefined ? {} : { Range: `bytes=${range.start}-${range.end}` };
      const command = new GetObjectCommand({ ...placeOf(digest), ...Range });
      const { Body } = await explained(client.send(command), digest);
      // In Node.js the SDK gives a stream of Node.js; it knows browsers too.
      return Body instanceof Readable ? Body : Readable.from([]);
    },
    /** Bytes of what is there already; undefined when it is not, or when we may not know. */
    bytesOf: (digest: string): Promise<number | undefined> =>
      client.send(new HeadObjectCommand(placeOf(digest))).then(
        ({ ContentLength }) => ContentLength,
        () => undefined,
      ),
    send: (path: string, digest: string): Promise<void> =>
      explained(send(client, { path, ...placeOf(digest) })),
    link: (digest: string, { seconds, disposition, type }: LinkOptions): Promise<string> => {
      const headers = { ResponseContentDisposition: disposition, ResponseContentType: type };
      const command = new GetObjectCommand({ ...placeOf(digest), ...headers });
      return getSignedUrl(client, command, { expiresIn: seconds });
    },
    async *list(): AsyncGenerator<ListedBlob> {
      const root = posix.join(prefix, 'sha256/');
      const pages = paginateListObjectsV2({ client }, { Bucket, Prefix: root });
      try {
        for await (const { Contents = [] } of pages) {
          for (const { Key = '', Size: bytes = 0, LastModified } of Contents) {
            const digest = Key.slice(root.length).replace('/', '');
            // Whatever does not say when it came is taken for new.
            const storedTime = LastModified?.getTime() ?? Number.POSITIVE_INFINITY;
            if (/^[0-9a-f]{64}$/.test(digest)) yield { digest, bytes, storedTime };
          }
        }
      } catch (thrown) {
        throw explainS3(thrown, Bucket);
      }
    },
    async remove(digest: string): Promise<void> {
      await explained(client.send(new DeleteObjectCommand(placeOf(digest))));
    },
    check: (signal?: AbortSignal): Promise<void> => {
      const Key = posix.join(prefix, `check-${randomUUID()}`);
      return explained(check(client, { Bucket, Key }, signal));
    },
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
  { path, ...place }: { path: string; Bucket: string; Key: string },
): Promise<void> {
  await new Upload({
    client,
    params: { ...place, Body: createReadStream(path, { highWaterMark: readBytes }) },
    partSize: partBytes,
    queueSize: partsAtOnce,
    leavePartsOnError: false,
  }).done();
}

async function check(
  client: S3Client,
  where: { Bucket: string; Key: string },
  signal: AbortSignal | undefined,
): Promise<void> {
  const options = signal === undefined ? {} : { abortSignal: signal };
  await client.send(new PutObjectCommand({ ...where, Body: 'wherefrom' }), options);
  const { Body } = await client.send(new GetObjectCommand(where), options);
  const text = await Body?.transformToString();
  await client.send(new DeleteObjectCommand(where), options);
  if (text !== 'wherefrom') {
    throw new WherefromError(
      'storage_unavailable',
      `The bucket ${where.Bucket} gave back other bytes than it was given.`,
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
