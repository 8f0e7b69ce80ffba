import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ensurePythonEnv } from '../../scripts/python-env.ts';
import { type ChildServer, root, startChildServer } from '../server.ts';

const run = promisify(execFile);
const outputBytesMax = 64 * 1024 * 1024;

/** The command that is tested. */
export const command = join(root, 'bin', 'wherefrom');

/** What an import reports with --json; counts by thing. */
export interface Report {
  readonly brought: Readonly<Record<string, number>>;
  readonly changed: Readonly<Record<string, number>>;
  readonly there: Readonly<Record<string, number>>;
  readonly left: readonly { readonly what: string; readonly count?: number }[];
  readonly troubles: readonly unknown[];
  readonly differences: readonly { readonly what: string; readonly fields: readonly string[] }[];
}

/** What one of the scripts prints; its shape is that script's. */
export type Printed = Record<string, unknown>;

/** A server of MLflow on the database. */
export interface MlflowServer {
  readonly url: string;
  stop(): void;
}

/** A directory with a database of MLflow, real clients and servers of both. */
export async function createImportHarness() {
  const { python } = await ensurePythonEnv({ log: console.log });
  const directory = mkdtempSync(join(tmpdir(), 'wherefrom-import-'));
  const database = join(directory, 'mlflow.db');
  const quiet = {
    PATH: process.env.PATH,
    HOME: directory,
    GIT_PYTHON_REFRESH: 'quiet',
    MLFLOW_DISABLE_TELEMETRY: 'true',
  };
  const servers: { stop(): unknown }[] = [];
  return {
    directory,
    database,
    quiet,
    python,
    /** Runs a script of this folder with the store; `more` are environment variables. */
    async script(name: string, uri: string, args: readonly string[] = [], more = {}) {
      const { stdout } = await run(python, [join(root, 'e2e', 'clients', name), ...args], {
        cwd: directory,
        maxBuffer: outputBytesMax,
        env: { ...quiet, MLFLOW_TRACKING_URI: uri, ...more },
      });
      const line = stdout.split('\n').find((each) => each.startsWith('RESULT '));
      return JSON.parse(line?.slice('RESULT '.length) ?? '{}');
    },
    async importFrom(source: string, ...args: readonly string[]): Promise<Report> {
      const argv = ['import', 'mlflow', source, '--json', ...args];
      const options = { cwd: directory, maxBuffer: outputBytesMax, env: quiet };
      const { stdout } = await run(command, argv, options);
      return JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}').report;
    },
    async serve(data: string): Promise<ChildServer> {
      const server = stoppedOnce(await startChildServer(['--data', data]));
      servers.push(server);
      return server;
    },
    async startMlflow(): Promise<MlflowServer> {
      const server = await startMlflow(python, { database, cwd: directory, env: quiet });
      servers.push(server);
      return server;
    },
    async close(): Promise<void> {
      for (const server of servers) await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The server, which may be stopped again when it is stopped already. */
function stoppedOnce(server: ChildServer): ChildServer {
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= server.stop();
    return stopped;
  };
  return { ...server, stop };
}

async function startMlflow(
  python: string,
  { database, ...options }: { database: string; cwd: string; env: NodeJS.ProcessEnv },
): Promise<MlflowServer> {
  const port = await freePort();
  const args = ['-m', 'mlflow', 'server', '--host=127.0.0.1', `--port=${port}`, '--workers=1'];
  // It would look up the names of webhooks, which nobody answers here.
  const env = { ...options.env, MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS: 'true' };
  const child: ChildProcess = spawn(
    python,
    [...args, `--backend-store-uri=sqlite:///${database}`],
    {
      ...{ ...options, env },
      stdio: 'ignore',
      detached: true,
    },
  );
  const url = `http://127.0.0.1:${port}`;
  let stopped = false;
  const stop = (): void => {
    // Its workers go with it; a second time there may be others of that number.
    if (!stopped && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    stopped = true;
  };
  for (let tries = 0; tries < 600; tries += 1) {
    const up = await fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (up) return { url, stop };
    await sleep(200);
  }
  stop();
  throw new Error('mlflow server does not answer');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('there is no free port');
  return address.port;
}

/** How many entries the ledger of a server has. */
export async function entries(url: string): Promise<number> {
  const status = await (await fetch(`${url}/api/wherefrom/v1/status`)).json();
  return (status as { entries: number }).entries;
}
