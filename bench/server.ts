/** Servers under measurement: child processes that are always stopped, by their pid. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMs, processTree } from './processes.ts';

const root = join(import.meta.dirname, '..');

/** A server that answers. */
export interface MeasuredServer {
  readonly url: string;
  readonly pid: number;
  /** From the start of the process to the first answer on /health. */
  readonly startMs: number;
  /** Stops it gracefully and waits for its end. */
  stop(): Promise<void>;
}

/** Children that run: `stopAll` ends those that an error left behind. */
const running = new Set<ChildProcess>();

/** Ends every server that is still running, at once. */
export function stopAll(): void {
  for (const child of running) for (const pid of descendants(child)) kill(pid, 'SIGKILL');
}

/** Starts `bin/wherefrom serve` on a data directory. @throws with its output when it does not answer. */
export async function startWherefrom(options: { readonly data: string }): Promise<MeasuredServer> {
  const port = await freePort();
  const args = ['serve', '--data', options.data, '--port', String(port)];
  const program = join(root, 'bin', 'wherefrom');
  return start({ program, args, port, env: {}, timeoutMs: 60_000 });
}

/** Starts `mlflow server` as it comes: SQLite, and its own number of workers. */
export async function startMlflow(python: string, data: string): Promise<MeasuredServer> {
  const port = await freePort();
  const where = [`--backend-store-uri=sqlite:///${join(data, 'mlflow.db')}`];
  where.push(`--artifacts-destination=${join(data, 'artifacts')}`);
  const args = ['-m', 'mlflow', 'server', '--host=127.0.0.1', `--port=${port}`, ...where];
  const env = { MLFLOW_DISABLE_TELEMETRY: 'true', DO_NOT_TRACK: 'true' };
  const server = await start({ program: python, args, port, env, timeoutMs: 180_000 });
  await settle(server.pid);
  return server;
}

/** Waits until a server that goes on starting after its first answer has come to rest. */
async function settle(pid: number): Promise<void> {
  const busyMs = 500;
  const everyMs = 1_000;
  for (let tries = 0; tries < 60; tries += 1) {
    const before = cpuMs(pid);
    await sleep(everyMs);
    if (!(cpuMs(pid) - before > busyMs)) return;
  }
}

interface StartOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

async function start(options: StartOptions): Promise<MeasuredServer> {
  const started = performance.now();
  const child = spawn(options.program, options.args, {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-4_000);
    });
  }
  const url = `http://127.0.0.1:${options.port}`;
  while (!(await answers(url))) {
    const late = performance.now() - started > options.timeoutMs;
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined || late) {
      await stop(child);
      throw new Error(`${options.program} does not answer:\n${output}`);
    }
    await sleep(5);
  }
  const startMs = performance.now() - started;
  return { url, pid: child.pid ?? 0, startMs, stop: () => stop(child) };
}

async function answers(url: string): Promise<boolean> {
  return fetch(`${url}/health`).then(
    async (response) => {
      await response.arrayBuffer();
      return response.ok;
    },
    () => false,
  );
}

async function stop(child: ChildProcess): Promise<void> {
  const tree = descendants(child);
  if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const late = setTimeout(() => kill(child.pid ?? 0, 'SIGKILL'), 20_000);
    await ended;
    clearTimeout(late);
  }
  // Workers that outlive their parent.
  for (const pid of tree.slice(1)) kill(pid, 'SIGKILL');
  running.delete(child);
}

function descendants(child: ChildProcess): number[] {
  return child.pid === undefined ? [] : processTree(child.pid);
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('there is no free port');
  return address.port;
}

/** Bytes of all files below a directory. */
export function directoryBytes(directory: string): number {
  let bytes = 0;
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size;
  }
  return bytes;
}
