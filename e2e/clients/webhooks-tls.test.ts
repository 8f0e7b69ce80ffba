/** Webhooks to a receiver with TLS, whose certificate comes from an authority of its own network. */
import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type ChildServer, startChildServer } from '../server.ts';

const run = promisify(execFile);
const secret = 'a secret of the receiver';
const events = [{ entity: 'REGISTERED_MODEL', action: 'CREATED' }];

let directory: string;
let receiver: Server;
let port: number;
/** Knows the authority, and does not. */
let knowing: ChildServer;
let unknowing: ChildServer;
const received: { headers: IncomingHttpHeaders; body: string }[] = [];

/** An authority, and a certificate of it for `localhost` alone. */
async function makeCertificates(): Promise<void> {
  const openssl = (...args: string[]) => run('openssl', args, { cwd: directory });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-batch'];
  await openssl(
    ...['req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2'],
    ...['-subj', '/CN=Wherefrom test authority'],
  );
  await openssl(
    ...['req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost'],
  );
  writeFileSync(join(directory, 'san.cnf'), 'subjectAltName=DNS:localhost\n');
  await openssl(
    ...['x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-days', '2'],
    ...['-CAcreateserial', '-extfile', 'san.cnf', '-out', 'server.pem'],
  );
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'wherefrom-tls-'));
  await makeCertificates();
  const file = (name: string): Buffer => readFileSync(join(directory, name));
  receiver = createServer(
    { key: file('server.key'), cert: file('server.pem') },
    async (request, response) => {
      received.push({ headers: request.headers, body: await text(request) });
      response.end('taken');
    },
  );
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  // A server that listens on TCP has an address of this form.
  ({ port } = receiver.address() as AddressInfo);
  const flags = ['--webhook-allow', 'localhost', '--webhook-allow', '127.0.0.1'];
  knowing = await startChildServer(flags, undefined, {
    NODE_EXTRA_CA_CERTS: join(directory, 'ca.pem'),
  });
  unknowing = await startChildServer(flags, undefined, { NODE_EXTRA_CA_CERTS: '' });
});
afterAll(async () => {
  await Promise.all([knowing?.stop(), unknowing?.stop()]);
  receiver?.close();
  rmSync(directory, { recursive: true, force: true });
});

interface Reply {
  readonly webhook?: { readonly webhook_id: string };
  readonly result?: object;
}

async function call(server: ChildServer, path: string, body: object): Promise<Reply> {
  const answer = await fetch(`${server.url}/api/2.0/mlflow/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(answer.status, await answer.clone().text()).toBe(200);
  return (await answer.json()) as Reply;
}

/** Makes a webhook to the host; returns what its test came to. */
async function tested(server: ChildServer, host: string): Promise<object | undefined> {
  const url = `https://${host}:${port}/hook`;
  const made = await call(server, 'webhooks', { name: host, url, events, secret });
  const id = made.webhook?.webhook_id ?? '';
  return (await call(server, `webhooks/${id}/test`, {})).result;
}

describe('a webhook to a receiver with TLS', () => {
  test('is called and signed, when its authority is known to the process', async () => {
    expect(await tested(knowing, 'localhost')).toMatchObject({
      success: true,
      response_status: 200,
      response_body: 'taken',
    });
    received.length = 0;
    await call(knowing, 'registered-models/create', { name: 'over-tls' });
    await vi.waitFor(() => expect(received).toHaveLength(1), { timeout: 20_000 });
    const [{ headers, body } = { headers: {}, body: '' }] = received;
    expect(JSON.parse(body)).toMatchObject({ data: { name: 'over-tls' } });
    const signed = `${headers['x-mlflow-delivery-id']}.${headers['x-mlflow-timestamp']}.${body}`;
    const mac = createHmac('sha256', secret).update(signed).digest('base64');
    expect(headers['x-mlflow-signature']).toBe(`v1,${mac}`);
  });

  test('is not called when the authority is unknown, nor by a name that the certificate has not', async () => {
    received.length = 0;
    expect(await tested(unknowing, 'localhost')).toMatchObject({
      success: false,
      error_message: expect.stringMatching(/certificate/),
    });
    expect(await tested(knowing, '127.0.0.1')).toMatchObject({
      success: false,
      error_message: expect.stringMatching(/altnames|certificate/i),
    });
    expect(received).toEqual([]);
  });
});
