import { expect, test } from 'vitest';
import type { ColumnEdge, Fact } from '../facts/facts.ts';
import { createGraph, edgeLines } from '../testing/lineage.ts';

const source = { namespace: 'file', name: '/credit.csv' };
const features = { namespace: 'file', name: '/features.csv' };
const run = (id: string) => `run:default/${id}`;
const schema = (...names: string[]) => ({ schema: names.map((name) => ({ name, type: 'long' })) });
const derived = (from: string, to: string): ColumnEdge => ({
  from: { dataset: source, field: from },
  to: { dataset: features, field: to },
});

function transform(id: string, end: number, columns: ColumnEdge[]): Fact[] {
  return [
    { kind: 'run.reported', run: run(id), state: 'START', time: end - 10 },
    { kind: 'run.reported', run: run(id), state: 'COMPLETE', time: end },
    {
      kind: 'dataset.read',
      run: run(id),
      dataset: source,
      known: 'observed',
      time: end - 10,
      attributes: schema('age', 'amount', 'unused'),
    },
    {
      kind: 'dataset.written',
      run: run(id),
      dataset: features,
      mode: 'replace',
      known: 'observed',
      time: end,
      attributes: schema('age_group', 'amount'),
    },
    { kind: 'columns.derived', via: run(id), columns, known: 'observed', time: end },
  ];
}

function train(id: string, time: number, columns: string[]): Fact[] {
  return [
    { kind: 'run.reported', run: run(id), state: 'START', time },
    {
      kind: 'dataset.read',
      run: run(id),
      dataset: features,
      role: 'train',
      known: 'observed',
      time,
      attributes: schema(...columns),
    },
    {
      kind: 'relation.stated',
      relation: 'produced',
      from: run(id),
      to: `artifact:default/m-${id}`,
      known: 'observed',
      time,
    },
    {
      kind: 'relation.stated',
      relation: 'registered-as',
      from: `artifact:default/m-${id}`,
      to: `modelVersion:default/credit@${id}`,
      known: 'observed',
      time,
    },
  ];
}

const predictions = {
  find: async () => [],
  count: async (versions: readonly string[]) =>
    versions.map((ref) => ({ ref, kind: 'prediction' as const, count: 10 })),
};

test('a column trace goes from the model to the columns of the source, with how each was derived', async () => {
  const graph = createGraph();
  await graph.add(
    ...transform('etl', 100, [
      { ...derived('age', 'age_group'), how: 'DIRECT/TRANSFORMATION' },
      derived('amount', 'amount'),
    ]),
    ...train('1', 200, ['age_group', 'amount']),
  );
  const answer = await graph.trace('modelVersion:default/credit@1', { columns: true });
  const columns = answer.edges.filter((edge) => edge.relation === 'derived-into');
  expect(columns.map((edge) => [edge.from, edge.to, edge.run, edge.how])).toEqual([
    [
      'field:file//credit.csv#age',
      'field:file//features.csv#age_group',
      run('etl'),
      'DIRECT/TRANSFORMATION',
    ],
    ['field:file//credit.csv#amount', 'field:file//features.csv#amount', run('etl'), undefined],
  ]);
  expect(edgeLines(answer)).toContain(
    'field:file//features.csv#age_group -read-by(train)-> run:default/1 [observed schema-of-read]',
  );
});

test('a column trace walks only the runs on the version path', async () => {
  const graph = createGraph();
  await graph.add(
    ...transform('old', 100, [derived('age', 'age_group')]),
    ...transform('new', 300, [derived('unused', 'age_group')]),
    ...train('1', 200, ['age_group']),
  );
  const answer = await graph.trace('modelVersion:default/credit@1', { columns: true });
  expect(
    answer.edges.filter((edge) => edge.relation === 'derived-into').map((edge) => edge.from),
  ).toEqual(['field:file//credit.csv#age']);
});

test('the impact of a column reaches the models that read it, and counts their predictions', async () => {
  const graph = createGraph(predictions);
  await graph.add(
    ...transform('etl', 100, [derived('age', 'age_group'), derived('amount', 'amount')]),
    ...train('1', 200, ['age_group', 'amount']),
    ...train('2', 210, ['amount']),
  );
  const age = await graph.impact('field:file//credit.csv#age');
  expect(age.counts).toEqual([
    { ref: 'modelVersion:default/credit@1', kind: 'prediction', count: 10 },
  ]);
  const amount = await graph.impact('field:file//credit.csv#amount');
  expect(amount.counts.map((count) => count.ref).sort()).toEqual([
    'modelVersion:default/credit@1',
    'modelVersion:default/credit@2',
  ]);
  expect((await graph.impact('field:file//credit.csv#unused')).counts).toEqual([]);
});

test('a column used for the whole dataset (a filter) reaches all of its columns', async () => {
  const graph = createGraph(predictions);
  const filter: ColumnEdge = { ...derived('unused', '*'), how: 'INDIRECT/FILTER' };
  await graph.add(
    ...transform('etl', 100, [derived('amount', 'amount'), filter]),
    ...train('1', 200, ['amount']),
  );
  expect((await graph.impact('field:file//credit.csv#unused')).counts).toEqual([
    { ref: 'modelVersion:default/credit@1', kind: 'prediction', count: 10 },
  ]);
  const back = await graph.trace('modelVersion:default/credit@1', { columns: true });
  expect(back.edges.map((edge) => `${edge.from} ${edge.to}`)).toContain(
    'field:file//credit.csv#unused field:file//features.csv#*',
  );
});

test('what came of a whole dataset is reached from each of its columns', async () => {
  const graph = createGraph(predictions);
  await graph.add(
    ...transform('etl', 100, [derived('*', 'amount'), derived('amount', 'age_group')]),
    ...train('1', 200, ['amount']),
    ...train('2', 200, ['age_group']),
  );
  const answer = await graph.impact('field:file//credit.csv#unused');
  expect(answer.counts).toEqual([
    { ref: 'modelVersion:default/credit@1', kind: 'prediction', count: 10 },
  ]);
  expect(answer.edges.map((edge) => `${edge.from} ${edge.to} ${edge.rule ?? ''}`)).toContain(
    'field:file//credit.csv#unused field:file//credit.csv#* whole-dataset',
  );
});

test('where a run does not tell its columns, everything it wrote is reached', async () => {
  const graph = createGraph(predictions);
  await graph.add(
    ...transform('etl', 100, []).filter((fact) => fact.kind !== 'columns.derived'),
    ...train('1', 200, ['age_group']),
  );
  expect((await graph.impact('field:file//credit.csv#age')).counts).toEqual([
    { ref: 'modelVersion:default/credit@1', kind: 'prediction', count: 10 },
  ]);
});

test('a model trained on a version from before the column was used is not reached', async () => {
  const graph = createGraph(predictions);
  await graph.add(
    ...transform('old', 100, [derived('amount', 'amount')]),
    ...train('1', 150, ['amount']),
    ...transform('new', 200, [derived('age', 'amount')]),
    ...train('2', 250, ['amount']),
  );
  expect(
    (await graph.impact('field:file//credit.csv#age')).counts.map((count) => count.ref),
  ).toEqual(['modelVersion:default/credit@2']);
});
