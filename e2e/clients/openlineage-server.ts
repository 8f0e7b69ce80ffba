/** A server of its own for a test of real OpenLineage producers: a child process on a free port. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Answer } from '../../src/contract/answer.ts';

const run = promisify(execFile);
export const root = join(import.meta.dirname, '..', '..');
const command = join(root, 'bin', 'wherefrom');

export interface TestServer {
  readonly url: string;
  /** An API key with the role write. */
  readonly key: string;
  /** A directory that is removed with the server. */
  readonly directory: string;
  ask(question: 'trace' | 'impact', ref: string): Promise<Answer>;
  stop(): Promise<void>;
}

/** Starts a server on an empty data directory, with one API key. */
export async function startTestServer(): Promise<TestServer> {
  const directory = mkdtempSync(join(tmpdir(), 'wherefrom-clients-'));
  const data = join(directory, 'data');
  const created = await run(command, ['key', 'create', '--name', 'test', '--data', data]);
  const key = created.stdout.trim();
  const child = spawn(command, ['serve', '--data', data, '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await urlOf(child);
  return {
    url,
    key,
    directory,
    async ask(question, ref) {
      const query = new URLSearchParams({ ref, columns: 'true' });
      const headers = { authorization: `Bearer ${key}` };
      const answer = await fetch(`${url}/api/wherefrom/v1/${question}?${query}`, { headers });
      if (!answer.ok)
        throw new Error(`${question} of ${ref}: ${answer.status} ${await answer.text()}`);
      // Our own server's answer, in the shape of its contract.
      return (await answer.json()) as Answer;
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
