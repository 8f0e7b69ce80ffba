import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson } from './json.ts';

test('canonical JSON is that of an independent implementation of RFC 8785, for any JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 }), (value) => {
      expect(canonicalJson(value)).toBe(canonicalize(value));
    }),
    { numRuns: 2_000 },
  );
});

test('numbers and order of keys as in the examples of the RFC', () => {
  const numbers = [333333333.3333333, 1e30, 4.5, 2e-3, 0.000000000000000000000000001, -0];
  expect(canonicalJson({ numbers })).toBe(
    '{"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0]}',
  );
  expect(canonicalJson({ '\u20ac': 1, '\r': 2, '1': 3, '\ud83d\ude02': 4, ö: 5 })).toBe(
    '{"\\r":2,"1":3,"ö":5,"€":1,"😂":4}',
  );
});

test('keys that an object of the engine would put elsewhere stand where the RFC wants them', () => {
  const value: unknown = JSON.parse(
    '{"b":{"10":1,"9":2,"a":[{"z":1,"y":2}]},"__proto__":{"x":1},"toJSON":3}',
  );
  expect(canonicalJson(value)).toBe(
    '{"__proto__":{"x":1},"b":{"10":1,"9":2,"a":[{"y":2,"z":1}]},"toJSON":3}',
  );
  expect(canonicalJson({ b: undefined, a: '\\ud800' })).toBe('{"a":"\\\\ud800"}');
});

test('what is not JSON is refused', () => {
  for (const value of [undefined, Number.NaN, () => 1, '\ud800', { a: '\udc00' }, 10n])
    expect(() => canonicalJson(value)).toThrow();
});
