import { randomBytes } from 'node:crypto';

/** Time and chance, the two things that make a decision differ from its replay. Only the door uses them. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  /** `count` random bytes. */
  random(count: number): Buffer;
}

const poolBytes = 16 * 1024;
let pool = Buffer.alloc(0);

/** Random bytes out of a pool that is filled at once: one call to the system for hundreds of ids. */
function pooledRandom(count: number): Buffer {
  if (count > poolBytes / 8) return randomBytes(count);
  if (pool.length < count) pool = randomBytes(poolBytes);
  const taken = Buffer.from(pool.subarray(0, count));
  // What was handed out is never handed out again.
  pool = pool.subarray(count);
  return taken;
}

export const systemClock: Clock = { now: () => Date.now(), random: pooledRandom };
