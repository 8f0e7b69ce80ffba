import { WherefromError } from '../base/errors.ts';
import { isObject, type JsonObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { decodeBlock, decodeEntry, type LedgerReader, type StoredEntry } from '../ledger/index.ts';
import type { Operation } from './operation.ts';
import { projectFacts } from './project.ts';
import type { TransactionStore, WriteSession } from './session.ts';

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
  const operations = new Map(
    options.operations.map((each) => [`${each.protocol} ${each.operation}`, each]),
  );
  const { size } = await options.ledger.head();
  let position = 0;
  let messages = 0;
  while (position < size) {
    const page = await options.ledger.list(position, limits.replayEntriesMax);
    if (page.length === 0)
      throw new WherefromError('integrity_broken', `Ledger entry ${position} is missing.`);
    await options.target.transaction(async (session) => {
      for (const stored of page) messages += await replayEntry(stored, operations, session);
    });
    position += page.length;
    options.progress?.(position, size);
  }
  return messages;
}

async function replayEntry(
  stored: StoredEntry,
  operations: ReadonlyMap<string, Operation>,
  session: WriteSession,
): Promise<number> {
  const { position } = stored;
  const entry = decodeEntry(stored.entry, position);
  const operation = operations.get(`${entry.protocol} ${entry.operation}`);
  if (!operation) {
    throw new WherefromError(
      'integrity_broken',
      `Nothing translates ${entry.protocol} ${entry.operation} (entry ${position}).`,
      {
        hint: 'The record was written by a newer version of Wherefrom: use that one.',
      },
    );
  }
  const texts = decodeBlock(stored.block, position);
  for (const [index, text] of texts.entries()) {
    const payload: unknown = JSON.parse(text);
    if (!isObject(payload) || !isObject(payload.decided)) {
      throw new WherefromError(
        'integrity_broken',
        `Message ${index} of ledger entry ${position} is damaged.`,
      );
    }
    const workspace = await session.workspaces.findWorkspaceName(entry.workspace);
    const context = {
      position,
      index,
      time: entry.time,
      workspace: workspace ?? entry.workspace,
      principal: entry.principal,
    };
    // Payloads are JSON objects as `decide` made them; the tree proves it when verified.
    const { facts } = operation.translate(
      { message: payload.message, decided: payload.decided as JsonObject },
      context,
    );
    await projectFacts(facts, context, session);
  }
  return texts.length;
}
