import type { Awaitable } from '../base/awaitable.ts';
import { sha256 } from '../base/digest.ts';
import { toWherefromError, WherefromError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { decodeBlock } from './block.ts';
import type { Checkpoint } from './checkpoint.ts';
import { decodeEntry, messagesRoot } from './entry.ts';
import { leafHash, MerkleFrontier } from './merkle.ts';
import type { LedgerReader, LogHead, StoredEntry } from './store.ts';

/** What recomputing the ledger showed. A verdict, not an exception: `problems` empty means verified. */
export interface Verification {
  readonly verified: boolean;
  readonly entries: number;
  readonly messages: number;
  /** Hex root over all entries, recomputed. */
  readonly root: string;
  readonly problems: readonly string[];
}

/**
 * Recomputes everything from the stored bytes: every payload against its commitment, every entry
 * against its place and time, the tree against the log head, and against checkpoints kept elsewhere.
 */
export async function verifyLedger(
  reader: LedgerReader,
  checkpoints: readonly Checkpoint[] = [],
): Promise<Verification> {
  const problems: string[] = [];
  const tree = new MerkleFrontier();
  const state = { time: 0, messages: 0 };
  const head = await readOr(problems, () => reader.head());
  const check = (): void => {
    for (const checkpoint of checkpoints) {
      if (checkpoint.size === tree.size && !checkpoint.root.equals(tree.root())) {
        problems.push(
          `The first ${tree.size} entries are not those of the checkpoint (${checkpoint.origin}).`,
        );
      }
    }
  };
  check();
  for await (const stored of readEntries(reader, { head, tree, problems })) {
    verifyEntry(stored, tree.size, state, problems);
    tree.append(leafHash(stored?.entry ?? noBytes));
    check();
  }
  if (head !== undefined) {
    verifyHead(head, tree, state.time, problems);
    const beyond = await readOr(problems, () => reader.list(head.size, 1));
    if (beyond !== undefined && beyond.length > 0)
      problems.push(`There are entries beyond the ${head.size} of the log head.`);
  }
  for (const { size } of checkpoints) {
    if (size > tree.size)
      problems.push(
        `A checkpoint knows ${size} entries, the log has only ${tree.size}: it was cut off.`,
      );
  }
  return {
    verified: problems.length === 0,
    entries: tree.size,
    messages: state.messages,
    root: tree.root().toString('hex'),
    problems,
  };
}

/** What is read; undefined where it is damaged, which is a problem then and not an exception. */
async function readOr<T>(problems: string[], read: () => Awaitable<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (thrown) {
    if (!(thrown instanceof WherefromError) || thrown.code !== 'integrity_broken') throw thrown;
    problems.push(thrown.message);
    return undefined;
  }
}

/** The entries in order, as long as they can be read; undefined for one that is missing. */
async function* readEntries(
  reader: LedgerReader,
  walk: {
    readonly head: LogHead | undefined;
    readonly tree: MerkleFrontier;
    readonly problems: string[];
  },
): AsyncGenerator<StoredEntry | undefined> {
  const { head, tree, problems } = walk;
  const end = head?.size ?? Number.POSITIVE_INFINITY;
  let limit: number = limits.replayEntriesMax;
  while (tree.size < end && problems.length <= problemsMax) {
    const found: string[] = [];
    const page = await readOr(found, () => reader.list(tree.size, limit));
    if (page === undefined && limit > 1) {
      // One by one, to tell where it is.
      limit = 1;
      continue;
    }
    problems.push(...found);
    if (page === undefined || page.length === 0) return;
    for (const stored of page) {
      while (tree.size < stored.position && problems.length <= problemsMax) yield undefined;
      if (tree.size < end) yield stored;
    }
  }
}

/** Problems after which the rest of the entries is not looked at. */
const problemsMax = 20;

const noBytes = new Uint8Array();

function verifyHead(head: LogHead, tree: MerkleFrontier, time: number, problems: string[]): void {
  if (tree.size !== head.size) {
    problems.push(`The log head says ${head.size} entries, ${tree.size} were read.`);
    return;
  }
  if (head.time !== time) problems.push('The time of the log head is not that of the last entry.');
  if (!tree.root().equals(head.root))
    problems.push('The root of the log head is not the root of the entries.');
  const peaks = Buffer.concat(tree.peaks as Buffer[]);
  if (!peaks.equals(Buffer.concat(head.peaks as Uint8Array[])))
    problems.push('The subtree roots of the log head do not fit the entries.');
}

function verifyEntry(
  stored: StoredEntry | undefined,
  position: number,
  state: { time: number; messages: number },
  problems: string[],
): void {
  try {
    if (stored?.position !== position) throw new Error(`Ledger entry ${position} is missing.`);
    const entry = decodeEntry(stored.entry, position);
    if (entry.time < state.time)
      throw new Error(`Ledger entry ${position} is older than the one before it.`);
    state.time = entry.time;
    if (stored.time !== entry.time)
      throw new Error(`Ledger entry ${position} is filed under a time that is not its own.`);
    if (!sha256(stored.block).equals(stored.blockDigest))
      throw new Error(`The payload of ledger entry ${position} is damaged.`);
    const messages = decodeBlock(stored.block, position);
    state.messages += messages.length;
    if (messages.length !== entry.count)
      throw new Error(
        `Ledger entry ${position} has ${messages.length} messages, not ${entry.count}.`,
      );
    if (messagesRoot(stored.batchKey, messages) !== entry.root)
      throw new Error(`The payload of ledger entry ${position} is not what was committed to.`);
  } catch (error) {
    problems.push(toWherefromError(error).message);
  }
}
