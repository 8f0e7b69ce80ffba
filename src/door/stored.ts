import { WherefromError } from '../base/errors.ts';
import { isObject, type JsonObject } from '../base/json.ts';
import type { Fact, FactContext } from '../facts/facts.ts';
import { decodeBlock, decodeEntry, type Entry, type StoredEntry } from '../ledger/index.ts';
import type { Operation } from './operation.ts';
import type { StateReader } from './state.ts';

/** Operations by the name that entries give. */
export type OperationsByName = ReadonlyMap<string, Operation>;

export function operationsByName(operations: readonly Operation[]): OperationsByName {
  return new Map(operations.map((each) => [nameOf(each), each]));
}

const nameOf = ({ protocol, operation }: Pick<Entry, 'protocol' | 'operation'>): string =>
  `${protocol} ${operation}`;

/** One message of an entry, as its payload was stored: JSON text. */
export interface StoredMessage {
  readonly position: number;
  readonly index: number;
  readonly entry: Entry;
  readonly text: string;
}

/** @throws integrity_broken when the entry or its payloads are damaged. */
export function readStoredMessages({ position, entry, block }: StoredEntry): StoredMessage[] {
  const decoded = decodeEntry(entry, position);
  return decodeBlock(block, position).map((text, index) => ({
    position,
    index,
    entry: decoded,
    text,
  }));
}

/**
 * The facts that a stored message means, and where it stands.
 * @throws integrity_broken when it is damaged or no operation translates it.
 */
export async function translateStored(
  { position, index, entry, text }: StoredMessage,
  operations: OperationsByName,
  { workspaces }: Pick<StateReader, 'workspaces'>,
): Promise<{ readonly facts: readonly Fact[]; readonly context: FactContext }> {
  const operation = operations.get(nameOf(entry));
  if (!operation) {
    throw new WherefromError(
      'integrity_broken',
      `Nothing translates ${nameOf(entry)} (entry ${position}).`,
      { hint: 'The record was written by a newer version of Wherefrom: use that one.' },
    );
  }
  const payload: unknown = JSON.parse(text);
  if (!isObject(payload) || !isObject(payload.decided)) {
    throw new WherefromError(
      'integrity_broken',
      `Message ${index} of ledger entry ${position} is damaged.`,
    );
  }
  const { time, principal } = entry;
  const workspace = (await workspaces.findWorkspaceName(entry.workspace)) ?? entry.workspace;
  const context = { position, index, time, workspace, principal };
  // Payloads are JSON objects as `decide` made them; the tree proves it when verified.
  const decided = payload.decided as JsonObject;
  return {
    facts: operation.translate({ message: payload.message, decided }, context).facts,
    context,
  };
}
