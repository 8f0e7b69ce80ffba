import { limits } from '../base/limits.ts';
import type { AnswerNode } from '../contract/answer.ts';
import type { Moment, RunStatus, Write } from './moment.ts';
import type { DatasetUseRow, EdgeRow, NodeRow, RareRows, SameContentRow } from './store.ts';

/** Stored edges of a node in one direction; `hub` where they are too many to walk. */
export type NodeEdges = readonly EdgeRow[] | 'hub';

/**
 * What answers have read of the graph at one moment of one state of the record, by node key. State
 * changes only by a ledger entry, so for as long as the log has the same size nothing in here is wrong.
 * Datasets of several names are left out: in which order their names were met shows in an answer.
 */
export class GraphMemory {
  readonly nodes = new Map<number, NodeRow>();
  readonly up = new Map<number, NodeEdges>();
  readonly down = new Map<number, NodeEdges>();
  /** What runs are part of. */
  readonly wholes = new Map<number, readonly EdgeRow[]>();
  readonly runs = new Map<number, RunStatus | undefined>();
  readonly read = new Map<number, readonly DatasetUseRow[]>();
  readonly written = new Map<number, readonly DatasetUseRow[]>();
  /** Datasets that have no other name. */
  readonly alone = new Set<number>();
  readonly writes = new Map<number, readonly Write[]>();
  readonly drops = new Map<number, readonly number[]>();
  /** By `spanId`. */
  readonly reads = new Map<string, readonly DatasetUseRow[]>();
  readonly versionUses = new Map<number, readonly DatasetUseRow[]>();
  /** Writes by version, of those that are known without `versionUses`. */
  readonly versionWrites = new Map<number, readonly DatasetUseRow[]>();
  readonly same = new Map<number, readonly SameContentRow[]>();
  /** How many links hubs have: counting them takes long. */
  readonly counts = new Map<string, number>();
  readonly statements = new Map<number, readonly string[]>();
  /** Nodes as answers show them, before and after enrichment. */
  readonly shown = new Map<number, AnswerNode>();
  readonly enriched = new Map<AnswerNode, AnswerNode>();
  rare: RareRows | undefined;
  /** Something was too long to be read whole: what is here serves one answer only. */
  partial = false;

  /** True when no other answer should be made with it. */
  isSpent(): boolean {
    const { nodes, runs, enriched, up, down, read, written, reads } = this;
    const lists = [up, down, read, written, reads, this.versionUses, this.versionWrites];
    let held = nodes.size + runs.size + enriched.size;
    for (const map of lists) {
      held += map.size;
      // Each list is bounded, but a thousand hubs below the limit hold a million edges.
      for (const rows of map.values()) held += rows.length;
      if (held > limits.rememberedRowsMax) return true;
    }
    return this.partial;
  }
}

/** Gives the memory that a question about `ref` is answered with. */
export type MemoryOf = (logSize: number, moment: Moment, ref: string) => GraphMemory;

/**
 * Keeps one memory of the present, until something is recorded or it holds too much. It serves what is
 * asked for the second time: what nobody asks for again would only cost, so the first time, and at
 * other moments, what is read is remembered for one answer.
 */
export function createMemories(): MemoryOf {
  let memory = new GraphMemory();
  let size = -1;
  let asked = new Set<string>();
  return (logSize, moment, ref) => {
    if (moment.at !== undefined || moment.position !== logSize - 1) return new GraphMemory();
    // A snapshot of before the newest entry does not take the place of a later one.
    if (logSize < size) return new GraphMemory();
    if (logSize > size) memory = new GraphMemory();
    if (logSize > size || asked.size > limits.rememberedRefsMax) asked = new Set();
    size = logSize;
    if (!asked.has(ref)) {
      asked.add(ref);
      return new GraphMemory();
    }
    // Looked at only here: it takes as long as there is much in it.
    if (memory.isSpent()) memory = new GraphMemory();
    return memory;
  };
}
