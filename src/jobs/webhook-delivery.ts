import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { WherefromError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { DeliveryOutcome } from '../facts/webhook-facts.ts';
import type { PendingDelivery } from '../webhooks/index.ts';
import type { OutboundGuard } from './outbound-guard.ts';
import type { SecretBox } from './secret-box.ts';
import { post, type Told, uuidOf, type WebhookCall, writeBody } from './webhook-call.ts';

/** What calls are made with. */
export interface CallOptions {
  /** Puts persons back into what is sent. */
  reveal(text: string): string;
  readonly guard: OutboundGuard;
  readonly box: SecretBox;
  readonly clock: Clock;
  /** Origin of the log: part of what a call's id is made of. */
  readonly log: string;
  readonly monitor: WebhookMonitor;
  /** Wait before the first retry, for tests; that of the limits when absent. */
  readonly backoffMs?: number | undefined;
}

/** Counts what becomes of calls. */
export interface WebhookMonitor {
  called(outcome: DeliveryOutcome | 'retried'): void;
}

/** What came of the test of a webhook. */
export interface TestResult {
  readonly success: boolean;
  readonly status?: number;
  readonly body?: string;
  readonly error?: string;
}

/** A webhook that is tested. */
export interface TestedHook {
  readonly url: string;
  /** Sealed. */
  readonly secret: string | null;
}

/** Statuses that may pass. Source: mlflow/webhooks/delivery.py (_create_webhook_session). */
const passing: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

/** The place of a call, as text. */
export function keyOf({ webhook, position, index, ordinal }: PendingDelivery): string {
  return `${webhook} ${position} ${index} ${ordinal}`;
}

/** Makes one call, with retries. @throws only when `signal` fired. */
export async function deliver(
  pending: PendingDelivery,
  options: CallOptions,
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
  options: CallOptions,
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
  { box, reveal }: CallOptions,
): WebhookCall {
  const secret = about.secret === null ? undefined : box.open(about.secret);
  return { id: uuidOf(identity), body: reveal(writeBody(about)), secret };
}

/** What the receiver asked for, else twice as long as before, with jitter. */
function waitMs(
  attempt: number,
  retryAfter: string | undefined,
  { clock, backoffMs = limits.webhookBackoffMs }: CallOptions,
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

/** Calls once with an example, and tells what the receiver said. Never throws. */
export async function callOnce(
  hook: TestedHook,
  told: Omit<Told, 'time'>,
  options: CallOptions,
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
