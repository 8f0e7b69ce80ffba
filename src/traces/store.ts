import type { Awaitable } from '../base/awaitable.ts';
import type { Known, Relation } from '../facts/relations.ts';
import type { TraceAssessment, TraceSpan, TraceStatus } from '../facts/trace-facts.ts';
import type { KeyValue } from '../facts/tracking-facts.ts';

/** A trace as stored. `key` is a surrogate of this store. */
export interface TraceRow {
  readonly key: number;
  readonly id: string;
  /** Null for a trace that belongs to no experiment. */
  readonly experiment: string | null;
  /** Start, ms since 1970. */
  readonly time: number;
  readonly durationMs: number | null;
  readonly status: TraceStatus;
  /** The tag `mlflow.traceName`. */
  readonly name: string | null;
  /** Name of the root span, once it came. */
  readonly rootName: string | null;
  readonly session: string | null;
  readonly clientRequestId: string | null;
  readonly request: string | null;
  readonly response: string | null;
  /** JSON text: counts of tokens by kind. */
  readonly usage: string | null;
  /** JSON text: cost in US dollars by kind. */
  readonly cost: string | null;
  /** True once the client gave its own account: spans no longer change times and sums. */
  readonly reported: boolean;
  /** Position of the entry that first told of it. */
  readonly position: number;
  /** Time of the tombstone, ms; null while it is there. */
  readonly deletedTime: number | null;
}

/** A tag or a metadata entry, with the trace that it belongs to. */
export interface OwnedEntry extends KeyValue {
  readonly owner: number;
}

export interface AssessmentRow extends TraceAssessment {
  readonly owner: number;
  /** False once another one overrides it. */
  readonly valid: boolean;
}

/** A span without its content. */
export interface SpanRow extends TraceSpan {
  readonly owner: number;
}

/** A span as the ledger's message holds it. */
export interface SpanContent {
  readonly owner: number;
  /** One span of OTLP/JSON, as read by `otlp.ts`. */
  readonly span: unknown;
}

/** What a trace came out of. */
export interface UseRow {
  readonly owner: number;
  readonly ref: string;
  readonly relation: Relation;
  readonly role: string;
  readonly known: Known;
  readonly rule: string;
  readonly unknown: boolean;
  readonly position: number;
}

/** How many traces came out of the thing with the ref. */
export interface TraceCount {
  readonly ref: string;
  readonly count: number;
}

export type TraceOperator =
  | '='
  | '!='
  | '>'
  | '>='
  | '<'
  | '<='
  | 'LIKE'
  | 'ILIKE'
  | 'RLIKE'
  | 'IN'
  | 'NOT IN'
  | 'IS NULL'
  | 'IS NOT NULL';

/** One comparison of a search; all of them must hold. */
export interface TraceCondition {
  /**
   * `attribute`: id, time, duration, end, status, clientRequestId, name, session, run (linked or its
   * source) or prompt (`name/version`). `span`: name, type, status, content, or `attributes.<name>`.
   */
  readonly entity:
    | 'attribute'
    | 'tag'
    | 'metadata'
    | 'span'
    | 'feedback'
    | 'expectation'
    | 'issue'
    | 'usage'
    | 'cost';
  readonly key: string;
  readonly operator: TraceOperator;
  readonly value: string | number | readonly string[] | null;
}

export interface TraceOrder {
  readonly entity: 'attribute' | 'tag' | 'metadata';
  readonly key: string;
  readonly ascending: boolean;
}

export interface TraceSearch {
  readonly workspace: string;
  /** Ids of experiments. */
  readonly experiments: readonly string[];
  readonly conditions: readonly TraceCondition[];
  readonly orders: readonly TraceOrder[];
  readonly limit: number;
  readonly offset: number;
}

/** Which traces are deleted: of an experiment, by id, or the oldest up to a time. */
export interface TraceSelection {
  readonly experiment: string;
  readonly ids?: readonly string[] | undefined;
  /** ms since 1970, inclusive. */
  readonly until?: number | undefined;
  readonly limit: number;
}

