import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { temporaryDirectory } from '../testing/store.ts';
import { openReadOnly, rebuildDirectory, verifyDirectory } from './offline.ts';

const main = join(import.meta.dirname, '../cli/main.ts');
let child: ChildProcess | undefined;
const directory = temporaryDirectory();

afterEach(() => child?.kill('SIGKILL'));
afterAll(() => directory.remove());

/** A server in a process of its own; resolves to its address once it listens. */
async function serve(data: string, flags: readonly string[] = []): Promise<string> {
  const started = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      main,
      'serve',
      '--data',
      data,
      '--port',
      '0',
      '--json',
      ...flags,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  child = started;
  return new Promise((resolve, reject) => {
    let text = '';
    started.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const line = text.split('\n')[0];
      if (text.includes('\n') && line !== undefined) resolve(JSON.parse(line).url);
    });
    started.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
}

test('kill -9 under load: every acknowledged write is there, and the record verifies', {
  timeout: 60_000,
}, async () => {
  const data = join(directory.path, 'data');
  const runs: string[] = [];
  const predictions: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    const url = await serve(data);
    const post = async (
      path: string,
      body: unknown,
    ): Promise<{ run: { info: { run_id: string } } } | undefined> => {
      try {
        const reply = await fetch(url + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
        // Only an answer that came whole counts as given.
        return reply.ok
          ? ((await reply.json()) as { run: { info: { run_id: string } } })
          : undefined;
      } catch {
        return undefined;
      }
    };
    let stopped = false;
    const load = Array.from({ length: 16 }, async (_, worker) => {
      for (let i = 0; !stopped; i += 1) {
        if (worker % 2 === 0) {
          const answer = await post('/api/2.0/mlflow/runs/create', {
            experiment_id: '0',
            start_time: 1,
          });
          if (answer) runs.push(answer.run.info.run_id);
        } else {
          const ids = Array.from({ length: 20 }, (__, k) => `p-${round}-${worker}-${i}-${k}`);
          const answer = await post('/api/wherefrom/v1/predictions', {
            predictions: ids.map((id) => ({ id, modelVersion: 'm@1', output: 1 })),
          });
          if (answer) predictions.push(...ids);
        }
      }
    });
    // In the middle of it, however fast this machine is.
    const enough = (round + 1) * 60;
    while (runs.length < enough || predictions.length < enough * 10)
      await new Promise((resolve) => setTimeout(resolve, 10));
    child?.kill('SIGKILL');
    stopped = true;
    await Promise.all(load);
  }
  expect(await verifyDirectory(data)).toMatchObject({ verified: true, problems: [] });
  expect(await rebuildDirectory(data, { check: true })).toMatchObject({ differences: [] });
  const { services, close } = await openReadOnly(data);
  const status = await services.status();
  // What was written but not answered may be there too; what was answered must be.
  expect(status.counts.runs).toBeGreaterThanOrEqual(runs.length);
  expect(status.counts.predictions).toBeGreaterThanOrEqual(predictions.length);
  for (const ref of [...runs.filter((_, i) => i % 50 === 0), ...runs.slice(-20)])
    await services.answers.resolve(`run:default/${ref}`, { workspace: 'default', reach: 'all' });
  for (const id of [...predictions.filter((_, i) => i % 500 === 0), ...predictions.slice(-50)])
    await services.answers.resolve(id, { workspace: 'default', reach: 'all' });
  await close();
});

test('kill -9 during a call of a webhook: it is made again after the start, and then no more', {
  timeout: 60_000,
}, async () => {
  const data = join(directory.path, 'hooks');
  const ids: unknown[] = [];
  let answering = false;
  const receiver = createServer((request, response) => {
    ids.push(request.headers['x-mlflow-delivery-id']);
    request.resume().on('end', () => answering && response.end());
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  // A server that listens on a port has an address with one.
  const { port } = receiver.address() as AddressInfo;
  const flags = ['--webhook-allow', '127.0.0.1'];
  const post = async (url: string, path: string, body: object): Promise<void> => {
    const reply = await fetch(`${url}/api/2.0/mlflow/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(reply.status).toBe(200);
  };
  const kill = async (): Promise<void> => {
    const exited = new Promise((resolve) => child?.once('exit', resolve));
    child?.kill('SIGKILL');
    await exited;
  };
  const queued = async (url: string): Promise<string | undefined> =>
    /^wherefrom_webhook_queue_calls (.*)$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1];

  let url = await serve(data, flags);
  const events = [{ entity: 'REGISTERED_MODEL', action: 'CREATED' }];
  await post(url, 'webhooks', { name: 'ci', url: `http://127.0.0.1:${port}/`, events });
  await post(url, 'registered-models/create', { name: 'fraud' });
  await vi.waitFor(() => expect(ids).toHaveLength(1), { timeout: 5_000 });
  await kill();
  answering = true;
  url = await serve(data, flags);
  await vi.waitFor(() => expect(ids).toHaveLength(2), { timeout: 5_000 });
  expect(ids[1]).toBe(ids[0]);
  await vi.waitFor(async () => expect(await queued(url)).toBe('0'), { timeout: 5_000 });
  await kill();
  url = await serve(data, flags);
  await post(url, 'registered-models/create', { name: 'churn' });
  await vi.waitFor(() => expect(ids).toHaveLength(3), { timeout: 5_000 });
  expect(new Set(ids).size).toBe(2);
  await kill();
  receiver.closeAllConnections();
  receiver.close();
  expect(await verifyDirectory(data)).toMatchObject({ verified: true, problems: [] });
  expect(await rebuildDirectory(data, { check: true })).toMatchObject({ differences: [] });
});
