import { expect, test } from 'vitest';
import type { Fact, WriteMode } from '../facts/facts.ts';
import { createGraph, edgeLines } from '../testing/lineage.ts';

const table = { namespace: 'pg://db', name: 'train' };
const raw = { namespace: 'pg://db', name: 'raw' };
const run = (id: string) => `run:default/${id}`;

function wrote(
  id: string,
  end: number,
  mode: WriteMode = 'unknown',
  state: 'COMPLETE' | 'FAIL' = 'COMPLETE',
): Fact[] {
  return [
    { kind: 'run.reported', run: run(id), state: 'START', time: end - 5, job: `job:etl/${id}` },
    { kind: 'run.reported', run: run(id), state, time: end, job: `job:etl/${id}` },
    { kind: 'dataset.read', run: run(id), dataset: raw, known: 'observed', time: end - 5 },
    { kind: 'dataset.written', run: run(id), dataset: table, mode, known: 'observed', time: end },
  ];
}

function read(id: string, time: number): Fact[] {
  return [
    { kind: 'run.reported', run: run(id), state: 'START', time },
    { kind: 'dataset.read', run: run(id), dataset: table, role: 'train', known: 'observed', time },
  ];
}

const version = (id: string) => `datasetVersion:pg:%2F%2Fdb/train@run:${id}`;
const refs = (answer: { nodes: readonly { ref: string }[] }, kind: string) =>
  answer.nodes
    .map((node) => node.ref)
    .filter((ref) => ref.startsWith(`${kind}:`))
    .sort();

test('a run read the newest version completed before it, not a later one', async () => {
  const graph = createGraph();
  await graph.add(
    ...wrote('w1', 100, 'replace'),
    ...wrote('w2', 200, 'replace'),
    ...wrote('w3', 300, 'replace'),
    ...read('t', 250),
  );
  const answer = await graph.trace(run('t'));
  expect(refs(answer, 'datasetVersion')).toEqual([version('w2')]);
  expect(edgeLines(answer)).toContain(
    `${version('w2')} -read-by(train)-> run:default/t [inferred newest-completed-before]`,
  );
  expect(refs(answer, 'run')).toEqual([run('t'), run('w2')]);
});

test('an append continues the version before it, an overwrite does not, an unknown mode is a guess', async () => {
  const graph = createGraph();
  await graph.add(
    ...wrote('w1', 100, 'replace'),
    ...wrote('w2', 200, 'append'),
    ...wrote('w3', 300, 'unknown'),
    ...read('t', 350),
  );
  const lines = edgeLines(await graph.trace(run('t')));
  expect(lines).toContain(`${version('w1')} -continued-as-> ${version('w2')} [observed append]`);
  expect(lines).toContain(
    `${version('w2')} -continued-as-> ${version('w3')} [inferred write-mode-unknown]`,
  );
  const fresh = createGraph();
  await fresh.add(...wrote('w1', 100), ...wrote('w2', 200, 'replace'), ...read('t', 250));
  expect(refs(await fresh.trace(run('t')), 'run')).toEqual([run('t'), run('w2')]);
});

test('a failed run makes no current version, and its write is flagged', async () => {
  const graph = createGraph();
  await graph.add(
    ...wrote('w1', 100, 'replace'),
    ...wrote('bad', 200, 'replace', 'FAIL'),
    ...read('t', 250),
  );
  expect(refs(await graph.trace(run('t')), 'run')).toEqual([run('t'), run('w1')]);
  expect(edgeLines(await graph.impact(run('bad')))).toContain(
    `run:default/bad -wrote(failed)-> ${version('bad')} [observed]`,
  );
});

test('a drop ends the past: what is written after it continues nothing', async () => {
  const graph = createGraph();
  await graph.add(
    ...wrote('w1', 100),
    { kind: 'dataset.dropped', dataset: table, time: 150 },
    ...wrote('w2', 200),
    ...read('t', 250),
    ...read('between', 160),
  );
  expect(refs(await graph.trace(run('t')), 'run')).toEqual([run('t'), run('w2')]);
  expect(refs(await graph.trace(run('between')), 'run')).toEqual([run('between')]);
  expect(refs(await graph.impact(run('w1')), 'run')).toEqual([run('w1')]);
});

