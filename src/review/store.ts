import type { Awaitable } from '../base/awaitable.ts';
import type {
  IssueAttributes,
  LabelSchemaAttributes,
  ReviewFact,
  ReviewQueueAttributes,
  ReviewStatus,
} from '../facts/review-facts.ts';

/** What every row has. Times are ms since 1970. */
interface Dated {
  readonly id: string;
  readonly experiment: string;
  readonly createdTime: number;
  readonly updatedTime: number;
}

export interface IssueRow extends Dated, IssueAttributes {
  /** Traces that it was found in; only where it was asked for. */
  readonly traces?: number;
}

export interface LabelSchemaRow extends Dated, LabelSchemaAttributes {}

export interface ReviewQueueRow extends Dated, ReviewQueueAttributes {}

/** A trace in a queue. */
export interface ReviewItemRow {
  readonly queue: string;
  readonly item: string;
  readonly status: ReviewStatus;
  readonly completedBy: string | null;
  readonly completedTime: number | null;
  readonly createdTime: number;
  readonly updatedTime: number;
}

export interface ReviewPage {
  readonly limit: number;
  readonly offset: number;
}

export interface IssueSearch extends ReviewPage {
  readonly workspace: string;
  /** Of any when undefined. */
  readonly experiment: string | undefined;
  /** All of them must hold; one that has no run differs from none. */
  readonly conditions: readonly {
    readonly key: 'status' | 'sourceRun';
    readonly equal: boolean;
    readonly value: string;
  }[];
  readonly counted: boolean;
}

/** Queues of an experiment, of any when undefined; of a user, and with an item, when these are given. */
export interface QueueFilter {
  readonly experiment: string | undefined;
  readonly user?: string | undefined;
  readonly item?: string | undefined;
}

/** Queries of what people review. What was deleted is not found. */
export interface ReviewReader {
  /** True when any workspace has one of that id. */
  hasId(kind: 'issue' | 'schema' | 'queue', id: string): Awaitable<boolean>;
  findIssue(workspace: string, id: string): Awaitable<IssueRow | undefined>;
  /** The gravest first, then (when counted) that of most traces, then the newest. */
  searchIssues(search: IssueSearch): Awaitable<IssueRow[]>;
  findSchema(workspace: string, id: string): Awaitable<LabelSchemaRow | undefined>;
  findSchemaByName(
    workspace: string,
    experiment: string,
    name: string,
  ): Awaitable<LabelSchemaRow | undefined>;
  /** Newest first; of every experiment when undefined. */
  listSchemas(
    workspace: string,
    experiment: string | undefined,
    page: ReviewPage,
  ): Awaitable<LabelSchemaRow[]>;
  findQueue(workspace: string, id: string): Awaitable<ReviewQueueRow | undefined>;
  /** Names are told apart without their case. */
  findQueueByName(
    workspace: string,
    experiment: string,
    name: string,
  ): Awaitable<ReviewQueueRow | undefined>;
  /** Newest first. */
  listQueues(workspace: string, filter: QueueFilter, page: ReviewPage): Awaitable<ReviewQueueRow[]>;
  findItems(queue: string, items: readonly string[]): Awaitable<ReviewItemRow[]>;
  /** Newest first, then by item. */
  listItems(
    queue: string,
    status: ReviewStatus | undefined,
    page: ReviewPage,
  ): Awaitable<ReviewItemRow[]>;
}

type FactOf<Kind extends ReviewFact['kind']> = Extract<ReviewFact, { readonly kind: Kind }>;

/** Writes of the projection. */
export interface ReviewStore extends ReviewReader {
  addIssue(workspace: string, issue: FactOf<'issue.created'>): Awaitable<void>;
  changeIssue(change: FactOf<'issue.changed'>): Awaitable<void>;
  addSchema(workspace: string, schema: FactOf<'labelSchema.created'>): Awaitable<void>;
  changeSchema(change: FactOf<'labelSchema.changed'>): Awaitable<void>;
  removeSchema(id: string): Awaitable<void>;
  addQueue(workspace: string, queue: FactOf<'reviewQueue.created'>): Awaitable<void>;
  changeQueue(change: FactOf<'reviewQueue.changed'>): Awaitable<void>;
  removeQueue(id: string): Awaitable<void>;
  /** One that is there already stays as it is. */
  addItem(queue: string, item: string, time: number): Awaitable<void>;
  removeItem(queue: string, item: string): Awaitable<void>;
  settleItem(queue: string, item: string, as: SettledItem): Awaitable<void>;
  /** Takes the traces out of every queue of the workspace. */
  removeTraces(workspace: string, traces: readonly string[]): Awaitable<void>;
}

export interface SettledItem {
  readonly status: ReviewStatus;
  readonly by: string | null;
  readonly time: number;
}
