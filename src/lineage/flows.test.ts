import { expect, test } from 'vitest';
import type { Fact } from '../facts/facts.ts';
import { createGraph, expectSameInAnyOrder } from '../testing/lineage.ts';

const known = 'observed';
const run = (id: string) => `run:default/${id}`;
const table = (name: string) => ({ namespace: 'pg://db', name });
const refOf = (name: string) => `dataset:pg:%2F%2Fdb/${name}`;

/** A run that reads a, b and c, and writes x, y and z. */
const etl: Fact[] = [
  ...['a', 'b', 'c'].map(
    (name): Fact => ({
      kind: 'dataset.read',
      run: run('etl'),
      dataset: table(name),
      known,
      time: 100,
    }),
  ),
  ...['x', 'y', 'z'].map(
    (name): Fact => ({
      kind: 'dataset.written',
      run: run('etl'),
      dataset: table(name),
      mode: 'replace',
      known,
      time: 100,
    }),
  ),
  { kind: 'run.reported', run: run('etl'), job: 'job:etl/etl', state: 'COMPLETE', time: 110 },
];

const flow = (output: string, inputs: string[], via = run('etl')): Fact => ({
  kind: 'flow.stated',
  via,
  output: table(output),
  inputs: inputs.map(table),
  time: 100,
});

const flows = [flow('x', ['a']), flow('y', ['b']), flow('y', ['c'])];

type Answer = { readonly nodes: readonly { readonly ref: string }[] };
/** Names of the datasets that are met, themselves or in a version. */
const datasets = ({ nodes }: Answer): string =>
  [...new Set(nodes.flatMap(({ ref }) => /^dataset.*\/(\w+)/.exec(ref)?.[1] ?? []))]
    .sort()
    .join('');

test('an output comes of the inputs that were told for it, and an input goes into no other', async () => {
  const graph = createGraph();
  await graph.add(...etl);
  expect(datasets(await graph.trace(refOf('x')))).toBe('abcx');
  const told = await graph.add(...flows);
  expect(datasets(await graph.trace(refOf('x')))).toBe('ax');
  expect(datasets(await graph.trace(refOf('y')))).toBe('bcy');
  // Nothing was told of z: it comes of every input.
  expect(datasets(await graph.trace(refOf('z')))).toBe('abcz');
  expect(datasets(await graph.trace(run('etl')))).toBe('abc');
  expect(datasets(await graph.impact(refOf('a')))).toBe('axz');
  expect(datasets(await graph.impact(refOf('c')))).toBe('cyz');
  expect(datasets(await graph.trace(refOf('x'), { position: told - 1 }))).toBe('abcx');
});

test('an output that was told to come of nothing has no input behind it', async () => {
  const graph = createGraph();
  await graph.add(...etl, flow('x', []));
  expect(datasets(await graph.trace(refOf('x')))).toBe('x');
  expect(datasets(await graph.impact(refOf('a')))).toBe('ayz');
});

test('a run that is met through two outputs has the inputs of both behind it', async () => {
  const graph = createGraph();
  const read = (dataset: string, time: number): Fact => ({
    kind: 'dataset.read',
    run: run('train'),
    dataset: table(dataset),
    known,
    time,
  });
  const copy: Fact[] = [
    { kind: 'dataset.read', run: run('copy'), dataset: table('y'), known, time: 200 },
    {
      kind: 'dataset.written',
      run: run('copy'),
      dataset: table('w'),
      mode: 'replace',
      known,
      time: 200,
    },
    { kind: 'run.reported', run: run('copy'), state: 'COMPLETE', time: 210 },
  ];
  await graph.add(...etl, ...flows, ...copy, read('x', 300));
  expect(datasets(await graph.trace(run('train')))).toBe('ax');
  // y is one step farther than x: the run is met again, when its inputs were walked already.
  await graph.add(read('w', 300));
  expect(datasets(await graph.trace(run('train')))).toBe('abcwxy');
});

test('what a job declares for its outputs holds until it declares anew', async () => {
  const graph = createGraph();
  const job = 'job:etl/etl';
  const declared = (time: number): Fact => ({
    kind: 'job.declared',
    job,
    inputs: ['a', 'b'].map(table),
    outputs: ['x', 'y'].map(table),
    time,
  });
  await graph.add(...etl, ...flows, declared(100), flow('x', ['a'], job));
  expect(datasets(await graph.trace(refOf('x')))).toBe('ax');
  expect(datasets(await graph.impact(refOf('b')))).toBe('byz');
  const bare = createGraph();
  await bare.add(declared(100), flow('x', ['a'], job));
  expect(datasets(await bare.trace(refOf('x')))).toBe('ax');
  expect(datasets(await bare.impact(refOf('b')))).toBe('by');
  await bare.add(declared(200));
  expect(datasets(await bare.trace(refOf('x')))).toBe('abx');
});

test('a flow holds under every name of its datasets', async () => {
  const graph = createGraph();
  const link = (a: string, b: string): Fact => ({
    kind: 'dataset.linked',
    a: table(a),
    b: table(b),
    rule: 'symlinks',
    time: 1,
  });
  await graph.add(...etl, flow('x2', ['a2']), link('x', 'x2'), link('a', 'a2'));
  expect(datasets(await graph.trace(refOf('x')))).toBe('ax');
});

test('flows are the same in any order, and repeated', async () => {
  const messages = [etl.slice(0, 3), etl.slice(3), ...flows.map((each) => [each]), [flow('z', [])]];
  await expectSameInAnyOrder(messages, async (graph) => {
    const shown: string[] = [];
    for (const name of ['a', 'b', 'c', 'x', 'y', 'z'])
      for (const walk of [graph.trace, graph.impact]) shown.push(datasets(await walk(refOf(name))));
    return shown;
  });
});
