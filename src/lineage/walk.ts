import { limits } from '../base/limits.ts';
import type { Known, Relation } from '../facts/relations.ts';
import type { DatasetUseRow, Direction, EdgeRow, NodeRow } from './store.ts';
import { continuation, type GraphView, type Write } from './view.ts';

/** An edge of an answer, between node keys; negative keys are nodes outside the graph (predictions). */
export interface WalkEdge {
  readonly from: number;
  readonly to: number;
  readonly relation: Relation;
  readonly role?: string | undefined;
  /** The run, or declaring job, of a column edge. */
  readonly run?: number | undefined;
  readonly how?: string | undefined;
  readonly known: Known;
  readonly rule?: string | undefined;
  readonly positions: readonly number[];
  readonly recordedTime: number;
  readonly validFrom: number;
  readonly validTo?: number | undefined;
}

export interface Stop {
  readonly key: number;
  readonly reason: 'depth' | 'nodes' | 'hub';
  readonly count: number;
}

export interface WalkLimits {
  readonly depth: number;
  readonly nodes: number;
}

const readersOfHubMax = limits.hubEdgesMax;

/** Things that many others hang on: named in a trace, never a way to their other users. */
const leafKinds: ReadonlySet<string> = new Set(['agent', 'workspace', 'source', 'experiment']);

/**
 * Walks the graph level by level from some nodes, up or down, and collects what it meets. Bounded by
 * depth, by number of nodes, and by hubs, and says where it stopped.
 */
export class Walk {
  readonly view: GraphView;
  readonly direction: Direction;
  readonly nodes = new Map<number, number>();
  readonly edges = new Map<string, WalkEdge>();
  readonly stops: Stop[] = [];
  /** Reads on the path, for columns. */
  readonly reads: DatasetUseRow[] = [];
  /** Versions met, with the run that wrote them. */
  readonly writes = new Map<number, number[]>();
  readonly #limits: WalkLimits;
  #next = new Set<number>();
  #depth = 0;

  constructor(view: GraphView, direction: Direction, walkLimits: WalkLimits) {
    this.view = view;
    this.direction = direction;
    this.#limits = walkLimits;
  }

  async from(keys: readonly number[]): Promise<void> {
    for (const key of keys) {
      if (!this.nodes.has(key)) this.nodes.set(key, 0);
      this.#next.add(key);
    }
    while (this.#next.size > 0) {
      const level = [...this.#next];
      this.#next = new Set();
      if (this.#depth >= this.#limits.depth) {
        await this.#stopAtDepth(level);
        return;
      }
      this.#depth += 1;
      await this.#expand(level);
    }
  }

  async #stopAtDepth(level: readonly number[]): Promise<void> {
    for (const node of await this.view.nodes(level)) {
      const count = await this.#countLinks(node);
      if (count > 0) this.stops.push({ key: node.key, reason: 'depth', count });
    }
  }

