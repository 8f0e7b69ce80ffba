import { expect, it } from 'vitest';
import { deploymentAt } from './deployment-at.ts';

const rows = [
  { number: 1, from: 10, until: 20 },
  { number: 2, from: 30, until: null },
  // Told of later, of a time before.
  { number: 3, from: 20, until: 25 },
  // Taken back where it began.
  { number: 4, from: 15, until: 15 },
].map((row) => ({
  workspace: 'default',
  name: 'scoring',
  modelVersion: 'modelVersion:default/m@1',
  attributes: {},
  ...row,
}));

it.each([
  ['the one that runs', 15, 1],
  ['the one that runs, not the highest number', 99, 2],
  ['where one follows another, the one that begins', 20, 3],
  ['the one that ran last, where none runs', 27, 3],
  ['the first that is announced, where none ever ran', 5, 1],
])('a bare name means %s', (_, time, number) => {
  expect(deploymentAt(rows, time)?.number).toBe(number);
});

it('a bare name means one that still runs rather than one that began later and ended', () => {
  const overlapping = rows.slice(1, 2).concat({ ...rows[2]!, from: 40, until: 50 });
  expect(deploymentAt(overlapping, 45)?.number).toBe(3);
  expect(deploymentAt(overlapping, 60)?.number).toBe(2);
});

it('a bare name means one that was taken back only where there is no other', () => {
  expect(deploymentAt(rows.slice(3), 5)?.number).toBe(4);
  expect(deploymentAt([], 5)).toBeUndefined();
});
