import { limits } from '../base/limits.ts';
import type { AnswerNode } from '../contract/answer.ts';
import type { Changed } from './changes.ts';
import type { Drop, Moment, RunStatus, Statement, Write } from './moment.ts';
import type { DatasetUseRow, EdgeRow, NodeRow, RareRows, SameContentRow } from './store.ts';

/** Stored edges of a node in one direction; `hub` where they are too many to walk. */
export type NodeEdges = readonly EdgeRow[] | 'hub';

/**
 * What answers have read of the graph at one moment, by node key. State changes only by a ledger entry:
 * what no later entry touched is still right. Datasets of several names are left out: in which order
 * their names were met shows in an answer.
 */
export class GraphMemory {
  readonly nodes = new Map<number, NodeRow>();
  readonly up = new Map<number, NodeEdges>();
  readonly down = new Map<number, NodeEdges>();
  /** What runs are part of. */
  readonly wholes = new Map<number, readonly EdgeRow[]>();
  /** What models were evaluated on. */
  readonly evaluations = new Map<number, readonly EdgeRow[]>();
  readonly runs = new Map<number, RunStatus | undefined>();
  readonly read = new Map<number, readonly DatasetUseRow[]>();
  readonly written = new Map<number, readonly DatasetUseRow[]>();
  /** Datasets that never had another name. */
  readonly alone = new Set<number>();
  readonly writes = new Map<number, readonly Write[]>();
  /** Read together with `writes`. */
  readonly drops = new Map<number, readonly Drop[]>();
  /** Datasets whose `writes` depend on the state of the run. */
  readonly writtenIn = new Map<number, Set<number>>();
  /** By dataset and `spanId`. */
  readonly reads = new Map<number, Map<string, readonly DatasetUseRow[]>>();
  readonly versionUses = new Map<number, readonly DatasetUseRow[]>();
  /** Writes by version, of those that are known without `versionUses`. */
  readonly versionWrites = new Map<number, readonly DatasetUseRow[]>();
  readonly same = new Map<number, readonly SameContentRow[]>();
  /** How many links hubs have, by node: counting them takes long. */
  readonly counts = new Map<number, Map<string, number>>();
  /** All that was recorded, whether or not it holds: that changes with time alone. */
  readonly statements = new Map<number, readonly Statement[]>();
  /** Whether datasets have columns. */
  readonly columns = new Map<number, boolean>();
  /** Nodes as answers show them, before and after enrichment. */
  readonly shown = new Map<number, AnswerNode>();
  readonly enriched = new Map<AnswerNode, AnswerNode>();
  rare: RareRows | undefined;
  /** Something was too long to be read whole: what is here serves one answer only. */
  partial = false;
  /** Answers under way that read and fill it. */
  users = 0;

  /** Forgets what entries may have changed: of the nodes they touched, and what is not kept by node. */
  forget(keys: ReadonlySet<number>): void {
    const { nodes, up, down, wholes, evaluations, runs, read, written, writes, reads } = this;
    const { versionUses, versionWrites, counts, statements, columns, shown, writtenIn } = this;
    const byNode = [nodes, up, down, wholes, evaluations, runs, read, written, writes, reads];
    for (const map of [...byNode, versionUses, versionWrites, counts, statements, columns, shown])
      for (const key of keys) map.delete(key);
    for (const run of keys) {
      for (const dataset of writtenIn.get(run) ?? []) writes.delete(dataset);
      writtenIn.delete(run);
    }
    this.same.clear();
    this.enriched.clear();
    this.rare = undefined;
  }

  /** How much it holds, in rows: each list is bounded, but a thousand hubs below the limit hold a million edges. */
  held(): number {
    const { nodes, runs, enriched, up, down, read, written } = this;
    let held = nodes.size + runs.size + enriched.size;
    for (const map of [up, down, read, written, this.versionUses, this.versionWrites]) {
      held += map.size;
      for (const rows of map.values()) held += rows.length;
    }
    for (const spans of this.reads.values()) for (const rows of spans.values()) held += rows.length;
    return held;
  }
}

/** Answers a question with what is remembered of a moment. `use` holds the memory until it is done. */
export type WithMemory = <T>(
  logSize: number,
  moment: Moment,
  use: (memory: GraphMemory) => Promise<T>,
) => Promise<T>;

/**
 * Keeps one memory of the present until it holds too much. `changedSince` tells what entries from a
 * position on changed. What is asked of other moments is remembered for one answer only.
 */
export function createMemories(changedSince: (position: number) => Changed): WithMemory {
  let memory = new GraphMemory();
  let size = -1;
  let countedNodes = 0;

  /** Brings it to what the log tells now. Answers under way go on with the one they have. */
  const advance = (logSize: number): void => {
    const changed = memory.users > 0 ? 'all' : changedSince(size);
    if (changed === 'all') memory = new GraphMemory();
    else memory.forget(changed);
    size = logSize;
  };

  /** Counting takes as long as there is much in it: only when it grew. */
  const isFull = (): boolean => {
    if (memory.nodes.size === countedNodes) return false;
    countedNodes = memory.nodes.size;
    return memory.held() > limits.rememberedRowsMax;
  };

  const memoryOf = (logSize: number, moment: Moment): GraphMemory => {
    const present = moment.at === undefined && moment.position === logSize - 1;
    // A snapshot of before the newest entry does not take the place of a later one.
    if (!present || logSize < size) return new GraphMemory();
    if (logSize > size) advance(logSize);
    if (memory.partial || isFull()) memory = new GraphMemory();
    return memory;
  };

  return async (logSize, moment, use) => {
    const held = memoryOf(logSize, moment);
    held.users += 1;
    try {
      return await use(held);
    } finally {
      held.users -= 1;
    }
  };
}
