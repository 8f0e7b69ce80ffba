import { expect, test } from 'vitest';
import { canonicalName, strongDigest } from './canonical-name.ts';

const name = (namespace: string, of: string) => {
  const found = canonicalName({ namespace, name: of });
  return `${found.namespace} | ${found.name}`;
};

test.each([
  ['file', '/data/x.csv', 'file | /data/x.csv'],
  ['file://', '/data//x.csv/', 'file | /data/x.csv'],
  ['file', 'file:///data/./x.csv', 'file | /data/x.csv'],
  ['file', 'file:/data/a/../x%20y.csv', 'file | /data/x y.csv'],
  ['s3a://bucket', '/a/b.parquet/', 's3://bucket | a/b.parquet'],
  ['s3n://Bucket', 's3n://Bucket/a/b', 's3://bucket | a/b'],
  ['postgresql://DB', 'shop.public.users', 'postgres://db:5432 | shop.public.users'],
  [
    'postgres://127.0.0.1:5499',
    'shop.public.users',
    'postgres://127.0.0.1:5499 | shop.public.users',
  ],
  ['https://x.org:443', '/y.csv', 'https://x.org | /y.csv'],
  ['snowflake://org-acc', 'db.public.t', 'snowflake://org-acc | DB.PUBLIC.T'],
  ['duckdb:///data/demo.duckdb', 'demo.main.t', 'duckdb:///data/demo.duckdb | demo.main.t'],
  ['feast_demo/ml_demo', 'user', 'feast_demo/ml_demo | user'],
])('%s %s is %s', (namespace, of, canonical) => {
  expect(name(namespace, of)).toBe(canonical);
});

test('the rule is told only where the name changed', () => {
  expect(canonicalName({ namespace: 'file', name: '/x' }).rule).toBeUndefined();
  expect(canonicalName({ namespace: 'file://', name: '/x' }).rule).toBe('canonical-name:file');
});

test('a canonical name is its own canonical name', () => {
  const once = canonicalName({ namespace: 's3a://B', name: '/k/' });
  const twice = canonicalName({ namespace: once.namespace, name: once.name });
  expect(twice).toEqual({ namespace: 's3://b', name: 'k' });
});

test('only digests of the full, non-empty content of 128 bits or more join versions', () => {
  expect(strongDigest({ algorithm: 'MD5', value: 'A'.repeat(32) })).toBe(`md5:${'a'.repeat(32)}`);
  expect(strongDigest({ algorithm: 'mlflow', value: 'abcdef12' })).toBeUndefined();
  expect(strongDigest({ algorithm: 'sha256', value: 'abcdef12' })).toBeUndefined();
  expect(
    strongDigest({ algorithm: 'md5', value: 'd41d8cd98f00b204e9800998ecf8427e' }),
  ).toBeUndefined();
});
