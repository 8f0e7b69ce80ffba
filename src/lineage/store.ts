import type { Awaitable } from '../base/awaitable.ts';
import type { RunState, WriteMode } from '../facts/facts.ts';
import type { EntityKind } from '../facts/kinds.ts';
import type { Known, Relation } from '../facts/relations.ts';

/** A node as stored. `key` is a surrogate of this store: it never leaves the server. */
export interface NodeRow {
  readonly key: number;
  readonly kind: EntityKind;
  readonly ref: string;
  /** The ref at creation: what the immutable public id is made of. */
  readonly originRef: string;
  /** The dataset of a version or field. */
  readonly parent: number | null;
  /** Last part of the ref, to read and to search. */
  readonly name: string;
  /** Position of the entry that first told of it. */
  readonly position: number;
  /** Time of the tombstone, ms; null while it lives. */
  readonly deletedTime: number | null;
  /** Position of the entry that told of the tombstone. */
  readonly deletedPosition: number | null;
}

/** When something was recorded: position of the first entry that told of it, and of the last. */
interface Recorded {
  readonly position: number;
  readonly lastPosition: number;
  /** Recorded time of the first, ms. */
  readonly recordedTime: number;
}

/** An edge between stored nodes, along the flow. */
export interface EdgeRow extends Recorded {
  readonly from: number;
  readonly to: number;
  readonly relation: Relation;
  readonly role: string | null;
  readonly known: Known;
  readonly rule: string | null;
  /** Valid: event times in ms. */
  readonly validFrom: number;
  readonly validTo: number | null;
  /** Position of the entry that told of the end. */
  readonly validToPosition: number | null;
}

/** One state change of a run, as an event told it. */
export interface RunEventRow {
  readonly run: number;
  readonly state: RunState;
  readonly time: number;
  readonly streaming: boolean;
  readonly position: number;
}

/** One read or write of a dataset by a run. */
export interface DatasetUseRow extends Recorded {
  readonly use: 'read' | 'write';
  readonly run: number;
  readonly dataset: number;
  /** Null in a read that named no version: the one current at `time` is meant. */
  readonly version: number | null;
  /** True when the tool named the version; otherwise a written version is called by its run. */
  readonly named: boolean;
  readonly role: string | null;
  readonly mode: WriteMode;
  readonly known: Known;
  readonly rule: string | null;
  /** JSON text of what was told about this read or write (schema, row count), where it was asked for. */
  readonly attributes: string | null;
  /** First event time that told of it. */
  readonly time: number;
}

/** A column derived from another in a run, or as a job declares it. */
export interface ColumnRow {
  readonly from: number;
  readonly to: number;
  readonly via: number;
  readonly how: string | null;
  readonly known: Known;
  readonly rule: string | null;
  readonly time: number;
  readonly position: number;
  readonly recordedTime: number;
}

/** Two names of one dataset, or of two. Applied when walking, never written into the edges. */
export interface MergeRow {
  readonly a: number;
  readonly b: number;
  readonly rule: string;
  /** Id of the statement that says so; '' when a tool reported it. */
  readonly statement: string;
  /** True: whatever joins the two names does not. */
  readonly apart: boolean;
  /** Valid: event times in ms; null without that end. */
  readonly validFrom: number | null;
  readonly validTo: number | null;
  readonly position: number;
}

/** A statement that another one took the place of: at `validFrom`, ms, or from the beginning. */
export interface SupersededRow {
  readonly statement: string;
  readonly by: string;
  /** What the two statements are about; null where they are not recorded. */
  readonly ref: string | null;
  readonly byRef: string | null;
  readonly validFrom: number | null;
  readonly position: number;
}

/** In a run or job an output comes of an input; once any is told, of no others. */
export interface FlowRow {
  readonly via: number;
  readonly output: number;
  /** Null: of none. */
  readonly input: number | null;
  readonly time: number;
  readonly position: number;
}

export interface AttributeRow {
  readonly node: number;
  readonly name: string;
  /** JSON text; `null` removes it. */
  readonly value: string;
  /** Event time of the newest message that told it, ms, and of the first. */
  readonly time: number;
  readonly firstTime: number;
  readonly position: number;
}

/** A job says that it reads or writes a dataset; its newest declaration replaces earlier ones. */
export interface DeclarationRow {
  readonly job: number;
  readonly dataset: number;
  readonly use: 'read' | 'write';
  readonly time: number;
  readonly position: number;
  readonly recordedTime: number;
}

export interface StatementRow {
  readonly id: string;
  readonly node: number;
  readonly type: string;
  /** JSON text. */
  readonly body: string;
  readonly time: number;
  readonly position: number;
}

