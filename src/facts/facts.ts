import type { EvaluationFact } from './evaluation-facts.ts';
import type { ImportFact } from './import-facts.ts';
import type { LineageFact } from './lineage-facts.ts';
import type { PredictionFact } from './prediction-facts.ts';
import type { RegistryFact } from './registry-facts.ts';
import type { ReviewFact } from './review-facts.ts';
import type { TraceFact } from './trace-facts.ts';
import type { TrackingFact } from './tracking-facts.ts';
import type { WebhookFact } from './webhook-facts.ts';

export type * from './evaluation-facts.ts';
export type * from './import-facts.ts';
export type * from './lineage-facts.ts';
export type * from './prediction-facts.ts';
export type * from './registry-facts.ts';
export type * from './review-facts.ts';
export type * from './trace-facts.ts';
export type * from './tracking-facts.ts';
export type * from './webhook-facts.ts';

/** One normalised statement that a translator derives from a payload; pure and deterministic. */
export type Fact =
  | LineageFact
  | TrackingFact
  | RegistryFact
  | PredictionFact
  | TraceFact
  | EvaluationFact
  | ReviewFact
  | WebhookFact
  | ImportFact
  | SystemFact;

/** What is said about a workspace. Absent: not said; null: no longer said. */
export interface WorkspaceAttributes {
  readonly description?: string | null | undefined;
  /** Where new experiments put their artifacts, unless they say. */
  readonly artifactRoot?: string | null | undefined;
  readonly traceArchivalLocation?: string | null | undefined;
  readonly traceArchivalRetention?: string | null | undefined;
}

/** Facts of the server about itself. */
export type SystemFact =
  | ({
      readonly kind: 'workspace.created';
      readonly id: string;
      readonly name: string;
      /** Where the artifacts of its Default experiment go; absent: into this server's store. */
      readonly defaultLocation?: string | undefined;
    } & WorkspaceAttributes)
  | ({ readonly kind: 'workspace.updated'; readonly id: string } & WorkspaceAttributes)
  /** It is reached by no request any more; what was in it stays in the record. */
  | { readonly kind: 'workspace.deleted'; readonly id: string; readonly time: number };

/** Where the message stands that a fact was derived from, and who sent it. */
export interface FactContext {
  readonly position: number;
  readonly index: number;
  /** Recorded time of the entry, ms since 1970. */
  readonly time: number;
  /** Name of the workspace, as refs use it. */
  readonly workspace: string;
  readonly principal: string;
}

/** What a translator makes of one payload. Warnings go to the receipt and a counter. */
export interface Translation {
  readonly facts: readonly Fact[];
  readonly warnings: readonly string[];
}