test('a table that is made beside the old one and takes its name has its own past', async () => {
  const graph = createGraph();
  const beside = { namespace: 'pg://db', name: 'train__tmp' };
  const made = wrote('w2', 100, 'replace').map((fact) =>
    fact.kind === 'dataset.written' ? { ...fact, dataset: beside } : fact,
  );
  await graph.add(
    ...made,
    // The old table was written after the new one was.
    ...wrote('w1', 120, 'replace'),
    { kind: 'dataset.dropped', dataset: table, time: 150 },
    { kind: 'dataset.renamed', from: beside, to: table, time: 160 },
    ...read('t', 250),
    ...wrote('w3', 300, 'append'),
    ...read('later', 350),
  );
  expect(refs(await graph.trace(run('t')), 'run')).toEqual([run('t'), run('w2')]);
  const later = [run('later'), run('w2'), run('w3')];
  expect(refs(await graph.trace(run('later')), 'run')).toEqual(later);
  expect(refs(await graph.impact(run('w2')), 'run')).toEqual([run('later'), run('t'), run('w2')]);
  expect(refs(await graph.impact(run('w1')), 'run')).toEqual([run('w1')]);
});

test.each(['ABORT', 'COMPLETE', 'FAIL'] as const)(
  'what a streaming run wrote is there while it runs and after its end, by %s too',
  async (state) => {
    const graph = createGraph();
    const stream = { kind: 'run.reported', run: run('s'), streaming: true } as const;
    const sink = { run: run('s'), dataset: table, known: 'observed', time: 100 } as const;
    await graph.add(
      { ...stream, state: 'START', time: 100 },
      { kind: 'dataset.read', ...sink, dataset: raw },
      { kind: 'dataset.written', ...sink, mode: 'append' },
      ...read('during', 150),
      { kind: 'run.reported', run: run('s'), state, time: 200 },
      ...read('after', 250),
    );
    for (const reader of ['during', 'after']) {
      const answer = await graph.trace(run(reader));
      expect(refs(answer, 'run')).toEqual([run(reader), run('s')]);
      expect(edgeLines(answer)).toContain(`${run('s')} -wrote-> ${version('s')} [observed]`);
    }
    expect(refs(await graph.impact('dataset:pg:%2F%2Fdb/raw'), 'run')).toHaveLength(3);
  },
);

test('a version that nobody wrote goes on from the one that was current', async () => {
  const graph = createGraph();
  await graph.add(...wrote('w1', 100, 'replace'), {
    kind: 'dataset.read',
    run: run('t'),
    dataset: table,
    version: 'mlflow-1a2b',
    digest: { algorithm: 'mlflow', value: '1a2b' },
    known: 'observed',
    time: 150,
  });
  const lines = edgeLines(await graph.trace(run('t')));
  expect(lines).toContain(
    `${version('w1')} -continued-as-> datasetVersion:pg:%2F%2Fdb/train@mlflow-1a2b [inferred newest-completed-before]`,
  );
  expect(refs(await graph.impact(run('w1')), 'run')).toEqual([run('t'), run('w1')]);
});

test('a named version hides the guess of the same run', async () => {
  const graph = createGraph();
  await graph.add(...wrote('w1', 100), ...read('t', 150), {
    kind: 'dataset.read',
    run: run('t'),
    dataset: table,
    version: '42',
    role: 'train',
    known: 'observed',
    time: 160,
  });
  const lines = edgeLines(await graph.trace(run('t'))).filter((line) =>
    line.includes('-read-by(train)->'),
  );
  expect(lines).toEqual([
    'datasetVersion:pg:%2F%2Fdb/train@42 -read-by(train)-> run:default/t [observed]',
  ]);
});

test('a strong digest joins versions of different datasets, a weak one does not', async () => {
  const graph = createGraph();
  const copy = { namespace: 's3://b', name: 'copy.csv' };
  const digest = { algorithm: 'sha256', value: 'ab'.repeat(32) };
  await graph.add(...wrote('w1', 100).filter((fact) => fact.kind !== 'dataset.written'), {
    kind: 'dataset.written',
    run: run('w1'),
    dataset: table,
    digest,
    mode: 'replace',
    known: 'observed',
    time: 100,
  });
  await graph.add({
    kind: 'dataset.read',
    run: run('t'),
    dataset: copy,
    digest,
    known: 'observed',
    time: 150,
  });
  expect(refs(await graph.trace(run('t')), 'run')).toEqual([run('t'), run('w1')]);
  expect(refs(await graph.impact(run('w1')), 'run')).toEqual([run('t'), run('w1')]);
});

