import { expect, test } from 'vitest';
import { limits } from './limits.ts';
import { readInSlices } from './slices.ts';

test('many keys are read some at a time, in their order, and others are served in between', async () => {
  const keys = [...Array(limits.rowsReadAtOnce * 3 + 1).keys()];
  const events: string[] = [];
  const other = setImmediate(() => events.push('other'));
  const found = await readInSlices(keys, (some) => {
    events.push(`read ${some.length}`);
    return some.map((key) => key * 2);
  });
  clearImmediate(other);
  expect(found).toEqual(keys.map((key) => key * 2));
  const whole = `read ${limits.rowsReadAtOnce}`;
  expect(events).toEqual([whole, 'other', whole, whole, 'read 1']);
});
