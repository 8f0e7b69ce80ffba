import { describe, expect, it } from 'vitest';
import { WherefromError } from '../base/errors.ts';
import { readAsOf, readTime } from './moment.ts';

describe('readTime', () => {
  it.each([
    ['2026-07-31T09:30:00Z', Date.UTC(2026, 6, 31, 9, 30)],
    ['2026-07-31T11:30:00.5+02:00', Date.UTC(2026, 6, 31, 9, 30, 0, 500)],
    ['2026-07-31', Date.UTC(2026, 6, 31)],
    ['1700000000000', 1_700_000_000_000],
    ['2026', Date.UTC(2026, 0, 1)],
    ['20260', 20_260],
  ])('reads %s', (text, time) => {
    expect(readTime(text, 'at')).toBe(time);
  });

  // A time without a zone would mean another moment on every machine.
  it.each([
    '',
    'yesterday',
    '2026-07-31T09:30:00',
    '2026-02-31T00:00:00',
    '2026-13-01',
    '-5',
    '2026-02-30T00:00:00Z',
    '2026-02-29',
    '2026-01-01T24:00:00Z',
  ])('refuses "%s" and says how to write it', (text) => {
    expect(() => readTime(text, 'at')).toThrow(WherefromError);
  });
});

describe('readAsOf', () => {
  it('takes digits as a position and anything else as a time of recording', () => {
    expect(readAsOf('17')).toEqual({ position: 17 });
    expect(readAsOf('2026-07-31')).toEqual({ recordedTime: Date.UTC(2026, 6, 31) });
  });
});
