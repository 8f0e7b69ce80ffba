/** Where artifacts are kept, as flags: the same for every verb that needs to know. */
export const artifactArgs = {
  artifacts: {
    type: 'string',
    description: 'Where artifacts are kept: s3://BUCKET/PREFIX or a directory; with the data.',
  },
  's3-endpoint': { type: 'string', description: 'URL of an S3-compatible server; AWS.' },
  's3-region': { type: 'string', description: 'Region of the bucket; as AWS settings say.' },
  's3-addressing': {
    type: 'string',
    description: 'Bucket in the path, or in the host: path, host or auto.',
  },
  's3-direct-downloads': {
    type: 'boolean',
    description: 'Clients fetch artifacts from the bucket by signed links.',
  },
} as const;

/** What `artifactArgs` said, by the names of the configuration. */
export function artifactFlags(args: {
  readonly artifacts?: string | undefined;
  readonly 's3-endpoint'?: string | undefined;
  readonly 's3-region'?: string | undefined;
  readonly 's3-addressing'?: string | undefined;
  readonly 's3-direct-downloads'?: boolean | undefined;
}): Readonly<Record<string, unknown>> {
  return {
    artifacts: args.artifacts,
    s3Endpoint: args['s3-endpoint'],
    s3Region: args['s3-region'],
    s3Addressing: args['s3-addressing'],
    s3DirectDownloads: args['s3-direct-downloads'],
  };
}
