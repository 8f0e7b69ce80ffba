import { expect, test } from 'vitest';
import { widthOf } from './width.ts';

test.each([
  [{ isTTY: true, columns: 120 }, 120],
  [{ isTTY: true, columns: 0 }, undefined],
  [{ columns: 120 }, undefined],
])('the terminal %o has %s columns', (stream, width) => {
  expect(widthOf(stream)).toBe(width);
});
