/** Year, month, day; then, optionally, hour, minute, second, fraction and offset of RFC 3339 or Java. */
const isoPattern =
  /^([+-]?\d{4,6})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,18}))?)?\s?(Z|z|[+-]\d\d:?(?:\d\d)?)?(?:\[[^\]]{1,64}\])?)?$/;
const numberPattern = /^\d{9,19}(?:\.\d{1,9})?$/;
const MINUTE_MS = 60_000;

/**
 * Reads an event time as producers really write it: RFC 3339 with up to nanoseconds, a space in place
 * of the T, no time zone (then UTC), a date alone (midnight UTC), a zone name after the offset, or an
 * epoch in seconds, milli-, micro- or nanoseconds.
 * @returns ms since 1970, rounded down, or undefined when it is no time.
 */
export function parseEventTime(value: unknown): number | undefined {
  if (typeof value === 'number') return fromEpoch(value);
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  if (numberPattern.test(text)) return fromEpoch(Number(text));
  const match = isoPattern.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction, offset] = match;
  // Date.parse wants exactly three digits of the second and, without a zone, would use the machine's.
  const millis = (fraction ?? '').slice(0, 3).padEnd(3, '0');
  const iso = `${year}-${month}-${day}T${hour ?? '00'}:${minute ?? '00'}:${second ?? '00'}.${millis}Z`;
  const time = Date.parse(iso);
  return Number.isNaN(time) ? undefined : time - offsetMs(offset);
}

function offsetMs(offset: string | undefined): number {
  if (offset === undefined || offset.toUpperCase() === 'Z') return 0;
  const sign = offset.startsWith('-') ? -1 : 1;
  const digits = offset.slice(1).replace(':', '').padEnd(4, '0');
  return sign * (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))) * MINUTE_MS;
}

/** The unit is told by the size: 1e11 seconds are 3,000 years away, 1e11 ms were 1973. */
function fromEpoch(value: number): number | undefined {
  if (!Number.isFinite(value) || value < 1e8 || value >= 1e20) return undefined;
  if (value < 1e11) return Math.floor(value * 1000);
  if (value < 1e14) return Math.floor(value);
  if (value < 1e17) return Math.floor(value / 1000);
  return Math.floor(value / 1e6);
}
