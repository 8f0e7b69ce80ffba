import { expect, test } from 'vitest';
import type { Fact, LineageFact } from '../facts/facts.ts';
import { createGraph, edgeLines, expectSameInAnyOrder } from '../testing/lineage.ts';

const namespace = 'pg://db';
const known = 'observed';
const run = (id: string) => `run:default/${id}`;
const refOf = (name: string) => `dataset:pg:%2F%2Fdb/${name}`;
const table = (name: string) => ({ namespace, name });
type Statement = Extract<LineageFact, { kind: 'statement.made' }>;

function wrote(id: string, name: string, end: number): Fact[] {
  return [
    { kind: 'run.reported', run: run(id), state: 'COMPLETE', time: end },
    {
      kind: 'dataset.written',
      run: run(id),
      dataset: table(name),
      mode: 'replace',
      known,
      time: end,
    },
  ];
}

function read(id: string, name: string, time: number): Fact[] {
  return [
    { kind: 'run.reported', run: run(id), state: 'START', time },
    { kind: 'dataset.read', run: run(id), dataset: table(name), known, time },
  ];
}

const say = (type: string, id: string, more: Partial<Statement> = {}): Fact => ({
  kind: 'statement.made',
  id,
  ref: refOf('a'),
  type,
  value: { of: refOf('b') },
  time: 1_000,
  ...more,
});
const alias = (id: string, more?: Partial<Statement>) => say('alias', id, more);
const link: Fact = {
  kind: 'dataset.linked',
  a: table('a'),
  b: table('b'),
  rule: 'symlinks',
  time: 10,
};

const data: Fact[] = [
  ...wrote('w1', 'a', 100),
  ...read('r150', 'b', 150),
  ...read('r250', 'b', 250),
  ...read('r350', 'b', 350),
];

/** Which of the readers of b have what was written to a behind them. */
async function readersOfA(graph: ReturnType<typeof createGraph>, options = {}): Promise<string[]> {
  const found: string[] = [];
  for (const id of ['r150', 'r250', 'r350']) {
    const { nodes } = await graph.trace(run(id), options);
    if (nodes.some(({ ref }) => ref === run('w1'))) found.push(id);
  }
  const { nodes } = await graph.impact(run('w1'), options);
  const reached = nodes.map(({ ref }) => ref).filter((ref) => /r\d+$/.test(ref));
  // Downstream is the inverse of upstream.
  expect(reached.map((ref) => ref.slice('run:default/'.length)).sort()).toEqual(found);
  return found;
}

test('an alias joins what was read while it held, and nothing read before or after', async () => {
  const graph = createGraph();
  await graph.add(...data);
  expect(await readersOfA(graph)).toEqual([]);
  await graph.add(alias('s1', { validFrom: 200, validTo: 300 }));
  expect(await readersOfA(graph)).toEqual(['r250']);
  expect(edgeLines(await graph.trace(run('r250')))).toContain(
    'datasetVersion:pg:%2F%2Fdb/a@run:w1 -read-by-> run:default/r250 [inferred newest-completed-before]',
  );
  const datasets = async (at?: number) =>
    (await graph.trace(refOf('b'), at === undefined ? {} : { at })).nodes
      .filter(({ kind }) => kind === 'dataset')
      .map(({ ref }) => ref);
  expect(await datasets(250)).toEqual([refOf('a')]);
  expect(await datasets(350)).toEqual([refOf('b')]);
  expect(await datasets(150)).toEqual([refOf('b')]);
  // It ended: today they are two.
  expect(await datasets()).toEqual([refOf('b')]);
});

test('names are shown with the rule that joins them, and until when', async () => {
  const graph = createGraph();
  await graph.add(...data);
  const position = await graph.add(alias('s1', { validTo: 300 }));
  const { nodes } = await graph.trace(refOf('a'), { at: 250 });
  expect(nodes.find(({ ref }) => ref === refOf('a'))?.attributes.sameAs).toEqual([
    { ref: refOf('b'), rule: 'declared-alias', position, validTo: '1970-01-01T00:00:00.300Z' },
  ]);
});

test('a superseded alias no longer joins; before it was superseded it did', async () => {
  const graph = createGraph();
  await graph.add(...data);
  const made = await graph.add(alias('s1'));
  expect(await readersOfA(graph)).toEqual(['r150', 'r250', 'r350']);
  await graph.add(say('note', 's2', { supersedes: 's1', text: 'That was wrong.' }));
  expect(await readersOfA(graph)).toEqual([]);
  expect(await readersOfA(graph, { position: made })).toEqual(['r150', 'r250', 'r350']);
});

