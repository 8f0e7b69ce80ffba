import { expect, test } from 'vitest';
import type { Fact } from '../facts/facts.ts';
import { createGraph } from '../testing/lineage.ts';

const known = 'observed';
const file = (name: string) => ({ namespace: 'file', name: `/${name}` });
const holdout = 'datasetVersion:file//holdout@v1';
const model = (id: string) => `modelVersion:default/${id}@1`;

/** A model of its own training data, measured on the holdout that its run, or another one, read. */
function trained(id: string, time: number, evaluator = `run:default/${id}`): Fact[] {
  const run = `run:default/${id}`;
  return [
    { kind: 'dataset.read', run, dataset: file(id), version: 'v1', role: 'train', known, time },
    {
      kind: 'dataset.read',
      run: evaluator,
      dataset: file('holdout'),
      version: 'v1',
      role: 'validation',
      known,
      time,
    },
    { kind: 'run.reported', run, state: 'COMPLETE', time: time + 5 },
    {
      kind: 'relation.stated',
      relation: 'registered-as',
      from: run,
      to: model(id),
      known,
      time,
    },
    {
      kind: 'relation.stated',
      relation: 'evaluated-on',
      from: model(id),
      to: holdout,
      known,
      time,
    },
  ];
}

const refsOf = (answer: { nodes: readonly { ref: string }[] }) =>
  answer.nodes.map(({ ref }) => ref);

test('models that were measured on the same data are not behind one another', async () => {
  const graph = createGraph();
  await graph.add(...trained('first', 100), ...trained('second', 200));
  const answer = await graph.trace(model('second'));
  expect(refsOf(answer)).toEqual(
    expect.arrayContaining([holdout, 'datasetVersion:file//second@v1']),
  );
  expect(answer.edges).toContainEqual(
    expect.objectContaining({ from: model('second'), to: holdout, relation: 'evaluated-on' }),
  );
  expect(refsOf(answer).filter((ref) => ref.includes('first'))).toEqual([]);
  // The data did not come of the models either.
  expect(refsOf(await graph.trace(holdout)).filter((ref) => ref.includes('model'))).toEqual([]);
});

test('training data reaches its model and what that was measured on, not who else used that', async () => {
  const graph = createGraph();
  await graph.add(...trained('first', 100), ...trained('second', 200));
  const answer = await graph.impact('dataset:file//first');
  expect(refsOf(answer)).toEqual(expect.arrayContaining([model('first'), holdout]));
  expect(refsOf(answer).filter((ref) => ref.includes('second'))).toEqual([]);
  // Whoever read the holdout itself is reached from it.
  expect(refsOf(await graph.impact('dataset:file//holdout'))).toEqual(
    expect.arrayContaining([model('first'), model('second')]),
  );
});

test('what a model was measured on in another run is shown with the model', async () => {
  const graph = createGraph();
  await graph.add(...trained('first', 100, 'run:default/evaluation'));
  const answer = await graph.trace(model('first'));
  expect(refsOf(answer)).toContain(holdout);
  expect(refsOf(answer)).not.toContain('run:default/evaluation');
  expect(await graph.trace(model('first'), { remember: true })).toEqual(answer);
  // It counts as evaluation data of the run that made the model.
  const missing = ({ completeness }: typeof answer) => completeness.missing.map(({ what }) => what);
  expect(missing(answer)).not.toContain('evaluation data');
  await graph.add(...trained('second', 200, 'run:default/evaluation').slice(0, 4));
  expect(missing(await graph.trace(model('second')))).toContain('evaluation data');
  expect(await graph.trace(model('first'), { remember: true })).toEqual(answer);
});
