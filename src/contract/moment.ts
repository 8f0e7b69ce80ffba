import { WherefromError } from '../base/errors.ts';
import type { WalkInput } from './answer.ts';

/**
 * 1 January 2000, ms since 1970. Times of records that come as numbers are not before it: those are
 * seconds, which would be taken for days of January 1970.
 */
export const numericTimeMin = 946_684_800_000;

const digits = /^\d{1,16}$/;
const year = /^\d{4}$/;
const date = /^\d{4}-\d{2}-\d{2}$/;
const rfc3339 =
  /^\d{4}-\d{2}-\d{2}[Tt ](?:[01]\d|2[0-3]):\d{2}(?::\d{2}(?:\.\d+)?)?(?:[Zz]|[+-]\d{2}:\d{2})$/;

/**
 * Reads a time: RFC 3339, a bare date or year (its first moment in UTC), or milliseconds since 1970;
 * four digits are a year.
 * @returns ms since 1970.
 * @throws invalid_message naming `what` when the text is none of them.
 */
export function readTime(text: string, what: string): number {
  if (year.test(text)) return Date.parse(text);
  if (digits.test(text)) return Number(text);
  const isTime = (rfc3339.test(text) || date.test(text)) && isDay(text.slice(0, 10));
  const time = isTime ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new WherefromError(
    'invalid_message',
    `${what} is "${text.slice(0, 60)}", which is not a time.`,
    {
      hint: 'Write it as 2026-07-31T09:30:00Z, as 2026-07-31, as 2026, or in milliseconds since 1970.',
    },
  );
}

/** False for 30 February, which Date.parse takes for a day in March. */
function isDay(day: string): boolean {
  const time = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
}

/**
 * Reads what `asOf` names: digits are a position in the ledger, anything else a time of recording.
 * @throws invalid_message when it is neither.
 */
export function readAsOf(text: string): NonNullable<WalkInput['asOf']> {
  if (digits.test(text)) return { position: Number(text) };
  return { recordedTime: readTime(text, 'asOf') };
}
