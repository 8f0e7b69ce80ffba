/** MLflow's own tracking server, over SQLite in a directory of its own: what we are compared with. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Loading MLflow and making its tables takes half a minute on a busy machine. */
const startMsMax = 180_000;

export interface ReferenceServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts `mlflow server` with one worker on a free port of loopback. */
export async function startReferenceServer(python: string): Promise<ReferenceServer> {
  const directory = mkdtempSync(join(tmpdir(), 'wherefrom-mlflow-'));
  const port = await freePort();
  const stores = [
    ...['--backend-store-uri', `sqlite:///${join(directory, 'mlflow.db')}`],
    ...['--artifacts-destination', join(directory, 'artifacts')],
  ];
  const listen = ['--host', '127.0.0.1', '--port', String(port), '--workers', '1'];
  const child = spawn(python, ['-m', 'mlflow', 'server', ...stores, ...listen], {
    // A group of its own: uvicorn runs below the command.
    detached: true,
    cwd: directory,
    stdio: 'ignore',
    env: {
      PATH: process.env.PATH,
      HOME: directory,
      MLFLOW_DISABLE_TELEMETRY: 'true',
      MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
    },
  });
  const url = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    await stopGroup(child);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await healthy(url, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
}

async function healthy(url: string, child: ChildProcess): Promise<void> {
  const until = Date.now() + startMsMax;
  while (Date.now() < until) {
    if (child.exitCode !== null) throw new Error(`mlflow server ended with ${child.exitCode}.`);
    const answer = await fetch(`${url}/health`).catch(() => undefined);
    if (answer?.ok === true) return;
    await sleep(250);
  }
  throw new Error(`mlflow server did not listen within ${startMsMax} ms.`);
}

async function stopGroup(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  process.kill(-child.pid, 'SIGKILL');
  await exited;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No port was given.');
  return address.port;
}
