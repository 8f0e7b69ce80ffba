import { sha256 } from '../base/digest.ts';

const leafPrefix = Buffer.from([0]);
const nodePrefix = Buffer.from([1]);
/** A leaf of 32 bytes, and a node, as they are hashed: each hash is made at once, so one room serves all. */
const leafRoom = Buffer.alloc(33);
const nodeRoom = Buffer.alloc(65, 1);

/** Hash of a leaf, 32 bytes. Source: RFC 6962 section 2.1. */
export function leafHash(data: Uint8Array): Buffer {
  if (data.length !== 32) return sha256(Buffer.concat([leafPrefix, data]));
  leafRoom.set(data, 1);
  return sha256(leafRoom);
}

/** Hash of an inner node, 32 bytes. Source: RFC 6962 section 2.1. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  // Damaged records hold hashes of other lengths: they must come out as other hashes, not as a fault.
  if (left.length !== 32 || right.length !== 32)
    return sha256(Buffer.concat([nodePrefix, left, right]));
  nodeRoom.set(left, 1);
  nodeRoom.set(right, 33);
  return sha256(nodeRoom);
}

/** Root of the empty tree. Source: RFC 6962 section 2.1. */
export const emptyRoot: Buffer = sha256('');

/**
 * A tree that only grows, as the roots of its complete subtrees, largest first: one for each set
 * bit of the size. Appending costs one hash on average, and memory is O(log size).
 */
export class MerkleFrontier {
  #size: number;
  readonly #peaks: Buffer[];

  constructor(size = 0, peaks: readonly Uint8Array[] = []) {
    if (peaks.length !== countBits(size)) throw new Error('frontier does not fit its size');
    this.#size = size;
    this.#peaks = peaks.map((peak) => Buffer.from(peak));
  }

  get size(): number {
    return this.#size;
  }

  get peaks(): readonly Buffer[] {
    return this.#peaks;
  }

  copy(): MerkleFrontier {
    return new MerkleFrontier(this.#size, this.#peaks);
  }

  /** Adds a leaf by its leaf hash. */
  append(hash: Buffer): void {
    let node = hash;
    // Each trailing 1 bit of the size is a complete subtree as large as the one just made.
    for (let rest = this.#size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      const left = this.#peaks.pop();
      if (left === undefined) throw new Error('frontier lost a peak');
      node = nodeHash(left, node);
    }
    this.#peaks.push(node);
    this.#size += 1;
  }

  /** Root over all leaves, 32 bytes. */
  root(): Buffer {
    let root: Buffer | undefined;
    for (let i = this.#peaks.length - 1; i >= 0; i -= 1) {
      const peak = this.#peaks[i] as Buffer; // in range
      root = root === undefined ? peak : nodeHash(peak, root);
    }
    return root ?? emptyRoot;
  }
}

/** Root over leaf data, in order. */
export function merkleRoot(leaves: Iterable<Uint8Array>): Buffer {
  const tree = new MerkleFrontier();
  for (const leaf of leaves) tree.append(leafHash(leaf));
  return tree.root();
}

function countBits(value: number): number {
  let count = 0;
  for (let rest = value; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}
