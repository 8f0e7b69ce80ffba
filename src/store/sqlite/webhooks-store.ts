import { limits } from '../../base/limits.ts';
import type {
  DeliveryOutcome,
  DeliveryPlace,
  WebhookAttributes,
  WebhookChange,
  WebhookEvent,
} from '../../facts/webhook-facts.ts';
import type {
  DeliveryTotals,
  Listener,
  NewDelivery,
  PendingDelivery,
  WebhookRow,
  WebhookStore,
} from '../../webhooks/index.ts';
import { BoundedMap } from './cache.ts';
import type { Database } from './database.ts';

/** Webhooks and what they owe, in SQLite. Only the writer asks for listeners, so only it caches. */
export function createSqliteWebhookStore(db: Database): WebhookStore {
  return new SqliteWebhookStore(db);
}

type StoredWebhook = Omit<WebhookRow, 'events'> & { readonly events: string };

const columns = `id, name, description, url, events, secret, status,
  created_time AS createdTime, updated_time AS updatedTime`;

// Written by `add` and `update`, below.
const readEvents = (json: string): WebhookEvent[] => JSON.parse(json) as WebhookEvent[];
const toRow = (row: StoredWebhook): WebhookRow => ({ ...row, events: readEvents(row.events) });

const ofDelivery = `webhook = (SELECT key FROM webhooks WHERE id = ?)
  AND position = ? AND message = ? AND ordinal = ?`;

class SqliteWebhookStore implements WebhookStore {
  readonly #db: Database;
  readonly #listeners = new BoundedMap<string, readonly Listener[]>(1_000);

  constructor(db: Database) {
    this.#db = db;
  }

  find(workspace: string, id: string): WebhookRow | undefined {
    const row = this.#db.get<StoredWebhook>(
      `SELECT ${columns} FROM webhooks WHERE id = ? AND workspace = ? AND deleted_time IS NULL`,
      id,
      workspace,
    );
    return row && toRow(row);
  }

  workspaceOf(id: string): string | undefined {
    const sql = 'SELECT workspace FROM webhooks WHERE id = ?';
    return this.#db.get<{ workspace: string }>(sql, id)?.workspace;
  }

  list(
    workspace: string,
    { limit, offset }: { readonly limit: number; readonly offset: number },
  ): WebhookRow[] {
    return this.#db
      .all<StoredWebhook>(
        `SELECT ${columns} FROM webhooks WHERE workspace = ? AND deleted_time IS NULL
         ORDER BY created_time DESC, key DESC LIMIT ? OFFSET ?`,
        workspace,
        limit,
        offset,
      )
      .map(toRow);
  }

  pending(perWebhook: number): PendingDelivery[] {
    const owing = this.#db.all<{ key: number }>(
      "SELECT key FROM webhooks WHERE queued > 0 AND status = 'ACTIVE' ORDER BY key",
    );
    return owing.flatMap(({ key }) =>
      this.#db.all<PendingDelivery>(
        `SELECT w.id AS webhook, w.workspace, w.url, w.secret, d.position, d.message AS "index",
           d.ordinal, d.event, d.data, d.time
         FROM webhook_deliveries d JOIN webhooks w ON w.key = d.webhook
         WHERE d.webhook = ? ORDER BY d.position, d.message, d.ordinal LIMIT ?`,
        key,
        perWebhook,
      ),
    );
  }

  isPending({ webhook, position, index, ordinal }: DeliveryPlace): boolean {
    const sql = `SELECT 1 FROM webhook_deliveries WHERE ${ofDelivery}`;
    return this.#db.get(sql, webhook, position, index, ordinal) !== undefined;
  }

  totals(): DeliveryTotals {
    const none = { queued: 0, delivered: 0, failed: 0, dropped: 0 };
    return (
      this.#db.get<DeliveryTotals>(
        `SELECT coalesce(sum(queued), 0) AS queued, coalesce(sum(delivered), 0) AS delivered,
           coalesce(sum(failed), 0) AS failed, coalesce(sum(dropped), 0) AS dropped FROM webhooks`,
      ) ?? none
    );
  }

  add(workspace: string, id: string, webhook: WebhookAttributes, time: number): void {
    const { name, description, url, events, secret, status } = webhook;
    this.#db.run(
      `INSERT INTO webhooks (id, workspace, name, description, url, events, secret, status, created_time, updated_time)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)`,
      id,
      workspace,
      name,
      description,
      url,
      JSON.stringify(events),
      secret,
      status,
      time,
    );
    this.#listeners.clear();
  }

  update(id: string, change: WebhookChange, time: number): void {
    const { name, description, url, events, secret, status } = change;
    const values = {
      name,
      description,
      url,
      events: events && JSON.stringify(events),
      secret,
      status,
      updated_time: time,
    };
    for (const [column, value] of Object.entries(values)) {
      if (value !== undefined)
        this.#db.run(`UPDATE webhooks SET ${column} = ? WHERE id = ?`, value, id);
    }
    this.#listeners.clear();
  }

  remove(id: string, time: number): void {
    this.#db.run(
      'DELETE FROM webhook_deliveries WHERE webhook = (SELECT key FROM webhooks WHERE id = ?)',
      id,
    );
    this.#db.run('UPDATE webhooks SET deleted_time = ?, queued = 0 WHERE id = ?', time, id);
    this.#listeners.clear();
  }

  removeAll(workspace: string, time: number): void {
    const rows = this.#db.all<{ id: string }>(
      'SELECT id FROM webhooks WHERE workspace = ? AND deleted_time IS NULL ORDER BY key',
      workspace,
    );
    for (const { id } of rows) this.remove(id, time);
  }

  listeners(workspace: string): readonly Listener[] {
    const cached = this.#listeners.get(workspace);
    if (cached !== undefined) return cached;
    const found = this.#db
      .all<{ key: number; events: string }>(
        `SELECT key, events FROM webhooks
         WHERE workspace = ? AND status = 'ACTIVE' AND deleted_time IS NULL ORDER BY key`,
        workspace,
      )
      .map(({ key, events }) => ({ key, events: new Set<string>(readEvents(events)) }));
    this.#listeners.set(workspace, found);
    return found;
  }

  enqueue(listener: number, delivery: NewDelivery): void {
    const { position, index, ordinal, event, data, time } = delivery;
    const { changes } = this.#db.run(
      'UPDATE webhooks SET queued = queued + 1 WHERE key = ? AND queued < ?',
      listener,
      limits.webhookQueueMax,
    );
    if (changes === 0) {
      this.#db.run('UPDATE webhooks SET dropped = dropped + 1 WHERE key = ?', listener);
      return;
    }
    this.#db.run(
      `INSERT INTO webhook_deliveries (webhook, position, message, ordinal, event, data, time)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      listener,
      position,
      index,
      ordinal,
      event,
      data,
      time,
    );
  }

  settle({ webhook, position, index, ordinal }: DeliveryPlace, outcome: DeliveryOutcome): void {
    const sql = `DELETE FROM webhook_deliveries WHERE ${ofDelivery}`;
    const { changes } = this.#db.run(sql, webhook, position, index, ordinal);
    if (changes === 0) return;
    const counter = outcome === 'delivered' ? 'delivered' : 'failed';
    this.#db.run(
      `UPDATE webhooks SET queued = queued - 1, ${counter} = ${counter} + 1 WHERE id = ?`,
      webhook,
    );
  }

  reset(): void {
    this.#listeners.clear();
  }
}
