import { expect, test } from 'vitest';
import type { Fact } from '../facts/facts.ts';
import { createGraph, edgeLines } from '../testing/lineage.ts';
import type { PredictionNode, PredictionSource } from './walk-predictions.ts';

const data = { namespace: 'mlflow:default', name: 'datasets/d-1' };
const version = 'datasetVersion:mlflow:default/datasets/d-1@v1';
const model = 'artifact:default/m-1';
const prompt = 'modelVersion:default/prompt@2';
const answered = (id: string) => `prediction:default/${id}`;

function prediction(id: string, more: Partial<PredictionNode> = {}): PredictionNode {
  return {
    ref: answered(id),
    modelVersion: undefined,
    deployment: undefined,
    time: 50,
    recordedTime: 60,
    position: 0,
    attributes: { trace: true },
    parents: [],
    uses: [
      {
        ref: model,
        relation: 'served',
        role: 'model',
        known: 'observed',
        rule: 'trace',
        position: 0,
      },
      {
        ref: prompt,
        relation: 'used-by',
        role: 'prompt',
        known: 'observed',
        rule: 'trace',
        position: 0,
      },
    ],
    ...more,
  };
}

function sourceOf(...predictions: PredictionNode[]): PredictionSource {
  return {
    find: async (refs) => predictions.filter((one) => refs.includes(one.ref)),
    count: async () => [],
  };
}

function recordOf(id: string): Fact[] {
  const known = 'observed';
  return [
    {
      kind: 'dataset.read',
      run: 'run:default/evaluation',
      dataset: data,
      version: 'v1',
      known,
      time: 90,
    },
    {
      kind: 'relation.stated',
      relation: 'derived-into',
      from: answered(id),
      to: version,
      role: 'trace',
      known,
      time: 80,
    },
    {
      kind: 'relation.stated',
      relation: 'produced',
      from: 'run:default/train',
      to: model,
      known,
      time: 10,
    },
    {
      kind: 'entity.described',
      ref: prompt,
      attributes: { 'tag.mlflow.prompt.is_prompt': 'true' },
      time: 5,
    },
  ];
}

test('a trace of an evaluation dataset goes on through its records to model, run and prompt', async () => {
  const graph = createGraph(sourceOf(prediction('tr-1')));
  await graph.add(...recordOf('tr-1'));
  for (const ref of [version, 'run:default/evaluation']) {
    const lines = edgeLines(await graph.trace(ref));
    expect(lines).toContain(`${answered('tr-1')} -derived-into(trace)-> ${version} [observed]`);
    expect(lines).toContain(`${model} -served(model)-> ${answered('tr-1')} [observed trace]`);
    expect(lines).toContain(`${prompt} -used-by(prompt)-> ${answered('tr-1')} [observed trace]`);
    expect(lines).toContain(`run:default/train -produced-> ${model} [observed]`);
  }
});

test('predictions that led to a record are behind it too, each once', async () => {
  const graph = createGraph(
    sourceOf(
      prediction('tr-1', { parents: [answered('tr-0')], uses: [] }),
      prediction('tr-0', { parents: [answered('tr-1')] }),
    ),
  );
  await graph.add(...recordOf('tr-1'));
  const answer = await graph.trace(version);
  const refs = answer.nodes.map(({ ref }) => ref);
  expect(refs.filter((ref) => ref === answered('tr-0'))).toHaveLength(1);
  expect(refs.filter((ref) => ref === answered('tr-1'))).toHaveLength(1);
  expect(refs).toContain('run:default/train');
});

test('a walk that ends at a record says so', async () => {
  const graph = createGraph(sourceOf(prediction('tr-1')));
  await graph.add(...recordOf('tr-1'));
  const answer = await graph.trace(version, { depth: 1 });
  expect(answer.nodes.map(({ ref }) => ref)).not.toContain(model);
  expect(answer.stopped).toContainEqual({ ref: answered('tr-1'), reason: 'depth', count: 1 });
});

