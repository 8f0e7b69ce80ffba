import { sha256 } from '../base/digest.ts';
import { WherefromError } from '../base/errors.ts';
import { canonicalJson } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import type { FactContext } from '../facts/facts.ts';
import {
  encodeBlock,
  encodeEntry,
  leafHash,
  MerkleFrontier,
  messagesRoot,
} from '../ledger/index.ts';
import type { Accepted, Decision, Operation, Payload, Receipt, Submission } from './operation.ts';
import { projectFacts } from './project.ts';
import type { WriteSession } from './session.ts';
import {
  keepNamed,
  mapStrings,
  mayHoldHome,
  type NewPersons,
  nameNewPersons,
  refuseByName,
  replaceHomes,
  tokenise,
} from './vault.ts';

/** A submission in the queue, and how it ended. The door alone changes it. */
export interface Pending {
  readonly submission: Submission<unknown, unknown>;
  readonly bytes: number;
  outcome: Accepted<unknown> | undefined;
  refusal: WherefromError | undefined;
}

export interface BatchContext {
  readonly log: string;
  readonly secret: Uint8Array;
  readonly now: number;
  random(count: number): Buffer;
}

/** An entry that is being filled: its messages share workspace, principal and operation. */
interface OpenEntry {
  readonly position: number;
  readonly first: Submission<unknown, unknown>;
  readonly workspaceId: string;
  readonly texts: string[];
}

/** A message without persons. */
interface Masked {
  readonly body: unknown;
  /** Its JSON, where it is at hand. */
  readonly text: string | undefined;
  /** Whom it names and the vault does not know yet. */
  readonly persons: NewPersons;
}

/** Of messages that name nobody new: saves each a map. Empty, so that nothing is taken from it. */
const nobody: NewPersons = new Map();

/** The bytes that are stored and committed to. `messageText` is the message's JSON, where it is at hand. */
function storedText(
  operation: Operation,
  payload: Payload,
  messageText: string | undefined,
): string {
  return operation.canonical
    ? canonicalJson(payload)
    : `{"decided":${JSON.stringify(payload.decided)},"message":${messageText ?? JSON.stringify(payload.message)}}`;
}

/** The key of submissions that may share an entry. */
function groupOf({ submission: { operation, workspace, principal } }: Pending): string {
  return `${operation.protocol} ${operation.operation} ${principal} ${workspace}`;
}

/**
 * Decides, appends, translates and projects all that is pending, in the transaction of `session`.
 * Refusals are kept on the pending item; anything else that is thrown must roll the transaction back.
 */
