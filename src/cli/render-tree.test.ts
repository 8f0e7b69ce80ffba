import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Answer, AnswerEdge, AnswerNode } from '../contract/answer.ts';
import { parseRef } from '../facts/ref.ts';
import { renderTree } from './render-tree.ts';

const time = '2026-01-02T03:04:05.000Z';

function node(ref: string): AnswerNode {
  const { kind, name, version, field } = parseRef(ref);
  return {
    ref,
    id: ref,
    kind,
    name: field ?? (version === undefined ? name : `${name}@${version}`),
    attributes: {},
  };
}

function edge(
  from: string,
  relation: AnswerEdge['relation'],
  to: string,
  more: Partial<AnswerEdge> = {},
): AnswerEdge {
  return {
    from,
    to,
    relation,
    known: 'observed',
    positions: [1],
    recordedFrom: time,
    validFrom: time,
    ...more,
  };
}

const prediction = 'prediction:default/p-17';
const deployment = 'deployment:default/scoring@1';
const version = 'modelVersion:default/credit-risk@2';
const artifact = 'artifact:default/m-1';
const run = 'run:default/4f0c';
const transform = 'run:default/77aa';
const clean = 'dataset:file//data/clean.csv';
const cleanVersion = 'datasetVersion:file//data/clean.csv@run:77aa';
const raw = 'dataset:file//data/raw.csv';
const age = 'field:file//data/raw.csv#age';
const years = 'field:file//data/clean.csv#age_years';
const environment = 'environment:default/sha256-1';

