import { expect, test } from 'vitest';
import { numberText, parseExact, sortedJson, writeExact } from './exact-json.ts';

test('numbers are written again as they came', () => {
  const text = '{"a":1.0,"b":[9007199254740993,1e5,-0,0.1,7],"c":{"d":null,"e":true}}';
  expect(writeExact(parseExact(text))).toBe(text);
  const odd = '{"a":NaN,"b":[Infinity,-Infinity],"c":"NaN \\" NaN"}';
  expect(writeExact(parseExact(odd))).toBe(odd);
  expect(() => parseExact('[NaNa]')).toThrow(SyntaxError);
  expect(parseExact('[1,2.5]')).toEqual([1, 2.5]);
});

test('a number tells its text, other values none', () => {
  expect([1, parseExact('1.0'), parseExact('NaN'), 'x', null, {}].map(numberText)).toEqual([
    '1',
    '1.0',
    'NaN',
    undefined,
    undefined,
    undefined,
  ]);
});

test('sorted text does not depend on the order of keys, at any depth', () => {
  const sorted = sortedJson(parseExact('{"b":[{"y":1.0,"x":2}],"a":"\\u00e9"}'));
  expect(sorted).toBe('{"a":"é","b":[{"x":2,"y":1.0}]}');
  expect(sorted).toBe(sortedJson(parseExact('{"a":"é","b":[{"x":2,"y":1.0}]}')));
});
