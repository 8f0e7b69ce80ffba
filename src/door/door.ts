import type { Clock } from '../base/clock.ts';
import { toWherefromError, WherefromError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { serveOthers } from '../base/slices.ts';
import { type BatchContext, type Pending, writeBatch } from './batch.ts';
import type { Accepted, Door, Submission } from './operation.ts';
import type { TransactionStore } from './session.ts';

/** What the door tells about itself to /metrics. */
export interface DoorMonitor {
  committed(batch: { messages: number; durationMs: number }): void;
}

export interface DoorOptions {
  readonly store: TransactionStore;
  readonly clock: Clock;
  /** Origin of the log, as receipts name it. */
  readonly log: string;
  /** Server secret for looking up persons. */
  readonly secret: Uint8Array;
  readonly monitor?: DoorMonitor;
}

interface Waiting {
  readonly pending: Pending;
  resolve(accepted: Accepted<unknown>): void;
  reject(error: WherefromError): void;
}

/** The door with what the server needs to watch and stop it. */
export interface ServerDoor extends Door {
  readonly queued: () => number;
  /** Set once the record was found damaged: nothing is written any more. */
  readonly broken: () => WherefromError | undefined;
  /** Resolves when all that was submitted has been answered. */
  idle(): Promise<void>;
}

/**
 * The one write path. Takes what has queued up, writes it in one transaction, commits durably, and
 * only then answers. One bad message never fails the others.
 */
export function createDoor(options: DoorOptions): ServerDoor {
  const queue: Waiting[] = [];
  let running: Promise<void> | undefined;
  let broken: WherefromError | undefined;

  const attempt = async (pending: readonly Pending[]): Promise<void> => {
    const context: BatchContext = {
      log: options.log,
      secret: options.secret,
      now: options.clock.now(),
      random: (count) => options.clock.random(count),
    };
    await options.store.transaction((session) => writeBatch(pending, session, context));
  };

  const commit = async (batch: readonly Waiting[]): Promise<void> => {
    const started = performance.now();
    const pending = batch.map((waiting) => waiting.pending);
    try {
      await attempt(pending);
    } catch (thrown) {
      await commitOneByOne(pending, toWherefromError(thrown));
    }
    options.monitor?.committed({ messages: batch.length, durationMs: performance.now() - started });
    for (const { pending: item, resolve, reject } of batch) {
      if (item.refusal) reject(item.refusal);
      else if (item.outcome) resolve(item.outcome);
      else reject(new WherefromError('internal', 'The message was neither accepted nor refused.'));
    }
  };

  // A batch that failed was rolled back whole. Alone, each message fails or succeeds for itself.
  const commitOneByOne = async (
    pending: readonly Pending[],
    error: WherefromError,
  ): Promise<void> => {
    if (error.code === 'integrity_broken') broken = error;
    for (const item of pending) {
      item.outcome = undefined;
      item.refusal = undefined;
      if (
        pending.length === 1 ||
        error.code === 'integrity_broken' ||
        error.code === 'storage_unavailable'
      ) {
        item.refusal = error;
        continue;
      }
      try {
        await attempt([item]);
      } catch (thrown) {
        item.outcome = undefined;
        item.refusal = toWherefromError(thrown);
      }
    }
  };

  const run = async (): Promise<void> => {
    await gather(queue);
    while (queue.length > 0) {
      await commit(takeBatch(queue));
      await gather(queue);
    }
    running = undefined;
  };

  return {
    submit<Sent, Answer, Body>(
      submission: Submission<Sent, Answer, Body>,
    ): Promise<Accepted<Answer>> {
      if (broken) return Promise.reject(broken);
      if (queue.length >= limits.queueMessagesMax) {
        return Promise.reject(
          new WherefromError('overloaded', `${queue.length} messages wait for the writer.`, {
            hint: 'Send again in a moment.',
          }),
        );
      }
      return new Promise((resolve, reject) => {
        queue.push({
          // Operations are looked up by name at replay, so their types are erased here.
          pending: {
            submission: submission as Submission<unknown, unknown>,
            bytes: submission.text?.length ?? 0,
            outcome: undefined,
            refusal: undefined,
          },
          resolve: resolve as (accepted: Accepted<unknown>) => void,
          reject,
        });
        running ??= run();
      });
    },
    queued: () => queue.length,
    broken: () => broken,
    async idle() {
      while (running) await running;
    },
  };
}

/**
 * Lets the requests that the event loop already holds join the batch: turns it until a turn brings
 * none. One commit for thirty messages costs little more than one for ten.
 */
async function gather(queue: readonly Waiting[]): Promise<void> {
  for (let turn = 0; turn < limits.gatherTurnsMax; turn += 1) {
    const before = queue.length;
    await serveOthers();
    if (queue.length === before || queue.length >= limits.batchMessagesMax) return;
  }
}

function takeBatch(queue: Waiting[]): Waiting[] {
  let bytes = 0;
  let count = 0;
  for (const { pending } of queue) {
    if (
      count > 0 &&
      (count >= limits.batchMessagesMax || bytes + pending.bytes > limits.batchBytesMax)
    )
      break;
    bytes += pending.bytes;
    count += 1;
  }
  return queue.splice(0, count);
}
