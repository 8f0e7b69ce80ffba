import { expect, test } from 'vitest';
import type { Fact } from '../facts/facts.ts';
import { createGraph } from '../testing/lineage.ts';

const run = 'run:default/r';
const model = (name: string) => `model:default/${name}`;
const version = (name: string) => `modelVersion:default/${name}@1`;

const registered: Fact[] = [
  {
    kind: 'relation.stated',
    relation: 'has-version',
    from: model('a'),
    to: version('a'),
    known: 'observed',
    time: 100,
  },
  {
    kind: 'relation.stated',
    relation: 'registered-as',
    from: run,
    to: version('a'),
    known: 'observed',
    time: 100,
  },
];

const renamed = (from: string, to: string, time: number): Fact[] => [
  { kind: 'entity.renamed', from: model(from), to: model(to), time },
  { kind: 'entity.renamed', from: version(from), to: version(to), time },
];

const named = (answer: { nodes: readonly { ref: string; name: string }[] }) =>
  answer.nodes.map(({ ref, name }) => `${ref} ${name}`).sort();

const shownAs = (name: string) => [
  `${model(name)} ${name}`,
  `${version(name)} ${name}@1`,
  `${run} r`,
];

async function renamedTwice() {
  const graph = createGraph();
  const first = await graph.add(...registered);
  const second = await graph.add(...renamed('a', 'b', 200));
  const third = await graph.add(...renamed('b', 'c', 300));
  return { graph, first, second, third };
}

test('an answer shows the names that things had at its position', async () => {
  const { graph, first, second, third } = await renamedTwice();
  const at = async (position: number) => named(await graph.trace(model('c'), { position }));
  expect(await at(first)).toEqual(shownAs('a'));
  expect(await at(second)).toEqual(shownAs('b'));
  expect(await at(third)).toEqual(shownAs('c'));
  expect(named(await graph.impact(run, { position: second }))).toContain(`${version('b')} b@1`);
});

test('an answer shows the names that things had at its time', async () => {
  const { graph } = await renamedTwice();
  const at = async (time: number) => named(await graph.trace(version('c'), { at: time }));
  expect(await at(150)).toEqual(shownAs('a'));
  expect(await at(250)).toEqual(shownAs('b'));
  expect(await at(300)).toEqual(shownAs('c'));
});

test('a thing is found by the name that it had, and the answer is about that name', async () => {
  const { graph, second } = await renamedTwice();
  for (const asked of ['a', 'b', 'c'])
    expect((await graph.trace(model(asked), { position: second })).ref).toBe(model('b'));
});

test('a name that comes back is shown while it was there', async () => {
  const graph = createGraph();
  const first = await graph.add(...registered);
  const second = await graph.add(...renamed('a', 'b', 200));
  const third = await graph.add(...renamed('b', 'a', 300));
  const fourth = await graph.add(...renamed('a', 'd', 400));
  const at = async (position: number) => named(await graph.trace(model('d'), { position }));
  expect(await at(first)).toEqual(shownAs('a'));
  expect(await at(second)).toEqual(shownAs('b'));
  expect(await at(third)).toEqual(shownAs('a'));
  expect(await at(fourth)).toEqual(shownAs('d'));
});
