import { isObject } from '../../base/json.ts';
import { decodeBlock } from '../../ledger/index.ts';
import type {
  NewPrediction,
  OutcomeRow,
  PredictionCount,
  PredictionCursor,
  PredictionRow,
  PredictionStore,
} from '../../predictions/store.ts';
import { BoundedMap } from './cache.ts';
import { type Database, rowInsert } from './database.ts';
import {
  indexesPerPosition,
  isUuid,
  type KeyedCount,
  lastPosition,
  placeOf,
  readId,
  rowOf,
  type StoredOutcome,
  type StoredPrediction,
  selectCounts,
  selectCountsUpTo,
  selectOutcomes,
  selectPredictions,
  standsAt,
  storedId,
  uuidBeginning,
  withoutVersion,
} from './predictions-rows.ts';

/** What the index needs of the ledger's tables. */
export interface PredictionPayloads {
  /** The stored text of a message and what was decided for it; undefined when erased or not yet appended. */
  readPayload(position: number, index: number): string | undefined;
}

/** The index of predictions in SQLite. */
export function createSqlitePredictionStore(
  db: Database,
  payloads: PredictionPayloads,
): PredictionStore {
  return new SqlitePredictionStore(db, payloads);
}

const predictionRows = rowInsert('INSERT INTO predictions VALUES', 7);
const parentRows = rowInsert('INSERT INTO prediction_parents VALUES', 3, 'ON CONFLICT DO NOTHING');

function messageOf(payload: string | undefined): unknown {
  const value: unknown = payload === undefined ? undefined : JSON.parse(payload);
  return isObject(value) ? value.message : undefined;
}

class SqlitePredictionStore implements PredictionStore {
  readonly #db: Database;
  readonly #payloads: PredictionPayloads;
  /** Keys by name; the writer's alone. */
  readonly #keys = new BoundedMap<string, number>();
  /** What the predictions of this transaction add to the counts. */
  readonly #counts = new Map<
    string,
    {
      version: number;
      place: number;
      count: number;
      unknown: number;
      firstTime: number;
      lastTime: number;
    }
  >();
  /** Messages of the newest entry by index, which the ledger may not hold yet. */
  #held: { readonly position: number; readonly messages: Map<number, unknown> } | undefined;

  constructor(db: Database, payloads: PredictionPayloads) {
    this.#db = db;
    this.#payloads = payloads;
  }