test('a prediction that its log does not know stays what the graph knows of it', async () => {
  const graph = createGraph(sourceOf());
  await graph.add(...recordOf('tr-1'));
  const answer = await graph.trace(version);
  expect(answer.nodes.map(({ ref }) => ref)).toContain(answered('tr-1'));
  expect(answer.stopped).toEqual([]);
});

test('predictions that led to one are looked for together, and counted where they are too many', async () => {
  const many = Array.from({ length: 1_200 }, (_, at) => prediction(`p-${at}`, { uses: [] }));
  const parents = many.map(({ ref }) => ref);
  const source = sourceOf(
    ...many,
    prediction('few', { parents: parents.slice(0, 300), uses: [] }),
    prediction('hub', { parents, uses: [] }),
  );
  let asked = 0;
  const graph = createGraph({
    ...source,
    find: (refs, moment) => {
      asked += 1;
      return source.find(refs, moment);
    },
  });
  const few = await graph.trace(answered('few'));
  expect(few.nodes).toHaveLength(301);
  expect(asked).toBeLessThan(5);
  expect(few.nodes[1]?.ref).toBe(answered('p-0'));
  const hub = await graph.trace(answered('hub'));
  expect(hub.nodes.map(({ ref }) => ref)).toEqual([answered('hub')]);
  expect(hub.stopped).toEqual([{ ref: answered('hub'), reason: 'hub', count: 1_200 }]);
  const cut = await graph.trace(answered('few'), { nodes: 101 });
  expect(cut.nodes).toHaveLength(101);
  expect(cut.stopped).toEqual([{ ref: answered('few'), reason: 'nodes', count: 200 }]);
  const near = await graph.trace(answered('few'), { depth: 0 });
  expect(near.stopped).toEqual([{ ref: answered('few'), reason: 'depth', count: 300 }]);
});

test('the impact of a prediction goes on through what it led to', async () => {
  const chain = [
    prediction('first'),
    prediction('second', { parents: [answered('first')] }),
    prediction('third', { parents: [answered('second'), answered('first')] }),
    prediction('round', { parents: [answered('third')] }),
  ];
  const many = Array.from({ length: 1_100 }, (_, at) =>
    prediction(`p-${at}`, { parents: [answered('round')] }),
  );
  const all = [...chain, ...many];
  const graph = createGraph({
    ...sourceOf(...all),
    ledTo: async (ref, limit) => {
      const refs = all.filter(({ parents }) => parents.includes(ref)).map((one) => one.ref);
      return { refs: refs.slice(0, limit), count: refs.length };
    },
  });
  const answer = await graph.impact(answered('first'));
  expect(answer.nodes.map(({ ref }) => ref)).toEqual(
    ['first', 'second', 'third', 'round'].map(answered),
  );
  expect(edgeLines(answer)).toEqual([
    `${answered('first')} -led-to-> ${answered('second')} [observed predictions.parents]`,
    `${answered('first')} -led-to-> ${answered('third')} [observed predictions.parents]`,
    `${answered('second')} -led-to-> ${answered('third')} [observed predictions.parents]`,
    `${answered('third')} -led-to-> ${answered('round')} [observed predictions.parents]`,
  ]);
  expect(answer.stopped).toEqual([{ ref: answered('round'), reason: 'hub', count: 1_100 }]);
  const near = await graph.impact(answered('first'), { depth: 1 });
  expect(near.stopped).toEqual([
    { ref: answered('second'), reason: 'depth', count: 1 },
    { ref: answered('third'), reason: 'depth', count: 1 },
  ]);
  const cut = await graph.impact(answered('first'), { nodes: 2 });
  expect(cut.nodes).toHaveLength(2);
  expect(cut.stopped).toContainEqual({ ref: answered('first'), reason: 'nodes', count: 1 });
});
