/** A tag of an evaluation dataset; null removes it. */
export interface EvaluationTag {
  readonly key: string;
  readonly value: string | null;
}

/** Where a record comes from: a trace, a document, a person, code. */
export interface EvaluationSource {
  /** UNSPECIFIED, TRACE, HUMAN, DOCUMENT or CODE. */
  readonly type: string;
  /** Id of the trace, or of what else the source names. */
  readonly id: string | null;
  /** JSON text: `{"source_type", "source_data"}`. */
  readonly text: string;
}

/**
 * A record as it was sent, its parts as JSON text, so that numbers stay as they were written. What is
 * absent was not sent: a record that is there already keeps it.
 */
export interface EvaluationRecord {
  readonly id: string;
  /** SHA-256, hex, over the inputs with sorted keys: one dataset holds each input once. */
  readonly inputDigest: string;
  readonly inputs: string;
  readonly outputs?: string | null | undefined;
  readonly expectations?: string | undefined;
  readonly tags?: string | undefined;
  readonly source?: EvaluationSource | undefined;
  /** Who sent it, as a token. */
  readonly user?: string | undefined;
  /** Of a record that was made elsewhere: when and by whom. */
  readonly origin?: EvaluationOrigin | undefined;
}

/** Times are ms since 1970, persons tokens. */
export interface EvaluationOrigin {
  readonly createdTime: number;
  readonly updatedTime: number;
  readonly createdBy: string | null;
  readonly updatedBy: string | null;
}

/** How a dataset stands after a change of its records. */
export interface EvaluationState {
  /** Changes with every change of the records: it names the version. */
  readonly digest: string;
  /** JSON text; null when there are no records. */
  readonly profile: string | null;
  /** Time of the change, ms since 1970: at least one later than that of the change before. */
  readonly time: number;
}

/**
 * What translators say about evaluation datasets and scorers. Ids are those of the fact's workspace.
 * Projected in ledger order: records that are there are merged with what is sent.
 */
export type EvaluationFact =
  | {
      readonly kind: 'evaluationDataset.created';
      readonly id: string;
      readonly name: string;
      readonly digest: string;
      readonly tags: readonly EvaluationTag[];
      readonly experiments: readonly string[];
      /** Token of the person; null when none was named. */
      readonly user: string | null;
      /** Of a dataset that was made elsewhere: when, and how it stands there. */
      readonly origin?:
        | (EvaluationOrigin & {
            readonly schema: string | undefined;
            readonly profile: string | null;
          })
        | undefined;
    }
  | {
      readonly kind: 'evaluationDataset.tagged';
      readonly id: string;
      readonly tags: readonly EvaluationTag[];
    }
  | {
      readonly kind: 'evaluationDataset.linked';
      readonly id: string;
      readonly experiments: readonly string[];
    }
  | {
      readonly kind: 'evaluationDataset.unlinked';
      readonly id: string;
      readonly experiments: readonly string[];
    }
  | { readonly kind: 'evaluationDataset.deleted'; readonly id: string }
  | ({
      readonly kind: 'evaluationRecords.merged';
      readonly dataset: string;
      readonly records: readonly EvaluationRecord[];
      /** JSON text. */
      readonly schema: string;
      readonly user: string | null;
    } & EvaluationState)
  | ({
      readonly kind: 'evaluationRecords.deleted';
      readonly dataset: string;
      readonly records: readonly string[];
    } & EvaluationState)
  | {
      readonly kind: 'scorer.registered';
      readonly experiment: string;
      readonly name: string;
      /** Id of all versions of the scorer. */
      readonly scorer: string;
      readonly version: number;
      /** JSON text, as the client wrote it. */
      readonly serialized: string;
      /** Of a version that was made elsewhere, ms since 1970. */
      readonly createdTime?: number | undefined;
    }
  /** One version, or all and the scorer with them. */
  | { readonly kind: 'scorer.deleted'; readonly scorer: string; readonly version: number | null }
  /** How often the scorer is to run on new traces; replaces what was configured before. */
  | {
      readonly kind: 'scorer.configured';
      readonly scorer: string;
      readonly config: string;
      /** 0 to 1. */
      readonly sampleRate: number;
      readonly filter: string | null;
    };
