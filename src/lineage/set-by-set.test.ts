import { expect, test } from 'vitest';
import type { Fact } from '../facts/facts.ts';
import { countStatements, createGraph } from '../testing/lineage.ts';

const namespace = 'pg://db';
const run = (id: string) => `run:default/${id}`;
const ref = (name: string) => `dataset:pg:%2F%2Fdb/${name}`;

/** One run that reads `width` tables, each of which a run wrote that read the table `first`. */
async function fan(width: number) {
  const graph = createGraph();
  const facts: Fact[] = [
    { kind: 'run.reported', run: run('end'), state: 'COMPLETE', time: 300 },
    {
      kind: 'dataset.written',
      run: run('end'),
      dataset: { namespace, name: 'last' },
      mode: 'replace',
      known: 'observed',
      time: 300,
    },
  ];
  for (let at = 0; at < width; at += 1) {
    const maker = run(`make-${at}`);
    const dataset = { namespace, name: `table_${at}` };
    const first = { namespace, name: 'first' };
    facts.push(
      { kind: 'run.reported', run: maker, state: 'COMPLETE', time: 100 },
      { kind: 'dataset.read', run: maker, dataset: first, known: 'observed', time: 90 },
      {
        kind: 'dataset.written',
        run: maker,
        dataset,
        mode: 'replace',
        known: 'observed',
        time: 100,
      },
      { kind: 'dataset.read', run: run('end'), dataset, known: 'observed', time: 200 },
    );
  }
  await graph.add(...facts);
  return graph;
}

test.each(['trace', 'impact'] as const)(
  'a wider %s asks the store no more questions than a narrow one',
  async (direction) => {
    const start = ref(direction === 'trace' ? 'last' : 'first');
    const narrow = await fan(3);
    const wide = await fan(90);
    const few = await countStatements(narrow, () => narrow[direction](start));
    const many = await countStatements(wide, () => wide[direction](start));
    expect(many).toBe(few);
  },
);

test('a level with more edges in all than a hub may have, but no hub in it, is walked whole', async () => {
  const graph = createGraph();
  const facts: Fact[] = [];
  for (const parent of ['a', 'b', 'c']) {
    facts.push({
      kind: 'relation.stated',
      relation: 'part-of',
      from: run(parent),
      to: run('root'),
      known: 'observed',
      time: 1,
    });
    for (let at = 0; at < 400; at += 1)
      facts.push({
        kind: 'relation.stated',
        relation: 'produced',
        from: run(parent),
        to: `artifact:default/${parent}-${at}`,
        known: 'observed',
        time: 1,
      });
  }
  for (const parent of ['a', 'b', 'c'])
    facts.push({
      kind: 'relation.stated',
      relation: 'used-by',
      from: 'code:git/all@1',
      to: run(parent),
      known: 'observed',
      time: 1,
    });
  await graph.add(...facts);
  const answer = await graph.impact('code:git/all@1', { nodes: 5_000 });
  expect(answer.nodes.filter(({ kind }) => kind === 'artifact')).toHaveLength(1_200);
  expect(answer.stopped).toEqual([]);
});

test('reads of a version whose spans together hold more than a hub may have are all found', async () => {
  const graph = createGraph();
  const facts: Fact[] = [{ kind: 'run.reported', run: run('maker'), state: 'COMPLETE', time: 10 }];
  for (const name of ['left', 'right']) {
    const dataset = { namespace, name };
    const written = { kind: 'dataset.written', run: run('maker'), dataset } as const;
    facts.push({ ...written, mode: 'replace', known: 'observed', time: 10 });
    for (let at = 0; at < 700; at += 1)
      facts.push({
        kind: 'dataset.read',
        run: run(`${name}-${at}`),
        dataset,
        known: 'observed',
        time: 20 + at,
      });
  }
  await graph.add(...facts);
  const answer = await graph.impact(run('maker'), { nodes: 5_000 });
  expect(answer.nodes.filter(({ kind }) => kind === 'run')).toHaveLength(1_401);
  expect(answer.stopped).toEqual([]);
});