test('impact is the inverse of trace over versions', async () => {
  const graph = createGraph();
  await graph.add(
    ...wrote('w1', 100, 'replace'),
    ...wrote('w2', 200, 'replace'),
    ...read('a', 150),
    ...read('b', 250),
  );
  expect(refs(await graph.impact(run('w1')), 'run')).toEqual([run('a'), run('w1')]);
  expect(refs(await graph.impact(run('w2')), 'run')).toEqual([run('b'), run('w2')]);
});

test('what a run read is behind its parts, and reaches them; a part reaches no other part', async () => {
  const graph = createGraph();
  const partOf = (part: string, whole: string) =>
    ({
      kind: 'relation.stated',
      relation: 'part-of',
      from: run(part),
      to: run(whole),
      known: 'observed',
      time: 200,
    }) as const;
  await graph.add(
    ...wrote('w1', 100, 'replace'),
    ...read('study', 150),
    partOf('trial1', 'study'),
    partOf('trial2', 'study'),
    partOf('fold', 'trial1'),
    { kind: 'run.reported', run: run('fold'), state: 'START', time: 200 },
  );
  expect(refs(await graph.trace(run('fold')), 'run')).toEqual([
    run('fold'),
    run('study'),
    run('trial1'),
    run('w1'),
  ]);
  expect(refs(await graph.trace(run('study')), 'run')).toHaveLength(5);
  expect(refs(await graph.impact(run('w1')), 'run')).toEqual(
    refs(await graph.trace(run('study')), 'run'),
  );
  expect(refs(await graph.impact(run('fold')), 'run')).toEqual([
    run('fold'),
    run('study'),
    run('trial1'),
  ]);
  // A part that is also met in its own right brings its own parts.
  expect(refs(await graph.trace(run('trial2')), 'run')).toEqual([
    run('study'),
    run('trial2'),
    run('w1'),
  ]);
});

test('as of an earlier position, what came later is not known; at an earlier time, not true', async () => {
  const graph = createGraph();
  const first = await graph.add(...wrote('w1', 100, 'replace'), ...read('t', 250));
  await graph.add(...wrote('w2', 200, 'replace'));
  expect(refs(await graph.trace(run('t'), { position: first }), 'run')).toEqual([
    run('t'),
    run('w1'),
  ]);
  expect(refs(await graph.trace(run('t')), 'run')).toEqual([run('t'), run('w2')]);
  expect(refs(await graph.impact(run('w1'), { at: 120 }), 'run')).toEqual([run('w1')]);
});

test('a name declared the same is one node, with the rule that joined them', async () => {
  const graph = createGraph();
  const alias = { namespace: 'hive://h:1', name: 'db.train' };
  await graph.add(...wrote('w1', 100, 'replace'), {
    kind: 'dataset.read',
    run: run('t'),
    dataset: alias,
    known: 'observed',
    time: 150,
  });
  expect(refs(await graph.trace(run('t')), 'run')).toEqual([run('t')]);
  const linked = await graph.add({
    kind: 'dataset.linked',
    a: table,
    b: alias,
    rule: 'symlinks',
    time: 90,
  });
  const answer = await graph.trace(run('t'));
  expect(refs(answer, 'run')).toEqual([run('t'), run('w1')]);
  const joined = answer.nodes.find(
    (node) =>
      node.attributes.sameAs !== undefined &&
      node.kind === 'dataset' &&
      node.name.includes('train'),
  );
  expect(joined?.attributes.sameAs).toEqual([
    { ref: 'dataset:pg:%2F%2Fdb/train', rule: 'symlinks', position: linked },
  ]);
  expect(
    answer.nodes.filter((node) => node.kind === 'dataset' && node.name.includes('train')),
  ).toHaveLength(1);
});

test('a walk stops at depth, at the node limit and at hubs, and says so', async () => {
  const graph = createGraph();
  await graph.add(...wrote('w1', 100, 'replace'), ...read('t', 150));
  const shallow = await graph.trace(run('t'), { depth: 1 });
  expect(shallow.stopped.some((stop) => stop.reason === 'depth')).toBe(true);
  const few = await graph.trace(run('t'), { nodes: 2 });
  expect(few.nodes).toHaveLength(2);
  expect(few.stopped.some((stop) => stop.reason === 'nodes')).toBe(true);
  const readers = Array.from({ length: 1_100 }, (_, i) => read(`r${i}`, 200)).flat();
  await graph.add(...readers);
  const hub = await graph.impact(version('w1'));
  expect(hub.stopped).toEqual([{ ref: version('w1'), reason: 'hub', count: 1_101 }]);
  expect(hub.nodes.length).toBeLessThan(10);
});

