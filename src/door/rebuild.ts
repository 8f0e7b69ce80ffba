import { sha256 } from '../base/digest.ts';
import { WherefromError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { LedgerReader, StoredEntry } from '../ledger/index.ts';
import type { Operation } from './operation.ts';
import { projectFacts } from './project.ts';
import type { TransactionStore, WriteSession } from './session.ts';
import {
  type OperationsByName,
  operationsByName,
  readStoredMessages,
  translateStored,
} from './stored.ts';

export interface ReplayOptions {
  readonly ledger: LedgerReader;
  /** Empty projections to fill. */
  readonly target: TransactionStore;
  /** Every operation of every protocol, also those no longer served. */
  readonly operations: readonly Operation[];
  readonly progress?: (entries: number, of: number) => void;
}

/**
 * Fills empty projections from the payloads, in order. Nothing is decided again: ids, times and
 * numbers were stored, so every logical column comes out the same.
 * @returns how many messages were replayed.
 * @throws integrity_broken when a payload is damaged or no operation translates it.
 */
export async function replay(options: ReplayOptions): Promise<number> {
  const operations = operationsByName(options.operations);
  const { size } = await options.ledger.head();
  let position = 0;
  let messages = 0;
  while (position < size) {
    const page = await options.ledger.list(position, limits.replayEntriesMax);
    if (page.length === 0) throw damaged(`Ledger entry ${position} is missing.`);
    await options.target.transaction(async (session) => {
      for (const stored of page) {
        checkStored(stored, position);
        messages += await replayEntry(stored, operations, session);
        position += 1;
      }
    });
    options.progress?.(position, size);
  }
  return messages;
}

/** Out of what a damaged disk gives back nothing is made. */
function checkStored(stored: StoredEntry, position: number): void {
  if (stored.position !== position) throw damaged(`Ledger entry ${position} is missing.`);
  if (!sha256(stored.block).equals(stored.blockDigest))
    throw damaged(`The payload of ledger entry ${position} is damaged.`);
}

const damaged = (message: string): WherefromError =>
  new WherefromError('integrity_broken', message, {
    hint: '"wherefrom verify" shows all that is damaged: restore the data directory from a backup.',
  });

async function replayEntry(
  stored: StoredEntry,
  operations: OperationsByName,
  session: WriteSession,
): Promise<number> {
  let count = 0;
  for (const message of readStoredMessages(stored)) {
    const { facts, context } = await translateStored(message, operations, session);
    await projectFacts(facts, context, session);
    count += 1;
  }
  return count;
}