export async function writeBatch(
  pending: readonly Pending[],
  session: WriteSession,
  batch: BatchContext,
): Promise<void> {
  const head = await session.ledger.head();
  const writer = new BatchWriter(session, batch, {
    tree: new MerkleFrontier(head.size, head.peaks),
    time: Math.max(batch.now, head.time),
  });
  // Messages of one group stand side by side, so that replaying entries repeats the order of deciding.
  const groups = new Map<string, Pending[]>();
  for (const item of pending) {
    const key = groupOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  for (const group of groups.values()) {
    for (const item of group) await writer.write(item);
    await writer.closeEntry();
  }
  await writer.finish(head.size);
}

function isRefusal(thrown: unknown): thrown is WherefromError {
  return (
    thrown instanceof WherefromError &&
    thrown.code !== 'storage_unavailable' &&
    thrown.code !== 'integrity_broken'
  );
}

class BatchWriter {
  readonly #session: WriteSession;
  readonly #batch: BatchContext;
  readonly #tree: MerkleFrontier;
  readonly #time: number;
  #entry: OpenEntry | undefined;

  constructor(
    session: WriteSession,
    batch: BatchContext,
    log: { tree: MerkleFrontier; time: number },
  ) {
    this.#session = session;
    this.#batch = batch;
    this.#tree = log.tree;
    this.#time = log.time;
  }

  /** Decides one submission; an accepted one is appended and projected, a refusal kept on the item. */
  async write(item: Pending): Promise<void> {
    const { submission } = item;
    let decision: Decision<unknown, unknown>;
    let masked: Masked = { body: submission.body, text: undefined, persons: nobody };
    try {
      masked = await this.#withoutPersons(submission);
      decision = await submission.operation.decide(masked.body, {
        state: this.#session,
        time: this.#time,
        workspace: submission.workspace,
        principal: submission.principal,
        random: this.#batch.random,
      });
    } catch (thrown) {
      // Only a refusal leaves the transaction sound. A fault rolls it back; then each goes alone.
      if (!isRefusal(thrown)) throw thrown;
      item.refusal = refuseByName(thrown, masked.persons);
      return;
    }
    const accepted =
      decision.outcome === 'unchanged'
        ? { warnings: [] }
        : await this.#accept(submission, masked, decision);
    // Those whom no payload names are not in the vault.
    item.outcome = { ...accepted, answer: nameNewPersons(decision.answer, masked.persons) };
  }

  /** Appends, translates and projects what was decided. */
  async #accept(
    submission: Submission<unknown, unknown>,
    masked: Masked,
    decision: Exclude<Decision<unknown, unknown>, { outcome: 'unchanged' }>,
  ): Promise<Pick<Accepted<unknown>, 'receipt' | 'warnings'>> {
    const { operation } = submission;
    const isOne = decision.outcome === 'accepted';
    const payloads = isOne
      ? [{ message: masked.body, decided: decision.decided }]
      : decision.payloads;
    const warnings: string[] = [];
    let receipt: Receipt | undefined;
    for (const payload of payloads) {
      const stored = storedText(operation, payload, isOne ? masked.text : undefined);
      if (masked.persons.size > 0) await keepNamed(stored, masked.persons, this.#session.vault);
      const context = await this.#append(submission, payload, stored);
      receipt ??= { log: this.#batch.log, position: context.position, index: context.index };
      const translation = operation.translate(payload, context);
      if (translation.warnings.length > 0) warnings.push(...translation.warnings);
      await projectFacts(translation.facts, context, this.#session);
    }
    return { receipt, warnings };
  }

  /** Replaces person fields and home directories by tokens, before anything is decided or stored. */
  async #withoutPersons(submission: Submission<unknown, unknown>): Promise<Masked> {
    const { operation, body, text } = submission;
    const found = new Set<string>();
    const collect = (value: string): string => {
      if (value !== '') found.add(value);
      return value;
    };
    const masked = operation.persons?.(body, collect) ?? body;
    // Its text is stored as it is when nothing in it is replaced.
    const wire = masked === body && text !== undefined ? text : JSON.stringify(masked);
    const homes = mayHoldHome(wire);
    if (homes) mapStrings(masked, (part) => replaceHomes(part, collect));
    if (found.size === 0) return { body: masked, text: wire, persons: nobody };
    const { tokens, persons } = await tokenise(found, this.#session.vault, this.#batch);
    const replace = (value: string): string => tokens.get(value) ?? value;
    const named = operation.persons?.(body, replace) ?? body;
    return {
      body: homes ? mapStrings(named, (part) => replaceHomes(part, replace)) : named,
      text: undefined,
      persons,
    };
  }

  async #append(
    submission: Submission<unknown, unknown>,
    payload: Payload,
    stored: string,
  ): Promise<FactContext> {
    if (this.#entry && this.#entry.texts.length >= limits.messagesPerEntryMax)
      await this.closeEntry();
    this.#entry ??= {
      position: this.#tree.size,
      first: submission,
      workspaceId: await this.#workspaceId(submission.workspace, payload),
      texts: [],
    };
    this.#entry.texts.push(stored);
    return {
      position: this.#entry.position,
      index: this.#entry.texts.length - 1,
      time: this.#time,
      workspace: submission.workspace,
      principal: submission.principal,
    };
  }

  async #workspaceId(name: string, payload: Payload): Promise<string> {
    const id = await this.#session.workspaces.findWorkspaceId(name);
    if (id !== undefined) return id;
    // The message that creates the workspace is the first to stand in it.
    if (typeof payload.decided.id === 'string' && payload.decided.id.startsWith('ws_'))
      return payload.decided.id;
    throw new WherefromError('not_found', `There is no workspace "${name}".`, {
      hint: 'Create it first, or use "default".',
    });
  }

  /** Appends the entry that is open, if any, and lets the next message begin another. */
  async closeEntry(): Promise<void> {
    const entry = this.#entry;
    if (!entry) return;
    this.#entry = undefined;
    const batchKey = this.#batch.random(32);
    const bytes = encodeEntry({
      v: 1,
      position: entry.position,
      time: this.#time,
      workspace: entry.workspaceId,
      protocol: entry.first.operation.protocol,
      operation: entry.first.operation.operation,
      principal: entry.first.principal,
      count: entry.texts.length,
      root: messagesRoot(batchKey, entry.texts),
    });
    const block = encodeBlock(entry.texts);
    await this.#session.ledger.append({
      position: entry.position,
      entry: bytes,
      batchKey,
      block,
      blockDigest: sha256(block),
      time: this.#time,
    });
    this.#tree.append(leafHash(bytes));
  }

  /** Writes the log head once for the whole batch. */
  async finish(sizeBefore: number): Promise<void> {
    if (this.#tree.size === sizeBefore) return;
    await this.#session.ledger.setHead({
      size: this.#tree.size,
      root: this.#tree.root(),
      peaks: this.#tree.peaks,
      time: this.#time,
    });
  }
}
