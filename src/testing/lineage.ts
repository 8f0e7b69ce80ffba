import { limits } from '../base/limits.ts';
import type { Answer } from '../contract/answer.ts';
import type { Fact, FactContext } from '../facts/facts.ts';
import {
  type GraphAnswer,
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

const noPredictions: PredictionSource = { find: async () => undefined, count: async () => [] };

/** A graph in memory: real projection, real store, facts put in by hand. */
export function createGraph(predictions: PredictionSource = noPredictions) {
  const db = new Database(':memory:', 'write');
  db.exec(lineageSchema);
  const store = new SqliteLineageStore(db);
  const sources: LineageSources = {
    reader: store,
    predictions,
    enrich: async (nodes) => [...nodes],
    timesOf: async (positions) => new Map(positions.map((at) => [at, 1_000 + at])),
  };
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
      } = {},
    ): Promise<GraphAnswer> =>
      walk(
        {
          ref,
          moment: { position: options.position ?? Number.MAX_SAFE_INTEGER, at: options.at },
          limits: walkLimits(options.depth ?? limits.depthDefault, options.nodes),
          columns: options.columns ?? false,
        },
        sources,
      );
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

/** Edges as sorted lines: `from -relation(role)-> to [known rule]`. */
export function edgeLines(answer: Pick<Answer, 'edges'>): string[] {
  return answer.edges
    .map(
      ({ from, to, relation, role, known, rule }) =>
        `${from} -${relation}${role === undefined ? '' : `(${role})`}-> ${to} [${known}${rule === undefined ? '' : ` ${rule}`}]`,
    )
    .sort();
}
