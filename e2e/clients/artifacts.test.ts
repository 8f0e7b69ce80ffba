import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensurePythonEnv } from '../../scripts/python-env.ts';
import { type ChildServer, createKey, root, startChildServer } from '../server.ts';
import { clientVariables, isResult, readResult, runMlflowFlow } from './python-flow.ts';
import { awsEnvironment, bucket, type S3Server, startS3Server } from './s3-server.ts';

const run = promisify(execFile);
/** Less than the process would hold with the large file in it. */
const memoryMiBMax = 400;
const largeMiB = 300;

/** What artifacts_flow.py printed. */
interface Flow {
  readonly run_id: string;
  readonly root: unknown;
  readonly deep: unknown;
  readonly of_file: unknown;
  readonly large: { readonly digest: string; readonly bytes: number };
  readonly fetched: Readonly<Record<string, string>>;
  readonly in_parts: string;
  readonly predicts_alike: boolean;
  readonly after_delete: unknown;
  readonly gone: string;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The largest memory that a process ever held; undefined where the system does not say. */
function peakMiB(pid: number): number | undefined {
  const path = `/proc/${pid}/status`;
  if (!existsSync(path)) return undefined;
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(path, 'utf8'))?.[1]) / 1024;
}

/** Sizes of all files below a directory by their path in it. */
function sizesBelow(directory: string): Map<string, number> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return new Map(
    entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .map((path) => [path.slice(directory.length + 1), statSync(path).size]),
  );
}

/** The client's day with artifacts, against a server with these flags. */
async function flow(flags: readonly string[]): Promise<{ server: ChildServer; out: Flow }> {
  let key = '';
  const server = await startChildServer(flags, async (data) => {
    key = await createKey(data);
  });
  const driven = { ...server, key };
  const out = await runMlflowFlow<Flow>('artifacts_flow.py', driven, { args: [String(largeMiB)] });
  return { server, out };
}

/** What the client finds, whatever keeps the bytes. */
function expectFlow(out: Flow): void {
  expect(out.root).toEqual([
    ['again', true, null],
    ['small.txt', false, 14],
    ['tree', true, null],
  ]);
  expect(out.deep).toEqual([
    ['tree/deep/b ä.txt', false, 24],
    ['tree/deep/empty', false, null],
    ['tree/deep/er', true, null],
  ]);
  expect(out.of_file).toEqual([]);
  expect(out.fetched).toEqual({
    'small.txt': sha256('the same bytes'),
    'again/and/small.txt': sha256('the same bytes'),
    'tree/a.txt': sha256('content of a.txt'),
    'tree/deep/b ä.txt': sha256('content of deep/b ä.txt'),
    'tree/deep/er/c.bin': sha256('content of deep/er/c.bin'),
    'tree/deep/empty': sha256(''),
    'multipart/large.bin': out.large.digest,
    'whole/large.bin': out.large.digest,
  });
  expect(out.in_parts).toBe(out.large.digest);
  expect(out.predicts_alike).toBe(true);
  expect(out.after_delete).toEqual([[], [['tree/a.txt', false, 16]]]);
  expect(out.gone).toBeDefined();
}

/** The large file, which came in parts and whole, is there once, under its digest. */
function expectKeptOnce(kept: ReadonlyMap<string, number>, { large }: Flow, prefix: string): void {
  const name = `${prefix}sha256/${large.digest.slice(0, 2)}/${large.digest.slice(2)}`;
  const ofItsSize = [...kept].filter(([, bytes]) => bytes >= large.bytes);
  expect(ofItsSize).toEqual([[name, large.bytes]]);
}

/** Of an upload in parts it is remembered for a while what it became; its parts are gone. */
function expectOnlyCompleted(paths: readonly string[]): void {
  expect(paths.map((path) => path.replace(/\/[0-9a-f]{32}\//, '/ID/')).sort()).toEqual([
    'uploads/ID/completed',
    'uploads/ID/target',
  ]);
}

describe('the mlflow client, unmodified, with artifacts in a directory', () => {
  let server: ChildServer;
  let out: Flow;
  beforeAll(async () => {
    ({ server, out } = await flow([]));
  });
  afterAll(() => server?.stop());

  test('finds its files as it left them', () => expectFlow(out));

  test('leaves the same bytes once, and nothing on the way', () => {
    const kept = sizesBelow(join(server.directory, 'data', 'blobs'));
    expectKeptOnce(kept, out, '');
    expectOnlyCompleted([...kept.keys()].filter((path) => !path.startsWith('sha256/')));
  });

  test('does not make the server hold a file in memory', () => {
    expect(peakMiB(server.pid) ?? 0).toBeLessThan(memoryMiBMax);
  });
});

test('an upload in parts goes on after the server was killed, between parts and before its end', async () => {
  const { python } = await ensurePythonEnv({ log: console.log });
  const server = await startChildServer();
  const client = spawn(python, [join(root, 'e2e', 'clients', 'artifacts_restart.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: server.directory,
    env: clientVariables(server),
  });
  let result: unknown;
  for await (const line of createInterface({ input: client.stdout })) {
    if (isResult(line)) result = readResult(line);
    if (line !== 'CRASH') continue;
    await server.crash();
    client.stdin.write('\n');
  }
  await server.stop();
  expect(result).toEqual({ crashes: 3, same: true, listed: [['d/large.bin', false, 12_582_912]] });
});

describe('the mlflow client, unmodified, with artifacts in an S3-compatible bucket', () => {
  let s3: S3Server;
  let server: ChildServer;
  let out: Flow;
  beforeAll(async () => {
    Object.assign(process.env, awsEnvironment);
    s3 = await startS3Server();
    const place = ['--artifacts', `s3://${bucket}/of/team`, '--s3-endpoint', s3.endpoint];
    ({ server, out } = await flow([...place, '--s3-direct-downloads']));
  });
  afterAll(async () => {
    await server?.stop();
    await s3?.stop();
  });

  test('finds its files as it left them', () => expectFlow(out));

  test('leaves the same bytes once, in the bucket alone', async () => {
    expectKeptOnce(await s3.objects(), out, 'of/team/');
    expectOnlyCompleted([...sizesBelow(join(server.directory, 'data', 'blobs')).keys()]);
  });

  test('does not make the server hold a file in memory', () => {
    expect(peakMiB(server.pid) ?? 0).toBeLessThan(memoryMiBMax);
  });

  test('is told that it may fetch from the bucket itself', async () => {
    const info = await (await fetch(`${server.url}/api/3.0/mlflow/server-info`)).json();
    expect(info).toMatchObject({ multipart_downloads_enabled: true });
  });

  test('and the doctor finds the bucket in order, or says what is wrong', async () => {
    const doctor = (place: string) =>
      run(join(root, 'bin', 'wherefrom'), [
        'doctor',
        '--data',
        join(server.directory, 'data'),
        '--port',
        new URL(server.url).port,
        '--artifacts',
        place,
        '--s3-endpoint',
        s3.endpoint,
      ]).then(
        ({ stdout }) => stdout,
        (failed: { stdout: string }) => failed.stdout,
      );
    expect(await doctor(`s3://${bucket}/of/team`)).toMatch(
      /✓ artifacts\s+s3:\/\/lineage\/of\/team/,
    );
    expect(await doctor('s3://nowhere')).toMatch(/✗ artifacts\s+The bucket nowhere/);
  });
});