const trace: Answer = {
  ref: prediction,
  direction: 'upstream',
  asOf: { position: 41, recordedTime: time },
  at: null,
  nodes: [
    prediction,
    deployment,
    version,
    artifact,
    run,
    transform,
    clean,
    cleanVersion,
    raw,
    age,
    years,
    environment,
  ].map(node),
  edges: [
    edge(deployment, 'served', prediction, { rule: 'wherefrom.predictions' }),
    edge(version, 'deployed-as', deployment, { known: 'declared' }),
    edge(artifact, 'registered-as', version),
    edge(run, 'produced', artifact),
    edge(environment, 'used-by', artifact, { rule: 'requirements.txt' }),
    edge(environment, 'used-by', run),
    edge(cleanVersion, 'read-by', run, {
      role: 'train',
      known: 'inferred',
      rule: 'current version',
    }),
    edge(cleanVersion, 'read-by', run, {
      role: 'test',
      known: 'inferred',
      rule: 'current version',
    }),
    edge(transform, 'wrote', cleanVersion),
    edge(clean, 'has', cleanVersion),
    edge(raw, 'read-by', transform),
    edge(age, 'derived-into', years, { how: 'DIRECT/IDENTITY', known: 'parsed', run: transform }),
  ],
  counts: [],
  stopped: [{ ref: raw, reason: 'depth', count: 1 }],
  completeness: { score: 0.875, missing: [{ ref: version, what: 'approval' }] },
  checkpoint: { origin: 'log', size: 42, root: 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQ' },
};

describe('renderTree', () => {
  it('shows a trace from the prediction to the columns, each node expanded once', () => {
    expect(renderTree(trace, { color: false }).join('\n')).toMatchInlineSnapshot(`
      "prediction p-17
      └─ deployment scoring@1  served · observed (wherefrom.predictions)
         └─ model version credit-risk@2  deployed-as · declared
            └─ artifact m-1  registered-as · observed
               ├─ environment sha256-1  used-by · observed (requirements.txt)
               └─ run 4f0c  produced · observed
                  ├─ environment sha256-1  used-by · observed  (above)
                  └─ dataset version /data/clean.csv@run:77aa  read-by as train, test · inferred (current version)
                     │  · age_years ← age of /data/raw.csv DIRECT/IDENTITY, parsed
                     ├─ dataset /data/clean.csv  has · observed
                     └─ run 77aa  wrote · observed
                        └─ dataset /data/raw.csv  read-by · observed
                              · age

      Stopped at dataset:file//data/raw.csv: the depth limit was reached, --depth raises it (1 link not followed).
      Completeness 87 %, missing:
        - approval of modelVersion:default/credit-risk@2
      As of entry 41, recorded 2026-01-02T03:04:05.000Z.
      Checkpoint: 42 entries, root q83vEjRWeJCr…"
    `);
  });

  it('shows a model that was asked for with its version below it', () => {
    const model = 'model:default/credit-risk';
    const edges = [
      edge(model, 'has-version', version),
      edge(run, 'registered-as', version),
      edge(environment, 'used-by', run),
    ];
    const deleted = { ...node(run), attributes: { deletedTime: time } };
    const nodes = [node(model), node(version), deleted, node(environment)];
    const answer = { ...trace, ref: model, nodes, edges, stopped: [] };
    expect(renderTree(answer, { color: false }).slice(0, 5)).toEqual([
      'model credit-risk',
      '└─ model version credit-risk@2  has-version · observed',
      '   └─ run 4f0c  registered-as · observed',
      `      │  deleted: ${time}`,
      '      └─ environment sha256-1  used-by · observed',
    ]);
  });

  it('shows an impact downstream, with counted predictions at what served them', () => {
    const impact: Answer = {
      ...trace,
      ref: age,
      direction: 'downstream',
      nodes: [age, years, run, version, deployment].map(node),
      edges: [
        edge(age, 'derived-into', years, { how: 'DIRECT/IDENTITY' }),
        edge(years, 'read-by', run),
        edge(run, 'registered-as', version),
        edge(version, 'deployed-as', deployment),
      ],
      counts: [{ ref: deployment, kind: 'prediction', count: 1000 }],
      stopped: [],
      completeness: { score: 1, missing: [] },
      at: time,
    };
    expect(renderTree(impact, { color: false }).join('\n')).toMatchInlineSnapshot(`
      "field age of /data/raw.csv
      └─ field age_years of /data/clean.csv  derived-into DIRECT/IDENTITY · observed
         └─ run 4f0c  read-by · observed
            └─ model version credit-risk@2  registered-as · observed
               └─ deployment scoring@1  deployed-as · observed  1,000 predictions

      1,000 predictions, counted, at deployment:default/scoring@1
      As of entry 41, recorded 2026-01-02T03:04:05.000Z; true at 2026-01-02T03:04:05.000Z.
      Checkpoint: 42 entries, root q83vEjRWeJCr…"
    `);
  });

  it('keeps every line within the width of the terminal', () => {
    for (const width of [40, 60, 80]) {
      for (const line of renderTree(trace, { color: false, width }).slice(0, 12)) {
        expect([...line].length).toBeLessThanOrEqual(width);
      }
    }
  });

  it('writes no control characters that came in names', () => {
    const nodes = [{ ...node(prediction), name: 'p\u001B[2J\u0007' }];
    const text = renderTree({ ...trace, nodes, edges: [] }, { color: false }).join('\n');
    expect(text).not.toContain('\u001B');
    expect(text).toContain('p\uFFFD[2J\uFFFD');
  });

  it('colours only when asked to', () => {
    const colored = renderTree(trace, { color: true }).join('\n');
    expect(colored).toContain('\u001B[');
    expect(stripVTControlCharacters(colored)).toBe(renderTree(trace, { color: false }).join('\n'));
  });

  it('ends on cycles and lists what hangs on nothing', () => {
    const cyclic: Answer = {
      ...trace,
      nodes: [prediction, deployment, version, raw].map(node),
      edges: [
        edge(deployment, 'served', prediction),
        edge(version, 'deployed-as', deployment),
        edge(deployment, 'deployed-as', version),
      ],
    };
    const text = renderTree(cyclic, { color: false }).join('\n');
    expect(text).toContain('(above)');
    expect(text).toContain('Also in the answer');
  });

  it('says how many children it does not list', () => {
    const many = Array.from({ length: 70 }, (_, index) => `dataset:db/t${index}`);
    const wide: Answer = {
      ...trace,
      ref: run,
      nodes: [run, ...many].map(node),
      edges: many.map((ref) => edge(ref, 'read-by', run)),
    };
    expect(renderTree(wide, { color: false }).join('\n')).toContain('… and 10 more');
  });

  it('says the total first when several places are counted', () => {
    const other = 'deployment:default/scoring@2';
    const counted: Answer = {
      ...trace,
      nodes: [version, deployment, other].map(node),
      edges: [],
      counts: [
        { ref: deployment, kind: 'prediction', count: 1000 },
        { ref: other, kind: 'prediction', count: 200 },
        { ref: version, kind: 'prediction', count: 1 },
      ],
    };
    const text = renderTree(counted, { color: false }).join('\n');
    expect(text).toContain(
      [
        '1,201 predictions, counted, at 2 deployments and 1 model version:',
        `  1,000 at ${deployment}`,
        `  200 at ${other}`,
        `  1 at ${version}`,
      ].join('\n'),
    );
    // A trace hangs on its model and on its prompt: it is one.
    const totals = [{ kind: 'prediction' as const, count: 1_200 }];
    expect(renderTree({ ...counted, totals }, { color: false }).join('\n')).toContain(
      '1,200 predictions, counted, at 2 deployments',
    );
  });

  it('says columns of one dataset together, and once what several runs derived alike', () => {
    const amount = 'field:file//data/raw.csv#amount';
    const again = edge(age, 'derived-into', years, { how: 'DIRECT/X', run: 'run:default/99' });
    const derived = [
      edge(age, 'derived-into', years, { how: 'DIRECT/X', run: transform }),
      again,
      again,
      edge(amount, 'derived-into', years, { how: 'DIRECT/Y', run: transform }),
      edge('field:file//data/raw.csv#sex', 'derived-into', years, { how: 'DIRECT/Y' }),
    ];
    const answer: Answer = {
      ...trace,
      nodes: [...trace.nodes, node(amount), node('field:file//data/raw.csv#sex')],
      edges: [...trace.edges.filter(({ relation }) => relation !== 'derived-into'), ...derived],
    };
    expect(renderTree(answer, { color: false }).join('\n')).toContain(
      '· age_years ← age of /data/raw.csv DIRECT/X, observed, in 2 runs; amount, sex of /data/raw.csv DIRECT/Y, observed',
    );
    const ofColumn: Answer = { ...answer, ref: years, nodes: [years, age].map(node) };
    expect(renderTree(ofColumn, { color: false })[1]).toBe(
      '└─ field age of /data/raw.csv  derived-into DIRECT/X · observed in 2 runs',
    );
  });

  it('calls runs and logged models by their names, with ids that are enough to ask again', () => {
    const named = (ref: string, name: string): AnswerNode => ({
      ...node(ref),
      attributes: { name },
    });
    const one = 'run:default/4f0c9d1233334444';
    const two = 'run:default/4f0c9d1233335555';
    const three = 'run:default/77aa77aa77aa77aa';
    const answer: Answer = {
      ...trace,
      ref: artifact,
      nodes: [
        named(artifact, 'model'),
        named(one, 'baseline'),
        node(two),
        named(three, 'n\u001B[2Jightly'),
        named(clean, 'clean.csv'),
      ],
      edges: [one, two, three, clean].map((ref) => edge(ref, 'read-by', artifact)),
    };
    const lines = renderTree(answer, { color: false });
    expect(lines.slice(0, 5)).toEqual([
      'artifact model (m-1)',
      '├─ dataset /data/clean.csv  read-by · observed',
      '├─ run baseline (4f0c9d1233334)  read-by · observed',
      '├─ run 4f0c9d1233335555  read-by · observed',
      '└─ run n\uFFFD[2Jightly (77aa77aa)  read-by · observed',
    ]);
  });

  it('names the run that a run is part of under it', () => {
    const parent: AnswerNode = {
      ...node('run:default/99'),
      attributes: { name: 'nightly' },
    };
    const part = edge(run, 'part-of', parent.ref, { rule: 'mlflow.parentRunId' });
    const nodes = [node(artifact), node(run), parent];
    const answer: Answer = { ...trace, ref: artifact, nodes };
    const shown = (more: Partial<Answer>): string[] => {
      const lines = renderTree({ ...answer, ...more }, { color: false });
      return lines.slice(0, lines.indexOf(''));
    };
    const made = edge(run, 'produced', artifact);
    expect(shown({ edges: [made, part] })).toEqual([
      'artifact m-1',
      '└─ run 4f0c  produced · observed',
      '      part of run nightly (99) · observed (mlflow.parentRunId)',
    ]);
    // What the parent read is behind its part.
    const data = node('dataset:file//data.csv');
    const read = edge(data.ref, 'read-by', parent.ref);
    expect(shown({ nodes: [...nodes, data], edges: [made, part, read] })).toEqual([
      'artifact m-1',
      '└─ run 4f0c  produced · observed',
      '   └─ run nightly (99)  part-of · observed (mlflow.parentRunId)',
      '      └─ dataset /data.csv  read-by · observed',
    ]);
    // What the parent read reached its parts, and what they made.
    const impact = { ref: data.ref, direction: 'downstream' as const };
    expect(shown({ ...impact, nodes: [data, ...nodes], edges: [read, part, made] })).toEqual([
      'dataset /data.csv',
      '└─ run nightly (99)  read-by · observed',
      '   └─ run 4f0c  part-of · observed (mlflow.parentRunId)',
      '      └─ artifact m-1  produced · observed',
    ]);
    // Asked for the parent, its parts hang on it.
    expect(shown({ ref: parent.ref, nodes: [node(run), parent], edges: [part] })).toEqual([
      'run nightly (99)',
      '└─ run 4f0c  part-of · observed (mlflow.parentRunId)',
    ]);
  });

  it('keeps paths whole as long as digests and sources can make room', () => {
    const digest = 'a'.repeat(64);
    const versioned = `datasetVersion:file//data/credit/features.parquet@sha256:${digest}`;
    const answer: Answer = {
      ...trace,
      ref: run,
      nodes: [run, versioned].map(node),
      edges: [edge(versioned, 'read-by', run, { rule: 'openlineage.inputs' })],
    };
    const line = (width: number): string | undefined =>
      renderTree(answer, { color: false, width })[1];
    const lead = '└─ dataset version';
    expect(line(110)).toBe(
      `${lead} /data/credit/features.parquet@sha256:aaaaaaaa…  read-by · observed (openlineage.inputs)`,
    );
    expect(line(90)).toBe(
      `${lead} /data/credit/features.parquet@sha256:aaaaaaaa…  read-by · observed`,
    );
    expect(line(70)).toBe(`${lead} …tures.parquet@sha256:aaaaaaaa…  read-by · observed`);
  });

  it('shows every node of any graph, and expands each once', () => {
    const refs = Array.from({ length: 8 }, (_, index) => `run:default/r${index}`);
    const ends = fc.tuple(fc.constantFrom(...refs), fc.constantFrom(...refs));
    const relations = fc.constantFrom('read-by', 'part-of');
    fc.assert(
      fc.property(
        fc.array(ends, { maxLength: 30 }),
        fc.boolean(),
        relations,
        (pairs, upstream, relation) => {
          const graph: Answer = {
            ...trace,
            ref: refs[0]!,
            direction: upstream ? 'upstream' : 'downstream',
            nodes: refs.map(node),
            edges: pairs.map(([from, to]) => edge(from, relation, to)),
          };
          const lines = renderTree(graph, { color: false });
          for (let index = 0; index < refs.length; index += 1) {
            const shown = lines.filter((line) => new RegExp(`run r${index}(?: |$)`).test(line));
            const first = shown.filter((line) => !/\((?:above|below)\)$|part of/.test(line));
            expect(shown.length).toBeGreaterThan(0);
            expect(first.length).toBeLessThanOrEqual(1);
            if (relation !== 'part-of') expect(first).toHaveLength(1);
          }
        },
      ),
    );
  });
});
