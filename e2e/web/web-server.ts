/** A server of its own for a test of the web page: a child process on a free port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const command = join(import.meta.dirname, '..', '..', 'bin', 'wherefrom');

export interface WebServer {
  /** With the base path, without a trailing slash. */
  readonly url: string;
  /** Sends JSON. @throws Error when it was refused. */
  post(path: string, body: unknown): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server on an empty data directory, without an API key. */
export async function startWebServer(...flags: readonly string[]): Promise<WebServer> {
  const directory = mkdtempSync(join(tmpdir(), 'wherefrom-web-'));
  const data = join(directory, 'data');
  const child = spawn(command, ['serve', '--data', data, '--port', '0', '--json', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await urlOf(child);
  return {
    url,
    async post(path, body) {
      const answer = await fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    },
    async stop() {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The first line that the server prints tells where it listens. */
async function urlOf(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('The server has no output.');
  for await (const line of createInterface({ input: child.stdout })) {
    const { url } = JSON.parse(line) as { url: string };
    return url;
  }
  throw new Error('The server ended before it listened.');
}
