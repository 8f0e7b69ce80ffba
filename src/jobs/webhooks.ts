import { setTimeout as sleep } from 'node:timers/promises';
import { errorCodes, WherefromError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { SettledDelivery } from '../door/index.ts';
import type { DeliveryOutcome } from '../facts/webhook-facts.ts';
import type { PendingDelivery } from '../webhooks/index.ts';
import type { Told } from './webhook-call.ts';
import {
  type CallOptions,
  callOnce,
  deliver,
  keyOf,
  type TestedHook,
  type TestResult,
} from './webhook-delivery.ts';

export interface WebhookJobOptions extends CallOptions {
  /** Calls that are owed, oldest first, at most `perWebhook` of each webhook. */
  pending(perWebhook: number): Promise<readonly PendingDelivery[]>;
  /** Records through the door that calls of one workspace have ended. */
  settle(workspace: string, deliveries: readonly SettledDelivery[]): Promise<void>;
}

/** Makes the calls that webhooks owe, beside the door. */
export interface WebhookJob {
  /** Looks soon whether something is owed. Cheap: called after every commit. */
  wake(): void;
  /** Calls once with an example, and tells what the receiver said. Never throws. */
  test(hook: TestedHook, told: Omit<Told, 'time'>): Promise<TestResult>;
  /** Begins no more calls, lets those under way end for a while, cuts the rest; those are owed still. */
  close(): Promise<void>;
}

/**
 * Delivers at least once: a call is owed until the door has recorded its end, so one that a crash
 * cut off is made again, under the same id. One process serves a data directory (its lock is the
 * lease), so nobody else makes the same calls.
 */
export function createWebhookJob(options: WebhookJobOptions): WebhookJob {
  const underWay = new Map<string, Promise<void>>();
  const stop = new AbortController();
  const recorder = createRecorder(options, stop.signal);
  let closing = false;
  let looking: Promise<void> | undefined;
  let again = false;

  const look = async (): Promise<void> => {
    do {
      again = false;
      for (const pending of await options.pending(limits.webhookCallsOfOneMax)) {
        if (closing || underWay.size >= limits.webhookCallsMax) break;
        const key = keyOf(pending);
        if (!underWay.has(key) && !recorder.refused.has(key)) underWay.set(key, work(key, pending));
      }
    } while (again && !closing);
  };

  const work = async (key: string, pending: PendingDelivery): Promise<void> => {
    try {
      const outcome = await deliver(pending, options, stop.signal);
      options.monitor.called(outcome);
      await recorder.record(pending, outcome);
    } catch {
      // Cut off by the shutdown: it is owed still.
    }
    underWay.delete(key);
    wake();
  };

  const wake = (): void => {
    again = true;
    if (closing || looking !== undefined) return;
    looking = sleep(limits.webhookWakeMs)
      .then(look)
      // A store that does not answer now is asked again after the next commit.
      .catch(() => undefined)
      .finally(() => {
        looking = undefined;
        // Somebody asked between the last look and now.
        if (again) wake();
      });
  };

  return {
    wake,
    test: createTester(options),
    async close() {
      closing = true;
      await looking;
      const cut = setTimeout(() => stop.abort(), limits.webhookShutdownMs);
      await Promise.all(underWay.values());
      clearTimeout(cut);
    },
  };
}

/** Tells the door of calls that have ended; those that end together share a message. */
interface Recorder {
  /** Ended, but the door will not record it: not to be called again by this process. */
  readonly refused: ReadonlySet<string>;
  /** Resolves when it is recorded, or refused. */
  record(pending: PendingDelivery, outcome: DeliveryOutcome): Promise<void>;
}

function createRecorder(options: WebhookJobOptions, stopped: AbortSignal): Recorder {
  const refused = new Set<string>();
  let ended: { readonly pending: PendingDelivery; readonly outcome: DeliveryOutcome }[] = [];
  let recording: Promise<void> | undefined;

  const recordAll = async (): Promise<void> => {
    await sleep(limits.webhookSettleMs);
    recording = undefined;
    const taken = ended;
    ended = [];
    for (const [workspace, results] of Map.groupBy(taken, ({ pending }) => pending.workspace)) {
      const deliveries = results.map(({ pending, outcome }): SettledDelivery => {
        const { webhook, position, index, ordinal } = pending;
        return { webhook, position, index, ordinal, outcome };
      });
      if (await settle(workspace, deliveries)) continue;
      for (const { pending } of results) refused.add(keyOf(pending));
    }
  };

  /** False when the door will not take it. While it is busy, it is asked again. */
  const settle = async (
    workspace: string,
    deliveries: readonly SettledDelivery[],
  ): Promise<boolean> => {
    for (;;) {
      try {
        await options.settle(workspace, deliveries);
        return true;
      } catch (thrown) {
        const mayPass = thrown instanceof WherefromError && errorCodes[thrown.code].retryable;
        if (!mayPass || stopped.aborted) return false;
        await sleep(options.backoffMs ?? limits.webhookBackoffMs);
      }
    }
  };

  return {
    refused,
    record(pending, outcome) {
      ended.push({ pending, outcome });
      recording ??= recordAll();
      return recording;
    },
  };
}

/** Tests call somebody too: a few at a time. */
function createTester(options: CallOptions): WebhookJob['test'] {
  let testing = 0;
  return async (hook, told) => {
    if (testing >= limits.webhookCallsMax)
      return { success: false, error: `Failed to test webhook: ${testing} tests are under way` };
    testing += 1;
    return callOnce(hook, told, options).finally(() => {
      testing -= 1;
    });
  };
}