/** A name as a tool sent it, where it was not the canonical one. */
export interface NameRow {
  readonly dataset: number;
  readonly namespace: string;
  readonly name: string;
  readonly rule: string;
  readonly position: number;
}

export type Direction = 'up' | 'down';

/** Which uses of datasets: at most `limit` in all, of a span of event time [from, to) in ms. */
export interface UsesQuery {
  readonly limit: number;
  readonly withAttributes?: boolean;
  readonly from?: number;
  readonly to?: number | undefined;
}

/** Names of one dataset and a span of event time [from, to) in ms. */
export interface ReadSpan {
  readonly datasets: readonly number[];
  readonly from: number;
  readonly to: number | undefined;
}

/** Another version with the content of `version`. */
export interface SameContentRow {
  readonly version: number;
  readonly same: number;
  readonly position: number;
}

/** A ref and name that a node gave up: at `until`, ms. Numbered by node, oldest first. */
export interface FormerRefRow {
  readonly node: number;
  readonly number: number;
  readonly ref: string;
  readonly name: string;
  readonly until: number;
  readonly position: number;
}

/** As known at a position, and as it was at a time, ms. */
export interface AsOf {
  readonly position: number;
  readonly at: number | undefined;
}

/** Kinds of rows that most stores have few or none of: where there are none, none are asked for. */
export interface RareRows {
  readonly merges: boolean;
  readonly drops: boolean;
  readonly declarations: boolean;
  readonly digests: boolean;
  readonly flows: boolean;
  /** Position of the newest rename; -1 when there is none. */
  readonly renamed: number;
}

/** Which uses of runs; both reads and writes without `use`. */
export interface RunUsesQuery {
  readonly use?: 'read' | 'write';
  /** `attributes` are looked up only when asked for: schemas are long. */
  readonly withAttributes?: boolean;
}

/** Queries of the graph, set by set. */
export interface LineageReader {
  /** By ref: the one that it was at the moment, else the current one, else the last that had it. */
  findNode(ref: string, asOf?: AsOf): Awaitable<NodeRow | undefined>;
  /** Nodes that had the name at the moment and gave it up later. */
  findNodesByFormerName(name: string, asOf: AsOf, limit: number): Awaitable<NodeRow[]>;
  formerRefs(keys: readonly number[]): Awaitable<FormerRefRow[]>;
  /** Nodes whose name is, or with `prefix` begins with, the text. Of a `kind` only among the first names. */
  findNodesByName(
    name: string,
    options: { kind?: EntityKind | undefined; prefix?: boolean; limit: number },
  ): Awaitable<NodeRow[]>;
  /** Nodes of a kind whose version begins with the text: code by its commit. In the order of versions. */
  findNodesByVersion(
    beginning: string,
    options: { kind: EntityKind; limit: number },
  ): Awaitable<NodeRow[]>;
  /** Nodes of a kind whose name ends with the text: a file by its last path segment. Scans the first `limit` nodes. */
  findNodesBySuffix(
    suffix: string,
    options: { kind: EntityKind; limit: number },
  ): Awaitable<NodeRow[]>;
  nodes(keys: readonly number[]): Awaitable<NodeRow[]>;
  /** Of which rare kinds of rows the store has any at all. */
  rareRows(): Awaitable<RareRows>;
  children(parents: readonly number[], kind: EntityKind, limit: number): Awaitable<NodeRow[]>;
  /** Whether all that was recorded of the node by the position happened after `at`, ms. False when nothing was. */
  toldOnlyAfter(
    node: number,
    moment: { readonly at: number; readonly position: number },
  ): Awaitable<boolean>;
  /** Of the datasets, those of which a column was known by the position. */
  withFields(datasets: readonly number[], position: number): Awaitable<number[]>;
  attributes(keys: readonly number[]): Awaitable<AttributeRow[]>;
  names(datasets: readonly number[]): Awaitable<NameRow[]>;
  /** Edges into (up) or out of (down) the nodes; of nodes with more than `limitPerNode` none. */
  edges(
    direction: Direction,
    keys: readonly number[],
    limitPerNode: number,
  ): Awaitable<{ readonly rows: EdgeRow[]; readonly hubs: readonly number[] }>;
  /** Edges of one relation out of the nodes, however many. */
  edgesOut(relation: Relation, keys: readonly number[]): Awaitable<EdgeRow[]>;
  countEdges(direction: Direction, key: number): Awaitable<number>;
  runEvents(runs: readonly number[]): Awaitable<RunEventRow[]>;
  usesOfRuns(runs: readonly number[], options?: RunUsesQuery): Awaitable<DatasetUseRow[]>;
  /** Newest first. */
  usesOfDatasets(
    use: 'read' | 'write',
    datasets: readonly number[],
    options: UsesQuery,
  ): Awaitable<DatasetUseRow[]>;
  /** Reads of each span, newest first, span after span; at most `limit` in all. */
  readsOfSpans(
    spans: readonly ReadSpan[],
    limit: number,
  ): Awaitable<readonly { readonly span: number; readonly use: DatasetUseRow }[]>;
  countUsesOfDatasets(
    use: 'read' | 'write',
    datasets: readonly number[],
    span?: Pick<UsesQuery, 'from' | 'to'>,
  ): Awaitable<number>;
  /** At most `limit` in all. */
  usesOfVersions(versions: readonly number[], limit: number): Awaitable<DatasetUseRow[]>;
  drops(
    datasets: readonly number[],
  ): Awaitable<readonly { dataset: number; time: number; position: number }[]>;
  columns(direction: Direction, fields: readonly number[]): Awaitable<ColumnRow[]>;
  columnsVia(vias: readonly number[]): Awaitable<ColumnRow[]>;
  flowsVia(vias: readonly number[]): Awaitable<FlowRow[]>;
  merges(keys: readonly number[]): Awaitable<MergeRow[]>;
  findStatement(id: string): Awaitable<(StatementRow & { readonly ref: string }) | undefined>;
  /** What took the place of the statements. */
  superseded(statements: readonly string[]): Awaitable<SupersededRow[]>;
  /** Versions with the same content, by strong digest; at most `limit` in all. */
  sameContent(versions: readonly number[], limit: number): Awaitable<readonly SameContentRow[]>;
  declarations(side: 'job' | 'dataset', keys: readonly number[]): Awaitable<DeclarationRow[]>;
  declarationTimes(
    jobs: readonly number[],
  ): Awaitable<readonly { job: number; time: number; position: number }[]>;
  statements(keys: readonly number[]): Awaitable<StatementRow[]>;
  /** True when a message with this key was accepted before in the workspace. */
  findEventKey(workspace: string, key: string): Awaitable<boolean>;
  countNodes(): Awaitable<Partial<Record<EntityKind, number>>>;
}

