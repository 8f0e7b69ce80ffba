import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensurePythonEnv } from '../../scripts/python-env.ts';
import { root, type TestServer } from './openlineage-server.ts';

const run = promisify(execFile);
const outputBytesMax = 16 * 1024 * 1024;

/**
 * Runs a script of this folder with the unmodified `mlflow` client against the server.
 * @param environment another environment than the one of the newest client.
 * @returns what it printed as JSON after `RESULT `; its shape is that script's.
 */
export async function runMlflowFlow(
  script: string,
  server: TestServer,
  environment?: string,
): Promise<Record<string, unknown>> {
  const { python } = await ensurePythonEnv({
    ...(environment === undefined ? {} : { name: environment }),
    log: console.log,
  });
  const { stdout } = await run(python, [join(root, 'e2e', 'clients', script)], {
    cwd: server.directory,
    maxBuffer: outputBytesMax,
    env: {
      PATH: process.env.PATH,
      HOME: server.directory,
      MLFLOW_TRACKING_URI: server.url,
      MLFLOW_TRACKING_TOKEN: server.key,
      MLFLOW_HTTP_REQUEST_MAX_RETRIES: '2',
      GIT_PYTHON_REFRESH: 'quiet',
    },
  });
  const line = stdout.split('\n').find((each) => each.startsWith('RESULT '));
  return JSON.parse(line?.slice('RESULT '.length) ?? '{}');
}
