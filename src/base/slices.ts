import type { Awaitable } from './awaitable.ts';
import { limits } from './limits.ts';

/** Lets others be served before more is done of what takes long. */
export function serveOthers(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** What is read by many keys, `rowsReadAtOnce` at a time: others are served in between. */
export async function readInSlices<Key, Read>(
  keys: readonly Key[],
  read: (slice: readonly Key[]) => Awaitable<readonly Read[]>,
): Promise<Read[]> {
  const found: Read[] = [];
  const { rowsReadAtOnce: size } = limits;
  for (let from = 0; from < keys.length; from += size) {
    if (from > 0) await serveOthers();
    // One by one: arguments of a call are bounded.
    for (const row of await read(keys.slice(from, from + size))) found.push(row);
  }
  return found;
}
