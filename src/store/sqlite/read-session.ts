import { decodeBlock } from '../../ledger/index.ts';
import type { Database } from './database.ts';
import { createSqliteEvaluationReader } from './evaluation-store.ts';
import { createSqliteImportsStore } from './imports-store.ts';
import { SqliteLedgerStore } from './ledger-store.ts';
import { SqliteLineageReader } from './lineage-reader.ts';
import { createSqlitePredictionStore } from './predictions-store.ts';
import { SqliteVault, SqliteWorkspaces } from './record-store.ts';
import { SqliteRegistryReader } from './registry-reader.ts';
import { createSqliteReviewStore } from './review-store.ts';
import { SqliteTraceReader } from './traces-reader.ts';
import { createSqliteTrackingReader } from './tracking-store.ts';
import { createSqliteWebhookStore } from './webhooks-store.ts';

/** The stored texts of all messages at a position of the ledger. */
export const textsOf =
  (db: Database) =>
  (position: number): string[] | undefined => {
    const row = db.get<{ block: Uint8Array }>(
      'SELECT block FROM log_payloads WHERE position = ?',
      position,
    );
    return row && decodeBlock(row.block, position);
  };

/** A stored message, by its receipt. */
export const messageOf =
  (db: Database) =>
  (position: number, index: number): string | undefined =>
    textsOf(db)(position)?.[index];

/** Tables whose keys grow by one, and whose rows stay. */
export type CountedTable =
  | 'tracking_experiments'
  | 'tracking_runs'
  | 'tracking_models'
  | 'traces'
  | 'registry_models'
  | 'registry_versions'
  | 'evaluation_datasets';

/** The stores of one reader: nothing is remembered between two snapshots. */
export function createReadSession(db: Database) {
  return {
    ledger: new SqliteLedgerStore(db),
    lineage: new SqliteLineageReader(db),
    tracking: createSqliteTrackingReader(db),
    registry: new SqliteRegistryReader(db),
    predictions: createSqlitePredictionStore(db, { readPayload: messageOf(db) }),
    traces: new SqliteTraceReader(db, { readTexts: textsOf(db) }),
    evaluation: createSqliteEvaluationReader(db),
    review: createSqliteReviewStore(db),
    webhooks: createSqliteWebhookStore(db),
    imports: createSqliteImportsStore(db),
    vault: new SqliteVault(db),
    workspaces: new SqliteWorkspaces(db, { remember: false }),
    messageOf: messageOf(db),
    /** How many rows a table has at most, of all workspaces: its last key. */
    boundOf: (table: CountedTable): number =>
      db.get<{ last: number | null }>(`SELECT max(key) AS last FROM ${table}`)?.last ?? 0,
  };
}

export type SqliteReadSession = ReturnType<typeof createReadSession>;
