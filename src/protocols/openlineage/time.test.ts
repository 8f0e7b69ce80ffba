import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseEventTime } from './time.ts';

const noon = Date.UTC(2026, 10, 21, 12, 0, 0, 0);

test.each([
  ['2026-11-21T12:00:00Z', noon],
  ['2026-11-21T12:00:00.123456789Z', noon + 123],
  ['2026-11-21T12:00:00.1+00:00', noon + 100],
  ['2026-11-21T12:00:00.999999', noon + 999],
  ['2026-11-21T12:00:00', noon],
  ['2026-11-21 12:00:00', noon],
  ['2026-11-21 12:00:00 Z', noon],
  ['2026-11-21t12:00z', noon],
  ['2026-11-21T14:00:00+02:00', noon],
  ['2026-11-21T07:00:00-0500', noon],
  ['2026-11-21T14:00:00+02', noon],
  ['2026-11-21T13:00:00+01:00[Europe/Prague]', noon],
  ['2026-11-21', noon - 12 * 3_600_000],
  [noon, noon],
  [noon / 1000, noon],
  [String(noon), noon],
  [noon * 1000, noon],
  ['2026-13-21T12:00:00Z', undefined],
  ['2026-11-21T25:00:00Z', undefined],
  ['yesterday', undefined],
  ['', undefined],
  [null, undefined],
  [{}, undefined],
  [Number.NaN, undefined],
  [-5, undefined],
])('the time %j is %s', (value, time) => {
  expect(parseEventTime(value)).toBe(time);
});

test('every date that RFC 3339 can write is read to the millisecond', () => {
  const dates = fc.date({
    min: new Date(0),
    max: new Date('9999-12-31T00:00:00Z'),
    noInvalidDate: true,
  });
  fc.assert(fc.property(dates, (date) => parseEventTime(date.toISOString()) === date.getTime()));
});
