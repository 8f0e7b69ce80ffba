import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { WherefromError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { SettledDelivery } from '../door/index.ts';
import type { PendingDelivery } from '../webhooks/index.ts';
import { createOutboundGuard } from './outbound-guard.ts';
import { createSecretBox } from './secret-box.ts';
import { createWebhookJob, type WebhookJob } from './webhooks.ts';

const box = createSecretBox(Buffer.alloc(32, 7));
let owed: PendingDelivery[];
let settled: SettledDelivery[];
let outcomes: string[];
let job: WebhookJob;
let receiver: Server;
let answer: RequestListener;
let url: string;
/** What the door says to the next records. */
let refusals: WherefromError[];

beforeEach(async () => {
  [owed, settled, outcomes, refusals] = [[], [], [], []];
  answer = (request, response) => request.resume().on('end', () => response.end());
  receiver = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  // A server that listens on a port has an address with one.
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  job = createWebhookJob({
    pending: async (perWebhook) => {
      const hooks = Map.groupBy(owed, ({ webhook }) => webhook);
      return [...hooks.values()].flatMap((each) => each.slice(0, perWebhook));
    },
    settle: async (_workspace, deliveries) => {
      const refusal = refusals.shift();
      if (refusal) throw refusal;
      settled.push(...deliveries);
      owed = owed.filter(
        ({ position }) => !deliveries.some((delivery) => delivery.position === position),
      );
    },
    reveal: (text) => text.replace('person_token', 'Ada'),
    guard: createOutboundGuard({ allow: ['127.0.0.1'] }),
    box,
    clock: systemClock,
    log: 'test',
    monitor: { called: (outcome) => outcomes.push(outcome) },
    backoffMs: 5,
  });
});
afterEach(async () => {
  receiver.closeAllConnections();
  receiver.close();
  await job.close();
});

function owe(count: number, more: Partial<PendingDelivery> = {}): void {
  for (let n = 0; n < count; n += 1) {
    owed.push({
      webhook: 'hook',
      workspace: 'default',
      url,
      secret: null,
      position: owed.length,
      index: 0,
      ordinal: 0,
      event: 'registered_model.created',
      data: '{"name":"fraud"}',
      time: 1_700_000_000_000,
      ...more,
    });
  }
  job.wake();
}

const waitFor = (check: () => void): Promise<void> =>
  vi.waitFor(check, { timeout: 4_000, interval: 5 });

describe('the job of webhooks', () => {
  it('makes every call once, and few of one webhook at a time', async () => {
    let open = 0;
    let most = 0;
    answer = (request, response) => {
      open += 1;
      most = Math.max(most, open);
      request.resume().on('end', () =>
        setTimeout(() => {
          open -= 1;
          response.end();
        }, 5),
      );
    };
    owe(9);
    await waitFor(() => expect(settled).toHaveLength(9));
    expect(outcomes).toEqual(new Array(9).fill('delivered'));
    expect(most).toBeLessThanOrEqual(limits.webhookCallsOfOneMax);
  });

  it('lets a receiver that never answers hold up no other', async () => {
    answer = (request, response) => {
      if (request.url !== '/slow') request.resume().on('end', () => response.end());
    };
    owe(5, { webhook: 'slow', url: `${url}slow` });
    owe(3, { webhook: 'quick' });
    await waitFor(() => expect(settled).toHaveLength(3));
    expect(new Set(settled.map(({ webhook }) => webhook))).toEqual(new Set(['quick']));
  });

  it('tries again after what may pass, and gives up after the last attempt', async () => {
    answer = (_request, response) => response.writeHead(503).end();
    owe(1);
    await waitFor(() => expect(settled).toHaveLength(1));
    expect(settled[0]?.outcome).toBe('failed');
    const retries = new Array(limits.webhookRetriesMax).fill('retried');
    expect(outcomes).toEqual([...retries, 'failed']);
  });

  it('tries again when nobody listens', async () => {
    receiver.close();
    owe(1);
    await waitFor(() => expect(settled).toHaveLength(1));
    expect(outcomes.at(-1)).toBe('failed');
    expect(outcomes).toHaveLength(limits.webhookRetriesMax + 1);
  });

  it('calls nothing that the guard refuses by now, and follows no redirect', async () => {
    const paths: unknown[] = [];
    answer = (request, response) => {
      paths.push(request.url);
      response.writeHead(307, { location: `${url}elsewhere` }).end();
    };
    owe(1, { webhook: 'rebound', url: url.replace('127.0.0.1', 'localhost') });
    owe(1, { webhook: 'redirected' });
    await waitFor(() => expect(settled).toHaveLength(2));
    expect(settled.map(({ outcome }) => outcome)).toEqual(['failed', 'failed']);
    expect(paths).toEqual(['/']);
  });

  it('puts persons back, and opens the secret only to sign', async () => {
    let body = '';
    let signature: unknown;
    answer = (request, response) => {
      signature = request.headers['x-mlflow-signature'];
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString('utf8');
      });
      request.on('end', () => response.end());
    };
    owe(1, { data: '{"name":"person_token"}', secret: box.seal('hush') });
    await waitFor(() => expect(settled).toHaveLength(1));
    expect(JSON.parse(body).data).toEqual({ name: 'Ada' });
    expect(signature).toMatch(/^v1,/);
    expect(body).not.toContain('hush');
  });

  it('does not call again while the door is busy, nor when it will not record the end', async () => {
    let calls = 0;
    answer = (_request, response) => {
      calls += 1;
      response.end();
    };
    refusals = [new WherefromError('overloaded', 'busy')];
    owe(1);
    await waitFor(() => expect(settled).toHaveLength(1));
    expect(calls).toBe(1);
    calls = 0;
    settled = [];
    outcomes = [];
    refusals = [new WherefromError('not_found', 'no such workspace')];
    owe(1);
    await waitFor(() => expect(outcomes).toEqual(['delivered']));
    await new Promise((resolve) => setTimeout(resolve, 60));
    job.wake();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect([calls, settled]).toEqual([1, []]);
  });

  it('closing cuts calls that do not end, and leaves them owed', async () => {
    let asked = 0;
    answer = () => {
      asked += 1;
    };
    owe(1);
    await waitFor(() => expect(asked).toBe(1));
    const started = performance.now();
    await job.close();
    expect(performance.now() - started).toBeLessThan(limits.webhookShutdownMs + 1_000);
    expect([owed.length, settled, outcomes]).toEqual([1, [], []]);
  });
});

describe('the secret box', () => {
  it('opens what it sealed, seals never the same twice, and opens nothing that was changed', () => {
    const sealed = box.seal('hush');
    expect(box.open(sealed)).toBe('hush');
    expect(box.seal('hush')).not.toBe(sealed);
    expect(sealed).not.toContain('hush');
    const other = createSecretBox(Buffer.alloc(32, 8));
    expect(() => other.open(sealed)).toThrow('cannot be opened');
    const flipped = `${sealed.slice(0, -4)}${sealed.at(-4) === 'A' ? 'B' : 'A'}${sealed.slice(-3)}`;
    expect(() => box.open(flipped)).toThrow('cannot be opened');
    expect(() => box.open('v1:')).toThrow('cannot be opened');
  });
});