test("a job's newest declaration replaces its earlier one and leaves what runs did", async () => {
  const graph = createGraph();
  const declare = (time: number, input: string): Fact => ({
    kind: 'job.declared',
    job: 'job:etl/nightly',
    inputs: [{ namespace: 'pg://db', name: input }],
    outputs: [table],
    time,
  });
  await graph.add(declare(200, 'new_source'));
  await graph.add(declare(100, 'old_source'));
  await graph.add(...wrote('w1', 100, 'replace'));
  const answer = await graph.trace('dataset:pg:%2F%2Fdb/train');
  expect(refs(answer, 'dataset')).toEqual([
    'dataset:pg:%2F%2Fdb/new_source',
    'dataset:pg:%2F%2Fdb/raw',
    'dataset:pg:%2F%2Fdb/train',
  ]);
});

test('a model stands for its newest version', async () => {
  const graph = createGraph();
  const version = (id: string, time: number): Fact[] => [
    {
      kind: 'relation.stated',
      relation: 'has-version',
      from: 'model:default/credit',
      to: `modelVersion:default/credit@${id}`,
      known: 'observed',
      time,
    },
    {
      kind: 'relation.stated',
      relation: 'registered-as',
      from: run(id),
      to: `modelVersion:default/credit@${id}`,
      known: 'observed',
      time,
    },
  ];
  await graph.add(...version('1', 100));
  await graph.add(...version('2', 200));
  expect(refs(await graph.trace('model:default/credit'), 'run')).toEqual([run('2')]);
});

test('content written again later, under the same version, is not behind an earlier read', async () => {
  const graph = createGraph();
  const digest = { algorithm: 'sha256', value: 'cd'.repeat(32) };
  const write = (id: string, end: number): Fact[] =>
    wrote(id, end, 'replace').map((fact) =>
      fact.kind === 'dataset.written' ? { ...fact, digest } : fact,
    );
  await graph.add(
    ...write('w1', 100),
    ...write('w2', 300),
    ...read('early', 150),
    ...read('late', 350),
  );
  expect(refs(await graph.trace(run('early')), 'run')).toEqual([run('early'), run('w1')]);
  expect(refs(await graph.trace(run('late')), 'run')).toEqual([run('late'), run('w1'), run('w2')]);
});

test('an end, and a deletion, that were told of later were not known before', async () => {
  const graph = createGraph();
  const deployed = {
    kind: 'relation.stated',
    relation: 'deployed-as',
    from: 'modelVersion:default/m@1',
    to: 'deployment:default/d@1',
    known: 'declared',
    time: 100,
  } as const;
  const begun = await graph.add(deployed);
  await graph.add({ ...deployed, until: 200 });
  await graph.add({ kind: 'entity.deleted', ref: 'modelVersion:default/m@1', time: 300 });
  const ask = (position?: number) =>
    graph.trace('deployment:default/d@1', position === undefined ? {} : { position });
  expect((await ask(begun)).edges[0]).toMatchObject({ positions: [begun] });
  expect((await ask(begun)).edges[0]?.validTo).toBeUndefined();
  expect((await ask()).edges[0]).toMatchObject({
    positions: [begun, begun + 1],
    validTo: '1970-01-01T00:00:00.200Z',
  });
  const deleted = (answer: Awaited<ReturnType<typeof ask>>) =>
    answer.nodes.find((node) => node.kind === 'modelVersion')?.attributes.deletedTime;
  expect(deleted(await ask(begun))).toBeUndefined();
  expect(deleted(await ask())).toBe('1970-01-01T00:00:00.300Z');
});

test('what is told again later was true from the first time on', async () => {
  const graph = createGraph();
  const told = (time: number): Fact[] => [
    {
      kind: 'columns.derived',
      via: 'job:etl/j',
      columns: [{ from: { dataset: raw, field: 'x' }, to: { dataset: table, field: 'y' } }],
      known: 'declared',
      time,
    },
    { kind: 'job.declared', job: 'job:etl/j', inputs: [raw], outputs: [table], time: 100 },
    { kind: 'dataset.described', dataset: table, attributes: { documentation: 'about' }, time },
  ];
  await graph.add(...told(100));
  await graph.add(...told(500));
  const answer = await graph.trace('field:pg:%2F%2Fdb/train#y', { at: 300, columns: true });
  expect(answer.edges.filter((edge) => edge.relation === 'derived-into')).toHaveLength(1);
  expect(
    answer.nodes.find((node) => node.ref === 'dataset:pg:%2F%2Fdb/train')?.attributes.documentation,
  ).toBe('about');
});
