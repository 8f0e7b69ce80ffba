import { limits } from '../base/limits.ts';
import type { Family } from './identity/family.ts';
import { createNames, type DatasetNames } from './identity/names.ts';
import { GraphMemory } from './memory.ts';
import {
  chainOf,
  type Drop,
  dropTimeOf,
  isDropped,
  type Moment,
  type Past,
  preferNamed,
  type Span,
  spanId,
  type Write,
  writeAfter,
  writeBefore,
} from './moment.ts';
import type { DatasetUseRow, LineageReader, RunUsesQuery, SameContentRow } from './store.ts';
import { entryOf, GraphRows, none } from './view-rows.ts';

/**
 * The graph as of a moment. Everything that depends on the order of events in the world (which
 * version was current, what continues what) is found here when it is asked for, never stored: so a
 * late event needs no repair, and any moment can be asked. Remembers what it read: one view an answer.
 */
export class GraphView extends GraphRows {
  readonly names: DatasetNames;
  /** Of datasets with several names, by the first member of their family, like the two below. */
  readonly #writes = new Map<number, readonly Write[]>();
  readonly #drops = new Map<number, readonly Drop[]>();
  readonly #reads = new Map<string, readonly DatasetUseRow[]>();

  constructor(reader: LineageReader, moment: Moment, memory = new GraphMemory()) {
    super(reader, moment, memory);
    const any = async (): Promise<boolean> => (await this.rareRows()).merges;
    this.names = createNames({ reader, moment, memory, any });
  }

  /** Reads what is written to many datasets together, for the questions that follow. */
  async loadDatasets(datasets: readonly number[]): Promise<void> {
    const distinct = [...new Set(datasets)];
    await this.names.load(distinct);
    const families = new Map<number, Family>();
    for (const dataset of distinct) {
      const found = this.names.family(dataset);
      const first = found.members[0] ?? dataset;
      if (!(this.memory.writes.has(first) || this.#writes.has(first))) families.set(first, found);
    }
    if (families.size === 0) return;
    const members = [...families.values()].flatMap((found) => found.members);
    const options = { limit: limits.usesMax };
    const all = await this.reader.usesOfDatasets('write', members, options);
    const rows = all.filter((row) => this.seen(row));
    const { drops: any } = await this.rareRows();
    const drops = any ? (await this.reader.drops(members)).filter((drop) => this.seen(drop)) : [];
    await this.loadRuns([...new Set(rows.map((row) => row.run))]);
    const byDataset = Map.groupBy(rows, (row) => row.dataset);
    for (const [first, family] of families) {
      const mine = family.members;
      const dropped = drops.filter((drop) => mine.includes(drop.dataset));
      const written =
        mine.length === 1 ? byDataset.get(first) : mine.flatMap((key) => byDataset.get(key) ?? []);
      const kept = this.#kept(first);
      if (kept === this.memory) this.#keepWriters(first, written ?? []);
      kept.drops.set(first, dropped);
      kept.writes.set(
        first,
        chainOf(written ?? [], (run) => this.loadedRun(run)),
      );
    }
    if (all.length < limits.usesMax) this.#keepWrites(rows);
    else this.memory.partial = true;
  }

  #keepWriters(dataset: number, rows: readonly DatasetUseRow[]): void {
    const { writtenIn } = this.memory;
    for (const { run } of rows) {
      const datasets = writtenIn.get(run);
      if (datasets === undefined) writtenIn.set(run, new Set([dataset]));
      else datasets.add(dataset);
    }
  }

  /** Every write of some datasets: so these are all writes of their versions too. */
  #keepWrites(rows: readonly DatasetUseRow[]): void {
    for (const [version, writes] of Map.groupBy(rows, (row) => row.version)) {
      // Of several, which comes first is for `usesOfVersions` to say.
      if (version !== null && writes.length === 1) this.memory.versionWrites.set(version, writes);
    }
  }

  /** Reads who wrote versions, for `loadedWrites`; nothing where their datasets were loaded. */
  async loadWrites(versions: readonly number[]): Promise<void> {
    const { versionWrites } = this.memory;
    await this.loadVersions(versions.filter((version) => !versionWrites.has(version)));
  }

