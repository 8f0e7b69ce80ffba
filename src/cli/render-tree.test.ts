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

  it('shows every node of any graph, and expands each once', () => {
    const refs = Array.from({ length: 8 }, (_, index) => `run:default/r${index}`);
    const ends = fc.tuple(fc.constantFrom(...refs), fc.constantFrom(...refs));
    fc.assert(
      fc.property(fc.array(ends, { maxLength: 30 }), fc.boolean(), (pairs, upstream) => {
        const graph: Answer = {
          ...trace,
          ref: refs[0]!,
          direction: upstream ? 'upstream' : 'downstream',
          nodes: refs.map(node),
          edges: pairs.map(([from, to]) => edge(from, 'part-of', to)),
        };
        const lines = renderTree(graph, { color: false });
        for (let index = 0; index < refs.length; index += 1) {
          const shown = lines.filter((line) => new RegExp(`run r${index}(?: |$)`).test(line));
          const first = shown.filter((line) => !/\((?:above|below)\)$/.test(line));
          expect(first).toHaveLength(1);
        }
      }),
    );
  });
});
