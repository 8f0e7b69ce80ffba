import type { Awaitable } from '../base/awaitable.ts';

/** Where a prediction stands: its content is the payload at (position, index). */
export interface PredictionRow {
  readonly id: string;
  readonly position: number;
  readonly index: number;
  /** When it was made, ms since 1970. */
  readonly time: number;
  /** Whole ref, by the first name under which it was met (it may be renamed); null when it is not known. */
  readonly modelVersion: string | null;
  readonly deployment: string | null;
  /** True when it named something that this server did not know. */
  readonly unknown: boolean;
}

/** How many predictions a model version made in a deployment (null: without one), and when. */
export interface PredictionCount {
  readonly modelVersion: string | null;
  readonly deployment: string | null;
  readonly count: number;
  readonly firstTime: number;
  readonly lastTime: number;
}

export interface OutcomeRow {
  readonly id: string;
  readonly prediction: string;
  /** truth, correction or override. */
  readonly type: string;
  readonly time: number;
  readonly position: number;
  readonly index: number;
}

/** A page of predictions ends before this one: pass the last row of the page before. */
export interface PredictionCursor {
  readonly time: number;
  readonly position: number;
  readonly index: number;
}

/** Queries of the prediction log. Refs are whole refs; a renamed version is found by all its refs. */
export interface PredictionReader {
  find(workspace: string, id: string): Awaitable<PredictionRow | undefined>;
  /** Those of `ids` that are there, in no order. */
  findMany(workspace: string, ids: readonly string[]): Awaitable<PredictionRow[]>;
  /** Candidates for a short ref, in the order of their ids. */
  findByPrefix(workspace: string, prefix: string, limit: number): Awaitable<PredictionRow[]>;
  /** By version and deployment; when given, recorded up to `asOfPosition` and made up to `at` (ms). */
  countByModelVersion(
    refs: readonly string[],
    asOfPosition?: number,
    at?: number,
  ): Awaitable<PredictionCount[]>;
  countByDeployment(
    refs: readonly string[],
    asOfPosition?: number,
    at?: number,
  ): Awaitable<PredictionCount[]>;
  /** Of all workspaces: how many there are, and how many are flagged. */
  countAll(): Awaitable<{ readonly predictions: number; readonly unknown: number }>;
  /** Predictions of a model version, newest first. */
  listByModelVersion(
    ref: string,
    page: { readonly before?: PredictionCursor | undefined; readonly limit: number },
  ): Awaitable<PredictionRow[]>;
  /** Ids of the predictions that one led to, oldest first. */
  ledTo(workspace: string, id: string, limit: number): Awaitable<string[]>;
  countLedTo(workspace: string, id: string): Awaitable<number>;
  /** Of any of the predictions, oldest first. */
  outcomesOf(workspace: string, predictions: readonly string[]): Awaitable<OutcomeRow[]>;
  findOutcome(workspace: string, id: string): Awaitable<OutcomeRow | undefined>;
  /** The stored message at (position, index); undefined when its payload was erased. */
  readMessage(position: number, index: number): Awaitable<unknown>;
  /** The same for many, in their order; messages of one entry are read together. */
  readMessages(
    places: readonly { readonly position: number; readonly index: number }[],
  ): Awaitable<unknown[]>;
}

export interface NewPrediction {
  readonly workspace: string;
  readonly id: string;
  readonly position: number;
  readonly index: number;
  readonly time: number;
  readonly modelVersion: string | undefined;
  readonly deployment: string | undefined;
  readonly unknown: boolean;
  /** Ids of predictions that led to it. */
  readonly parents: readonly string[];
}

/** Writes of the projection. */
export interface PredictionStore extends PredictionReader {
  putPrediction(prediction: NewPrediction): Awaitable<void>;
  putOutcome(workspace: string, outcome: OutcomeRow): Awaitable<void>;
  /** From now on both refs name the same model version or deployment. */
  renameRef(from: string, to: string): Awaitable<void>;
  /** Keeps a message of the newest entry readable until the entry is appended. */
  holdMessage(position: number, index: number, message: unknown): void;
  /** Writes the counts that were gathered; called before a transaction commits. */
  flush(): void;
  /** Forgets cached keys and held messages, after a batch was rolled back. */
  reset(): void;
}
