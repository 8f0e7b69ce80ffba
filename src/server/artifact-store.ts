import { join, resolve } from 'node:path';
import type { BlobStore } from '../blobs/blobs.ts';
import { createDirectoryBlobs } from '../blobs/directory.ts';
import type { Config } from './config.ts';

/** Where `artifacts` says that they are kept; undefined for a directory. */
function bucketOf(artifacts: string): { bucket: string; prefix: string } | undefined {
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(artifacts) ?? [];
  return bucket === undefined ? undefined : { bucket, prefix: prefix.replace(/^\/+|\/+$/g, '') };
}

/**
 * The bucket that the configuration names; undefined when artifacts are in a directory.
 * @param spool a local directory for what is on its way.
 */
export async function openBucket(config: Config, spool: string): Promise<BlobStore | undefined> {
  const place = bucketOf(config.artifacts);
  if (place === undefined) return undefined;
  // The SDK is large: whoever keeps artifacts in a directory does not load it.
  const { createS3Blobs } = await import('../blobs/s3.ts');
  const { s3Endpoint: endpoint, s3Region: region, s3Addressing: addressing } = config;
  return createS3Blobs({
    ...place,
    spool,
    // Servers other than AWS seldom care for the region, and the SDK does not sign without one.
    ...(endpoint === '' ? {} : { endpoint, region: region || 'us-east-1' }),
    ...(region === '' ? {} : { region }),
    pathStyle: addressing === 'auto' ? endpoint !== '' : addressing === 'path',
    links: config.s3DirectDownloads,
  });
}

/** The directory where artifacts are kept; undefined when they are in a bucket. */
export function artifactDirectory({ artifacts }: Config, blobsPath: string): string | undefined {
  if (artifacts === '') return blobsPath;
  return bucketOf(artifacts) === undefined ? resolve(artifacts) : undefined;
}

/** The blobs of a server. `blobsPath` is the data directory's own place for them. */
export async function openBlobs(config: Config, blobsPath: string): Promise<BlobStore> {
  const bucket = await openBucket(config, join(blobsPath, 'incoming'));
  const directory = artifactDirectory(config, blobsPath) ?? blobsPath;
  return bucket ?? createDirectoryBlobs({ directory });
}
