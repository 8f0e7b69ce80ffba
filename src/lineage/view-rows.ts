import type { Awaitable } from '../base/awaitable.ts';
import { limits } from '../base/limits.ts';
import type { RunState } from '../facts/facts.ts';
import type { Relation } from '../facts/relations.ts';
import { namedAt } from './identity/former.ts';
import type { GraphMemory, NodeEdges } from './memory.ts';
import { aliveAt, type Moment, openAt, type RunStatus, statusOf, type Told } from './moment.ts';
import type { ColumnRow, Direction, EdgeRow, LineageReader, NodeRow, RareRows } from './store.ts';

/** Shared by all that have nothing. */
export const none: readonly never[] = [];

/** The map at the key, made when there is none. */
export function entryOf<Value>(
  maps: Map<number, Map<string, Value>>,
  key: number,
): Map<string, Value> {
  const known = maps.get(key);
  if (known !== undefined) return known;
  const made = new Map<string, Value>();
  maps.set(key, made);
  return made;
}

/** The stored rows of the graph that are seen at a moment: what needs no order of events. */
export class GraphRows {
  readonly reader: LineageReader;
  readonly moment: Moment;
  /** What is known of the graph at this moment, also by answers before this one. */
  readonly memory: GraphMemory;

  constructor(reader: LineageReader, moment: Moment, memory: GraphMemory) {
    this.reader = reader;
    this.moment = moment;
    this.memory = memory;
  }

  /** Of which rare kinds of rows there are any. */
  async rareRows(): Promise<RareRows> {
    this.memory.rare ??= await this.reader.rareRows();
    return this.memory.rare;
  }

  /** True when the row was recorded by then and its event had happened by then. */
  seen(row: Told): boolean {
    if (row.position > this.moment.position) return false;
    const { at } = this.moment;
    if (at === undefined) return true;
    if ((row.time ?? row.validFrom ?? 0) > at) return false;
    return row.validTo === undefined || row.validTo === null || row.validTo > at;
  }

  async nodes(keys: readonly number[]): Promise<NodeRow[]> {
    const { nodes } = this.memory;
    const unknown = keys.filter((key) => !nodes.has(key));
    if (unknown.length > 0) {
      const { reader, moment } = this;
      const rows = await reader.nodes(unknown);
      const { renamed } = await this.rareRows();
      const named = await namedAt(rows, { reader, moment, renamed });
      for (const node of named) nodes.set(node.key, aliveAt(node, moment));
    }
    return keys.flatMap((key) => nodes.get(key) ?? []);
  }

  /** Stored edges; nodes with more than `hubEdgesMax` are named as hubs instead. */
  async edges(
    direction: Direction,
    keys: readonly number[],
  ): Promise<{ rows: EdgeRow[]; hubs: readonly number[] }> {
    const known = this.memory[direction];
    const unknown = keys.filter((key) => !known.has(key));
    if (unknown.length > 0) {
      const found = await this.reader.edges(direction, unknown, limits.hubEdgesMax);
      this.#keepEdges(known, unknown, { ...found, near: direction === 'up' ? 'to' : 'from' });
      for (const hub of found.hubs) known.set(hub, 'hub');
    }
    const rows: EdgeRow[] = [];
    const hubs: number[] = [];
    for (const key of keys) {
      const edges = known.get(key) ?? [];
      if (edges === 'hub') hubs.push(key);
      else rows.push(...edges);
    }
    return { rows, hubs };
  }

  /** Puts the edges that are seen to the node at their near end. */
  #keepEdges(
    known: Map<number, readonly EdgeRow[]> | Map<number, NodeEdges>,
    keys: readonly number[],
    { rows, near }: { readonly rows: readonly EdgeRow[]; readonly near: 'from' | 'to' },
  ): void {
    const open = rows.map((row) => openAt(row, this.moment)).filter((row) => this.seen(row));
    const byNode = Map.groupBy(open, (row) => row[near]);
    for (const key of keys) known.set(key, byNode.get(key) ?? none);
  }

  /** The runs that runs are part of. */
  wholesOf(runs: readonly number[]): Promise<EdgeRow[]> {
    return this.#edgesOut(this.memory.wholes, 'part-of', runs);
  }

  /** What models were evaluated on. */
  evaluationsOf(models: readonly number[]): Promise<EdgeRow[]> {
    return this.#edgesOut(this.memory.evaluations, 'evaluated-on', models);
  }

  async #edgesOut(
    known: Map<number, readonly EdgeRow[]>,
    relation: Relation,
    keys: readonly number[],
  ): Promise<EdgeRow[]> {
    const unknown = keys.filter((key) => !known.has(key));
    if (unknown.length > 0) {
      const rows = await this.reader.edgesOut(relation, unknown);
      this.#keepEdges(known, unknown, { rows, near: 'from' });
    }
    return keys.flatMap((key) => known.get(key) ?? []);
  }

  /** How many edges the node has, however many. */
  async countEdges(direction: Direction, key: number): Promise<number> {
    return this.count(key, direction, () => this.reader.countEdges(direction, key));
  }

  /** A count that is remembered of the node. */
  protected async count(
    key: number,
    what: string,
    count: () => Awaitable<number>,
  ): Promise<number> {
    const counts = entryOf(this.memory.counts, key);
    const known = counts.get(what) ?? (await count());
    counts.set(what, known);
    return known;
  }

  /** The state of a run that was loaded. */
  loadedRun(key: number): RunStatus | undefined {
    return this.memory.runs.get(key);
  }

  async loadRuns(keys: readonly number[]): Promise<void> {
    const { runs } = this.memory;
    const unknown = keys.filter((key) => !runs.has(key));
    if (unknown.length === 0) return;
    const byRun = new Map<number, { state: RunState; time: number; streaming: boolean }[]>();
    for (const event of await this.reader.runEvents(unknown)) {
      if (!this.seen(event)) continue;
      const events = byRun.get(event.run) ?? [];
      events.push(event);
      byRun.set(event.run, events);
    }
    for (const key of unknown) runs.set(key, statusOf(byRun.get(key) ?? []));
  }

  /** Column edges that count: reported in a run, or by a job's newest declaration. */
  async columns(direction: Direction, fields: readonly number[]): Promise<ColumnRow[]> {
    return (await this.reader.columns(direction, fields)).filter((row) => this.seen(row));
  }
}
