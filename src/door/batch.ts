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
import type { Accepted, Decision, Payload, Receipt, Submission } from './operation.ts';
import { projectFacts } from './project.ts';
import type { WriteSession } from './session.ts';
import { mapStrings, mayHoldHome, replaceHomes, tokenise } from './vault.ts';

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
    const { operation } = submission;
    let decision: Decision<unknown, unknown>;
    let body: unknown;
    let text = submission.text;
    try {
      ({ body, text } = await this.#withoutPersons(submission));
      decision = await operation.decide(body, {
        state: this.#session,
        time: this.#time,
        workspace: submission.workspace,
        principal: submission.principal,
        random: this.#batch.random,
      });
    } catch (thrown) {
      // Only a refusal leaves the transaction sound. A fault rolls it back; then each goes alone.
      if (!isRefusal(thrown)) throw thrown;
      item.refusal = thrown;
      return;
    }
    if (decision.outcome === 'unchanged') {
      item.outcome = { answer: decision.answer, warnings: [] };
      return;
    }
    const payloads =
      decision.outcome === 'accepted'
        ? [{ message: body, decided: decision.decided }]
        : decision.payloads;
    const warnings: string[] = [];
    let receipt: Receipt | undefined;
    for (const payload of payloads) {
      const context = await this.#append(
        submission,
        payload,
        decision.outcome === 'accepted' ? text : undefined,
      );
      receipt ??= { log: this.#batch.log, position: context.position, index: context.index };
      const translation = operation.translate(payload, context);
      if (translation.warnings.length > 0) warnings.push(...translation.warnings);
      await projectFacts(translation.facts, context, this.#session);
    }
    item.outcome = { answer: decision.answer, receipt, warnings };
  }

  /** Replaces person fields and home directories by tokens, before anything is decided or stored. */
  async #withoutPersons(
    submission: Submission<unknown, unknown>,
  ): Promise<{ body: unknown; text: string | undefined }> {
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
    if (found.size === 0) return { body: masked, text: wire };
    const tokens = await tokenise(
      found,
      this.#session.vault,
      this.#batch.secret,
      this.#batch.random,
    );
    const replace = (value: string): string => tokens.get(value) ?? value;
    const named = operation.persons?.(body, replace) ?? body;
    return {
      body: homes ? mapStrings(named, (part) => replaceHomes(part, replace)) : named,
      text: undefined,
    };
  }

  async #append(
    submission: Submission<unknown, unknown>,
    payload: Payload,
    messageText: string | undefined,
  ): Promise<FactContext> {
    if (this.#entry && this.#entry.texts.length >= limits.messagesPerEntryMax)
      await this.closeEntry();
    this.#entry ??= {
      position: this.#tree.size,
      first: submission,
      workspaceId: await this.#workspaceId(submission.workspace, payload),
      texts: [],
    };
    const stored = submission.operation.canonical
      ? canonicalJson(payload)
      : `{"decided":${JSON.stringify(payload.decided)},"message":${messageText ?? JSON.stringify(payload.message)}}`;
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
