import type { Awaitable } from '../base/awaitable.ts';

/** What is remembered of the sources of imports. */
export interface ImportsReader {
  /**
   * Fingerprints of what the source said of the thing when it was last brought, 16 hex digits each;
   * undefined when no import brought it.
   */
  findSaid(workspace: string, thing: string, id: string): Awaitable<string | undefined>;
}

/** Writes of the projection. */
export interface ImportsStore extends ImportsReader {
  putSaid(workspace: string, of: SaidOfThing): Awaitable<void>;
}

export interface SaidOfThing {
  readonly thing: string;
  readonly id: string;
  readonly said: string;
}