  /** Links that were not walked: stored edges, and the reads and writes behind derived ones. */
  async #countLinks(node: NodeRow): Promise<number> {
    const { reader } = this.view;
    const edges = await reader.countEdges(this.direction, node.key);
    const use = this.direction === 'up' ? 'read' : 'write';
    if (node.kind === 'run')
      return edges + (await reader.usesOfRuns([node.key])).filter((row) => row.use === use).length;
    if (node.kind !== 'datasetVersion') return edges;
    const uses = await reader.usesOfVersions([node.key], limits.hubEdgesMax);
    return edges + uses.filter((row) => row.use !== use).length;
  }

  async #expand(level: readonly number[]): Promise<void> {
    const rows = await this.view.nodes(level);
    const byKind = (kind: string): NodeRow[] => rows.filter((row) => row.kind === kind);
    await this.#expandEdges(rows);
    if (this.direction === 'up') {
      await this.#readsOf(byKind('run'));
      await this.#parentsOf(byKind('run'));
      for (const version of byKind('datasetVersion')) await this.#madeBy(version);
      await this.#declaredUp(byKind('dataset'), byKind('job'));
    } else {
      await this.#writtenBy(byKind('run'));
      for (const version of byKind('datasetVersion')) await this.#goesTo(version);
      for (const dataset of byKind('dataset')) await this.#versionsOf(dataset);
      await this.#declaredDown(byKind('dataset'), byKind('job'));
    }
  }

  /** Stored edges. A node with too many is counted, not expanded. */
  async #expandEdges(rows: readonly NodeRow[]): Promise<void> {
    const walked = rows.filter((row) => this.nodes.get(row.key) === 0 || !leafKinds.has(row.kind));
    const edges = await this.view.edges(
      this.direction,
      walked.map((row) => row.key),
    );
    const byNode = new Map<number, EdgeRow[]>();
    for (const edge of edges) {
      const key = this.direction === 'up' ? edge.to : edge.from;
      const list = byNode.get(key);
      if (list) list.push(edge);
      else byNode.set(key, [edge]);
    }
    for (const [key, list] of byNode) {
      if (list.length > limits.hubEdgesMax) {
        this.stops.push({
          key,
          reason: 'hub',
          count: await this.view.reader.countEdges(this.direction, key),
        });
        continue;
      }
      for (const edge of list) this.#addStored(edge);
    }
  }

  #addStored(edge: EdgeRow): void {
    this.add({
      from: edge.from,
      to: edge.to,
      relation: edge.relation,
      role: edge.role ?? undefined,
      known: edge.known,
      rule: edge.rule ?? undefined,
      positions: positionsOf(edge),
      recordedTime: edge.recordedTime,
      validFrom: edge.validFrom,
      validTo: edge.validTo ?? undefined,
    });
  }

  /** Adds an edge and the node at its far end; false when the node limit refused it. */
  add(edge: WalkEdge, options: { leaf?: boolean } = {}): boolean {
    const far = this.direction === 'up' ? edge.from : edge.to;
    const near = this.direction === 'up' ? edge.to : edge.from;
    for (const key of [near, far]) {
      if (this.nodes.has(key)) continue;
      if (this.nodes.size >= this.#limits.nodes) {
        this.#stopAtNodes(near);
        return false;
      }
      this.nodes.set(key, this.#depth);
      if (!options.leaf && key > 0) this.#next.add(key);
    }
    const id = `${edge.from} ${edge.to} ${edge.relation} ${edge.role ?? ''} ${edge.run ?? ''}`;
    const before = this.edges.get(id);
    if (!before || strength(edge.known) < strength(before.known)) this.edges.set(id, edge);
    return true;
  }

  #stopAtNodes(key: number): void {
    const index = this.stops.findIndex((stop) => stop.key === key && stop.reason === 'nodes');
    const before = this.stops[index];
    if (before) this.stops[index] = { ...before, count: before.count + 1 };
    else this.stops.push({ key, reason: 'nodes', count: 1 });
  }

  /** Upstream of runs: the versions that they read. */
  async #readsOf(runs: readonly NodeRow[]): Promise<void> {
    const uses = await this.view.usesOfRuns(runs.map((run) => run.key));
    for (const use of uses) {
      if (use.use !== 'read') continue;
      this.reads.push(use);
      const current = await this.view.currentAt(use.dataset, use.time, use.run);
      if (use.version !== null) {
        this.add(readEdge(use, use.version));
        await this.#observedVersion(use, use.version, current);
      } else if (current) {
        this.add(
          readEdge(use, current.version, { known: 'inferred', rule: 'newest-completed-before' }),
        );
      } else {
        this.add(readEdge(use, use.dataset));
      }
    }
  }

  /** A version that nobody is known to have written goes on from the one that was current when it was read. */
  async #observedVersion(
    use: DatasetUseRow,
    version: number,
    current: Write | undefined,
  ): Promise<void> {
    const writers = (await this.view.reader.usesOfVersions([version], readersOfHubMax)).filter(
      (row) => row.use === 'write' && this.view.seen(row),
    );
    if (writers.length > 0 || !current || current.version === version) return;
    this.add(
      continuedEdge(
        current,
        version,
        { known: 'inferred', rule: 'newest-completed-before' },
        use.time,
      ),
    );
  }

  /** The run that a run is part of: named, but not a way to its other parts. */
  async #parentsOf(runs: readonly NodeRow[]): Promise<void> {
    const edges = (
      await this.view.edges(
        'down',
        runs.map((run) => run.key),
      )
    ).filter((edge) => edge.relation === 'part-of');
    for (const edge of edges) {
      if (!this.nodes.has(edge.to)) this.nodes.set(edge.to, this.#depth);
      this.edges.set(`${edge.from} ${edge.to} part-of`, { ...edgeOf(edge) });
    }
  }

  /** Upstream of a version: its dataset, who wrote it, and what it continues. */
  async #madeBy(version: NodeRow): Promise<void> {
    if (version.parent !== null) this.add(hasEdge(version));
    const uses = (await this.view.reader.usesOfVersions([version.key], readersOfHubMax)).filter(
      (row) => this.view.seen(row),
    );
    const writes = uses.filter((row) => row.use === 'write');
    this.writes.set(
      version.key,
      writes.map((row) => row.run),
    );
    await this.view.loadRuns(writes.map((row) => row.run));
    for (const row of writes) this.add(await this.#writeEdge(row));
    if (version.parent === null) return;
    if (writes.length === 0) {
      await this.#sameContent(version);
      if (this.nodes.get(version.key) === 0)
        for (const use of uses)
          await this.#observedVersion(
            use,
            version.key,
            await this.view.currentAt(use.dataset, use.time, use.run),
          );
      return;
    }
    const chain = await this.view.writesOf(version.parent);
    const index = chain.findIndex((write) => write.version === version.key);
    const [previous, write] = [chain[index - 1], chain[index]];
    const how = write && continuation(write.mode);
    if (previous && write && how && previous.version !== version.key)
      this.add(continuedEdge(previous, version.key, how, write.time));
  }

  /** Strong digests join versions: what wrote the same content elsewhere explains this one. */
  async #sameContent(version: NodeRow): Promise<void> {
    for (const same of await this.view.reader.sameContent([version.key])) {
      if (same.position > this.view.moment.position) continue;
      const [from, to] =
        this.direction === 'up' ? [same.same, version.key] : [version.key, same.same];
      this.add({
        from,
        to,
        relation: 'continued-as',
        known: 'inferred',
        rule: 'content-digest',
        positions: [same.position],
        recordedTime: 0,
        validFrom: 0,
      });
    }
  }

  async #writeEdge(row: DatasetUseRow): Promise<WalkEdge> {
    const status = await this.view.run(row.run);
    const failed = status?.state === 'FAIL' || status?.state === 'ABORT';
    return {
      from: row.run,
      to: row.version ?? row.dataset,
      relation: 'wrote',
      role: failed ? 'failed' : undefined,
      known: row.known,
      rule: row.rule ?? undefined,
      positions: positionsOf(row),
      recordedTime: row.recordedTime,
      validFrom: row.time,
    };
  }

  async #declaredUp(datasets: readonly NodeRow[], jobs: readonly NodeRow[]): Promise<void> {
    await this.#declared('dataset', datasets, 'write');
    await this.#declared('job', jobs, 'read');
  }

  async #declaredDown(datasets: readonly NodeRow[], jobs: readonly NodeRow[]): Promise<void> {
    await this.#declared('dataset', datasets, 'read');
    await this.#declared('job', jobs, 'write');
  }

  /** What jobs declare by design; only the newest declaration of a job counts. */
  async #declared(
    side: 'job' | 'dataset',
    rows: readonly NodeRow[],
    use: 'read' | 'write',
  ): Promise<void> {
    if (rows.length === 0) return;
    const found = (
      await this.view.reader.declarations(
        side,
        rows.map((row) => row.key),
      )
    ).filter((row) => row.use === use && this.view.seen(row));
    if (found.length === 0) return;
    const newest = new Map<number, number>();
    for (const each of await this.view.reader.declarationTimes(found.map((row) => row.job))) {
      if (this.view.seen(each))
        newest.set(each.job, Math.max(each.time, newest.get(each.job) ?? 0));
    }
    for (const row of found) {
      if (row.time !== newest.get(row.job)) continue;
      const [from, to] = use === 'read' ? [row.dataset, row.job] : [row.job, row.dataset];
      this.add({
        from,
        to,
        relation: use === 'read' ? 'read-by' : 'wrote',
        known: 'declared',
        rule: 'job-declaration',
        positions: [row.position],
        recordedTime: row.recordedTime,
        validFrom: row.time,
      });
    }
  }

  /** Downstream of runs: the versions that they wrote. */
  async #writtenBy(runs: readonly NodeRow[]): Promise<void> {
    const uses = (await this.view.usesOfRuns(runs.map((run) => run.key))).filter(
      (use) => use.use === 'write',
    );
    await this.view.loadRuns(runs.map((run) => run.key));
    for (const use of uses) this.add(await this.#writeEdge(use));
  }

  /** Downstream of a version: who read it, and the version that continues it. */
  async #goesTo(version: NodeRow): Promise<void> {
    const uses = (await this.view.reader.usesOfVersions([version.key], readersOfHubMax)).filter(
      (row) => this.view.seen(row),
    );
    if (uses.length > limits.hubEdgesMax) {
      this.stops.push({ key: version.key, reason: 'hub', count: uses.length });
      return;
    }
    for (const use of uses) {
      if (use.use !== 'read') continue;
      this.reads.push(use);
      this.add(readEdge(use, version.key));
    }
    if (version.parent === null) return;
    if (this.direction === 'down') await this.#sameContentDown(version);
    const chain = await this.view.writesOf(version.parent);
    const index = chain.findIndex((write) => write.version === version.key);
    const write = chain[index];
    if (!write) return;
    const next = chain[index + 1];
    const how = next && continuation(next.mode);
    if (next && how) this.add(continuedEdge(write, next.version, how, next.time));
    await this.#readWhileCurrent(version.parent, write, next);
  }

  async #sameContentDown(version: NodeRow): Promise<void> {
    const same = await this.view.reader.sameContent([version.key]);
    if (same.length === 0) return;
    const written = (
      await this.view.reader.usesOfVersions(
        same.map((each) => each.same),
        1,
      )
    )
      .filter((use) => use.use === 'write')
      .map((use) => use.version);
    for (const each of same) {
      if (written.includes(each.same) || each.position > this.view.moment.position) continue;
      this.add({
        from: version.key,
        to: each.same,
        relation: 'continued-as',
        known: 'inferred',
        rule: 'content-digest',
        positions: [each.position],
        recordedTime: 0,
        validFrom: 0,
      });
    }
  }

  /** Reads that named no version, or one that nobody wrote, between this version and the next. */
  async #readWhileCurrent(dataset: number, write: Write, next: Write | undefined): Promise<void> {
    const { members } = await this.view.classOf(dataset);
    const all = (await this.view.reader.usesOfDatasets('read', members, limits.nodesMax)).filter(
      (use) => this.view.seen(use),
    );
    const reads = all.filter(
      (use) =>
        use.time >= write.time &&
        (next === undefined || use.time < next.time) &&
        use.run !== write.run,
    );
    if (reads.length > limits.hubEdgesMax) {
      this.stops.push({ key: write.version, reason: 'hub', count: reads.length });
      return;
    }
    for (const use of reads) {
      if (use.version === null) {
        this.reads.push(use);
        this.add(
          readEdge(use, write.version, { known: 'inferred', rule: 'newest-completed-before' }),
        );
        continue;
      }
      const writers = (await this.view.reader.usesOfVersions([use.version], 1)).filter(
        (row) => row.use === 'write',
      );
      if (writers.length === 0 && use.version !== write.version) {
        this.add(
          continuedEdge(
            write,
            use.version,
            { known: 'inferred', rule: 'newest-completed-before' },
            use.time,
          ),
        );
      }
    }
  }

  /** Downstream of a dataset: its versions, and the runs that read it when it had none. */
  async #versionsOf(dataset: NodeRow): Promise<void> {
    const { members } = await this.view.classOf(dataset.key);
    const versions = (
      await this.view.reader.children(members, 'datasetVersion', limits.hubEdgesMax + 1)
    ).filter((row) => row.position <= this.view.moment.position);
    if (versions.length > limits.hubEdgesMax)
      this.stops.push({ key: dataset.key, reason: 'hub', count: versions.length });
    else for (const version of versions) this.add(hasEdge(version));
    const reads = await this.view.reader.usesOfDatasets('read', members, limits.hubEdgesMax + 1);
    if (reads.length > limits.hubEdgesMax) {
      this.stops.push({
        key: dataset.key,
        reason: 'hub',
        count: await this.view.reader.countUsesOfDataset('read', dataset.key),
      });
      return;
    }
    for (const use of reads) {
      if (use.version !== null || !this.view.seen(use)) continue;
      if ((await this.view.currentAt(use.dataset, use.time, use.run)) !== undefined) continue;
      this.reads.push(use);
      this.add(readEdge(use, use.dataset));
    }
  }
}