  find(workspace: string, id: string): PredictionRow | undefined {
    const owner = this.#findWorkspace(workspace);
    if (owner === undefined) return undefined;
    const row = this.#db.get<StoredPrediction>(
      `${selectPredictions} WHERE p.workspace = ? AND p.id = ?`,
      owner,
      storedId(id),
    );
    return row && rowOf(row);
  }

  findMany(workspace: string, ids: readonly string[]): PredictionRow[] {
    const owner = this.#findWorkspace(workspace);
    if (owner === undefined) return [];
    const wanted = ids.map((id) => (isUuid(id) ? { u: id.replaceAll('-', '') } : { t: id }));
    const rows = this.#db.all<StoredPrediction>(
      `${selectPredictions} WHERE p.place IN (
         SELECT f.place FROM json_each(?1) j
         CROSS JOIN predictions f INDEXED BY predictions_id
         WHERE f.workspace = ?2 AND f.id = coalesce(unhex(j.value ->> 'u'), j.value ->> 't'))`,
      JSON.stringify(wanted),
      owner,
    );
    return rows.map(rowOf);
  }

  findByPrefix(workspace: string, prefix: string, limit: number): PredictionRow[] {
    const owner = this.#findWorkspace(workspace);
    if (owner === undefined) return [];
    const sql = `${selectPredictions} WHERE p.workspace = ? AND p.id >= ? AND p.id < ? ORDER BY p.id LIMIT ?`;
    const texts = this.#db.all<StoredPrediction>(sql, owner, prefix, `${prefix}\u{10ffff}`, limit);
    const found = texts.map(rowOf);
    if (uuidBeginning.test(prefix)) {
      const hex = prefix.replaceAll('-', '');
      const low = Buffer.from(hex.padEnd(32, '0'), 'hex');
      // One byte longer than any id, so that the last possible one is still below it.
      const high = Buffer.from(`${hex.padEnd(32, 'f')}00`, 'hex');
      const rows = this.#db.all<StoredPrediction>(sql, owner, low, high, limit);
      found.push(...rows.map(rowOf).filter((row) => row.id.startsWith(prefix)));
    }
    return found.slice(0, limit);
  }

  countByModelVersion(
    refs: readonly string[],
    asOfPosition?: number,
    at?: number,
  ): PredictionCount[] {
    // Told under the name that was asked for: refs of one thing that was renamed share a key.
    const asked = new Map(refs.flatMap((ref) => this.#findKeys([ref]).map((key) => [key, ref])));
    const keys = JSON.stringify([...asked.keys()]);
    const counts =
      asOfPosition === undefined && at === undefined
        ? this.#db.all<KeyedCount>(
            `${selectCounts} WHERE c.model_version IN (SELECT value FROM json_each(?))`,
            keys,
          )
        : this.#countUpTo(keys, asOfPosition, at);
    return counts.map(({ version, ...count }) => ({
      ...count,
      modelVersion: asked.get(version) ?? count.modelVersion,
    }));
  }

  countByDeployment(
    refs: readonly string[],
    asOfPosition?: number,
    at?: number,
  ): PredictionCount[] {
    const keys = this.#findKeys(refs);
    const counts = this.#db.all<KeyedCount>(
      `${selectCounts} WHERE c.deployment IN (SELECT value FROM json_each(?))`,
      JSON.stringify(keys),
    );
    if (asOfPosition === undefined && at === undefined) return counts.map(withoutVersion);
    const deployments = new Set(counts.map((count) => count.deployment));
    const versions = JSON.stringify(counts.map((count) => count.version));
    return this.#countUpTo(versions, asOfPosition, at)
      .filter((row) => deployments.has(row.deployment))
      .map(withoutVersion);
  }

  #countUpTo(
    keys: string,
    position: number = lastPosition,
    at: number = Number.MAX_SAFE_INTEGER,
  ): KeyedCount[] {
    return this.#db.all<KeyedCount>(
      selectCountsUpTo,
      keys,
      placeOf(position, indexesPerPosition - 1),
      at,
    );
  }

  countAll(): { predictions: number; unknown: number } {
    const row = this.#db.get<{ predictions: number; unknown: number }>(
      'SELECT coalesce(sum(count), 0) AS predictions, coalesce(sum(unknown), 0) AS unknown FROM prediction_counts',
    );
    return row ?? { predictions: 0, unknown: 0 };
  }

  listByModelVersion(
    ref: string,
    page: { readonly before?: PredictionCursor | undefined; readonly limit: number },
  ): PredictionRow[] {
    const [key] = this.#findKeys([ref]);
    if (key === undefined) return [];
    const { before, limit } = page;
    const time = before?.time ?? Number.MAX_SAFE_INTEGER;
    const place = before ? placeOf(before.position, before.index) : Number.MAX_SAFE_INTEGER;
    const rows = this.#db.all<StoredPrediction>(
      `${selectPredictions} WHERE p.model_version = ?1 AND p.time <= ?2 AND (p.time < ?2 OR p.place < ?3)
       ORDER BY p.time DESC, p.place DESC LIMIT ?4`,
      key,
      time,
      place,
      limit,
    );
    return rows.map(rowOf);
  }

  ledTo(workspace: string, id: string, limit: number): string[] {
    const owner = this.#findWorkspace(workspace);
    if (owner === undefined) return [];
    return this.#db
      .all<Pick<StoredPrediction, 'id'>>(
        `SELECT p.id FROM prediction_parents l CROSS JOIN predictions p ON p.place = l.place
         WHERE l.workspace = ? AND l.parent = ? ORDER BY l.place LIMIT ?`,
        owner,
        storedId(id),
        limit,
      )
      .map((row) => readId(row.id));
  }

  countLedTo(workspace: string, id: string): number {
    const owner = this.#findWorkspace(workspace);
    if (owner === undefined) return 0;
    const sql = 'SELECT count(*) AS n FROM prediction_parents WHERE workspace = ? AND parent = ?';
    return this.#db.get<{ n: number }>(sql, owner, storedId(id))?.n ?? 0;
  }

  outcomesOf(workspace: string, predictions: readonly string[]): OutcomeRow[] {
    const owner = this.#findWorkspace(workspace);
    if (owner === undefined) return [];
    return this.#db
      .all<StoredOutcome>(
        `${selectOutcomes} WHERE workspace = ? AND prediction IN (SELECT value FROM json_each(?))
         ORDER BY place`,
        owner,
        JSON.stringify(predictions),
      )
      .map(({ place, ...rest }) => ({ ...rest, ...standsAt(place) }));
  }

  findOutcome(workspace: string, id: string): OutcomeRow | undefined {
    const owner = this.#findWorkspace(workspace);
    if (owner === undefined) return undefined;
    const row = this.#db.get<StoredOutcome>(
      `${selectOutcomes} WHERE workspace = ? AND id = ?`,
      owner,
      id,
    );
    if (!row) return undefined;
    const { place, ...rest } = row;
    return { ...rest, ...standsAt(place) };
  }

  readMessage(position: number, index: number): unknown {
    if (this.#held?.position === position && this.#held.messages.has(index)) {
      return this.#held.messages.get(index);
    }
    return messageOf(this.#payloads.readPayload(position, index));
  }

  readMessages(
    places: readonly { readonly position: number; readonly index: number }[],
  ): unknown[] {
    const messages = new Array<unknown>(places.length);
    const byPosition = Map.groupBy(places.keys(), (at) => places[at]?.position ?? 0);
    for (const [position, group] of byPosition) {
      // One entry is decompressed once, however many of its messages are wanted.
      const texts = group.length > 1 ? this.#readTexts(position) : undefined;
      for (const at of group) {
        const index = places[at]?.index ?? 0;
        messages[at] = texts ? messageOf(texts[index]) : this.readMessage(position, index);
      }
    }
    return messages;
  }

  #readTexts(position: number): readonly string[] | undefined {
    const row = this.#db.get<{ block: Uint8Array }>(
      'SELECT block FROM log_payloads WHERE position = ?',
      position,
    );
    return row && decodeBlock(row.block, position);
  }

  putPrediction(prediction: NewPrediction): void {
    const { modelVersion, deployment, time } = prediction;
    const unknown = prediction.unknown ? 1 : 0;
    const version = modelVersion === undefined ? 0 : this.#ensureKey(modelVersion);
    const place = deployment === undefined ? 0 : this.#ensureKey(deployment);
    this.#db.gather(
      predictionRows,
      placeOf(prediction.position, prediction.index),
      this.#ensureKey(`workspace:${prediction.workspace}`),
      storedId(prediction.id),
      time,
      version,
      place,
      unknown,
    );
    for (const parent of prediction.parents)
      this.#db.gather(
        parentRows,
        this.#ensureKey(`workspace:${prediction.workspace}`),
        storedId(parent),
        placeOf(prediction.position, prediction.index),
      );
    const counted = `${version} ${place}`;
    const sum = this.#counts.get(counted);
    if (sum) {
      sum.count += 1;
      sum.unknown += unknown;
      sum.firstTime = Math.min(sum.firstTime, time);
      sum.lastTime = Math.max(sum.lastTime, time);
    } else {
      this.#counts.set(counted, {
        version,
        place,
        count: 1,
        unknown,
        firstTime: time,
        lastTime: time,
      });
    }
  }

  /** Writes the counts of the transaction; called before it commits. */
  flush(): void {
    for (const sum of this.#counts.values()) {
      this.#db.run(
        `INSERT INTO prediction_counts VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
           count = count + excluded.count, unknown = unknown + excluded.unknown,
           first_time = min(first_time, excluded.first_time), last_time = max(last_time, excluded.last_time)`,
        sum.version,
        sum.place,
        sum.count,
        sum.unknown,
        sum.firstTime,
        sum.lastTime,
      );
    }
    this.#counts.clear();
  }

  putOutcome(workspace: string, outcome: OutcomeRow): void {
    this.#db.run(
      'INSERT INTO prediction_outcomes VALUES (?, ?, ?, ?, ?, ?)',
      placeOf(outcome.position, outcome.index),
      this.#ensureKey(`workspace:${workspace}`),
      outcome.id,
      outcome.prediction,
      outcome.type,
      outcome.time,
    );
  }

  renameRef(from: string, to: string): void {
    const key = this.#ensureKey(from);
    if (this.#findKey(to) === undefined) {
      this.#db.run('INSERT INTO prediction_names (name, key) VALUES (?, ?)', to, key);
    }
  }

  holdMessage(position: number, index: number, message: unknown): void {
    if (this.#held?.position !== position) this.#held = { position, messages: new Map() };
    this.#held.messages.set(index, message);
  }

  reset(): void {
    this.#counts.clear();
    this.#keys.clear();
    this.#held = undefined;
  }

  #findWorkspace(workspace: string): number | undefined {
    return this.#findKey(`workspace:${workspace}`);
  }

  #findKeys(refs: readonly string[]): number[] {
    return [...new Set(refs.flatMap((ref) => this.#findKey(ref) ?? []))];
  }

  #findKey(name: string): number | undefined {
    return this.#db.get<{ key: number }>('SELECT key FROM prediction_names WHERE name = ?', name)
      ?.key;
  }

  #ensureKey(name: string): number {
    const cached = this.#keys.get(name);
    if (cached !== undefined) return cached;
    const key = this.#findKey(name) ?? this.#addKey(name);
    this.#keys.set(name, key);
    return key;
  }

  #addKey(name: string): number {
    const { lastInsertRowid } = this.#db.run(
      `INSERT INTO prediction_names (name, key)
       SELECT ?, coalesce(max(rank), 0) + 1 FROM prediction_names`,
      name,
    );
    return lastInsertRowid;
  }
}
