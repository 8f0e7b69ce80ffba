/** A real S3-compatible server for tests: moto of the clients' Python environment, with one bucket. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { ensurePythonEnv } from '../../scripts/python-env.ts';

export const bucket = 'lineage';

/** What the AWS SDK and the server's environment need; moto takes any key. */
export const awsEnvironment = {
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_REGION: 'us-east-1',
} as const;

export interface S3Server {
  readonly endpoint: string;
  /** Keys of all objects, with their sizes. */
  objects(): Promise<ReadonlyMap<string, number>>;
  stop(): Promise<void>;
}

/** Starts it on a free port. @throws Error when it ends before it listens. */
export async function startS3Server(): Promise<S3Server> {
  const { python } = await ensurePythonEnv({ log: console.log });
  const child = spawn(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', '0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lines = createInterface({ input: child.stderr });
  const endpoint = await new Promise<string>((resolve, reject) => {
    lines.on('line', (line) => {
      const url = /Running on (http:\/\/\S+)/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once('exit', (code) => reject(new Error(`moto ended with ${code}`)));
  });
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = awsEnvironment;
  const client = new S3Client({
    endpoint,
    region: AWS_REGION,
    forcePathStyle: true,
    credentials: { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY },
  });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  return {
    endpoint,
    async objects() {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
      return new Map(Contents.map(({ Key = '', Size = 0 }) => [Key, Size]));
    },
    async stop() {
      client.destroy();
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}
