/** How far a problem is dealt with. Source: mlflow/entities/issue.py. */
export const issueStatuses = ['pending', 'rejected', 'resolved'] as const;
export type IssueStatus = (typeof issueStatuses)[number];

/** Lowest first. */
export const issueSeverities = ['not_an_issue', 'low', 'medium', 'high'] as const;
export type IssueSeverity = (typeof issueSeverities)[number];

/** What is said about a problem that was found in traces. */
export interface IssueAttributes {
  readonly name: string;
  readonly description: string;
  readonly status: IssueStatus;
  readonly severity: IssueSeverity | null;
  readonly rootCauses: readonly string[];
  readonly categories: readonly string[];
  /** Id of the run that found it. */
  readonly sourceRun: string | null;
  /** The token of a person. */
  readonly createdBy: string | null;
}

/** A question that reviewers answer. */
export interface LabelSchemaAttributes {
  readonly name: string;
  readonly type: 'feedback' | 'expectation';
  readonly instruction: string | null;
  /** Whether a comment may be given beside the answer. */
  readonly comment: boolean;
  /** JSON text: how it is answered, as MLflow's LabelSchemaInput. */
  readonly input: string;
}

/** What reviewers look at, who they are, and what they are asked. */
export interface ReviewQueueAttributes {
  /** Of a user's own queue the token of that person. */
  readonly name: string;
  readonly type: 'user' | 'custom';
  readonly owner: string | null;
  /** Tokens of persons. */
  readonly users: readonly string[];
  /** Ids of label schemas. */
  readonly schemas: readonly string[];
}

export type ReviewStatus = 'pending' | 'complete' | 'declined';

type Changed<T> = { readonly [K in keyof T]?: T[K] | undefined };
type New = {
  readonly id: string;
  readonly experiment: string;
  readonly time: number;
  /** When it was last changed, of one that was made elsewhere; `time` when absent. */
  readonly updatedTime?: number | undefined;
};
type Old = { readonly id: string; readonly time: number };

/**
 * What is said about the review of traces by people. Ids are those of the fact's workspace, `time`s ms
 * since 1970; what a change does not name stays.
 */
export type ReviewFact =
  | ({ readonly kind: 'issue.created' } & New & IssueAttributes)
  | ({ readonly kind: 'issue.changed' } & Old & Changed<IssueAttributes>)
  | ({ readonly kind: 'labelSchema.created' } & New & LabelSchemaAttributes)
  | ({ readonly kind: 'labelSchema.changed' } & Old & Changed<LabelSchemaAttributes>)
  | ({ readonly kind: 'labelSchema.deleted' } & Old)
  | ({ readonly kind: 'reviewQueue.created' } & New & ReviewQueueAttributes)
  | ({ readonly kind: 'reviewQueue.changed' } & Old & Changed<ReviewQueueAttributes>)
  /** What was in it goes with it. */
  | ({ readonly kind: 'reviewQueue.deleted' } & Old)
  | {
      readonly kind: 'reviewItems.added' | 'reviewItems.removed';
      readonly queue: string;
      /** Ids of traces. */
      readonly items: readonly string[];
      readonly time: number;
    }
  | {
      readonly kind: 'reviewItem.settled';
      readonly queue: string;
      readonly item: string;
      readonly status: ReviewStatus;
      /** The token of a person; null for an item that is open again. */
      readonly by: string | null;
      readonly time: number;
    };