/** How the values of a group become one number; a percentile interpolates between two neighbours. */
export type MetricAggregation =
  | { readonly type: 'COUNT' | 'SUM' | 'AVG' | 'MIN' | 'MAX' }
  /** `percent` from 0 to 100. */
  | { readonly type: 'PERCENTILE'; readonly percent: number };

/** A text that a trace, its span or assessment must have; all of them must hold. */
export interface MetricFilter {
  /** `attribute`: status, name, session, run, usage or cost. `span`, `assessment`: name, status, type. */
  readonly entity: 'attribute' | 'tag' | 'metadata' | 'span' | 'assessment';
  readonly key: string;
  readonly value: string;
}

/** What is measured of many traces, in groups. */
export interface MetricQuery {
  readonly workspace: string;
  /** Ids of experiments. */
  readonly experiments: readonly string[];
  readonly view: 'traces' | 'spans' | 'assessments';
  /** count, sessions, latency (ms), value, or a key of usage or cost. */
  readonly metric: string;
  readonly aggregations: readonly MetricAggregation[];
  /** Columns of the view: name, status, type, model, provider, value. Things without one are left out. */
  readonly dimensions: readonly string[];
  readonly filters: readonly MetricFilter[];
  /** Width of a group in time, ms; undefined for one group over all time. */
  readonly bucketMs?: number | undefined;
  /** ms since 1970, both inclusive: of the trace, but of the span where its cost is measured. */
  readonly from?: number | undefined;
  readonly until?: number | undefined;
  readonly limit: number;
}

/** One group: its start in time, its dimensions and its numbers, in the order asked for. */
export interface MetricGroup {
  /** ms since 1970. */
  readonly bucket?: number;
  readonly dimensions: readonly string[];
  readonly values: readonly (number | null)[];
}

/** Queries of the traces. Deleted traces are found only where it says so. */
export interface TraceReader {
  find(workspace: string, id: string): Awaitable<TraceRow | undefined>;
  /** The trace, or where there is none the newest deleted one of that id. */
  findEver(workspace: string, id: string): Awaitable<TraceRow | undefined>;
  /** Candidates for a short ref, in the order of their ids. */
  findByPrefix(workspace: string, prefix: string, limit: number): Awaitable<TraceRow[]>;
  /** In the order of `ids`; unknown ones are left out. */
  findMany(workspace: string, ids: readonly string[]): Awaitable<TraceRow[]>;
  get(keys: readonly number[]): Awaitable<TraceRow[]>;
  tags(keys: readonly number[]): Awaitable<OwnedEntry[]>;
  findTag(key: number, name: string): Awaitable<string | undefined>;
  metadata(keys: readonly number[]): Awaitable<OwnedEntry[]>;
  /** Oldest first. */
  assessments(keys: readonly number[]): Awaitable<AssessmentRow[]>;
  findAssessment(key: number, id: string): Awaitable<AssessmentRow | undefined>;
  /** Roots first, then by start. */
  spans(keys: readonly number[]): Awaitable<SpanRow[]>;
  countSpans(key: number): Awaitable<number>;
  /** The spans as they were sent, roots first, then by start; those whose payload was erased are left out. */
  contents(keys: readonly number[]): Awaitable<SpanContent[]>;
  uses(keys: readonly number[]): Awaitable<UseRow[]>;
  /** Whether the trace is linked to the run or prompt version. */
  isLinked(key: number, to: 'run' | 'prompt', target: string): Awaitable<boolean>;
  /**
   * Keys of the traces that a search finds, in its order.
   * @throws invalid_message for a pattern that is no regular expression or takes too long, and for
   *   a search in more contents than are looked at.
   */
  search(search: TraceSearch): Awaitable<number[]>;
  /** @throws invalid_message as `search` does. */
  overlap(search: TraceOverlapSearch): Awaitable<TraceOverlap>;
  /** The same as `search` where an index gives the page at once; undefined where many may have to be looked at. */
  searchQuickly(search: TraceSearch): Awaitable<number[] | undefined>;
  /** Groups in the order of their bucket and dimensions. */
  measure(query: MetricQuery): Awaitable<MetricGroup[]>;
  /** The same where few traces are looked at; undefined where there are many. */
  measureFew(query: MetricQuery): Awaitable<MetricGroup[] | undefined>;
  select(workspace: string, selection: TraceSelection): Awaitable<string[]>;
  /** Of the refs: how many traces came out of each, up to a position and a time (ms). */
  countByRef(refs: readonly string[], asOfPosition?: number, at?: number): Awaitable<TraceCount[]>;
  /** How many different traces came out of any of the refs. */
  countOfRefs(refs: readonly string[], asOfPosition?: number, at?: number): Awaitable<number>;
  /** How many there ever were, in all workspaces. */
  countAll(): Awaitable<number>;
}

