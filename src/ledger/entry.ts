import { type Hmac, hmacSha256, hmacWith } from '../base/digest.ts';
import { WherefromError } from '../base/errors.ts';
import { canonicalJson, isObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { merkleRoot } from './merkle.ts';

/**
 * One ledger entry: one to many accepted messages of one workspace, principal and operation.
 * Its encoding is small canonical JSON and never changes but by a new `v`. No personal data, no
 * free text. Source: DESIGN.md section 9, docs/decisions/0002.
 */
export interface Entry {
  readonly v: 1;
  /** 0-based place in the log. */
  readonly position: number;
  /** Recorded time, ms since 1970 UTC; never decreases along the log. */
  readonly time: number;
  /** Opaque id of the workspace. */
  readonly workspace: string;
  readonly protocol: string;
  readonly operation: string;
  /** Opaque id of who sent it. */
  readonly principal: string;
  /** How many messages. */
  readonly count: number;
  /** Hex Merkle root over the messages' commitments. */
  readonly root: string;
}

/** The bytes that are the leaf of the log's tree. @throws too_large above 65,535 bytes. */
export function encodeEntry(entry: Entry): Buffer {
  const bytes = Buffer.from(canonicalJson(entry), 'utf8');
  if (bytes.length > limits.entryBytesMax) {
    throw new WherefromError(
      'too_large',
      `A ledger entry of ${bytes.length} bytes is above the limit.`,
    );
  }
  return bytes;
}

/** Reads an entry. @throws integrity_broken when the bytes are not the canonical form of one. */
export function decodeEntry(bytes: Uint8Array, position: number): Entry {
  const text = Buffer.from(bytes).toString('utf8');
  try {
    const value: unknown = JSON.parse(text);
    if (
      isObject(value) &&
      value.v === 1 &&
      value.position === position &&
      canonicalJson(value) === text
    ) {
      return value as unknown as Entry; // the tree proves that the rest is what was appended
    }
  } catch {
    // falls through: not JSON
  }
  throw new WherefromError('integrity_broken', `Ledger entry ${position} is damaged.`, {
    hint: 'Restore the data directory from a backup, or ask who changed it.',
    detail: { position },
  });
}

const counter = Buffer.alloc(4);

/** Salt of message `index` of an entry, 32 bytes; `salter` is keyed with the entry's random batch key. */
function saltOf(salter: Hmac, index: number): Buffer {
  counter.writeUInt32BE(index);
  return salter(counter);
}

/**
 * Root over the messages of an entry: leaf i is HMAC-SHA-256 under salt i of the exact stored
 * bytes of message i. Hex.
 */
export function messagesRoot(
  batchKey: Uint8Array,
  messages: readonly (Uint8Array | string)[],
): string {
  const salter = hmacWith(batchKey);
  return merkleRoot(
    messages.map((bytes, index) => hmacSha256(saltOf(salter, index), bytes)),
  ).toString('hex');
}
