import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WherefromError } from '../base/errors.ts';
import { problemOf } from '../contract/problem.ts';
import { ClientError, createClient } from './index.ts';

/** A server that keeps what it was asked, and answers as the test says. */
const seen: { method?: string; url?: string; authorization?: string; body?: string } = {};
let respond: (response: ServerResponse) => void;

const server = createServer((request: IncomingMessage, response) => {
  let body = '';
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    const { method, url, headers } = request;
    Object.assign(seen, { method, url, authorization: headers.authorization, body });
    respond(response);
  });
});
let base: string;

beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((done) => server.close(done)));

const json =
  (value: unknown, status = 200) =>
  (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };

describe('createClient', () => {
  it('asks with every parameter, encoded, below a base path', async () => {
    respond = json({ nodes: [] });
    const client = createClient({ url: `${base}/lineage/`, key: 'wf.k' });
    await client.trace({
      ref: 'credit-risk@3#a&b',
      depth: 2,
      columns: true,
      asOf: { recordedTime: 0 },
      at: 5,
      kinds: ['run', 'dataset'],
    });
    const url = new URL(seen.url ?? '', base);
    expect(url.pathname).toBe('/lineage/api/wherefrom/v1/trace');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      ref: 'credit-risk@3#a&b',
      depth: '2',
      columns: 'true',
      asOf: '1970-01-01T00:00:00.000Z',
      at: '5',
      kinds: 'run,dataset',
    });
    expect(seen.authorization).toBe('Bearer wf.k');
  });

  it('posts records as JSON', async () => {
    respond = json({ accepted: 1 }, 201);
    const client = createClient({ url: base });
    expect(await client.recordPredictions([{ id: 'p', modelVersion: 'm@1', output: 0.5 }])).toEqual(
      {
        accepted: 1,
      },
    );
    expect(seen).toMatchObject({ method: 'POST', url: '/api/wherefrom/v1/predictions' });
    expect(JSON.parse(seen.body ?? '')).toEqual([{ id: 'p', modelVersion: 'm@1', output: 0.5 }]);
  });

  it('ends a deployment by its name, which may hold a slash', async () => {
    respond = json({ number: 2 }, 201);
    const client = createClient({ url: base });
    await client.endDeployment('eu/scoring@2', { reason: 'incident' });
    expect(seen).toMatchObject({
      method: 'POST',
      url: '/api/wherefrom/v1/deployments/eu%2Fscoring%402/end',
      body: '{"reason":"incident"}',
    });
    await client.endDeployment('scoring');
    expect(seen.body).toBe('{}');
  });

  it('throws with the problem when it is refused', async () => {
    const problem = problemOf(
      new WherefromError('conflict', 'Two things.', { detail: { candidates: [1] } }),
    );
    respond = json(problem, 409);
    const thrown = await createClient({ url: base })
      .resolve('x')
      .catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(ClientError);
    expect(thrown).toMatchObject({
      message: 'Two things.',
      status: 409,
      problem: { candidates: [1] },
    });
  });

  it('says so when the server is not ours', async () => {
    respond = (response) => response.writeHead(200).end('<html>');
    await expect(createClient({ url: base }).status()).rejects.toThrow('is not JSON');
    respond = (response) => response.writeHead(502).end('<html>Bad gateway');
    await expect(createClient({ url: base }).status()).rejects.toThrow('answered 502');
  });

  it('gives up after its time, and says so when nobody answers', async () => {
    respond = () => {};
    await expect(createClient({ url: base, timeoutMs: 20 }).status()).rejects.toThrow(
      'did not answer in time',
    );
    await expect(createClient({ url: 'http://127.0.0.1:1' }).status()).rejects.toThrow(
      'cannot be reached',
    );
    await expect(createClient({ url: 'nonsense' }).status()).rejects.toThrow('is not a URL');
    server.closeAllConnections();
  });
});