export interface NewNode {
  readonly kind: EntityKind;
  readonly ref: string;
  readonly name: string;
  readonly parent: number | null;
  readonly position: number;
}

export type NewEdge = Omit<EdgeRow, 'lastPosition' | 'validToPosition'>;

/** Writes of the projection. All are idempotent, and commute with one another. */
/** When something was so, ms, and the entry that told of it. */
export interface ToldAt {
  readonly time: number;
  readonly position: number;
}

export interface LineageStore extends LineageReader {
  /** The node's key when it is at hand without asking the database. */
  cachedNode(ref: string): number | undefined;
  /** The node's key; `isNew` when it was made by this call, whatever was remembered. */
  ensureNode(node: NewNode): Awaitable<{ readonly key: number; readonly isNew: boolean }>;
  /** Whether the constant attributes of the node are known to be written; false may mean not known. */
  isDescribed(node: number): boolean;
  setDescribed(node: number): void;
  putAttribute(row: Omit<AttributeRow, 'firstTime'>): Awaitable<void>;
  putName(
    dataset: number,
    namespace: string,
    name: string,
    rule: string,
    position: number,
  ): Awaitable<void>;
  putEdge(row: NewEdge): Awaitable<void>;
  putRunEvent(row: RunEventRow): Awaitable<void>;
  putUse(row: Omit<DatasetUseRow, 'lastPosition'>): Awaitable<void>;
  putColumn(row: ColumnRow): Awaitable<void>;
  putFlow(row: FlowRow): Awaitable<void>;
  putMerge(row: MergeRow): Awaitable<void>;
  putSuperseded(row: Omit<SupersededRow, 'ref' | 'byRef'>): Awaitable<void>;
  putDrop(dataset: number, time: number, position: number): Awaitable<void>;
  putDeclaration(row: DeclarationRow): Awaitable<void>;
  putDeclarationTime(job: number, time: number, position: number): Awaitable<void>;
  putDeletion(node: number, time: number, position: number): Awaitable<void>;
  putRestoration(node: number, position: number): Awaitable<void>;
  rename(node: number, ref: string, name: string, told: ToldAt): Awaitable<void>;
  putStatement(row: StatementRow): Awaitable<void>;
  putEventKey(workspace: string, key: string): Awaitable<void>;
  putDigest(version: number, digest: string, position: number): Awaitable<void>;
  reset(): void;
}
