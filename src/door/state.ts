import type { EvaluationReader } from '../evaluation/store.ts';
import type { ImportsReader } from '../imports/index.ts';
import type { LineageReader } from '../lineage/store.ts';
import type { PredictionReader } from '../predictions/store.ts';
import type { RegistryReader } from '../registry/store.ts';
import type { ReviewReader } from '../review/index.ts';
import type { TraceReader } from '../traces/store.ts';
import type { TrackingReader } from '../tracking/store.ts';
import type { WebhookReader } from '../webhooks/index.ts';
import type { WorkspaceReader } from './workspace-store.ts';

/** The projections as readers see them. On the writer it shows what the messages before have left. */
export interface StateReader {
  readonly workspaces: WorkspaceReader;
  readonly lineage: LineageReader;
  readonly tracking: TrackingReader;
  readonly registry: RegistryReader;
  readonly predictions: PredictionReader;
  readonly traces: TraceReader;
  readonly evaluation: EvaluationReader;
  readonly review: ReviewReader;
  readonly webhooks: WebhookReader;
  readonly imports: ImportsReader;
}
