import { limits } from '../base/limits.ts';
import { type Flows, flowsInto, flowsOf } from './flows.ts';
import { continuation, type Span, type Write } from './moment.ts';
import type { DatasetUseRow, DeclarationRow, NodeRow } from './store.ts';
import { continuedEdge, edgeOf, hasEdge, readEdge, type WalkSink, writeEdge } from './walk-edge.ts';

/** Upstream of runs: the versions that they read. */
export async function readsOf(walk: WalkSink, runs: readonly NodeRow[]): Promise<void> {
  if (runs.length === 0) return;
  const keys = runs.map((run) => run.key);
  const all = await walk.view.usesOfRuns(keys, { use: 'read' });
  const reads = await throughFlows(walk, all);
  await walk.view.loadDatasets(reads.map((use) => use.dataset));
  await walk.view.loadWrites(reads.flatMap((use) => use.version ?? []));
  for (const use of reads) {
    walk.reads.push(use);
    const current = walk.view.loadedCurrentAt(use.dataset, use.time, use.run);
    const version = use.version ?? current?.version;
    if (version !== undefined) walk.boundVersion(version, use.time);
    if (use.version !== null) {
      walk.add(readEdge(use, use.version));
      observedVersion(walk, use, use.version, current);
    } else if (current) {
      walk.add(
        readEdge(use, current.version, { known: 'inferred', rule: 'newest-completed-before' }),
      );
    } else {
      walk.add(readEdge(use, use.dataset));
    }
  }
}

/** Those of the uses that what the walk came through went into (upstream), or came of (downstream). */
async function throughFlows(
  walk: WalkSink,
  uses: readonly DatasetUseRow[],
): Promise<readonly DatasetUseRow[]> {
  const flows = await flowsOf(walk.view, [...new Set(uses.map(({ run }) => run))]);
  if (flows.size === 0) return uses;
  await walk.view.names.load(uses.map(({ dataset }) => dataset));
  return uses.filter(({ run, dataset, use, time }) => {
    const through = walk.reachedThrough(run);
    if (through === 'all') return true;
    return [...through].some((other) => {
      const [input, output] = use === 'read' ? [dataset, other] : [other, dataset];
      return flowsInto(walk.view, flows, { via: run, input, output, time });
    });
  });
}

/** A version that nobody is known to have written goes on from the one that was current when it was read. */
function observedVersion(
  walk: WalkSink,
  use: DatasetUseRow,
  version: number,
  current: Write | undefined,
): void {
  const written = walk.view.loadedWrites(version).length > 0;
  if (written || !current || current.version === version) return;
  walk.boundVersion(current.version, use.time);
  walk.add(
    continuedEdge(
      current,
      version,
      { known: 'inferred', rule: 'newest-completed-before' },
      use.time,
    ),
  );
}

/** The runs that runs are part of: what they read is behind their parts, their other parts are not. */
export async function parentsOf(walk: WalkSink, runs: readonly NodeRow[]): Promise<void> {
  if (runs.length === 0) return;
  for (const edge of await walk.view.wholesOf(runs.map((run) => run.key)))
    walk.addAcross(edgeOf(edge));
}

/** Downstream of runs: their parts, which had what the whole read. */
export async function partsOf(walk: WalkSink, runs: readonly NodeRow[]): Promise<void> {
  const { rows, hubs } = await walk.view.edges(
    'up',
    runs.map((run) => run.key),
  );
  for (const edge of rows) if (edge.relation === 'part-of') walk.addAcross(edgeOf(edge));
  for (const key of hubs)
    walk.stops.push({ key, reason: 'hub', count: await walk.view.countEdges('up', key) });
}

/** Upstream of versions: their datasets, who wrote them, and what they continue. */
export async function madeBy(walk: WalkSink, versions: readonly NodeRow[]): Promise<void> {
  const { view } = walk;
  await view.loadWrites(versions.map(({ key }) => key));
  const unwritten = versions.filter(({ key }) => view.loadedWrites(key).length === 0);
  await view.loadSameContent(unwritten.map(({ key }) => key));
  const writes = versions.flatMap(({ key }) => view.loadedWrites(key));
  await view.loadRuns(writes.map(({ run }) => run));
  for (const version of versions) await oneMadeBy(walk, version);
}

