import { expect, test } from 'vitest';
import { type Statements, saidFact, takenMembers, weigh } from './said.ts';

/** What `findSaid` gives after the source said these statements. */
function saidOf(there: Statements): (field: string, value: unknown) => boolean {
  return (field, value) => {
    const { said } = saidFact('thing', 'id', { [field]: value as string });
    return saidFact('thing', 'id', there).said.includes(said);
  };
}

test.each<[string, Statements, Statements, Statements | undefined, string[], string[]]>([
  ['what is equal is no difference', { a: 1 }, { a: 1 }, { a: 2 }, [], []],
  ['what changed there is taken', { a: 2 }, { a: 1 }, { a: 1 }, ['a'], []],
  ['what changed here stays', { a: 1 }, { a: 2 }, { a: 1 }, [], ['a']],
  ['what changed on both sides stays', { a: 3 }, { a: 2 }, { a: 1 }, [], ['a']],
  ['what is new there is taken', { 'tag.x': '1' }, {}, {}, ['tag.x'], []],
  ['what was taken away here stays away', { 'tag.x': '1' }, {}, { 'tag.x': '1' }, [], ['tag.x']],
  [
    'what came back otherwise there is taken',
    { 'tag.x': '2' },
    {},
    { 'tag.x': '1' },
    ['tag.x'],
    [],
  ],
  ['what is gone there goes', {}, { 'tag.x': '1' }, { 'tag.x': '1' }, ['tag.x'], []],
  ['what is gone there and changed here stays', {}, { 'tag.x': '2' }, { 'tag.x': '1' }, [], []],
  ['what is only here stays', {}, { 'tag.x': '1' }, {}, [], []],
  ['a field that the source does not tell stays', {}, { a: 1 }, { a: 1 }, [], []],
  [
    'lists are compared by what they hold',
    { a: ['x', 'y'] },
    { a: ['x'] },
    { a: ['x'] },
    ['a'],
    [],
  ],
  ['what no import brought stays', { a: 2, 'tag.x': '1' }, { a: 1 }, undefined, ['tag.x'], ['a']],
])('%s', (_name, there, here, before, take, kept) => {
  expect(weigh(there, here, before && saidOf(before))).toEqual({ take, kept });
});

test('members that are taken are set, or taken away', () => {
  const there = [{ key: 'a.b', value: '1' }];
  expect(takenMembers('tag', there, ['tag.a.b', 'tag.c', 'name'])).toEqual({
    set: there,
    removed: ['c'],
  });
});
