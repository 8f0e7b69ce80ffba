import type { Reached } from './flows.ts';
import type { DatasetUseRow, Direction, EdgeRow, NodeRow } from './store.ts';
import type { GraphView } from './view.ts';
import { edgeId, edgeOf, type Stop, strength, type WalkEdge, type WalkSink } from './walk-edge.ts';
import {
  declaredDown,
  declaredUp,
  goesTo,
  madeBy,
  parentsOf,
  partsOf,
  readsOf,
  versionsOf,
  writtenBy,
} from './walk-versions.ts';

export interface WalkLimits {
  readonly depth: number;
  readonly nodes: number;
  /** What may be shown; all when absent. The rest is neither shown nor walked through. */
  readonly sees?: ((ref: string) => boolean) | undefined;
}

/** Things that many others hang on: named in a trace, never a way to their other users. */
const leafKinds: ReadonlySet<string> = new Set(['agent', 'workspace', 'source', 'experiment']);

/** Things that are evaluated. */
const modelKinds: ReadonlySet<string> = new Set(['artifact', 'modelVersion']);

/**
 * Walks the graph level by level from some nodes, up or down, and collects what it meets. Bounded by
 * depth, by number of nodes, and by hubs, and says where it stopped.
 */
export class Walk implements WalkSink {
  readonly view: GraphView;
  readonly direction: Direction;
  readonly nodes = new Map<number, number>();
  readonly edges = new Map<string, WalkEdge>();
  readonly stops: Stop[] = [];
  /** Reads on the path, for columns. */
  readonly reads: DatasetUseRow[] = [];
  /** Of versions that something on the path read: the latest time at which it did. */
  readonly #readUntil = new Map<number, number>();
  /** Upstream, runs met only as what another run is part of: their other parts are not behind it. */
  readonly #parents = new Set<number>();
  /** Met only as what a model was evaluated on. */
  readonly #leaves = new Set<number>();
  /** Downstream, runs whose parts the way goes on to: those it began with, readers, and their parts. */
  readonly #wholes = new Set<number>();
  /** What runs and jobs were reached through, where anything was told of flows in them. */
  readonly #through = new Map<number, Set<number> | 'all'>();
  #anyFlows = false;
  readonly #limits: WalkLimits;
  #next = new Set<number>();
  depth = 0;

  constructor(view: GraphView, direction: Direction, walkLimits: WalkLimits) {
    this.view = view;
    this.direction = direction;
    this.#limits = walkLimits;
  }

  async from(keys: readonly number[]): Promise<void> {
    this.#anyFlows = (await this.view.rareRows()).flows;
    for (const key of keys) {
      this.#reach(key, undefined);
      if (!this.nodes.has(key)) this.nodes.set(key, 0);
      this.#next.add(key);
      this.#wholes.add(key);
    }
    while (this.#next.size > 0) {
      const level = [...this.#next];
      this.#next = new Set();
      if (this.depth >= this.#limits.depth) {
        await this.#stopAtDepth(level);
        return;
      }
      this.depth += 1;
      await this.#expand(level);
    }
  }

  async #stopAtDepth(level: readonly number[]): Promise<void> {
    for (const node of this.#withoutHidden(await this.view.nodes(level))) {
      const count = await this.#countLinks(node);
      if (count > 0) this.stops.push({ key: node.key, reason: 'depth', count });
    }
  }