async function oneMadeBy(walk: WalkSink, version: NodeRow): Promise<void> {
  if (version.parent !== null) walk.add(hasEdge(version));
  const writes = walk.view.loadedWrites(version.key);
  for (const row of writtenBefore(walk, version.key, writes)) {
    walk.add(writeEdge(row, walk.view.loadedRun(row.run)), row.dataset);
  }
  if (version.parent === null) return;
  if (writes.length === 0) {
    sameContentUp(walk, version);
    if (walk.nodes.get(version.key) === 0)
      for (const use of await walk.view.usesOfVersion(version.key))
        observedVersion(
          walk,
          use,
          version.key,
          await walk.view.currentAt(use.dataset, use.time, use.run),
        );
    return;
  }
  const chain = await walk.view.writesOf(version.parent);
  const index = chain.findIndex((write) => write.version === version.key);
  const write = chain[index];
  const { previous } = walk.view.neighbours(chain, index);
  const how = write && continuation(write.mode);
  if (previous && write && how && previous.version !== version.key)
    walk.add(continuedEdge(previous, version.key, how, write.time));
}

/**
 * The writes that a read on the path can have seen: the same content may be written again later under
 * the same version. Where clocks differ so much that none came before, all are shown.
 */
function writtenBefore(
  walk: WalkSink,
  version: number,
  writes: readonly DatasetUseRow[],
): readonly DatasetUseRow[] {
  const until = walk.boundOf(version);
  if (until === undefined) return writes;
  const earlier: DatasetUseRow[] = [];
  for (const row of writes) {
    const completed = walk.view.loadedRun(row.run)?.completedTime ?? row.time;
    if (completed <= until) earlier.push(row);
  }
  return earlier.length > 0 ? earlier : writes;
}

/** Strong digests join versions: what wrote the same content elsewhere explains this one. */
function sameContentUp(walk: WalkSink, version: NodeRow): void {
  for (const same of walk.view.loadedSame(version.key)) {
    walk.add({
      from: same.same,
      to: version.key,
      relation: 'continued-as',
      known: 'inferred',
      rule: 'content-digest',
      positions: [same.position],
      validFrom: 0,
    });
  }
}

export async function declaredUp(
  walk: WalkSink,
  datasets: readonly NodeRow[],
  jobs: readonly NodeRow[],
): Promise<void> {
  await declared(walk, 'dataset', datasets, 'write');
  await declared(walk, 'job', jobs, 'read');
}

export async function declaredDown(
  walk: WalkSink,
  datasets: readonly NodeRow[],
  jobs: readonly NodeRow[],
): Promise<void> {
  await declared(walk, 'dataset', datasets, 'read');
  await declared(walk, 'job', jobs, 'write');
}

/** What jobs declare by design; only the newest declaration of a job counts. */
async function declared(
  walk: WalkSink,
  side: 'job' | 'dataset',
  rows: readonly NodeRow[],
  use: 'read' | 'write',
): Promise<void> {
  if (rows.length === 0 || !(await walk.view.rareRows()).declarations) return;
  const found = (
    await walk.view.reader.declarations(
      side,
      rows.map((row) => row.key),
    )
  ).filter((row) => row.use === use && walk.view.seen(row));
  if (found.length === 0) return;
  const newest = new Map<number, number>();
  for (const each of await walk.view.reader.declarationTimes(found.map((row) => row.job))) {
    if (walk.view.seen(each)) newest.set(each.job, Math.max(each.time, newest.get(each.job) ?? 0));
  }
  const flows = await flowsOf(walk.view, [...newest.keys()], newest);
  await walk.view.names.load(found.map(({ dataset }) => dataset));
  for (const row of found) {
    if (row.time !== newest.get(row.job)) continue;
    if (side === 'job' && !declaredThrough(walk, flows, row)) continue;
    const edge = {
      from: use === 'read' ? row.dataset : row.job,
      to: use === 'read' ? row.job : row.dataset,
      relation: use === 'read' ? ('read-by' as const) : ('wrote' as const),
      known: 'declared' as const,
      rule: 'job-declaration',
      positions: [row.position],
      recordedTime: row.recordedTime,
      validFrom: row.time,
    };
    walk.add(edge, side === 'dataset' ? row.dataset : undefined);
  }
}

/** Whether what the walk came to the job through is declared to come of the dataset, or to go into it. */
function declaredThrough(
  walk: WalkSink,
  flows: Flows,
  { job, dataset, use, time }: DeclarationRow,
): boolean {
  const through = walk.reachedThrough(job);
  if (through === 'all') return true;
  return [...through].some((other) => {
    const [input, output] = use === 'read' ? [dataset, other] : [other, dataset];
    return flowsInto(walk.view, flows, { via: job, input, output, time });
  });
}

/** Downstream of runs: the versions that they wrote. */
export async function writtenBy(walk: WalkSink, runs: readonly NodeRow[]): Promise<void> {
  if (runs.length === 0) return;
  const keys = runs.map((run) => run.key);
  const all = await walk.view.usesOfRuns(keys, { use: 'write' });
  const uses = await throughFlows(walk, all);
  await walk.view.loadRuns(keys);
  for (const use of uses) walk.add(writeEdge(use, walk.view.loadedRun(use.run)));
}