  /** Writes of a version that was loaded. */
  loadedWrites(version: number): readonly DatasetUseRow[] {
    return (
      this.memory.versionWrites.get(version) ??
      this.loadedUses(version).filter(({ use }) => use === 'write')
    );
  }

  /** Reads the uses of many versions together. */
  async loadVersions(versions: readonly number[]): Promise<void> {
    const { versionUses } = this.memory;
    const unknown = versions.filter((version) => !versionUses.has(version));
    if (unknown.length === 0) return;
    const rows = await this.reader.usesOfVersions(unknown, limits.usesMax);
    if (rows.length === limits.usesMax) this.memory.partial = true;
    const byVersion = Map.groupBy(
      rows.filter((row) => this.seen(row)),
      (row) => row.version,
    );
    for (const version of unknown) versionUses.set(version, byVersion.get(version) ?? none);
  }

  /** Reads and writes that name the version. */
  async usesOfVersion(version: number): Promise<readonly DatasetUseRow[]> {
    await this.loadVersions([version]);
    return this.loadedUses(version);
  }

  /** `usesOfVersion` of a version that was loaded. */
  loadedUses(version: number): readonly DatasetUseRow[] {
    return this.memory.versionUses.get(version) ?? [];
  }

  /** Reads what was read in many spans together, for `readsBetween`; where it is much, only when it is asked for. */
  async loadReads(spans: readonly Span[]): Promise<void> {
    const unknown = spans.filter((span) => this.#loadedReads(span) === undefined);
    if (unknown.length < 2) return;
    await this.names.load(unknown.map(({ dataset }) => dataset));
    const rows = await this.reader.readsOfSpans(
      unknown.map((span) => ({ ...span, datasets: this.names.family(span.dataset).members })),
      limits.hubEdgesMax + 1,
    );
    if (rows.length > limits.hubEdgesMax) return;
    const bySpan = Map.groupBy(rows, ({ span }) => span);
    for (const [index, span] of unknown.entries()) {
      const uses = (bySpan.get(index) ?? []).map(({ use }) => use);
      this.#keepReads(span, this.#readsOf(span, uses));
    }
    await this.loadVersions(rows.flatMap(({ use }) => use.version ?? []));
  }

  /** Reads of the dataset under all its names in the span; no more of a hub than shows that it is one. */
  async readsBetween(span: Span): Promise<readonly DatasetUseRow[]> {
    const loaded = this.#loadedReads(span);
    if (loaded !== undefined) return loaded;
    await this.names.load([span.dataset]);
    const { members } = this.names.family(span.dataset);
    const options = { from: span.from, to: span.to, limit: limits.hubEdgesMax + 1 };
    const rows = await this.reader.usesOfDatasets('read', members, options);
    const seen = this.#readsOf(span, rows);
    if (rows.length < options.limit) this.#keepReads(span, seen);
    return seen;
  }

  /** Those of the reads of the family that read what was this dataset then. */
  #readsOf({ dataset }: Span, reads: readonly DatasetUseRow[]): readonly DatasetUseRow[] {
    return reads.filter(
      (read) => this.seen(read) && this.names.areOne(dataset, read.dataset, read.time),
    );
  }

  /** Where the writes and drops of a family are kept, by its first member. */
  #kept(first: number): Pick<GraphMemory, 'writes' | 'drops'> {
    return this.memory.alone.has(first)
      ? this.memory
      : { drops: this.#drops, writes: this.#writes };
  }

