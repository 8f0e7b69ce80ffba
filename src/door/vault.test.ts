import { expect, test } from 'vitest';
import { isToken, replaceAgent, replaceHomes, revealTokens } from './vault.ts';

test.each([
  ['/home/alice/data/x.csv', '/home/<alice>/data/x.csv'],
  ['file:///home/alice/x', 'file:///home/<alice>/x'],
  ['/Users/bob/train.py and /home/eve', '/Users/<bob>/train.py and /home/<eve>'],
  ['C:\\Users\\carol\\a.csv', 'C:\\Users\\<carol>\\a.csv'],
  ['/data/home/x', '/data/home/x'],
  ['s3://home/alice/x', 's3://home/alice/x'],
])('the user of a home directory is replaced: %s', (text, replaced) => {
  expect(replaceHomes(text, (user) => `<${user}>`)).toBe(replaced);
});

test.each([
  ['agent:default/ann', 'agent:default/<ann>'],
  ['agent:default/user:ann', 'agent:default/user:<ann>'],
  ['agent:default/ann%20o%40x.org', 'agent:default/<ann o@x.org>'],
  ['agent:default/ann o@x.org', 'agent:default/<ann o@x.org>'],
  ['agent:default/100%ann', 'agent:default/<100%ann>'],
  ['dataset:agent:default/ann', 'dataset:agent:default/ann'],
  ['agent:default/', 'agent:default/'],
])('the person in the ref of an agent is replaced: %s', (text, replaced) => {
  expect(replaceAgent(text, (person) => `<${person}>`)).toBe(replaced);
  expect(replaceAgent(text, (person) => person)).toBe(text);
});

test('a token is never replaced again', () => {
  const token = `person_${'0'.repeat(26)}`;
  expect(isToken(token)).toBe(true);
  expect(replaceHomes(`/home/${token}/x`, () => 'again')).toBe(`/home/${token}/x`);
  expect(replaceAgent(`agent:default/${token}`, () => 'again')).toBe(`agent:default/${token}`);
});

test('persons come back into JSON text, escaped; an erased one stays a token', () => {
  const token = `person_${'a'.repeat(26)}`;
  const erased = `person_${'b'.repeat(26)}`;
  const text = JSON.stringify({ by: token, other: erased });
  expect(
    JSON.parse(revealTokens(text, (each) => (each === token ? 'Ann "A" Lee' : undefined))),
  ).toEqual({ by: 'Ann "A" Lee', other: erased });
});
