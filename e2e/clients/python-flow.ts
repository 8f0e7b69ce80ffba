import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensurePythonEnv } from '../../scripts/python-env.ts';
import { type ChildServer, root } from '../server.ts';

const run = promisify(execFile);
const outputBytesMax = 16 * 1024 * 1024;
const resultMark = 'RESULT ';

/** A server to be driven; with a key for the client where it asks for one. */
export type DrivenServer = Pick<ChildServer, 'directory' | 'url'> & { readonly key?: string };

export interface FlowOptions {
  /** Another environment than the one of the newest client. */
  readonly environment?: string;
  readonly args?: readonly string[];
  /** More variables for the client. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a script of this folder with the unmodified `mlflow` client against the server.
 * @returns what it printed as JSON after `RESULT `; its shape is that script's.
 */
export async function runMlflowFlow<Result = Record<string, unknown>>(
  script: string,
  server: DrivenServer,
  { environment, args = [], env = {} }: FlowOptions = {},
): Promise<Result> {
  const { python } = await ensurePythonEnv({
    ...(environment === undefined ? {} : { name: environment }),
    log: console.log,
  });
  const { stdout } = await run(python, [join(root, 'e2e', 'clients', script), ...args], {
    cwd: server.directory,
    maxBuffer: outputBytesMax,
    env: { ...clientVariables(server), MLFLOW_HTTP_REQUEST_MAX_RETRIES: '2', ...env },
  });
  const line = stdout.split('\n').find(isResult);
  if (line === undefined) throw new Error(`${script} printed no result:\n${stdout}`);
  return readResult(line);
}

/** The environment of a client's process: its home is the server's directory. */
export function clientVariables({ directory, url, key }: DrivenServer): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: directory,
    MLFLOW_TRACKING_URI: url,
    ...(key === undefined ? {} : { MLFLOW_TRACKING_TOKEN: key }),
    MLFLOW_DISABLE_TELEMETRY: 'true',
    GIT_PYTHON_REFRESH: 'quiet',
    TQDM_DISABLE: '1',
  };
}

export const isResult = (line: string): boolean => line.startsWith(resultMark);

/** What such a line holds; its shape is that script's. */
export const readResult = <Result>(line: string): Result =>
  JSON.parse(line.slice(resultMark.length)) as Result;
