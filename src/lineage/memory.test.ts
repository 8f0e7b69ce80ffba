import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limits } from '../base/limits.ts';
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

test('what entries did not touch is still remembered after them', async () => {
  const graph = await chain();
  await graph.trace(ref(5), { remember: true });
  const apart = { namespace, name: 'apart' };
  await graph.add({
    kind: 'dataset.read',
    run: run(99),
    dataset: apart,
    known: 'observed',
    time: 9,
  });
  const fresh = await countStatements(graph, () => graph.trace(ref(5)));
  const again = await countStatements(graph, () => graph.trace(ref(5), { remember: true }));
  expect(again).toBeLessThan(fresh / 5);
});

test('after more changes than are kept in mind, all is read anew', async () => {
  const graph = await chain();
  await graph.trace(ref(5), { remember: true });
  await graph.add({ kind: 'run.reported', run: run(5), state: 'FAIL', time: 900 });
  for (let at = 0; at < limits.rememberedChangesMax; at += 1)
    await graph.add({ kind: 'run.reported', run: run(1_000), state: 'OTHER', time: at });
  expect(await graph.trace(ref(5), { remember: true })).toEqual(await graph.trace(ref(5)));
});

test('an answer under way keeps what it has read, whatever is recorded and asked meanwhile', async () => {
  const graph = await chain();
  const before = await graph.trace(ref(5));
  await graph.trace(ref(5), { remember: true });
  const slow = graph.trace(ref(5), { remember: true });
  const recorded = graph.add({ kind: 'run.reported', run: run(5), state: 'FAIL', time: 900 });
  await recorded;
  const after = await graph.trace(ref(5), { remember: true });
  expect((await slow).nodes.length).toBe(before.nodes.length);
  expect(after).toEqual(await graph.trace(ref(5)));
  expect(await graph.trace(ref(5), { remember: true })).toEqual(after);
});

const model = 'modelVersion:default/risk@1';
const few = fc.integer({ min: 0, max: 3 });

/** Facts about few things, so that they meet. */
function anyFact(): fc.Arbitrary<Fact> {
  const time = fc.integer({ min: 1, max: 20 }).map((tens) => 20 * tens);
  const known = 'observed' as const;
  // The last two are two spellings of one name.
  const spelled = ['postgres://h', 'postgresql://h'].map((each) => ({
    namespace: each,
    name: 't',
  }));
  const dataset = fc.oneof(few.map(table), fc.constantFrom(...spelled));
  const version = fc.option(fc.constantFrom('v1', 'v2'), { nil: undefined });
  const digest = fc.option(
    few.map((at) => ({ algorithm: 'sha256', value: String(at).repeat(64) })),
    { nil: undefined },
  );
  const use = { run: few.map(run), dataset, version, digest, time };
  return fc.oneof(
    fc.record(use).map((each): Fact => ({ kind: 'dataset.read', known, ...each })),
    fc
      .record({ ...use, mode: fc.constantFrom('append' as const, 'replace' as const) })
      .map((each): Fact => ({ kind: 'dataset.written', known, ...each })),
    fc
      .record({
        run: few.map(run),
        state: fc.constantFrom('START' as const, 'COMPLETE' as const, 'FAIL' as const),
        time,
      })
      .map((each): Fact => ({ kind: 'run.reported', job: 'job:default/load', ...each })),
    fc.record({ a: few, b: few, time }).map(
      ({ a, b, time: at }): Fact => ({
        kind: 'relation.stated',
        relation: 'part-of',
        from: run(a),
        to: run(b + 10),
        known,
        time: at,
      }),
    ),
    fc
      .record({ ref: few.map(run), time })
      .chain((each) =>
        fc.constantFrom<Fact>(
          { kind: 'entity.described', ...each, attributes: { note: each.time } },
          { kind: 'entity.deleted', ...each },
          { kind: 'entity.restored', ...each },
          { kind: 'entity.renamed', from: each.ref, to: `${each.ref}-renamed`, time: each.time },
        ),
      ),
    fc.record({ a: dataset, b: dataset, time }).map(
      (each): Fact => ({
        kind: 'dataset.linked',
        rule: 'symlink',
        ...each,
      }),
    ),
    fc.record({ dataset, time }).map((each): Fact => ({ kind: 'dataset.dropped', ...each })),
    fc.record({ from: few.map(run), time }).map(
      (each): Fact => ({
        kind: 'relation.stated',
        relation: 'registered-as',
        to: model,
        known,
        ...each,
      }),
    ),
    fc.constantFrom('approval', 'note').map(
      (type): Fact => ({
        kind: 'statement.made',
        id: type,
        ref: model,
        type,
        value: {},
        time: 1,
      }),
    ),
    fc.record({ a: few, b: few, id: few, time, type: fc.constantFrom('alias', 'distinct') }).map(
      ({ a, b, id, time: at, type }): Fact => ({
        kind: 'statement.made',
        id: `${type} ${id}`,
        ref: ref(a),
        type,
        value: { of: ref(b) },
        time: at,
        validFrom: at,
        supersedes: `alias ${id - 1}`,
      }),
    ),
    fc
      .record({ from: dataset, to: dataset, time })
      .map((each): Fact => ({ kind: 'dataset.renamed', ...each })),
    fc
      .record({ via: few.map(run), output: dataset, inputs: fc.array(dataset), time })
      .map((each): Fact => ({ kind: 'flow.stated', ...each })),
    fc
      .record({ job: fc.constant('job:default/load'), inputs: fc.array(dataset), time })
      .map((each): Fact => ({ kind: 'job.declared', outputs: [], ...each })),
  );
}

test('whatever is recorded between questions, what is remembered answers as the record does', async () => {
  const question = fc.record({
    walk: fc.constantFrom('trace' as const, 'impact' as const),
    about: fc.oneof(
      fc.integer({ min: 0, max: 3 }).map(ref),
      fc.integer({ min: 0, max: 3 }).map(run),
    ),
  });
  const history = fc.array(
    fc.record({ facts: fc.array(anyFact(), { minLength: 1, maxLength: 3 }), question }),
    { minLength: 2, maxLength: 14 },
  );
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      const graph = createGraph();
      await graph.add(...[0, 1, 2, 3].flatMap(step));
      for (const { facts, question: asked } of steps) {
        await graph.add(...facts);
        const told = (options: { remember?: boolean }) =>
          graph[asked.walk](asked.about, options).catch((thrown: Error) => thrown.message);
        expect(await told({ remember: true })).toEqual(await told({}));
      }
    }),
    { numRuns: 150 },
  );
}, 60_000);
