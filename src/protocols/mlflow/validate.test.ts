import { describe, expect, test } from 'vitest';
import { artifactPath, safePath } from './tracking/artifact-path.ts';
import { checkLength, checkName, checkParam } from './validate.ts';

describe('a name', () => {
  test.each(['a', 'a/b', 'a b', 'a.b', 'a:b', 'a-b_c', 'ä', '..a/b'.slice(1), 'a..b'])(
    'may be %s',
    (name) => {
      expect(() => checkName(name, 'key')).not.toThrow();
    },
  );

  test.each(['', '.', '..', '/a', 'a/', 'a//b', './a', 'a/../b', '..a', '../a'])(
    'may not be the path %j',
    (name) => {
      expect(() => checkName(name, 'key')).toThrow(/must not resolve to other names/);
    },
  );

  test.each(['a@', 'a*', 'a\n', 'a"'])('may not hold other characters: %j', (name) => {
    expect(() => checkName(name, 'key')).toThrow(/Names may only contain alphanumerics/);
  });
});

test('long values of parameters are cut by characters, not in the middle of one', () => {
  const { value } = checkParam({ key: 'p', value: '😀'.repeat(6_001) }, 'key');
  expect([...value]).toHaveLength(6_000);
});

test('lengths are counted in characters', () => {
  expect(() => checkLength('name', 3, '😀😀😀')).not.toThrow();
  expect(() => checkLength('name', 3, 'abcd')).toThrow(
    "'name' exceeds the maximum length of 3 characters",
  );
});

describe('an artifact path', () => {
  test.each([
    ['a/b.txt', 'a/b.txt'],
    ['a//b/./c/', 'a/b/c'],
    ['a%20b', 'a b'],
    ['50%', '50%'],
    ['', ''],
    ['.', ''],
  ])('%j is %j', (path, safe) => {
    expect(safePath(path)).toBe(safe);
  });

  test.each([
    '..',
    '../a',
    'a/../../b',
    '/etc/passwd',
    '%2e%2e/a',
    '%252e%252e%252fa',
    'a%2f..%2fb',
    '..\\a',
    '\\a',
    'C:\\a',
    'C:/a',
    'file:///a',
    'a#b',
    'a\0b',
    '%00',
  ])('%j is refused', (path) => {
    expect(() => safePath(path)).toThrow('Invalid path');
  });

  test.each([
    ['mlflow-artifacts:/0/r/artifacts', '0/r/artifacts'],
    ['mlflow-artifacts://host:5000/0/r', '0/r'],
    ['http://host/api/2.0/mlflow-artifacts/artifacts/0/r', '0/r'],
    ['s3://bucket/0', undefined],
    ['/local/path', undefined],
  ])('of %s is %s', (uri, path) => {
    expect(artifactPath(uri)).toBe(path);
  });
});
