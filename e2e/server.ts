/** A server of its own for a test: a child process on a free port, over a directory that goes with it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

export const root = join(import.meta.dirname, '..');
const command = join(root, 'bin', 'wherefrom');

export interface ChildServer {
  /** With the base path, without a trailing slash. */
  readonly url: string;
  readonly pid: number;
  /** A directory that is removed with the server. */
  readonly directory: string;
  /** Ends the process as a crash does (kill -9), and starts another one on the same port and directory. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server on an empty data directory; `prepare` may make keys in it before; `env` is added. */
export async function startChildServer(
  flags: readonly string[] = [],
  prepare: (data: string) => Promise<void> = async () => {},
  env: Readonly<Record<string, string>> = {},
): Promise<ChildServer> {
  const directory = mkdtempSync(join(tmpdir(), 'wherefrom-e2e-'));
  const data = join(directory, 'data');
  await prepare(data);
  const launch = (port: string): ChildProcess =>
    spawn(command, ['serve', '--data', data, '--port', port, '--json', ...flags], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
  let child = launch('0');
  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await exited;
  };
  const { url, pid } = await addressOf(child);
  return {
    url,
    pid,
    directory,
    async crash() {
      await end('SIGKILL');
      child = launch(new URL(url).port);
      await addressOf(child);
    },
    async stop() {
      await end('SIGTERM');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Makes an API key, with the role write unless `flags` say otherwise. */
export async function createKey(data: string, flags: readonly string[] = []): Promise<string> {
  const args = ['key', 'create', '--name', 'test', '--data', data, ...flags];
  return (await promisify(execFile)(command, args)).stdout.trim();
}

/** The first line that the server prints tells where it listens. */
export async function addressOf(child: ChildProcess): Promise<{ url: string; pid: number }> {
  if (!child.stdout) throw new Error('The server has no output.');
  for await (const line of createInterface({ input: child.stdout })) {
    const { url, pid } = JSON.parse(line) as { url: string; pid: number };
    return { url, pid };
  }
  throw new Error('The server ended before it listened.');
}
