import { expect, test } from 'vitest';
import { BoundedMap } from './cache.ts';

test('it forgets what was not used, keeps what was, and never holds more than its bound', () => {
  const map = new BoundedMap<string, number>(10);
  map.set('kept', 1);
  for (let i = 0; i < 100; i += 1) {
    map.set(`k${i}`, i);
    expect(map.get('kept')).toBe(1);
  }
  expect(map.get('k0')).toBeUndefined();
  expect(map.get('k99')).toBe(99);
  map.delete('kept');
  expect(map.get('kept')).toBeUndefined();
});
