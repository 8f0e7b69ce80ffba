import { randomBytes } from 'node:crypto';

/** Time and chance, the two things that make a decision differ from its replay. Only the door uses them. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  /** `count` random bytes. */
  random(count: number): Buffer;
}

export const systemClock: Clock = { now: () => Date.now(), random: (count) => randomBytes(count) };
