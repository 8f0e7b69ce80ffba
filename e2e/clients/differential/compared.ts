/** Requests to two servers, and their answers. */

/** JSON as it goes over the wire. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/**
 * One request. Ids that servers invent are written as symbols such as `‹run 3›`, in paths, queries
 * and bodies; `keep` names the symbol for the id in this request's answer.
 */
export interface Step {
  readonly method: string;
  /** With its query, below the server's URL. */
  readonly path: string;
  readonly body?: Json;
  /** A body as it is, instead of JSON. */
  readonly text?: string;
  /** The value of some field is not of its type. */
  readonly wrongType?: boolean;
  readonly keep?: { readonly symbol: string; readonly at: readonly string[] };
}

/** What a server answered, ids and times replaced. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Compared {
  readonly step: Step;
  readonly theirs: Answer;
  readonly ours: Answer;
}
