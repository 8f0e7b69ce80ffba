import { Readable } from 'node:stream';
import { isObject } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import { serveOthers } from '../../base/slices.ts';

/** A list of an answer: items that are many are made while they are sent. May be walked more than once. */
export type LongList = Iterable<unknown>;

/** A list of what `write` makes of `count` items. */
export function longList<T>(
  items: Iterable<T>,
  count: number,
  write: (item: T) => unknown,
): LongList {
  if (count <= limits.itemsWrittenAtOnce) return Array.from(items, write);
  return {
    *[Symbol.iterator]() {
      for (const item of items) yield write(item);
    },
  };
}

const isLong = (member: unknown): member is LongList =>
  typeof member === 'object' &&
  member !== null &&
  Symbol.iterator in member &&
  !(Array.isArray(member) && member.length <= limits.itemsWrittenAtOnce);

/**
 * JSON of an answer: bytes, or where one of its members is a long list a stream of them, between whose
 * parts others are served. `reveal` is applied to whole items.
 */
export function encodeAnswer(value: unknown, reveal: (text: string) => string): Buffer | Readable {
  const encode = (text: string): Buffer => Buffer.from(reveal(text));
  if (!isObject(value) || !Object.values(value).some(isLong)) return encode(JSON.stringify(value));
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  async function* parts(): AsyncGenerator<Buffer> {
    for (const [index, [name, member]] of members.entries()) {
      const before = `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`;
      if (!isLong(member)) {
        yield encode(before + JSON.stringify(member));
        continue;
      }
      yield encode(`${before}[`);
      let first = true;
      for (const slice of slicesOf(member)) {
        yield encode(`${first ? '' : ','}${JSON.stringify(slice).slice(1, -1)}`);
        first = false;
        await serveOthers();
      }
      yield encode(']');
    }
    yield encode('}');
  }
  return Readable.from(parts());
}

function* slicesOf(items: LongList): Generator<unknown[]> {
  let slice: unknown[] = [];
  for (const item of items) {
    slice.push(item);
    if (slice.length < limits.itemsWrittenAtOnce) continue;
    yield slice;
    slice = [];
  }
  if (slice.length > 0) yield slice;
}