  #loadedReads(span: Span): readonly DatasetUseRow[] | undefined {
    const id = spanId(span);
    return this.memory.reads.get(span.dataset)?.get(id) ?? this.#reads.get(id);
  }

  #keepReads(span: Span, reads: readonly DatasetUseRow[]): void {
    const kept = this.memory.alone.has(span.dataset)
      ? entryOf(this.memory.reads, span.dataset)
      : this.#reads;
    kept.set(spanId(span), reads);
  }

  /** Reads which versions have the content of others, many together, for `loadedSame`. */
  async loadSameContent(versions: readonly number[]): Promise<void> {
    const { same } = this.memory;
    const unknown = versions.filter((version) => !same.has(version));
    if (unknown.length === 0) return;
    if (!(await this.rareRows()).digests) return;
    let rows = await this.reader.sameContent(unknown, limits.hubEdgesMax);
    if (rows.length === limits.hubEdgesMax && unknown.length > 1) {
      const parts = [];
      for (const version of unknown)
        parts.push(...(await this.reader.sameContent([version], limits.hubEdgesMax)));
      rows = parts;
    }
    const seen = rows.filter(({ position }) => position <= this.moment.position);
    const byVersion = Map.groupBy(seen, ({ version }) => version);
    for (const version of unknown) same.set(version, byVersion.get(version) ?? none);
  }

  /** Versions with the content of one that was loaded. */
  loadedSame(version: number): readonly SameContentRow[] {
    return this.memory.same.get(version) ?? [];
  }

  /** How many reads the dataset has under all its names, in the span or at all, whatever the limit. */
  async countReads(dataset: number, span?: Span): Promise<number> {
    const members = await this.names.of(dataset);
    const what = `reads ${span === undefined ? '' : spanId(span)}`;
    const count = () => this.reader.countUsesOfDatasets('read', members, span);
    return this.memory.alone.has(dataset) ? this.count(dataset, what, count) : count();
  }

  /** Reads and writes of runs; of one run and dataset, what named a version hides what named none. */
  async usesOfRuns(
    runs: readonly number[],
    options: RunUsesQuery & { readonly use: 'read' | 'write' },
  ): Promise<readonly DatasetUseRow[]> {
    const known = this.memory[options.use === 'read' ? 'read' : 'written'];
    const unknown = options.withAttributes ? runs : runs.filter((run) => !known.has(run));
    const rows = unknown.length === 0 ? [] : await this.reader.usesOfRuns(unknown, options);
    const chosen = preferNamed(rows.filter((row) => this.seen(row)));
    if (options.withAttributes) return chosen;
    const byRun = Map.groupBy(chosen, ({ run }) => run);
    for (const run of unknown) known.set(run, byRun.get(run) ?? none);
    return runs.flatMap((run) => known.get(run) ?? []);
  }

  /** Completed writes of the dataset under all its names, oldest first. */
  async writesOf(dataset: number): Promise<readonly Write[]> {
    await this.loadDatasets([dataset]);
    return this.#loadedWrites(dataset);
  }

  #loadedWrites(dataset: number): readonly Write[] {
    const first = this.names.family(dataset).members[0] ?? dataset;
    return this.#kept(first).writes.get(first) ?? [];
  }

  /**
   * The writes before and after a version of the chain of its dataset, to what was the same dataset, and
   * when it was no longer current, ms: after the next write, or a drop.
   */
  neighbours(
    chain: readonly Write[],
    index: number,
  ): { previous?: Write; next?: Write; until?: number } {
    const write = chain[index];
    if (write === undefined) return {};
    const past = this.#pastOf(write.row.dataset);
    const previous = writeBefore(chain, index, past);
    const next = writeAfter(chain, index, past);
    const until = next?.time ?? dropTimeOf(write, past);
    return { ...(previous && { previous }), ...(next && { next }), ...(until && { until }) };
  }

  /** The newest version completed at or before `time`, not written by `reader` itself. */
  async currentAt(dataset: number, time: number, reader?: number): Promise<Write | undefined> {
    await this.loadDatasets([dataset]);
    return this.loadedCurrentAt(dataset, time, reader);
  }

  /** `currentAt` of a dataset that was loaded. */
  loadedCurrentAt(dataset: number, time: number, reader?: number): Write | undefined {
    const past = this.#pastOf(dataset);
    return this.#loadedWrites(dataset).findLast(
      (write) =>
        write.time <= time &&
        write.run !== reader &&
        this.names.areOne(dataset, write.row.dataset, time) &&
        !isDropped(write, time, past),
    );
  }

  /** Of a dataset that was loaded. */
  #pastOf(dataset: number): Past {
    const family = this.names.family(dataset);
    const first = family.members[0] ?? dataset;
    return { family, drops: this.#kept(first).drops.get(first) ?? none };
  }
}
