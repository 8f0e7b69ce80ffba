import type { ByteRange } from '../../../blobs/blobs.ts';

/**
 * The range that a request asks for: undefined for the whole, also when the header is of a form that
 * may be left unheard, such as several ranges; `'none'` when no byte of the content is in it.
 * Source: RFC 9110, section 14.
 */
export function readRange(
  header: string | undefined,
  bytes: number,
): ByteRange | 'none' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const wanted = Math.min(Number(last), bytes);
    return wanted === 0 ? 'none' : { start: bytes - wanted, end: bytes - 1 };
  }
  const start = Number(first);
  const end = last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1);
  if (last !== '' && Number(last) < start) return undefined;
  return start >= bytes ? 'none' : { start, end };
}
