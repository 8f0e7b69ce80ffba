import type { JsonObject } from '../base/json.ts';
import type { FactContext, Translation } from '../facts/facts.ts';
import type { StateReader } from './state.ts';

/** What `decide` may use: the state as the messages before it left it, the time, and chance. */
export interface DecideContext {
  readonly state: StateReader;
  /** Recorded time of the entry that the message will stand in, ms since 1970; never decreases. */
  readonly time: number;
  /** Name of the workspace. */
  readonly workspace: string;
  readonly principal: string;
  /** `count` random bytes. */
  random(count: number): Buffer;
}

/**
 * What is stored and committed to: the message as sent (person fields replaced by tokens), and what
 * the server decided for it: ids, numbers, invented names, times, what it read out of blobs. Both
 * must survive JSON unchanged.
 */
export interface Payload<Body = unknown> {
  readonly message: Body;
  readonly decided: JsonObject;
}

/**
 * What became of a submission. `accepted` is appended; `unchanged` said nothing new and appends
 * nothing. A refusal is a thrown WherefromError.
 */
export type Decision<Body, Answer> =
  | { readonly outcome: 'accepted'; readonly decided: JsonObject; readonly answer: Answer }
  /** A set (predictions, a batch of events): each payload is a message, and a leaf, of its own. */
  | {
      readonly outcome: 'acceptedSet';
      readonly payloads: readonly Payload<Body>[];
      readonly answer: Answer;
    }
  | { readonly outcome: 'unchanged'; readonly answer: Answer };

/** Replaces a person's name, account or address by its random token in the vault. Empty text stays. */
export type Tokenise = (value: string) => string;

/**
 * One kind of message of one protocol: how it is decided, and what facts its payload means.
 * `translate` is pure and deterministic, and runs again at every rebuild: it sees only what was
 * stored.
 *
 * `Sent` is what a client sent; `Body` is one message of it, the same but for sets.
 */
export interface Operation<Sent = unknown, Answer = unknown, Body = Sent> {
  /** For example `mlflow`. */
  readonly protocol: string;
  /** For example `runs/create`. Part of the ledger entry: never renamed. */
  readonly operation: string;
  /**
   * Returns the body with person fields replaced; the same object when it holds none. Home
   * directories in paths are replaced by the door itself.
   */
  readonly persons?: (body: Sent, tokenise: Tokenise) => Sent;
  decide(
    body: Sent,
    context: DecideContext,
  ): Decision<Body, Answer> | Promise<Decision<Body, Answer>>;
  translate(payload: Payload<Body>, context: FactContext): Translation;
  /** The stored bytes are canonical JSON, so that they can be rebuilt from columns (predictions). */
  readonly canonical?: boolean;
}

/** What a protocol hands to the door. */
export interface Submission<Sent, Answer, Body = Sent> {
  readonly operation: Operation<Sent, Answer, Body>;
  /** Name of the workspace. */
  readonly workspace: string;
  /** Opaque id of who sent it. */
  readonly principal: string;
  readonly body: Sent;
  /** The exact JSON text of `body`, when it was read from one: saves writing it again. */
  readonly text?: string | undefined;
}

/** Where an accepted message stands. `index` is that of the first message of a set. */
export interface Receipt {
  readonly log: string;
  readonly position: number;
  readonly index: number;
}

/** The door's answer, given after the durable commit. `receipt` is absent when nothing was appended. */
export interface Accepted<Answer> {
  readonly answer: Answer;
  readonly receipt?: Receipt | undefined;
  readonly warnings: readonly string[];
}

/** The one write path. @throws what `decide` refused with, `overloaded`, `storage_unavailable`. */
export interface Door {
  submit<Sent, Answer, Body>(submission: Submission<Sent, Answer, Body>): Promise<Accepted<Answer>>;
}