/** How many traces of a workspace's experiments meet two lists of conditions, beside a third one. */
export interface TraceOverlapSearch {
  readonly workspace: string;
  /** Ids of experiments. */
  readonly experiments: readonly string[];
  /** What all traces that are counted meet. */
  readonly conditions: readonly TraceCondition[];
  readonly first: readonly TraceCondition[];
  readonly second: readonly TraceCondition[];
}

export interface TraceOverlap {
  readonly total: number;
  readonly first: number;
  readonly second: number;
  /** Those that meet both. */
  readonly joint: number;
}

/** What may look at every trace: where these are many, on a thread that holds up no write. */
export interface TraceSearches {
  /** Keys as `TraceReader.search` gives them. */
  searchTraces(search: TraceSearch): Promise<number[]>;
  /** Counts as `TraceReader.overlap` gives them. */
  overlapOfTraces(search: TraceOverlapSearch): Promise<TraceOverlap>;
  /** Groups as `TraceReader.measure` gives them. */
  measureTraces(query: MetricQuery): Promise<MetricGroup[]>;
}

/** The columns of a trace that a message may change; absent ones stay. */
export interface TraceChange {
  readonly experiment?: string | null | undefined;
  readonly time?: number | undefined;
  readonly durationMs?: number | null | undefined;
  readonly status?: TraceStatus | undefined;
  readonly name?: string | null | undefined;
  readonly rootName?: string | undefined;
  readonly session?: string | null | undefined;
  readonly clientRequestId?: string | null | undefined;
  readonly request?: string | undefined;
  readonly response?: string | undefined;
  readonly usage?: string | null | undefined;
  readonly cost?: string | null | undefined;
  readonly reported?: boolean | undefined;
}

export interface NewTrace {
  readonly workspace: string;
  readonly id: string;
  readonly experiment: string | null;
  readonly time: number;
  readonly status: TraceStatus;
  readonly position: number;
}

/** Where a span's content stands. */
export interface SpanPlace {
  readonly position: number;
  readonly index: number;
}

/** Writes of the projection. */
export interface TraceStore extends TraceReader {
  /** @returns its key. */
  addTrace(trace: NewTrace): Awaitable<number>;
  changeTrace(key: number, change: TraceChange): Awaitable<void>;
  putTag(key: number, tag: KeyValue): Awaitable<void>;
  removeTag(key: number, name: string): Awaitable<void>;
  putMetadata(key: number, entry: KeyValue): Awaitable<void>;
  /** Adds the metadata unless there is some of that name. */
  addMetadata(key: number, entry: KeyValue): Awaitable<void>;
  putSpan(key: number, span: TraceSpan, place: SpanPlace): Awaitable<void>;
  putAssessment(key: number, assessment: TraceAssessment): Awaitable<void>;
  removeAssessment(key: number, id: string): Awaitable<void>;
  setValid(key: number, assessment: string, valid: boolean): Awaitable<void>;
  putUse(key: number, use: Omit<UseRow, 'owner'>): Awaitable<void>;
  putLink(key: number, to: 'run' | 'prompt', target: string): Awaitable<void>;
  /** Leaves a tombstone and what the trace came out of; all else about it goes. */
  deleteTrace(key: number, time: number): Awaitable<void>;
  /** Another ref of the same thing: counts are found by either. */
  renameRef(from: string, to: string): Awaitable<void>;
  /** Forgets cached keys, after a batch was rolled back. */
  reset(): void;
}