  /** Links that were not walked: stored edges, and the reads and writes behind derived ones. */
  async #countLinks(node: NodeRow): Promise<number> {
    const edges = this.#parents.has(node.key)
      ? 0
      : await this.view.countEdges(this.direction, node.key);
    const use = this.direction === 'up' ? 'read' : 'write';
    if (node.kind === 'run')
      return edges + (await this.view.reader.usesOfRuns([node.key], { use })).length;
    if (node.kind !== 'datasetVersion') return edges;
    const uses = await this.view.usesOfVersion(node.key);
    return edges + uses.filter((row) => row.use !== use).length;
  }

  async #expand(level: readonly number[]): Promise<void> {
    const rows = this.#withoutHidden(await this.view.nodes(level));
    const byKind = (kind: string): NodeRow[] => rows.filter((row) => row.kind === kind);
    await this.#expandEdges(rows);
    const versions = byKind('datasetVersion');
    await this.view.loadDatasets(versions.flatMap((row) => row.parent ?? []));
    if (this.direction === 'up') {
      await readsOf(this, byKind('run'));
      await parentsOf(this, byKind('run'));
      await madeBy(this, versions);
      await declaredUp(this, byKind('dataset'), byKind('job'));
    } else {
      await this.view.loadVersions(versions.map((row) => row.key));
      await writtenBy(this, byKind('run'));
      await partsOf(
        this,
        byKind('run').filter((row) => this.#wholes.has(row.key)),
      );
      await goesTo(this, versions);
      for (const dataset of byKind('dataset')) await versionsOf(this, dataset);
      await declaredDown(this, byKind('dataset'), byKind('job'));
    }
  }

  /** Takes out whatever was added and may not be shown, also what only columns led to. */
  async conceal(): Promise<void> {
    if (this.#limits.sees === undefined) return;
    this.#withoutHidden(await this.view.nodes([...this.nodes.keys()].filter((key) => key > 0)));
  }

  /** Takes hidden nodes out with their edges, and says where the way ended. @returns the other rows. */
  #withoutHidden(rows: readonly NodeRow[]): readonly NodeRow[] {
    const { sees } = this.#limits;
    if (sees === undefined) return rows;
    const hidden = new Set(rows.filter(({ ref }) => !sees(ref)).map(({ key }) => key));
    if (hidden.size === 0) return rows;
    for (const key of hidden) this.nodes.delete(key);
    for (const [id, edge] of this.edges) {
      if (!hidden.has(edge.from) && !hidden.has(edge.to)) continue;
      this.edges.delete(id);
      const near = this.direction === 'up' ? edge.to : edge.from;
      if (!hidden.has(near)) this.#stopAt(near, 'permission');
    }
    return rows.filter(({ key }) => !hidden.has(key));
  }

  /** Stored edges. A node with too many is counted, not expanded. */
  async #expandEdges(rows: readonly NodeRow[]): Promise<void> {
    const walked = rows.filter(
      (row) =>
        this.nodes.get(row.key) === 0 || !(leafKinds.has(row.kind) || this.#parents.has(row.key)),
    );
    const { rows: edges, hubs } = await this.view.edges(
      this.direction,
      walked.map((row) => row.key),
    );
    for (const edge of edges) {
      if (edge.relation !== 'evaluated-on') this.#addStored(edge);
      else if (this.direction === 'down') this.#addEvaluation(edge);
    }
    if (this.direction === 'down') return this.#countHubs(hubs);
    const models = walked.filter(({ kind }) => modelKinds.has(kind)).map(({ key }) => key);
    for (const edge of await this.view.evaluationsOf(models)) this.#addEvaluation(edge);
    return this.#countHubs(hubs);
  }

  async #countHubs(hubs: readonly number[]): Promise<void> {
    for (const key of hubs) {
      const count = await this.view.countEdges(this.direction, key);
      this.stops.push({ key, reason: 'hub', count });
    }
  }

  /**
   * What a model was evaluated on is shown with it, and is no way to anything else: others that were
   * evaluated on the same data have no part in it.
   */
  #addEvaluation(edge: EdgeRow): void {
    if (!this.nodes.has(edge.to)) {
      if (this.nodes.size >= this.#limits.nodes) {
        this.#stopAt(edge.from, 'nodes');
        return;
      }
      this.nodes.set(edge.to, this.depth);
      this.#leaves.add(edge.to);
    }
    this.put(edgeOf(edge));
  }

  #addStored(edge: EdgeRow): void {
    const near = this.direction === 'up' ? edge.to : edge.from;
    const through = edge.relation === 'ran-as' ? this.reachedThrough(near) : 'all';
    // Between a job and its run the way goes on by the same datasets.
    if (through === 'all') this.add(edgeOf(edge));
    else for (const dataset of through) this.add(edgeOf(edge), dataset);
  }

  /** Adds an edge and the node at its far end; false when the node limit refused it. */
  add(edge: WalkEdge, through?: number): boolean {
    const far = this.direction === 'up' ? edge.from : edge.to;
    const near = this.direction === 'up' ? edge.to : edge.from;
    // Met in its own right: now the rest of it is walked too.
    if (this.#parents.delete(far) || this.#leaves.delete(far)) this.#next.add(far);
    if (this.direction === 'down' && edge.relation === 'read-by') this.#addWhole(far);
    this.#reach(far, through);
    return this.#addTo(edge, near, far);
  }

  /** Adds a run that a run is part of (upstream), or a part of one (downstream): against the flow. */
  addAcross(edge: WalkEdge): void {
    const far = this.direction === 'up' ? edge.to : edge.from;
    const near = this.direction === 'up' ? edge.from : edge.to;
    const isNew = !this.nodes.has(far);
    this.#reach(far, undefined);
    if (!this.#addTo(edge, near, far)) return;
    if (this.direction === 'down') this.#addWhole(far);
    else if (isNew) this.#parents.add(far);
  }

  /** Reached through one more of its datasets, or otherwise: then more of the other side is walked. */
  #reach(key: number, through: number | undefined): void {
    if (!this.#anyFlows) return;
    const before = this.#through.get(key);
    if (before === 'all' || (through !== undefined && before?.has(through))) return;
    if (through === undefined) this.#through.set(key, 'all');
    else this.#through.set(key, new Set([...(before ?? []), through]));
    if (before !== undefined && this.nodes.has(key)) this.#next.add(key);
  }

  reachedThrough(via: number): Reached {
    return this.#through.get(via) ?? 'all';
  }

  #addWhole(run: number): void {
    if (this.#wholes.has(run)) return;
    this.#wholes.add(run);
    if (this.nodes.has(run)) this.#next.add(run);
  }

  #addTo(edge: WalkEdge, near: number, far: number): boolean {
    for (const key of [near, far]) {
      if (this.nodes.has(key)) continue;
      if (this.nodes.size >= this.#limits.nodes) {
        this.#stopAt(near, 'nodes');
        return false;
      }
      this.nodes.set(key, this.depth);
      if (key > 0) this.#next.add(key);
    }
    const id = edgeId(edge);
    const before = this.edges.get(id);
    if (!before || strength(edge.known) < strength(before.known)) this.edges.set(id, edge);
    return true;
  }

  /** The version was read at `time`: what was written to it later is not behind the path. */
  boundVersion(version: number, time: number): void {
    const before = this.#readUntil.get(version);
    if (before !== undefined && before >= time) return;
    this.#readUntil.set(version, time);
    if (before !== undefined && this.nodes.has(version)) this.#next.add(version);
  }

  /** The latest read of the version on the path; undefined when the path begins at it. */
  boundOf(version: number): number | undefined {
    return this.#readUntil.get(version);
  }

  /** Adds an edge between nodes that are there already, or outside of the graph. */
  put(edge: WalkEdge): void {
    this.edges.set(edgeId(edge), edge);
  }

  #stopAt(key: number, reason: 'nodes' | 'permission'): void {
    const index = this.stops.findIndex((stop) => stop.key === key && stop.reason === reason);
    const before = this.stops[index];
    if (before) this.stops[index] = { ...before, count: before.count + 1 };
    else this.stops.push({ key, reason, count: 1 });
  }
}
