import type { EvaluationStore } from '../evaluation/store.ts';
import type { ImportsStore } from '../imports/index.ts';
import type { LedgerReader, LedgerStore } from '../ledger/index.ts';
import type { LineageStore } from '../lineage/store.ts';
import type { PredictionStore } from '../predictions/store.ts';
import type { RegistryStore } from '../registry/store.ts';
import type { ReviewStore } from '../review/index.ts';
import type { TraceStore } from '../traces/store.ts';
import type { TrackingStore } from '../tracking/store.ts';
import type { WebhookStore } from '../webhooks/index.ts';
import type { StateReader } from './state.ts';
import type { VaultStore } from './vault.ts';
import type { WorkspaceStore } from './workspace-store.ts';

/** All that one transaction may write. */
export interface WriteSession extends StateReader {
  readonly ledger: LedgerStore;
  readonly vault: VaultStore;
  readonly workspaces: WorkspaceStore;
  readonly lineage: LineageStore;
  readonly tracking: TrackingStore;
  readonly registry: RegistryStore;
  readonly predictions: PredictionStore;
  readonly traces: TraceStore;
  readonly evaluation: EvaluationStore;
  readonly review: ReviewStore;
  readonly webhooks: WebhookStore;
  readonly imports: ImportsStore;
  /** Forgets what the stores cached; called when a transaction was rolled back. */
  reset(): void;
}

/** All that a query may read, on one snapshot. */
export interface ReadSession extends StateReader {
  readonly ledger: LedgerReader;
  readonly vault: Pick<VaultStore, 'findToken' | 'findValue'>;
}

/** What the door needs of a store. One writer at a time, held by a lease. */
export interface TransactionStore {
  /**
   * Runs `work` and commits durably, or leaves nothing.
   * @throws what `work` threw; storage_unavailable when the disk is full or fails.
   */
  transaction<T>(work: (session: WriteSession) => Promise<T>): Promise<T>;
}