/** Downstream of versions: who read them, and the versions that continue them. */
export async function goesTo(walk: WalkSink, versions: readonly NodeRow[]): Promise<void> {
  const { view } = walk;
  await view.loadSameContent(versions.map(({ key }) => key));
  await view.loadVersions(
    versions.flatMap(({ key }) => view.loadedSame(key).map((each) => each.same)),
  );
  const spans: Span[] = [];
  for (const version of versions) {
    const { span } = await currency(walk, version);
    if (span !== undefined) spans.push(span);
  }
  await view.loadReads(spans);
  for (const version of versions) await oneGoesTo(walk, version);
}

/** When a version was the current one of its dataset, and which came next. */
async function currency(
  walk: WalkSink,
  { key, parent }: NodeRow,
): Promise<{ write?: Write; next?: Write | undefined; span?: Span }> {
  if (parent === null) return {};
  const chain = await walk.view.writesOf(parent);
  const index = chain.findIndex((write) => write.version === key);
  const write = chain[index];
  if (write === undefined) return {};
  const { next, until } = walk.view.neighbours(chain, index);
  return { write, next, span: { dataset: parent, from: write.time, to: until } };
}

async function oneGoesTo(walk: WalkSink, version: NodeRow): Promise<void> {
  const uses = walk.view.loadedUses(version.key);
  if (uses.length > limits.hubEdgesMax) {
    walk.stops.push({ key: version.key, reason: 'hub', count: uses.length });
    return;
  }
  for (const use of uses) {
    if (use.use !== 'read') continue;
    walk.reads.push(use);
    walk.add(readEdge(use, version.key), use.dataset);
  }
  if (version.parent === null) return;
  sameContentDown(walk, version);
  const { write, next, span } = await currency(walk, version);
  if (write === undefined || span === undefined) return;
  const how = next && continuation(next.mode);
  if (next && how) walk.add(continuedEdge(write, next.version, how, next.time));
  await readWhileCurrent(walk, span, write);
}

function sameContentDown(walk: WalkSink, version: NodeRow): void {
  for (const each of walk.view.loadedSame(version.key)) {
    if (walk.view.loadedUses(each.same).some((use) => use.use === 'write')) continue;
    walk.add({
      from: version.key,
      to: each.same,
      relation: 'continued-as',
      known: 'inferred',
      rule: 'content-digest',
      positions: [each.position],
      validFrom: 0,
    });
  }
}

/** Reads that named no version, or one that nobody wrote, between this version and the next. */
async function readWhileCurrent(walk: WalkSink, span: Span, write: Write): Promise<void> {
  const reads = (await walk.view.readsBetween(span)).filter((use) => use.run !== write.run);
  if (reads.length > limits.hubEdgesMax) {
    const count = await walk.view.countReads(span.dataset, span);
    walk.stops.push({ key: write.version, reason: 'hub', count });
    return;
  }
  await walk.view.loadVersions(reads.flatMap((use) => use.version ?? []));
  for (const use of reads) {
    if (use.version === null) {
      walk.reads.push(use);
      walk.add(
        readEdge(use, write.version, { known: 'inferred', rule: 'newest-completed-before' }),
        use.dataset,
      );
      continue;
    }
    const written = walk.view.loadedUses(use.version).some((row) => row.use === 'write');
    if (!written && use.version !== write.version) {
      walk.add(
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
export async function versionsOf(walk: WalkSink, dataset: NodeRow): Promise<void> {
  const members = await walk.view.names.of(dataset.key);
  const versions = (
    await walk.view.reader.children(members, 'datasetVersion', limits.hubEdgesMax + 1)
  ).filter((row) => row.position <= walk.view.moment.position);
  if (versions.length > limits.hubEdgesMax)
    walk.stops.push({ key: dataset.key, reason: 'hub', count: versions.length });
  else for (const version of versions) walk.add(hasEdge(version));
  const reads = await walk.view.reader.usesOfDatasets('read', members, {
    limit: limits.hubEdgesMax + 1,
  });
  if (reads.length > limits.hubEdgesMax) {
    walk.stops.push({
      key: dataset.key,
      reason: 'hub',
      count: await walk.view.countReads(dataset.key),
    });
    return;
  }
  for (const use of reads) {
    if (use.version !== null || !walk.view.seen(use)) continue;
    if ((await walk.view.currentAt(use.dataset, use.time, use.run)) !== undefined) continue;
    walk.reads.push(use);
    walk.add(readEdge(use, use.dataset), use.dataset);
  }
}
