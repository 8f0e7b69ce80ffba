import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { limits } from '../../../base/limits.ts';
import { type TestReply, type TestServer, testServer } from '../../../testing/server.ts';

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the test asserts
  readonly json: any;
}

let server: TestServer;
let receiver: Server;
let url: string;
const received: Received[] = [];
/** Statuses to answer with, in order; 200 afterwards. */
let answers: number[] = [];

beforeEach(async () => {
  received.length = 0;
  answers = [];
  server = await testServer({ webhookAllow: ['127.0.0.1'] });
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      received.push({
        path: request.url ?? '',
        headers: request.headers,
        body,
        json: JSON.parse(body),
      });
      response.writeHead(answers.shift() ?? 200, { 'retry-after': '0' }).end('thanks');
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  // A server that listens on a port has an address with one.
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
});
afterEach(async () => {
  await server.remove();
  receiver.closeAllConnections();
  receiver.close();
});

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

async function call(method: Method, path: string, body?: object): Promise<TestReply> {
  const reply = await server.app.inject({
    method,
    url: `/api/2.0/mlflow/${path}`,
    headers: { host: 'localhost', 'content-type': 'application/json' },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
  return {
    status: reply.statusCode,
    headers: reply.headers,
    text: reply.body,
    get json() {
      return reply.json();
    },
  };
}

const created = { entity: 'REGISTERED_MODEL', action: 'CREATED' };
const hook = (more: object = {}): object => ({ name: 'ci', url, events: [created], ...more });

async function createHook(more: object = {}): Promise<string> {
  const reply = await call('POST', 'webhooks', hook(more));
  expect([reply.status, reply.text]).toEqual([200, expect.any(String)]);
  return reply.json.webhook.webhook_id;
}

const arrived = (count: number): Promise<void> =>
  vi.waitFor(() => expect(received).toHaveLength(count), { timeout: 5_000, interval: 10 });

async function metric(name: string): Promise<number> {
  const { text } = await server.get('/metrics');
  const line = text.split('\n').find((each) => each.startsWith(name)) ?? '';
  return Number(line.split(' ').at(-1));
}

describe('the endpoints of webhooks', () => {
  it('create, show, list in pages, change and delete them, and never tell a secret', async () => {
    const first = await createHook({ description: 'd', secret: 'hush', status: 'DISABLED' });
    const second = await createHook({ name: 'other' });
    const shown = (await call('GET', `webhooks/${first}`)).json.webhook;
    expect(shown).toEqual({
      webhook_id: first,
      name: 'ci',
      description: 'd',
      url,
      events: [created],
      status: 'DISABLED',
      creation_timestamp: expect.any(Number),
      last_updated_timestamp: expect.any(Number),
    });
    const page = (await call('GET', 'webhooks?max_results=1')).json;
    const rest = (await call('GET', `webhooks?max_results=1&page_token=${page.next_page_token}`))
      .json;
    const ids = [...page.webhooks, ...rest.webhooks].map(({ webhook_id: id }) => id);
    expect(ids).toEqual([second, first]);
    expect(rest.next_page_token).toBeUndefined();
    const events = [{ entity: 'PROMPT', action: 'CREATED' }];
    const changed = await call('PATCH', `webhooks/${first}`, {
      name: 'renamed',
      description: '',
      events,
      status: 'ACTIVE',
    });
    expect(changed.json.webhook).toMatchObject({ name: 'renamed', events, status: 'ACTIVE', url });
    expect(changed.json.webhook.description).toBeUndefined();
    const [, position, index] = String(changed.headers['wherefrom-receipt']).split(' ');
    expect((await server.get(`/api/wherefrom/v1/receipts/${position}/${index}`)).status).toBe(200);
    expect((await call('DELETE', `webhooks/${first}`)).json).toEqual({});
    expect((await call('GET', `webhooks/${first}`)).json).toMatchObject({
      error_code: 'RESOURCE_DOES_NOT_EXIST',
      message: `Webhook with ID ${first} not found.`,
    });
  });

  it('are bounded in number', async () => {
    for (let n = 0; n < limits.webhooksPerWorkspaceMax; n += 1) await createHook({ name: `h${n}` });
    const { status, json } = await call('POST', 'webhooks', hook());
    expect([status, json.message]).toEqual([400, expect.stringContaining('at most 100 webhooks')]);
  });

  it('keep a secret sealed in the record', async () => {
    const reply = await call('POST', 'webhooks', hook({ secret: 'hush-hush-hush' }));
    const [, position, index] = String(reply.headers['wherefrom-receipt']).split(' ');
    const receipt = await server.get(`/api/wherefrom/v1/receipts/${position}/${index}`);
    expect(receipt.text).toContain('v1:');
    expect(receipt.text).not.toContain('hush');
  });

  it.each([
    [{ name: '' }, "Missing value for required parameter 'name'"],
    [{ name: '-ci' }, "Webhook name '-ci' is invalid."],
    [
      { url: 'ftp://127.0.0.1/x' },
      "Invalid webhook URL scheme: 'ftp'. Allowed schemes are: https.",
    ],
    [{ url: 'http://example.org/x' }, "Invalid webhook URL scheme: 'http'."],
    [
      { url: 'https://10.1.2.3/x' },
      "must not resolve to a non-public IP address. '10.1.2.3' resolves to 10.1.2.3.",
    ],
    [
      { url: 'https://[::ffff:169.254.169.254]/latest' },
      'must not resolve to a non-public IP address',
    ],
    [{ url: 'https://user:pass@example.org/' }, 'must not include embedded credentials'],
    [
      { url: 'https://no.such.host.invalid/' },
      "Cannot resolve Webhook URL hostname 'no.such.host.invalid'",
    ],
    [{ events: [] }, 'Webhook events must be a non-empty list'],
    [
      { events: [{ entity: 'REGISTERED_MODEL', action: 'DELETED' }] },
      "Invalid action 'deleted' for entity 'registered_model'. Valid actions are: ['created']",
    ],
    [{ status: 'ASLEEP' }, 'status'],
  ])('refuse %j in the words of MLflow', async (more, text) => {
    const { status, json } = await call('POST', 'webhooks', hook(more));
    expect([status, json.error_code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
    expect(json.message).toContain(text);
  });

  it('test a webhook with an example, signed, and tell what the receiver said', async () => {
    const id = await createHook({ secret: 'hush' });
    const { result } = (await call('POST', `webhooks/${id}/test`, {})).json;
    expect(result).toEqual({ success: true, response_status: 200, response_body: 'thanks' });
    expect(received[0]?.json).toMatchObject({
      entity: 'registered_model',
      action: 'created',
      data: { name: 'example_model', tags: { example_key: 'example_value' } },
    });
    expect(received[0]?.headers['x-mlflow-signature']).toMatch(/^v1,/);
    answers = [302];
    const event = { entity: 'PROMPT_ALIAS', action: 'DELETED' };
    const other = (await call('POST', `webhooks/${id}/test`, { event })).json.result;
    expect(other).toMatchObject({ success: false, response_status: 302 });
    expect(received).toHaveLength(2);
  });
});

describe('a call', () => {
  it('is signed over its id, time and body, as MLflow documents', async () => {
    await createHook({ secret: 'hush' });
    await call('POST', 'registered-models/create', {
      name: 'fraud',
      tags: [{ key: 'team', value: 'risk' }],
    });
    await arrived(1);
    const { headers, body, json } = received[0] as Received;
    const id = headers['x-mlflow-delivery-id'];
    const timestamp = headers['x-mlflow-timestamp'];
    const expected = createHmac('sha256', 'hush').update(`${id}.${timestamp}.${body}`);
    expect(headers['x-mlflow-signature']).toBe(`v1,${expected.digest('base64')}`);
    expect(Math.abs(Number(timestamp) - Date.now() / 1_000)).toBeLessThan(10);
    expect(id).toMatch(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
    expect(headers['content-type']).toBe('application/json');
    expect(json).toEqual({
      entity: 'registered_model',
      action: 'created',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/),
      data: { name: 'fraud', tags: { team: 'risk' }, description: '' },
      workspace: 'default',
    });
    await vi.waitFor(async () => {
      expect(await metric('wherefrom_webhook_calls_total{outcome="delivered"}')).toBe(1);
      expect(await metric('wherefrom_webhook_queue_calls')).toBe(0);
    });
  });

  it('tells of versions, tags and aliases, and of prompts by their own names', async () => {
    const all = [
      'REGISTERED_MODEL.CREATED',
      'MODEL_VERSION.CREATED',
      'MODEL_VERSION_TAG.SET',
      'MODEL_VERSION_TAG.DELETED',
      'MODEL_VERSION_ALIAS.CREATED',
      'MODEL_VERSION_ALIAS.DELETED',
      'PROMPT.CREATED',
      'PROMPT_VERSION.CREATED',
      'PROMPT_TAG.SET',
      'PROMPT_TAG.DELETED',
      'PROMPT_VERSION_TAG.SET',
      'PROMPT_VERSION_TAG.DELETED',
      'PROMPT_ALIAS.CREATED',
      'PROMPT_ALIAS.DELETED',
    ];
    const events = all.map((each) => {
      const [entity, action] = each.split('.');
      return { entity, action };
    });
    await createHook({ events });
    const isPrompt = { key: 'mlflow.prompt.is_prompt', value: 'true' };
    const text = { key: 'mlflow.prompt.text', value: 'Hello {{name}}' };
    for (const [name, tags] of [
      ['fraud', []],
      ['greeting', [isPrompt]],
    ] as const) {
      const version = { name, version: '1' };
      await call('POST', 'registered-models/create', { name, tags });
      const versionTags = tags.length === 0 ? [] : [isPrompt, text];
      const source = tags.length === 0 ? 's3://b/m' : 'prompt-template';
      await call('POST', 'model-versions/create', { name, source, tags: versionTags });
      await call('POST', 'registered-models/set-tag', { name, key: 'k', value: 'v' });
      await call('DELETE', 'registered-models/delete-tag', { name, key: 'k' });
      await call('POST', 'model-versions/set-tag', { ...version, key: 'k', value: 'v' });
      await call('DELETE', 'model-versions/delete-tag', { ...version, key: 'k' });
      await call('POST', 'registered-models/alias', { ...version, alias: 'champion' });
      await call('DELETE', 'registered-models/alias', { name, alias: 'champion' });
    }
    await arrived(14);
    const told = Object.fromEntries(
      received.map(({ json }) => [`${json.entity}.${json.action}`.toUpperCase(), json.data]),
    );
    expect(Object.keys(told).sort()).toEqual([...all].sort());
    expect(told).toMatchObject({
      'MODEL_VERSION.CREATED': {
        name: 'fraud',
        version: '1',
        source: 's3://b/m',
        run_id: null,
        tags: {},
        description: null,
      },
      'MODEL_VERSION_ALIAS.CREATED': { name: 'fraud', alias: 'champion', version: '1' },
      'MODEL_VERSION_ALIAS.DELETED': { name: 'fraud', alias: 'champion' },
      'MODEL_VERSION_TAG.SET': { name: 'fraud', version: '1', key: 'k', value: 'v' },
      'PROMPT.CREATED': { name: 'greeting', tags: {}, description: '' },
      'PROMPT_VERSION.CREATED': {
        name: 'greeting',
        version: '1',
        template: 'Hello {{name}}',
        tags: {},
        description: null,
      },
      'PROMPT_TAG.SET': { name: 'greeting', key: 'k', value: 'v' },
      'PROMPT_VERSION_TAG.DELETED': { name: 'greeting', version: '1', key: 'k' },
    });
  });

  it('is made again under the same id when the receiver is busy, and given up on a refusal', async () => {
    await createHook();
    answers = [500, 429];
    await call('POST', 'registered-models/create', { name: 'a' });
    await arrived(3);
    const ids = new Set(received.map(({ headers }) => headers['x-mlflow-delivery-id']));
    expect(ids.size).toBe(1);
    answers = [404];
    await call('POST', 'registered-models/create', { name: 'b' });
    await arrived(4);
    await vi.waitFor(async () => {
      expect(await metric('wherefrom_webhook_calls_total{outcome="failed"}')).toBe(1);
      expect(await metric('wherefrom_webhook_calls_total{outcome="retried"}')).toBe(2);
      expect(await metric('wherefrom_webhook_queue_calls')).toBe(0);
    });
  });

  it('is not made for a disabled or deleted webhook, nor for what was there before', async () => {
    await call('POST', 'registered-models/create', { name: 'before' });
    const disabled = await createHook({ status: 'DISABLED' });
    const deleted = await createHook();
    await call('DELETE', `webhooks/${deleted}`);
    await createHook({ name: 'alive' });
    await call('POST', 'registered-models/create', { name: 'now' });
    await arrived(1);
    expect(received[0]?.json.data.name).toBe('now');
    expect((await call('GET', `webhooks/${disabled}`)).json.webhook.status).toBe('DISABLED');
  });

  it('that a stop cut off is made after the start, and the tables come out the same', async () => {
    await createHook({ secret: 'hush' });
    // No answer within the time that a stop waits.
    receiver.removeAllListeners('request');
    receiver.on('request', () => undefined);
    await call('POST', 'registered-models/create', { name: 'fraud' });
    await vi.waitFor(async () => expect(await metric('wherefrom_webhook_queue_calls')).toBe(1));
    const port = Number(new URL(url).port);
    const stopped = server.close();
    receiver.closeAllConnections();
    receiver.close();
    await stopped;
    receiver = createServer((request, response) => {
      request.resume().on('end', () => {
        received.push({ path: request.url ?? '', headers: request.headers, body: '', json: {} });
        response.end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(port, '127.0.0.1', resolve));
    server = await server.reopen();
    await arrived(1);
    expect(received[0]?.headers['x-mlflow-signature']).toMatch(/^v1,/);
    await vi.waitFor(async () => expect(await metric('wherefrom_webhook_queue_calls')).toBe(0));
    await server.close();
    const { rebuildDirectory } = await import('../../../server/offline.ts');
    expect((await rebuildDirectory(server.data, { check: true })).differences).toEqual([]);
  });
});
