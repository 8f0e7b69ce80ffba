import type { Answer, MomentInput, WalkInput } from '../contract/answer.ts';
import type { Completeness } from '../contract/completeness.ts';
import type { Diff } from '../contract/diff.ts';
import type { Resolution, SearchResult } from '../contract/resolve.ts';
import type { Statements } from '../contract/statements.ts';
import type { ReceiptMessage, Status } from '../contract/status.ts';

/** For whom a question is answered: short refs are looked up in their workspace. */
export interface Scope {
  /** Name of the workspace. */
  readonly workspace: string;
  /** Workspaces whose things may be shown at all. */
  readonly reach: 'all' | readonly string[];
}

/** One thing at a moment. */
export interface RefInput extends MomentInput {
  readonly ref: string;
}

/** Two things at a moment. */
export interface PairInput extends MomentInput {
  readonly a: string;
  readonly b: string;
}

/** The questions of DESIGN.md section 6. Refs may be short; each throws as `resolve` does. */
export interface Answers {
  trace(input: WalkInput, scope: Scope): Promise<Answer>;
  impact(input: WalkInput, scope: Scope): Promise<Answer>;
  completeness(input: RefInput, scope: Scope): Promise<Completeness>;
  /** All that was ever stated about a thing, whether or not it holds at the moment. */
  statements(input: RefInput, scope: Scope): Promise<Statements>;
  diff(input: PairInput, scope: Scope): Promise<Diff>;
  /** @throws not_found with near names; conflict with `candidates` when the text is ambiguous. */
  resolve(text: string, scope: Scope): Promise<Resolution>;
  search(query: string, limit: number, scope: Scope): Promise<SearchResult>;
}

/** What our own API needs of the server; over a running one, or over a data directory. */
export interface ApiServices {
  readonly answers: Answers;
  status(): Promise<Status>;
  /** The signed note of the current tree. @throws not_implemented when there is no signing key. */
  checkpoint(): Promise<string>;
  /** @throws not_found when the ledger has no such message; forbidden when it is of a workspace out of reach. */
  receipt(position: number, index: number, scope: Scope): Promise<ReceiptMessage>;
  /** Puts the persons behind tokens back into text that is sent out. */
  reveal(text: string): string;
}
