import type { JsonObject } from '../base/json.ts';
import type { Known, Relation } from './relations.ts';

/** A dataset as a tool named it. `lineage/identity` finds out which names mean the same dataset. */
export interface DatasetName {
  readonly namespace: string;
  readonly name: string;
}

/** A content digest as a tool gave it, for example { algorithm: 'sha256', value: '9f86…' }. */
export interface Digest {
  readonly algorithm: string;
  readonly value: string;
}

/** Which of a dataset's versions is meant: by the tool's own version name, by content, or unknown. */
export interface VersionHint {
  readonly version?: string | undefined;
  readonly digest?: Digest | undefined;
}

/** The states of OpenLineage; MLflow's FINISHED, FAILED and KILLED are COMPLETE, FAIL and ABORT. */
export type RunState = 'START' | 'RUNNING' | 'COMPLETE' | 'ABORT' | 'FAIL' | 'OTHER';

/** What a write did to the content before it. */
export type WriteMode = 'replace' | 'append' | 'unknown';

export interface ColumnName {
  readonly dataset: DatasetName;
  /** A column, or `*` for the whole dataset (an INDIRECT input such as a filter). */
  readonly field: string;
}

export interface ColumnEdge {
  readonly from: ColumnName;
  readonly to: ColumnName;
  /** DIRECT or INDIRECT with the subtype, as OpenLineage names them, for example `DIRECT/AGGREGATION`. */
  readonly how?: string | undefined;
  readonly masking?: boolean | undefined;
}

/**
 * What translators say about the graph. All `time`s are event times in ms since 1970, UTC, as the
 * message told them; the recorded time is the entry's. Refs are whole refs. Facts of one run are
 * additive, may arrive in any order and more than once: projections must come out the same.
 */
export type LineageFact =
  /** Attributes of an entity; the newest `time` wins for each name, null removes it. */
  | {
      readonly kind: 'entity.described';
      readonly ref: string;
      readonly time: number;
      readonly attributes: JsonObject;
      /** The attributes follow from the ref (a commit, a set of packages): telling them once is enough. */
      readonly constant?: boolean | undefined;
    }
  /** The same for a dataset, which is found by its name as sent. */
  | {
      readonly kind: 'dataset.described';
      readonly dataset: DatasetName;
      readonly time: number;
      readonly attributes: JsonObject;
    }
  /** One edge between entities with whole refs. */
  | {
      readonly kind: 'relation.stated';
      readonly relation: Relation;
      readonly from: string;
      readonly to: string;
      readonly role?: string | undefined;
      readonly known: Known;
      /** The name of the rule that found it; for `observed` the field of the protocol that said it. */
      readonly rule?: string | undefined;
      readonly time: number;
      /** End of validity, when known (a deployment that ended). */
      readonly until?: number | undefined;
    }
  /** A state change of a run. `job` is a whole ref. */
  | {
      readonly kind: 'run.reported';
      readonly run: string;
      readonly state: RunState;
      readonly time: number;
      readonly job?: string | undefined;
      /** STREAMING runs never complete: what they write is current while they run. */
      readonly streaming?: boolean | undefined;
    }
  /** A run read a dataset; without a version hint the one that was current at `time`. */
  | ({
      readonly kind: 'dataset.read';
      readonly run: string;
      readonly dataset: DatasetName;
      /** train, validation, test, label, reference … */
      readonly role?: string | undefined;
      readonly known: Known;
      readonly rule?: string | undefined;
      readonly time: number;
      /** Attributes of what was read: schema, row count, subset. */
      readonly attributes?: JsonObject | undefined;
    } & VersionHint)
  /** A run wrote a dataset: a new version once the run completes. */
  | ({
      readonly kind: 'dataset.written';
      readonly run: string;
      readonly dataset: DatasetName;
      readonly mode: WriteMode;
      readonly known: Known;
      readonly rule?: string | undefined;
      readonly time: number;
      readonly attributes?: JsonObject | undefined;
    } & VersionHint)
  /** Column lineage in a run or, when `via` is a job, as the job declares it. */
  | {
      readonly kind: 'columns.derived';
      readonly via: string;
      readonly columns: readonly ColumnEdge[];
      readonly known: Known;
      readonly rule?: string | undefined;
      readonly time: number;
    }
  /** In a run or, when `via` is a job, by design: the output comes of these inputs and of no others. */
  | {
      readonly kind: 'flow.stated';
      readonly via: string;
      readonly output: DatasetName;
      readonly inputs: readonly DatasetName[];
      readonly time: number;
    }
  /** What a job reads and writes by design; the newest `time` replaces the job's earlier ones. */
  | {
      readonly kind: 'job.declared';
      readonly job: string;
      readonly inputs: readonly DatasetName[];
      readonly outputs: readonly DatasetName[];
      readonly time: number;
    }
  /** Two names of one dataset. */
  | {
      readonly kind: 'dataset.linked';
      readonly a: DatasetName;
      readonly b: DatasetName;
      readonly rule: string;
      readonly time: number;
    }
  /** The dataset is gone: a tombstone, its history stays. */
  | { readonly kind: 'dataset.dropped'; readonly dataset: DatasetName; readonly time: number }
  | {
      readonly kind: 'dataset.renamed';
      readonly from: DatasetName;
      readonly to: DatasetName;
      readonly time: number;
    }
  /** An entity with a whole ref is gone (model, model version, run): a tombstone. */
  | { readonly kind: 'entity.deleted'; readonly ref: string; readonly time: number }
  | { readonly kind: 'entity.restored'; readonly ref: string; readonly time: number }
  /** An entity goes by another ref from now on; the earlier one still finds it until used again. */
  | {
      readonly kind: 'entity.renamed';
      readonly from: string;
      readonly to: string;
      readonly time: number;
    }
  /** A message that is recognised when it comes again. `key` is a digest of its tokenised content. */
  | { readonly kind: 'event.seen'; readonly key: string }
  /** The general statement about any ref (DESIGN.md section 1). */
  | {
      readonly kind: 'statement.made';
      readonly id: string;
      readonly ref: string;
      readonly type: string;
      readonly text?: string | undefined;
      readonly value?: JsonObject | undefined;
      readonly author?: string | undefined;
      readonly time: number;
      readonly validFrom?: number | undefined;
      readonly validTo?: number | undefined;
      readonly supersedes?: string | undefined;
    };
