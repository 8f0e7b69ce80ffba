import fc from 'fast-check';
import { expect } from 'vitest';
import { limits } from '../base/limits.ts';
import type { Answer } from '../contract/answer.ts';
import type { Fact, FactContext } from '../facts/facts.ts';
import {
  createMemories,
  type GraphAnswer,
  GraphChanges,
  impact,
  type LineageSources,
  type PredictionSource,
  projectLineage,
  trace,
  walkLimits,
} from '../lineage/index.ts';
import { Database } from '../store/sqlite/database.ts';
import { lineageSchema } from '../store/sqlite/lineage-schema.ts';
import { SqliteLineageStore } from '../store/sqlite/lineage-store.ts';

const noPredictions: PredictionSource = { find: async () => [], count: async () => [] };

/** A graph in memory: real projection, real store, facts put in by hand. */
export function createGraph(predictions: PredictionSource = noPredictions) {
  const db = new Database(':memory:', 'write');
  db.exec(lineageSchema);
  const changes = new GraphChanges();
  const store = new SqliteLineageStore(db, changes);
  const sources: LineageSources = {
    reader: store,
    predictions,
    enrich: async (nodes) => [...nodes],
    timesOf: async (positions) => new Map(positions.map((at) => [at, 1_000 + at])),
  };
  const withMemory = createMemories((since) => changes.since(since));
  let position = 0;
  const ask =
    (walk: typeof trace) =>
    (
      ref: string,
      options: {
        columns?: boolean;
        position?: number;
        at?: number;
        depth?: number;
        nodes?: number;
        /** Use and fill the memory of the present, as a server does. */
        remember?: boolean;
      } = {},
    ): Promise<GraphAnswer> => {
      const newest = options.remember ? position - 1 : Number.MAX_SAFE_INTEGER;
      const moment = { position: options.position ?? newest, at: options.at };
      const query = {
        ref,
        moment,
        limits: walkLimits(options.depth ?? limits.depthDefault, options.nodes),
        columns: options.columns ?? false,
      };
      if (!options.remember) return walk(query, sources);
      return withMemory(position, moment, (memory) => walk(query, { ...sources, memory }));
    };
  return {
    store,
    db,
    /** Projects the facts as the message at the next position. */
    async add(...facts: Fact[]): Promise<number> {
      const context: FactContext = {
        position,
        index: 0,
        time: 1_000 + position,
        workspace: 'default',
        principal: 'test',
      };
      await projectLineage(facts, context, store);
      position += 1;
      return context.position;
    },
    trace: ask(trace),
    impact: ask(impact),
  };
}

/** How many statements the store answers while `ask` runs. */
export async function countStatements(
  { db }: Pick<ReturnType<typeof createGraph>, 'db'>,
  ask: () => Promise<unknown>,
): Promise<number> {
  const { all, tuples } = db;
  let count = 0;
  db.all = (...given: Parameters<typeof all>) => {
    count += 1;
    return all.apply(db, given) as never[];
  };
  db.tuples = (...given: Parameters<typeof tuples>) => {
    count += 1;
    return tuples.apply(db, given) as never[];
  };
  await ask();
  Object.assign(db, { all, tuples });
  return count;
}

/** Edges as sorted lines: `from -relation(role)-> to [known rule]`. */
export function edgeLines(answer: Pick<Answer, 'edges'>): string[] {
  return answer.edges
    .map(
      ({ from, to, relation, role, known, rule }) =>
        `${from} -${relation}${role === undefined ? '' : `(${role})`}-> ${to} [${known}${rule === undefined ? '' : ` ${rule}`}]`,
    )
    .sort();
}

/**
 * Expects the same picture of a graph whatever the order of the messages, each of them sent twice.
 * `picture` asks the graph; it is compared with that of the messages in their order, sent once.
 */
export async function expectSameInAnyOrder(
  messages: readonly (readonly Fact[])[],
  picture: (graph: ReturnType<typeof createGraph>) => Promise<readonly string[]>,
): Promise<void> {
  const pictureOf = async (order: readonly number[]): Promise<readonly string[]> => {
    const graph = createGraph();
    for (const index of order) await graph.add(...(messages[index] ?? []));
    return picture(graph);
  };
  const all = [...messages.keys()];
  const inOrder = await pictureOf(all);
  const twice = [...all, ...all];
  const order = fc.shuffledSubarray(twice, { minLength: twice.length, maxLength: twice.length });
  await fc.assert(
    fc.asyncProperty(order, async (each) => {
      expect(await pictureOf(each)).toEqual(inOrder);
    }),
    { numRuns: 12 },
  );
}
