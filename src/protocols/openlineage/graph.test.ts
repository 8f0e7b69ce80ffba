import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { createDoor } from '../../door/door.ts';
import { revealTokens } from '../../door/vault.ts';
import { createWorkspace, defaultWorkspace } from '../../door/workspaces.ts';
import { findRef, parseRef } from '../../facts/ref.ts';
import {
  type GraphAnswer,
  impact,
  type LineageSources,
  trace,
  walkLimits,
} from '../../lineage/index.ts';
import { openSqliteStore } from '../../store/sqlite/open.ts';
import { lineageOperation } from './operation.ts';

const root = join(import.meta.dirname, 'fixtures');
const groups = ['airflow_pg', 'dbt', 'feast', 'spark'] as const;

interface ExpectedRun {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly cols: readonly string[];
  readonly states: readonly string[];
}
const expected: Record<string, { runs: Record<string, ExpectedRun> }> = JSON.parse(
  readFileSync(join(root, 'expected.json'), 'utf8'),
);

function load(group: string): unknown[] {
  return readdirSync(join(root, group))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(root, group, name), 'utf8')));
}

type Ask = (direction: 'up' | 'down', ref: string) => Promise<GraphAnswer>;
type Reveal = (text: string) => string;

/** Records the events through the door into a store of its own, and lets `work` ask it. */
async function withGraph<T>(
  events: readonly unknown[],
  work: (ask: Ask, reveal: Reveal) => Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'wherefrom-graph-'));
  const { store } = openSqliteStore(join(directory, 'store.db'));
  try {
    const door = createDoor({
      store,
      clock: systemClock,
      log: 'test',
      secret: Buffer.alloc(32, 1),
    });
    const common = { workspace: defaultWorkspace, principal: 'p1' };
    await door.submit({ ...common, operation: createWorkspace, body: { name: defaultWorkspace } });
    await Promise.all(
      events.map((body) => door.submit({ ...common, operation: lineageOperation, body })),
    );
    return await store.read((session) => {
      const sources: LineageSources = {
        reader: session.lineage,
        predictions: { find: async () => [], count: async () => [] },
        enrich: async (nodes) => [...nodes],
        timesOf: async () => new Map(),
      };
      const moment = { position: Number.MAX_SAFE_INTEGER, at: undefined };
      return work(
        (direction, ref) => {
          const query = { ref, moment, limits: walkLimits(undefined, undefined), columns: true };
          return direction === 'up' ? trace(query, sources) : impact(query, sources);
        },
        (text) => revealTokens(text, (token) => store.findPerson(token)),
      );
    });
  } finally {
    store.close();
    rmSync(directory, { recursive: true });
  }
}

/** `namespace|name` of a dataset, its version or column. */
function datasetOf(ref: string): string {
  const { namespace, name } = parseRef(ref);
  return `${namespace}|${name}`;
}

const sorted = (values: Iterable<string>): string[] => [...new Set(values)].sort();

/** The edges of one run, as the answers tell them. */
async function edgesOfRun(
  ask: Ask,
  run: string,
): Promise<{ inputs: string[]; outputs: string[]; cols: string[] }> {
  const up = await ask('up', run);
  const down = await ask('down', run);
  const wrote = down.edges
    .filter((edge) => edge.from === run && edge.relation === 'wrote')
    .map((edge) => edge.to);
  const cols: string[] = [];
  for (const version of wrote) {
    for (const edge of (await ask('up', version)).edges) {
      if (edge.relation !== 'derived-into' || edge.run !== run) continue;
      cols.push(
        `${datasetOf(edge.from)}#${parseRef(edge.from).field} -> ${datasetOf(edge.to)}#${parseRef(edge.to).field}`,
      );
    }
  }
  const read = up.edges.filter(
    (edge) =>
      edge.to === run && edge.relation === 'read-by' && findRef(edge.from)?.kind !== 'field',
  );
  return {
    inputs: sorted(read.map((edge) => datasetOf(edge.from))),
    outputs: sorted(wrote.map(datasetOf)),
    cols: sorted(cols),
  };
}

describe.each(groups)('the graph of the captured events of %s', (group) => {
  const events = load(group);

  test('has the expected edges of every run', async () => {
    await withGraph(events, async (ask) => {
      for (const [id, run] of Object.entries(expected[group]!.runs)) {
        const edges = await edgesOfRun(ask, `run:default/${id}`);
        const sources = run.cols.map((col) =>
          col.slice(0, col.lastIndexOf('#', col.indexOf(' -> '))),
        );
        expect(edges, id).toEqual({
          inputs: sorted([...run.inputs, ...sources]),
          outputs: sorted(run.outputs),
          cols: sorted(run.cols),
        });
      }
    });
  });

  test('is the same in any order of arrival, and with repetitions', async () => {
    const refs = Object.keys(expected[group]!.runs).map((id) => `run:default/${id}`);
    const picture = (sent: readonly unknown[]): Promise<string[]> =>
      withGraph(sent, async (ask, reveal) => {
        const lines: string[] = [];
        for (const ref of refs) {
          for (const direction of ['up', 'down'] as const)
            lines.push(...logicalLines(await ask(direction, ref)));
        }
        // Tokens of persons are random.
        return sorted(lines.map(reveal));
      });
    const inOrder = await picture(events);
    const twice = [...events.keys(), ...events.keys()];
    const order = fc.shuffledSubarray(twice, {
      minLength: events.length * 2,
      maxLength: events.length * 2,
    });
    await fc.assert(
      fc.asyncProperty(order, async (indexes) => {
        expect(await picture(indexes.map((index) => events[index]))).toEqual(inOrder);
      }),
      { numRuns: 4 },
    );
  });
});

/** What an answer says, without what depends on when it was recorded. */
function logicalLines(answer: GraphAnswer): string[] {
  const nodes = answer.nodes.map(({ ref, kind, name, attributes }) => {
    const { sameAs: _, ...rest } = attributes;
    return JSON.stringify({ ref, kind, name, attributes: Object.entries(rest).sort() });
  });
  const edges = answer.edges.map(({ positions: _, recordedFrom: __, ...edge }) =>
    JSON.stringify(Object.entries(edge).sort()),
  );
  return [...nodes, ...edges];
}
