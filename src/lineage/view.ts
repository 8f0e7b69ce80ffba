import { limits } from '../base/limits.ts';
import type { RunState, WriteMode } from '../facts/facts.ts';
import type { Known } from '../facts/relations.ts';
import type {
  ColumnRow,
  DatasetUseRow,
  Direction,
  EdgeRow,
  LineageReader,
  MergeRow,
  NodeRow,
  RareRows,
  RunUsesQuery,
  SameContentRow,
} from './store.ts';

/** What was known (positions up to `position`) and what was true (at `at`, ms). */
export interface Moment {
  readonly position: number;
  readonly at: number | undefined;
}

/** A run as its events up to the moment tell, in event order. */
export interface RunStatus {
  readonly state: RunState;
  readonly startTime: number;
  /** When what it wrote became current; undefined while it runs and when it failed. */
  readonly completedTime: number | undefined;
  readonly endTime: number | undefined;
}

/** One completed write: a version of a dataset that was current from `time` on. */
export interface Write {
  readonly version: number;
  readonly run: number;
  readonly time: number;
  readonly mode: WriteMode;
  readonly row: DatasetUseRow;
}

/** Event time [from, to) in ms of a dataset. */
export interface Span {
  readonly dataset: number;
  readonly from: number;
  readonly to: number | undefined;
}

const spanId = ({ dataset, from, to }: Span): string => `${dataset} ${from} ${to ?? ''}`;

/** Names of one dataset: its members and why they are one. */
export interface DatasetClass {
  readonly members: readonly number[];
  readonly merges: readonly MergeRow[];
}

const terminal: ReadonlySet<string> = new Set(['COMPLETE', 'FAIL', 'ABORT']);
const terminalRank: Readonly<Record<string, number>> = { COMPLETE: 0, ABORT: 1, FAIL: 2 };

/**
 * The graph as of a moment. Everything that depends on the order of events in the world (which
 * version was current, what continues what) is found here when it is asked for, never stored: so a
 * late event needs no repair, and any moment can be asked. Remembers what it read: one view an answer.
 */
export class GraphView {
  readonly reader: LineageReader;
  readonly moment: Moment;
  readonly #classes = new Map<number, DatasetClass>();
  readonly #runs = new Map<number, RunStatus | undefined>();
  /** By the first member of a class, like drops. */
  readonly #writes = new Map<number, readonly Write[]>();
  readonly #drops = new Map<number, readonly number[]>();
  readonly #versionUses = new Map<number, DatasetUseRow[]>();
  /** Writes by version, of those that are known without `#versionUses`. */
  readonly #versionWrites = new Map<number, readonly DatasetUseRow[]>();
  readonly #nodes = new Map<number, NodeRow>();
  readonly #reads = new Map<string, readonly DatasetUseRow[]>();
  readonly #same = new Map<number, SameContentRow[]>();
  #rare: RareRows | undefined;

  constructor(reader: LineageReader, moment: Moment) {
    this.reader = reader;
    this.moment = moment;
  }

  /** Of which rare kinds of rows there are any. */
  async rareRows(): Promise<RareRows> {
    this.#rare ??= await this.reader.rareRows();
    return this.#rare;
  }

  /** True when the row was recorded by then and its event had happened by then. */
  seen(row: {
    readonly position: number;
    readonly time?: number;
    readonly validFrom?: number;
    readonly validTo?: number | null;
  }): boolean {
    if (row.position > this.moment.position) return false;
    const { at } = this.moment;
    if (at === undefined) return true;
    if ((row.time ?? row.validFrom ?? 0) > at) return false;
    return row.validTo === undefined || row.validTo === null || row.validTo > at;
  }

