import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { nextRunId } from './names.ts';

test('run ids count on in their first eight digits, and the rest is random', () => {
  const first = nextRunId(undefined, randomBytes(16));
  const next = nextRunId(first, randomBytes(16));
  expect([first, next]).toEqual([
    expect.stringMatching(/^[0-9a-f]{32}$/),
    expect.stringMatching(/^[0-9a-f]{32}$/),
  ]);
  expect(Number.parseInt(next.slice(0, 8), 16)).toBe(
    (Number.parseInt(first.slice(0, 8), 16) + 1) % 2 ** 32,
  );
  expect(next.slice(8)).not.toBe(first.slice(8));
});

test('after the last number comes the first, and ids of other makers do not stop the count', () => {
  expect(nextRunId(`ffffffff${'0'.repeat(24)}`, randomBytes(16))).toMatch(/^00000000[0-9a-f]{24}$/);
  expect(nextRunId('not-a-hex-id', randomBytes(16))).toMatch(/^[0-9a-f]{32}$/);
});
