import fc from 'fast-check';
import { expect, test } from 'vitest';
import { entityKinds } from './kinds.ts';
import { findRef, formatRef, parseRef, workspaceOf } from './ref.ts';

const part = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
  .filter((text) => text.isWellFormed());

test('a ref reads back as what it was written from, whatever the names hold', () => {
  const kinds = fc.constantFrom(...(Object.keys(entityKinds) as (keyof typeof entityKinds)[]));
  const generation = fc.option(fc.integer({ min: 2, max: 9 }), { nil: undefined });
  const optional = fc.option(part, { nil: undefined });
  fc.assert(
    fc.property(
      kinds,
      part,
      part,
      optional,
      generation,
      optional,
      (kind, namespace, name, version, n, field) => {
        const parts = { kind, namespace, name, version, generation: n, field };
        expect(parseRef(formatRef(parts))).toEqual(parts);
      },
    ),
  );
});

test('refs read as the design writes them', () => {
  expect(formatRef({ kind: 'dataset', namespace: 's3://bucket', name: 'a/train.csv' })).toBe(
    'dataset:s3:%2F%2Fbucket/a/train.csv',
  );
  expect(
    formatRef({
      kind: 'modelVersion',
      namespace: 'default',
      name: 'credit-risk',
      version: '3',
      generation: 2,
    }),
  ).toBe('modelVersion:default/credit-risk@3~2');
  expect(formatRef({ kind: 'field', namespace: 'file', name: '/x.csv', field: 'age' })).toBe(
    'field:file//x.csv#age',
  );
});

test('what is no ref is told from one', () => {
  for (const text of ['credit-risk@3', 'nothing:a/b', 'run:no-slash', '', 'C:/Users/x'])
    expect(findRef(text)).toBeUndefined();
  expect(() => parseRef('credit-risk@3')).toThrow('is not a ref');
  expect(() => parseRef('run:default/%zz')).toThrow('percent-encoding');
});

test('a thing is of a workspace, of the organisation, or of a provider outside', () => {
  expect(workspaceOf('model:fraud/credit-risk')).toBe('fraud');
  expect(workspaceOf('dataset:file//x.csv')).toBeUndefined();
  expect(workspaceOf('model:provider:openai/tiny-1')).toBeUndefined();
});
