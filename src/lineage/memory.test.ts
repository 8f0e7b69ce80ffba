import { expect, test } from 'vitest';
import type { Fact } from '../facts/facts.ts';
import { countStatements, createGraph } from '../testing/lineage.ts';

const namespace = 'pg://db';
const run = (at: number) => `run:default/step-${at}`;
const ref = (at: number) => `dataset:pg:%2F%2Fdb/table_${at}`;
const table = (at: number) => ({ namespace, name: `table_${at}` });

/** Runs in a row: each reads the table that the one before it wrote. */
function step(at: number): Fact[] {
  const known = 'observed';
  const time = 100 * at;
  return [
    { kind: 'dataset.read', run: run(at), dataset: table(at - 1), known, time },
    {
      kind: 'dataset.written',
      run: run(at),
      dataset: table(at),
      mode: 'append',
      known,
      time: time + 50,
    },
    { kind: 'run.reported', run: run(at), state: 'COMPLETE', time: time + 50 },
  ];
}

async function chain() {
  const graph = createGraph();
  await graph.add(...step(1), ...step(2), ...step(3));
  await graph.add(...step(4), ...step(5));
  return graph;
}

test('a question asked again and again is answered as before, without the graph being read', async () => {
  const graph = await chain();
  const first = await graph.trace(ref(5), { remember: true });
  expect(first).toEqual(await graph.trace(ref(5)));
  expect(await graph.trace(ref(5), { remember: true })).toEqual(first);
  const again = await countStatements(graph, async () => {
    expect(await graph.trace(ref(5), { remember: true })).toEqual(first);
  });
  // The ref that was asked for is looked up.
  expect(again).toBe(1);
});

test('what is asked for once leaves nothing behind', async () => {
  const graph = await chain();
  const first = await countStatements(graph, () => graph.trace(ref(5), { remember: true }));
  const second = await countStatements(graph, () => graph.trace(ref(5), { remember: true }));
  expect(second).toBe(first);
});

test('a question that shares a part with an earlier one reads the rest', async () => {
  const graph = await chain();
  const first = await countStatements(graph, () => graph.trace(ref(5), { remember: true }));
  for (const _ of [1, 2]) {
    await graph.trace(ref(3), { remember: true });
    await graph.impact(ref(2), { remember: true });
  }
  const second = await countStatements(graph, async () => {
    const answer = await graph.trace(ref(5), { remember: true });
    expect(answer.nodes.length).toBeGreaterThan(10);
  });
  expect(second).toBeLessThan(first);
  expect(await graph.trace(ref(5), { remember: true })).toEqual(await graph.trace(ref(5)));
});

test('what is recorded after an answer is in the next one', async () => {
  const graph = await chain();
  await graph.trace(ref(5), { remember: true });
  const before = await graph.trace(ref(5), { remember: true });
  await graph.add(...step(6), {
    kind: 'dataset.read',
    run: run(5),
    dataset: { namespace, name: 'late' },
    known: 'observed',
    time: 500,
  });
  await graph.trace(ref(5), { remember: true });
  const after = await graph.trace(ref(5), { remember: true });
  const refs = after.nodes.map((node) => node.ref);
  expect(before.nodes.map((node) => node.ref)).not.toContain('dataset:pg:%2F%2Fdb/late');
  expect(refs).toContain('dataset:pg:%2F%2Fdb/late');
  expect(after).toEqual(await graph.trace(ref(5)));
});

test('the past is neither answered from the memory of the present nor put into it', async () => {
  const graph = await chain();
  await graph.trace(ref(4), { remember: true });
  await graph.impact(ref(1), { remember: true });
  const now = await graph.trace(ref(4), { remember: true });
  const past = { position: 0, remember: true };
  await expect(graph.trace(ref(4), past)).rejects.toThrow('at that moment');
  expect(await graph.impact(ref(1), past)).toEqual(await graph.impact(ref(1), { position: 0 }));
  const earlier = { at: 260, remember: true };
  expect(await graph.impact(ref(1), earlier)).toEqual(await graph.impact(ref(1), { at: 260 }));
  expect(await graph.trace(ref(4), { remember: true })).toEqual(now);
});

test('questions asked at the same time fill one memory and are answered as alone', async () => {
  const graph = await chain();
  for (const at of [1, 2, 3, 4, 5]) await graph.trace(ref(at), { remember: true });
  const all = [1, 2, 3, 4, 5].flatMap((at) => [
    graph.trace(ref(at), { remember: true }),
    graph.impact(ref(at), { remember: true }),
  ]);
  const answers = await Promise.all(all);
  for (const [index, answer] of answers.entries()) {
    const at = Math.floor(index / 2) + 1;
    expect(answer).toEqual(await (index % 2 === 0 ? graph.trace(ref(at)) : graph.impact(ref(at))));
  }
});

test('of a dataset with several names, an answer does not depend on which was asked for before', async () => {
  const graph = await chain();
  const other = { namespace, name: 'renamed' };
  await graph.add({ kind: 'dataset.linked', a: table(3), b: other, rule: 'symlink', time: 1 });
  const refs = [ref(3), 'dataset:pg:%2F%2Fdb/renamed'];
  for (const asked of [...refs, ...refs.toReversed(), ...refs, ...refs.toReversed()]) {
    expect(await graph.trace(asked, { remember: true })).toEqual(await graph.trace(asked));
    expect(await graph.impact(asked, { remember: true })).toEqual(await graph.impact(asked));
  }
});
