import type { Environment } from '../server/config.ts';

/** Where a verb writes to, and what it may assume of the terminal. */
export interface Io {
  /** Writes lines of the answer. */
  out(text: string): void;
  /** Writes lines that are not the answer: errors, progress. */
  err(text: string): void;
  /** Rewrites the line that tells how far something is; '' removes it. Absent without a terminal. */
  readonly status?: ((text: string) => void) | undefined;
  /** The answer goes to a terminal that shows colours. */
  readonly color: boolean;
  /** Errors go to one. */
  readonly errorColor: boolean;
  /** Columns of the terminal; undefined when the answer goes to a file or pipe. */
  readonly width: number | undefined;
  /** Read once by server/config, handed in so that verbs stay testable. */
  readonly environment: Environment;
}

/** How a verb ended, as the shell sees it. */
export const exitCodes = { done: 0, failed: 1, usage: 2, unverified: 3 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The command line itself is wrong: exit code 2. */
export class UsageError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.name = 'UsageError';
    this.hint = hint;
  }
}

/** Writes a value as JSON, for programs. */
export function writeJson(io: Io, value: unknown): void {
  io.out(JSON.stringify(value, null, 2));
}
