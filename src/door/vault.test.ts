import { expect, test } from 'vitest';
import { isToken, replaceHomes, revealTokens } from './vault.ts';

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

test('a token is never replaced again', () => {
  const token = `person_${'0'.repeat(26)}`;
  expect(isToken(token)).toBe(true);
  expect(replaceHomes(`/home/${token}/x`, () => 'again')).toBe(`/home/${token}/x`);
});

test('persons come back into JSON text, escaped; an erased one stays a token', () => {
  const token = `person_${'a'.repeat(26)}`;
  const erased = `person_${'b'.repeat(26)}`;
  const text = JSON.stringify({ by: token, other: erased });
  expect(
    JSON.parse(revealTokens(text, (each) => (each === token ? 'Ann "A" Lee' : undefined))),
  ).toEqual({ by: 'Ann "A" Lee', other: erased });
});