  async nodes(keys: readonly number[]): Promise<NodeRow[]> {
    const unknown = keys.filter((key) => !this.#nodes.has(key));
    if (unknown.length > 0)
      for (const node of await this.reader.nodes(unknown))
        this.#nodes.set(node.key, this.#alive(node));
    return keys.flatMap((key) => this.#nodes.get(key) ?? []);
  }

  /** Stored edges; nodes with more than `hubEdgesMax` are named as hubs instead. */
  async edges(
    direction: Direction,
    keys: readonly number[],
  ): Promise<{ rows: EdgeRow[]; hubs: readonly number[] }> {
    const { rows, hubs } = await this.reader.edges(direction, keys, limits.hubEdgesMax);
    return { rows: rows.map((row) => this.#open(row)).filter((row) => this.seen(row)), hubs };
  }

  /** The runs that runs are part of. */
  async wholesOf(runs: readonly number[]): Promise<EdgeRow[]> {
    const rows = await this.reader.edgesOut('part-of', runs);
    return rows.map((row) => this.#open(row)).filter((row) => this.seen(row));
  }

  /** An end that was told of later is not known yet. */
  #open(row: EdgeRow): EdgeRow {
    const later = (row.validToPosition ?? -1) > this.moment.position;
    return later ? { ...row, validTo: null, validToPosition: null } : row;
  }

  #alive(node: NodeRow): NodeRow {
    const later = (node.deletedPosition ?? -1) > this.moment.position;
    return later ? { ...node, deletedTime: null, deletedPosition: null } : node;
  }

  /** All names of the dataset, itself included: the closure over merges seen by then. */
  async classOf(dataset: number): Promise<DatasetClass> {
    if (!this.#classes.has(dataset)) await this.loadClasses([dataset]);
    return this.loadedClass(dataset);
  }

  /** `classOf` of a dataset that was loaded. */
  loadedClass(dataset: number): DatasetClass {
    return this.#classes.get(dataset) ?? { members: [dataset], merges: [] };
  }

  /** Reads the names of many datasets together: a merge is rare, so most end after one look. */
  async loadClasses(datasets: readonly number[]): Promise<void> {
    const unknown = datasets.filter((dataset) => !this.#classes.has(dataset));
    // The second look finds the rows of the first again, from their other side.
    const merges = new Map<string, MergeRow>();
    const known = new Set(unknown);
    const { merges: any } = await this.rareRows();
    for (let fresh = any ? unknown : []; fresh.length > 0; ) {
      const rows = (await this.reader.merges(fresh)).filter(
        (row) => row.position <= this.moment.position,
      );
      for (const row of rows) merges.set(`${row.a} ${row.b} ${row.rule}`, row);
      fresh = [...new Set(rows.flatMap(({ a, b }) => [a, b]))].filter((key) => !known.has(key));
      for (const key of fresh) known.add(key);
    }
    for (const dataset of merges.size === 0 ? [] : unknown) {
      if (this.#classes.has(dataset)) continue;
      const found = closure(dataset, [...merges.values()]);
      for (const member of found.members) this.#classes.set(member, found);
    }
    for (const dataset of unknown)
      if (!this.#classes.has(dataset))
        this.#classes.set(dataset, { members: [dataset], merges: [] });
  }

  /** Reads what is written to many datasets together, for the questions that follow. */
  async loadDatasets(datasets: readonly number[]): Promise<void> {
    const distinct = [...new Set(datasets)];
    await this.loadClasses(distinct);
    const classes = new Map<number, DatasetClass>();
    for (const dataset of distinct) {
      const found = this.loadedClass(dataset);
      const first = found.members[0] ?? dataset;
      if (!this.#writes.has(first)) classes.set(first, found);
    }
    if (classes.size === 0) return;
    const members = [...classes.values()].flatMap((found) => found.members);
    const options = { limit: limits.usesMax };
    const all = await this.reader.usesOfDatasets('write', members, options);
    const rows = all.filter((row) => this.seen(row));
    const { drops: any } = await this.rareRows();
    const drops = any ? (await this.reader.drops(members)).filter((drop) => this.seen(drop)) : [];
    await this.loadRuns([...new Set(rows.map((row) => row.run))]);
    const byDataset = Map.groupBy(rows, (row) => row.dataset);
    for (const [first, { members: mine }] of classes) {
      const dropped = drops.filter((drop) => mine.includes(drop.dataset)).map((drop) => drop.time);
      const written =
        mine.length === 1 ? byDataset.get(first) : mine.flatMap((key) => byDataset.get(key) ?? []);
      this.#drops.set(first, dropped);
      this.#writes.set(first, this.#chain(written ?? [], dropped));
    }
    if (all.length < limits.usesMax) this.#keepWrites(rows);
  }

  /** Every write of some datasets: so these are all writes of their versions too. */
  #keepWrites(rows: readonly DatasetUseRow[]): void {
    for (const [version, writes] of Map.groupBy(rows, (row) => row.version)) {
      // Of several, which comes first is for `usesOfVersions` to say.
      if (version !== null && writes.length === 1) this.#versionWrites.set(version, writes);
    }
  }

  /** Reads who wrote versions, for `loadedWrites`; nothing where their datasets were loaded. */
  async loadWrites(versions: readonly number[]): Promise<void> {
    await this.loadVersions(versions.filter((version) => !this.#versionWrites.has(version)));
  }

  /** Writes of a version that was loaded. */
  loadedWrites(version: number): readonly DatasetUseRow[] {
    return (
      this.#versionWrites.get(version) ??
      this.loadedUses(version).filter(({ use }) => use === 'write')
    );
  }

  /** Reads the uses of many versions together. */
  async loadVersions(versions: readonly number[]): Promise<void> {
    const unknown = versions.filter((version) => !this.#versionUses.has(version));
    if (unknown.length === 0) return;
    for (const version of unknown) this.#versionUses.set(version, []);
    for (const row of await this.reader.usesOfVersions(unknown, limits.usesMax)) {
      if (row.version !== null && this.seen(row)) this.#versionUses.get(row.version)?.push(row);
    }
  }

  /** Reads and writes that name the version. */
  async usesOfVersion(version: number): Promise<readonly DatasetUseRow[]> {
    await this.loadVersions([version]);
    return this.loadedUses(version);
  }

  /** `usesOfVersion` of a version that was loaded. */
  loadedUses(version: number): readonly DatasetUseRow[] {
    return this.#versionUses.get(version) ?? [];
  }

  /** Reads what was read in many spans together, for `readsBetween`; where it is much, only when it is asked for. */
  async loadReads(spans: readonly Span[]): Promise<void> {
    const unknown = spans.filter((span) => !this.#reads.has(spanId(span)));
    if (unknown.length < 2) return;
    await this.loadClasses(unknown.map(({ dataset }) => dataset));
    const rows = await this.reader.readsOfSpans(
      unknown.map((span) => ({ ...span, datasets: this.loadedClass(span.dataset).members })),
      limits.hubEdgesMax + 1,
    );
    if (rows.length > limits.hubEdgesMax) return;
    const bySpan = Map.groupBy(rows, ({ span }) => span);
    for (const [index, span] of unknown.entries()) {
      const uses = (bySpan.get(index) ?? []).map(({ use }) => use);
      this.#reads.set(
        spanId(span),
        uses.filter((use) => this.seen(use)),
      );
    }
    await this.loadVersions(rows.flatMap(({ use }) => use.version ?? []));
  }

  /** Reads of the dataset under all its names in the span; no more of a hub than shows that it is one. */
  async readsBetween(span: Span): Promise<readonly DatasetUseRow[]> {
    const loaded = this.#reads.get(spanId(span));
    if (loaded !== undefined) return loaded;
    const { members } = await this.classOf(span.dataset);
    const options = { from: span.from, to: span.to, limit: limits.hubEdgesMax + 1 };
    const rows = await this.reader.usesOfDatasets('read', members, options);
    return rows.filter((row) => this.seen(row));
  }

  /** Reads which versions have the content of others, many together, for `loadedSame`. */
  async loadSameContent(versions: readonly number[]): Promise<void> {
    const unknown = versions.filter((version) => !this.#same.has(version));
    if (unknown.length === 0) return;
    if (!(await this.rareRows()).digests) return;
    let rows = await this.reader.sameContent(unknown, limits.hubEdgesMax);
    if (rows.length === limits.hubEdgesMax && unknown.length > 1) {
      const parts = [];
      for (const version of unknown)
        parts.push(...(await this.reader.sameContent([version], limits.hubEdgesMax)));
      rows = parts;
    }
    for (const version of unknown) this.#same.set(version, []);
    for (const row of rows)
      if (row.position <= this.moment.position) this.#same.get(row.version)?.push(row);
  }

  /** Versions with the content of one that was loaded. */
  loadedSame(version: number): readonly SameContentRow[] {
    return this.#same.get(version) ?? [];
  }

  /** How many reads the span holds, whatever the limit. */
  async countReadsBetween(span: Span): Promise<number> {
    const { members } = await this.classOf(span.dataset);
    return this.reader.countUsesOfDatasets('read', members, span);
  }

  async run(key: number): Promise<RunStatus | undefined> {
    if (!this.#runs.has(key)) await this.loadRuns([key]);
    return this.loadedRun(key);
  }

  /** `run` of one that was loaded. */
  loadedRun(key: number): RunStatus | undefined {
    return this.#runs.get(key);
  }

  async loadRuns(keys: readonly number[]): Promise<void> {
    const unknown = keys.filter((key) => !this.#runs.has(key));
    if (unknown.length === 0) return;
    const byRun = new Map<number, { state: RunState; time: number; streaming: boolean }[]>();
    for (const event of await this.reader.runEvents(unknown)) {
      if (!this.seen(event)) continue;
      const events = byRun.get(event.run) ?? [];
      events.push(event);
      byRun.set(event.run, events);
    }
    for (const key of unknown) this.#runs.set(key, statusOf(byRun.get(key) ?? []));
  }

  /** Reads and writes of runs; of one run and dataset, what named a version hides what named none. */
  async usesOfRuns(runs: readonly number[], options?: RunUsesQuery): Promise<DatasetUseRow[]> {
    const rows = (await this.reader.usesOfRuns(runs, options)).filter((row) => this.seen(row));
    return preferNamed(rows);
  }

  /** Completed writes of the dataset under all its names, oldest first. */
  async writesOf(dataset: number): Promise<readonly Write[]> {
    await this.loadDatasets([dataset]);
    return this.#loadedWrites(dataset);
  }

  #loadedWrites(dataset: number): readonly Write[] {
    return this.#writes.get(this.loadedClass(dataset).members[0] ?? dataset) ?? [];
  }

  #chain(rows: readonly DatasetUseRow[], dropped: readonly number[]): readonly Write[] {
    const writes: Write[] = [];
    for (const row of preferNamed(rows)) {
      const completed = this.#runs.get(row.run)?.completedTime;
      if (completed === undefined || row.version === null) continue;
      writes.push({ version: row.version, run: row.run, time: completed, mode: row.mode, row });
    }
    writes.sort((a, b) => a.time - b.time || a.row.time - b.row.time || a.version - b.version);
    // What was written before a drop is nobody's past any more: the next write starts afresh.
    return writes.map((write, index) => {
      const before = writes[index - 1];
      const cut =
        before !== undefined && dropped.some((time) => time >= before.time && time <= write.time);
      return cut ? { ...write, mode: 'replace' as const } : write;
    });
  }

  /** The newest version completed at or before `time`, not written by `reader` itself. */
  async currentAt(dataset: number, time: number, reader?: number): Promise<Write | undefined> {
    await this.loadDatasets([dataset]);
    return this.loadedCurrentAt(dataset, time, reader);
  }

  /** `currentAt` of a dataset that was loaded. */
  loadedCurrentAt(dataset: number, time: number, reader?: number): Write | undefined {
    let current: Write | undefined;
    for (const write of this.#loadedWrites(dataset)) {
      if (write.time > time) break;
      if (write.run !== reader) current = write;
    }
    if (!current) return undefined;
    const written = current.time;
    const drops = this.#drops.get(this.loadedClass(dataset).members[0] ?? dataset) ?? [];
    return drops.some((drop) => drop > written && drop <= time) ? undefined : current;
  }

  /** Column edges that count: reported in a run, or by a job's newest declaration. */
  async columns(direction: Direction, fields: readonly number[]): Promise<ColumnRow[]> {
    return (await this.reader.columns(direction, fields)).filter((row) => this.seen(row));
  }
}

/** The names that merges join with a dataset, itself first. */
function closure(dataset: number, merges: readonly MergeRow[]): DatasetClass {
  const members = new Set([dataset]);
  const used = new Set<MergeRow>();
  for (let grew = true; grew; ) {
    grew = false;
    for (const row of merges) {
      if (used.has(row) || !(members.has(row.a) || members.has(row.b))) continue;
      used.add(row);
      members.add(row.a).add(row.b);
      grew = true;
    }
  }
  return { members: [...members], merges: [...used] };
}

function statusOf(
  events: readonly { state: RunState; time: number; streaming: boolean }[],
): RunStatus | undefined {
  if (events.length === 0) return undefined;
  const startTime = Math.min(...events.map((event) => event.time));
  const lastTime = Math.max(...events.map((event) => event.time));
  const ends = events
    .filter((event) => terminal.has(event.state))
    .sort((a, b) => b.time - a.time || (terminalRank[b.state] ?? 0) - (terminalRank[a.state] ?? 0));
  const end = ends[0];
  if (end)
    return {
      state: end.state,
      startTime,
      endTime: end.time,
      completedTime: end.state === 'COMPLETE' ? end.time : undefined,
    };
  const started = events.some((event) => event.state === 'START' || event.state === 'RUNNING');
  if (!started) return { state: 'OTHER', startTime, endTime: lastTime, completedTime: lastTime };
  // A streaming run never completes: what it writes is current while it runs.
  const streaming = events.some((event) => event.streaming);
  return {
    state: events.some((event) => event.state === 'RUNNING') ? 'RUNNING' : 'START',
    startTime,
    endTime: undefined,
    completedTime: streaming ? startTime : undefined,
  };
}

function preferNamed(rows: readonly DatasetUseRow[]): DatasetUseRow[] {
  const named = new Set(
    rows.filter((row) => row.named).map((row) => `${row.use} ${row.run} ${row.dataset}`),
  );
  return rows.filter((row) => row.named || !named.has(`${row.use} ${row.run} ${row.dataset}`));
}

/** How a version is known to continue the one before it: by the write's mode, else by guess. */
export function continuation(
  mode: WriteMode,
): { readonly known: Known; readonly rule: string } | undefined {
  if (mode === 'replace') return undefined;
  return mode === 'append'
    ? { known: 'observed', rule: 'append' }
    : { known: 'inferred', rule: 'write-mode-unknown' };
}
