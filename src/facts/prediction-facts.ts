/** Predictions come by the million: a small flat fact each, which points at the stored payload. */
export type PredictionFact =
  | {
      readonly kind: 'prediction.served';
      readonly id: string;
      /** When it was made, ms since 1970. */
      readonly time: number;
      /** Whole ref of the model version, resolved at the door; absent when this server does not know it. */
      readonly modelVersion?: string | undefined;
      /** Whole ref of the deployment. */
      readonly deployment?: string | undefined;
      /** Ids of predictions that led to it, of the same workspace. */
      readonly parents?: readonly string[] | undefined;
      /** What the sender named but this server did not know: kept, flagged and counted. */
      readonly unknown?: string | undefined;
      /**
       * The message itself, so that the writer can compare a repetition with it while its ledger
       * entry is still open. Never projected.
       */
      readonly message?: unknown;
    }
  | {
      readonly kind: 'outcome.recorded';
      readonly id: string;
      /** Id of the prediction it belongs to; it may arrive before the prediction. */
      readonly prediction: string;
      /** truth, correction or override. */
      readonly type: string;
      readonly time: number;
      /** As of `prediction.served`. */
      readonly message?: unknown;
    };
