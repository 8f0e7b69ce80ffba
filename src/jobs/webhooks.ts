import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { errorCodes, WherefromError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { SettledDelivery } from '../door/index.ts';
import type { DeliveryOutcome, WebhookEvent } from '../facts/webhook-facts.ts';
import type { PendingDelivery } from '../webhooks/index.ts';
import type { OutboundGuard } from './outbound-guard.ts';
import type { SecretBox } from './secret-box.ts';
import { post, uuidOf, type WebhookCall, writeBody } from './webhook-call.ts';

/** Counts what becomes of calls. */
export interface WebhookMonitor {
  called(outcome: DeliveryOutcome | 'retried'): void;
}

export interface WebhookJobOptions {
  /** Calls that are owed, oldest first, at most `perWebhook` of each webhook. */
  pending(perWebhook: number): Promise<readonly PendingDelivery[]>;
  /** Records through the door that calls of one workspace have ended. */
  settle(workspace: string, deliveries: readonly SettledDelivery[]): Promise<void>;
  /** Puts persons back into what is sent. */
  reveal(text: string): string;
  readonly guard: OutboundGuard;
  readonly box: SecretBox;
  readonly clock: Clock;
  /** Origin of the log: part of what a call's id is made of. */
  readonly log: string;
  readonly monitor: WebhookMonitor;
  /** Waits before retries, for tests; the limits when absent. */
  readonly backoffMs?: number | undefined;
}

/** What came of the test of a webhook. */
export interface TestResult {
  readonly success: boolean;
  readonly status?: number;
  readonly body?: string;
  readonly error?: string;
}

/** Makes the calls that webhooks owe, beside the door. */
export interface WebhookJob {
  /** Looks soon whether something is owed. Cheap: called after every commit. */
  wake(): void;
  /** Calls once with an example, and tells what the receiver said. Never throws. */
  test(
    hook: { readonly url: string; readonly secret: string | null },
    told: TestCall,
  ): Promise<TestResult>;
  /** Begins no more calls, lets those under way end for a while, cuts the rest; those are owed still. */
  close(): Promise<void>;
}

interface TestCall {
  readonly event: WebhookEvent;
  readonly data: string;
  readonly workspace: string;
}

/** Statuses that may pass. Source: mlflow/webhooks/delivery.py (_create_webhook_session). */
const passing: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

const keyOf = ({ webhook, position, index, ordinal }: PendingDelivery): string =>
  `${webhook} ${position} ${index} ${ordinal}`;

/**
 * Delivers at least once: a call is owed until the door has recorded its end, so one that a crash
 * cut off is made again, under the same id. One process serves a data directory (its lock is the
 * lease), so nobody else makes the same calls.
 */
export function createWebhookJob(options: WebhookJobOptions): WebhookJob {
  const underWay = new Map<string, Promise<void>>();
  const ended: { readonly pending: PendingDelivery; readonly outcome: DeliveryOutcome }[] = [];
  /** Ended, but the door would not record it: not called again by this process. */
  const unrecorded = new Set<string>();
  const stop = new AbortController();
  let closing = false;
  let testing = 0;
  let looking: Promise<void> | undefined;
  let again = false;
  let settling: Promise<void> | undefined;

  const look = async (): Promise<void> => {
    do {
      again = false;
      const owed = await options.pending(limits.webhookCallsOfOneMax);
      for (const pending of owed) {
        if (closing || underWay.size >= limits.webhookCallsMax) break;
        const key = keyOf(pending);
        if (!underWay.has(key) && !unrecorded.has(key)) begin(pending);
      }
    } while (again && !closing);
  };

  const begin = (pending: PendingDelivery): void => {
    const key = keyOf(pending);
    const work = deliver(pending, options, stop.signal).then(
      async (outcome) => {
        options.monitor.called(outcome);
        ended.push({ pending, outcome });
        settling ??= settleSoon();
        await settling;
        underWay.delete(key);
        wake();
      },
      // Cut off by the shutdown: it is owed still.
      () => void underWay.delete(key),
    );
    underWay.set(key, work);
  };

  const settleSoon = async (): Promise<void> => {
    await sleep(closing ? 0 : limits.webhookSettleMs);
    settling = undefined;
    const byWorkspace = Map.groupBy(ended.splice(0), ({ pending }) => pending.workspace);
    for (const [workspace, results] of byWorkspace) {
      const deliveries = results.map(({ pending, outcome }) => {
        const { webhook, position, index, ordinal } = pending;
        return { webhook, position, index, ordinal, outcome };
      });
      if (!(await record(workspace, deliveries)))
        for (const { pending } of results) unrecorded.add(keyOf(pending));
    }
  };

  /** False when the door will not take it: in vain to try again. */
  const record = async (
    workspace: string,
    deliveries: readonly SettledDelivery[],
  ): Promise<boolean> => {
    for (;;) {
      try {
        await options.settle(workspace, deliveries);
        return true;
      } catch (thrown) {
        const mayPass = thrown instanceof WherefromError && errorCodes[thrown.code].retryable;
        if (!mayPass || closing) return false;
        await sleep(limits.webhookBackoffMs);
      }
    }
  };

  const wake = (): void => {
    if (closing) return;
    if (looking !== undefined) {
      again = true;
      return;
    }
    looking = sleep(limits.webhookWakeMs)
      .then(look)
      // A store that does not answer now is asked again after the next commit.
      .catch(() => undefined)
      .finally(() => {
        looking = undefined;
      });
  };

  return {
    wake,
    async test(hook, told) {
      if (testing >= limits.webhookCallsMax)
        return { success: false, error: `Failed to test webhook: ${testing} tests are under way` };
      testing += 1;
      return callOnce(hook, told, options).finally(() => {
        testing -= 1;
      });
    },
    async close() {
      closing = true;
      await looking;
      const cut = setTimeout(() => stop.abort(), limits.webhookShutdownMs);
      await Promise.all(underWay.values());
      clearTimeout(cut);
    },
  };
}

/** Makes one call, with retries. @throws only when `signal` fired. */
async function deliver(
  pending: PendingDelivery,
  options: WebhookJobOptions,
  signal: AbortSignal,
): Promise<DeliveryOutcome> {
  for (let attempt = 0; ; attempt += 1) {
    const result = await attemptCall(pending, options, signal);
    signal.throwIfAborted();
    if (result.outcome === 'delivered') return 'delivered';
    if (!result.mayPass || attempt >= limits.webhookRetriesMax) return 'failed';
    options.monitor.called('retried');
    await sleep(waitMs(attempt, result.retryAfter, options), undefined, { signal });
  }
}

type Attempt =
  | { readonly outcome: 'delivered' }
  | {
      readonly outcome: 'failed';
      readonly mayPass: boolean;
      readonly retryAfter?: string | undefined;
    };

async function attemptCall(
  pending: PendingDelivery,
  options: WebhookJobOptions,
  signal: AbortSignal,
): Promise<Attempt> {
  try {
    const target = await options.guard.check(pending.url);
    const call = writeCall(pending, `${options.log} ${keyOf(pending)}`, options);
    const { status, retryAfter } = await post(target, call, { clock: options.clock, signal });
    if (status >= 200 && status < 300) return { outcome: 'delivered' };
    return { outcome: 'failed', mayPass: passing.has(status), retryAfter };
  } catch (thrown) {
    // A refusal of the guard stays one, unless the name could not be resolved; the network may recover.
    const mayPass = !(thrown instanceof WherefromError) || thrown.detail.unresolved === true;
    return { outcome: 'failed', mayPass };
  }
}

function writeCall(
  about: Pick<PendingDelivery, 'secret' | 'event' | 'data' | 'workspace' | 'time'>,
  identity: string,
  { box, reveal }: WebhookJobOptions,
): WebhookCall {
  const secret = about.secret === null ? undefined : box.open(about.secret);
  return { id: uuidOf(identity), body: reveal(writeBody(about)), secret };
}

/** What the receiver asked for, else twice as long as before, with jitter. */
function waitMs(
  attempt: number,
  retryAfter: string | undefined,
  { clock, backoffMs = limits.webhookBackoffMs }: WebhookJobOptions,
): number {
  const asked = retryAfter === undefined ? Number.NaN : askedMs(retryAfter, clock.now());
  const share = clock.random(4).readUInt32BE(0) / 2 ** 32;
  const jitter = share * Math.min(limits.webhookJitterMs, backoffMs);
  const wait = Number.isNaN(asked) ? backoffMs * 2 ** attempt + jitter : asked;
  return Math.max(0, Math.min(wait, limits.webhookBackoffMaxMs));
}

function askedMs(retryAfter: string, nowMs: number): number {
  return /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1_000 : Date.parse(retryAfter) - nowMs;
}

async function callOnce(
  hook: { readonly url: string; readonly secret: string | null },
  told: TestCall,
  options: WebhookJobOptions,
): Promise<TestResult> {
  try {
    const target = await options.guard.check(hook.url);
    const time = options.clock.now();
    const identity = `${options.log} test ${options.clock.random(16).toString('hex')}`;
    const call = writeCall({ ...told, secret: hook.secret, time }, identity, options);
    const answer = await post(target, call, { clock: options.clock });
    const { status, body } = answer;
    return { success: status >= 200 && status < 300, status, body };
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
    return { success: false, error: `Failed to test webhook: ${why}` };
  }
}