test('what supersedes an alias with a beginning ends it there', async () => {
  const graph = createGraph();
  await graph.add(...data, alias('s1'), say('note', 's2', { supersedes: 's1', validFrom: 200 }));
  expect(await readersOfA(graph)).toEqual(['r150']);
});

test('an alias that supersedes another with an end joins until then', async () => {
  const graph = createGraph();
  await graph.add(...data, alias('s1'), alias('s2', { supersedes: 's1', validTo: 300 }));
  expect(await readersOfA(graph)).toEqual(['r150', 'r250']);
});

test('names that are stated to be distinct are not joined by what tools report', async () => {
  const graph = createGraph();
  await graph.add(...data);
  const linked = await graph.add(link);
  expect(await readersOfA(graph)).toEqual(['r150', 'r250', 'r350']);
  await graph.add(say('distinct', 's1'));
  await graph.add(link);
  expect(await readersOfA(graph)).toEqual([]);
  expect(await readersOfA(graph, { position: linked })).toEqual(['r150', 'r250', 'r350']);
  // Taken back in its turn.
  await graph.add(say('note', 's2', { supersedes: 's1' }));
  expect(await readersOfA(graph)).toEqual(['r150', 'r250', 'r350']);
  await graph.add(say('distinct', 's3', { validFrom: 200, validTo: 300 }));
  expect(await readersOfA(graph)).toEqual(['r150', 'r350']);
});

test('a rename joins the names from then on: before it the new name was not this dataset', async () => {
  const graph = createGraph();
  await graph.add(...data, {
    kind: 'dataset.renamed',
    from: table('a'),
    to: table('b'),
    time: 200,
  });
  expect(await readersOfA(graph)).toEqual(['r250', 'r350']);
});

test('a drop and a write under a name that is no longer the same leave the other alone', async () => {
  const graph = createGraph();
  await graph.add(
    ...data,
    alias('s1', { validTo: 200 }),
    { kind: 'dataset.dropped', dataset: table('b'), time: 220 },
    ...wrote('w2', 'b', 230),
    ...read('late', 'a', 260),
  );
  expect(await readersOfA(graph)).toEqual(['r150']);
  const refs = (await graph.trace(run('late'))).nodes.map(({ ref }) => ref);
  expect(refs).toContain(run('w1'));
  expect(refs).not.toContain(run('w2'));
});

test('what joins and parts names is the same in any order, and repeated', async () => {
  const messages: Fact[][] = [
    wrote('w1', 'a', 100),
    wrote('w2', 'b', 180),
    read('r150', 'b', 150),
    read('r250', 'a', 250),
    read('r350', 'b', 350),
    [link],
    [alias('s1', { validFrom: 120 })],
    [alias('s2', { supersedes: 's1', validFrom: 300 })],
    [say('distinct', 's3', { validFrom: 140, validTo: 260 })],
    [{ kind: 'dataset.renamed', from: table('b'), to: table('c'), time: 200 }],
    read('c210', 'c', 210),
  ];
  await expectSameInAnyOrder(messages, async (graph) => {
    const lines: string[] = [];
    for (const ref of [...['r150', 'r250', 'r350', 'c210', 'w1'].map(run), refOf('c')])
      for (const walk of [graph.trace, graph.impact])
        for (const at of [undefined, 150, 250])
          lines.push(
            ...edgeLines(
              await walk(ref, at === undefined ? {} : { at }).catch(() => ({ edges: [] })),
            ),
          );
    return lines;
  });
});

test('names of two kinds are never one, whatever was stated', async () => {
  const graph = createGraph();
  await graph.add(...data, alias('s1', { value: { of: 'source:file/b' } }));
  const { nodes } = await graph.trace(refOf('a'));
  expect(nodes.find(({ ref }) => ref === refOf('a'))?.attributes.sameAs).toBeUndefined();
  expect((await graph.store.rareRows()).merges).toBe(false);
});

test('a statement about one workspace takes the place of none about another', async () => {
  const graph = createGraph();
  const ref = 'modelVersion:default/m@1';
  const made = { kind: 'statement.made', time: 1, value: undefined } as const;
  await graph.add({ ...made, id: 'ok', ref, type: 'approval' });
  const foreign = { ref: 'modelVersion:fraud/m@1', supersedes: 'ok' };
  await graph.add({ ...made, id: 'n1', type: 'note', ...foreign });
  const said = async () => (await graph.trace(ref)).nodes[0]?.attributes.statements;
  expect(await said()).toMatchObject([{ id: 'ok' }]);
  await graph.add({ ...made, id: 'n2', type: 'note', ref, supersedes: 'ok' });
  expect(await said()).toMatchObject([{ id: 'n2' }]);
});