function strength(known: Known): number {
  return ['observed', 'declared', 'parsed', 'inferred'].indexOf(known);
}

function positionsOf(row: { readonly position: number; readonly lastPosition: number }): number[] {
  return row.lastPosition === row.position ? [row.position] : [row.position, row.lastPosition];
}

function edgeOf(edge: EdgeRow): WalkEdge {
  return {
    from: edge.from,
    to: edge.to,
    relation: edge.relation,
    role: edge.role ?? undefined,
    known: edge.known,
    rule: edge.rule ?? undefined,
    positions: positionsOf(edge),
    recordedTime: edge.recordedTime,
    validFrom: edge.validFrom,
    validTo: edge.validTo ?? undefined,
  };
}

function readEdge(
  use: DatasetUseRow,
  from: number,
  how?: { known: Known; rule: string },
): WalkEdge {
  return {
    from,
    to: use.run,
    relation: 'read-by',
    role: use.role ?? undefined,
    known: how?.known ?? use.known,
    rule: how?.rule ?? use.rule ?? undefined,
    positions: positionsOf(use),
    recordedTime: use.recordedTime,
    validFrom: use.time,
  };
}

function continuedEdge(
  write: Write,
  to: number,
  how: { known: Known; rule: string },
  time: number,
): WalkEdge {
  return {
    from: write.version,
    to,
    relation: 'continued-as',
    known: how.known,
    rule: how.rule,
    positions: positionsOf(write.row),
    recordedTime: write.row.recordedTime,
    validFrom: time,
  };
}

function hasEdge(version: NodeRow): WalkEdge {
  return {
    from: version.parent ?? version.key,
    to: version.key,
    relation: 'has',
    known: 'observed',
    rule: 'version',
    positions: [version.position],
    recordedTime: 0,
    validFrom: 0,
  };
}
