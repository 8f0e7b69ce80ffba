import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
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

test('kill -9 during uploads: what was answered is there and goes on, and nothing of what was not', {
  timeout: 60_000,
}, async () => {
  const data = join(directory.path, 'uploads');
  const blobs = join(data, 'blobs');
  const files = (path: string): string[] =>
    existsSync(path)
      ? readdirSync(path, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map(({ name }) => name.replace(/^(\d+)-[0-9a-f]{64}$/, 'part $1'))
          .sort()
      : [];
  const artifacts = '/api/2.0/mlflow-artifacts/artifacts/0/r/artifacts';
  const url = new URL(await serve(data));
  const { hostname, port, origin } = url;
  const mpu = async (verb: string, body: object): Promise<Response> =>
    fetch(`${origin}/api/2.0/mlflow-artifacts/mpu/${verb}/0/r/artifacts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ path: 'parts.bin', ...body }),
    });
  const whole = await fetch(`${origin}${artifacts}/whole.bin`, {
    method: 'PUT',
    body: Buffer.alloc(3_000_000, 'whole'),
  });
  expect(whole.status).toBe(200);
  const created = await mpu('create', { num_parts: 3 });
  // Its shape is that of the server's own answer.
  const { upload_id, credentials } = (await created.json()) as {
    upload_id: string;
    credentials: { url: string }[];
  };
  const links = credentials.map((each) => each.url);
  const putPart = async (number: number): Promise<object> => {
    const body = Buffer.alloc(2_000_000, `part ${number}`);
    const reply = await fetch(links[number - 1] ?? '', { method: 'PUT', body });
    expect(reply.status).toBe(200);
    return { part_number: number, etag: reply.headers.get('etag') };
  };
  const parts = [await putPart(1)];
  // Bodies that have come halfway when the server is killed: a file in one piece, and a part.
  const sockets = [`${artifacts}/half.bin`, (links[1] ?? '').slice(origin.length)].map((path) => {
    const socket = connect(Number(port), hostname).on('error', () => undefined);
    socket.write(`PUT ${path} HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: 9000000\r\n\r\n`);
    socket.write(Buffer.alloc(4_000_000, 'half'));
    return socket;
  });
  const onTheWay = (): number =>
    files(join(blobs, 'incoming')).length + files(join(blobs, 'uploads')).length;
  await vi.waitFor(() => expect(onTheWay()).toBe(4), { timeout: 5_000 });
  const crash = async (): Promise<void> => {
    const ended = child && once(child, 'exit');
    child?.kill('SIGKILL');
    await ended;
    // On the same port: links that were given lead there.
    await serve(data, ['--port', port]);
  };
  await crash();
  for (const socket of sockets) socket.destroy();
  expect(files(blobs)).toEqual([expect.stringMatching(/^[0-9a-f]{62}$/), 'part 1', 'target']);
  expect((await fetch(`${origin}${artifacts}/half.bin`)).status).toBe(404);
  expect((await fetch(`${origin}${artifacts}/parts.bin`)).status).toBe(404);
  const kept = await fetch(`${origin}${artifacts}/whole.bin`);
  expect(Buffer.from(await kept.arrayBuffer()).equals(Buffer.alloc(3_000_000, 'whole'))).toBe(true);

  parts.push(await putPart(3), await putPart(2));
  await crash();
  expect((await mpu('complete', { upload_id, parts })).status).toBe(200);
  await crash();
  // Whoever did not hear the answer asks again, and gets it.
  expect((await mpu('complete', { upload_id, parts })).status).toBe(200);
  const content = Buffer.concat([1, 2, 3].map((each) => Buffer.alloc(2_000_000, `part ${each}`)));
  const read = await fetch(`${origin}${artifacts}/parts.bin`);
  expect(Buffer.from(await read.arrayBuffer()).equals(content)).toBe(true);
});
