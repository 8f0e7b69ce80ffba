import type { OutcomeRow, PredictionCount, PredictionRow } from '../../predictions/store.ts';

/** Messages of one entry are told apart by less than this. */
export const indexesPerPosition = 65_536;
/** Positions up to here keep their place an exact number. */
export const lastPosition = 2 ** 36;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** What a UUID begins with. */
export const uuidBeginning = /^[0-9a-f]{1,8}(?:-[0-9a-f]{0,4}){0,3}(?:-[0-9a-f]{0,12})?$/;

/** A row of `selectPredictions`. */
export interface StoredPrediction {
  readonly place: number;
  readonly id: string | Uint8Array;
  readonly time: number;
  readonly modelVersion: string | null;
  readonly deployment: string | null;
  readonly unknown: number;
}

/** A row of `selectOutcomes`. */
export interface StoredOutcome extends Omit<OutcomeRow, 'position' | 'index'> {
  readonly place: number;
}

export const selectPredictions = `SELECT p.place, p.id, p.time, p.unknown,
  v.name AS modelVersion, d.name AS deployment
  FROM predictions p
  LEFT JOIN prediction_names v ON v.rank = p.model_version
  LEFT JOIN prediction_names d ON d.rank = p.deployment`;
export const selectOutcomes = 'SELECT place, id, prediction, type, time FROM prediction_outcomes';
export const selectCounts = `SELECT c.model_version AS version, v.name AS modelVersion, d.name AS deployment, c.count,
  c.first_time AS firstTime, c.last_time AS lastTime
  FROM prediction_counts c
  LEFT JOIN prediction_names v ON v.rank = c.model_version
  LEFT JOIN prediction_names d ON d.rank = c.deployment`;
/** The same, counted: slower, but as of a position. Reads one index only. */
export const selectCountsUpTo = `SELECT c.model_version AS version, v.name AS modelVersion, d.name AS deployment, c.count,
  c.firstTime, c.lastTime
  FROM (SELECT model_version, deployment, count(*) AS count, min(time) AS firstTime, max(time) AS lastTime
        FROM predictions INDEXED BY predictions_model_version
        WHERE model_version IN (SELECT value FROM json_each(?1)) AND place <= ?2 AND time <= ?3
        GROUP BY model_version, deployment) c
  LEFT JOIN prediction_names v ON v.rank = c.model_version
  LEFT JOIN prediction_names d ON d.rank = c.deployment`;

/** The key of a prediction: where its payload stands. */
export function placeOf(position: number, index: number): number {
  return position * indexesPerPosition + index;
}

/** True of the lower-case text of a UUID. */
export function isUuid(id: string): boolean {
  return id.length === 36 && uuid.test(id);
}

/** Ids as they are stored: a UUID takes 16 bytes instead of 36. */
export function storedId(id: string): string | Uint8Array {
  return isUuid(id) ? Buffer.from(id.replaceAll('-', ''), 'hex') : id;
}

/** The id as it was sent. */
export function readId(stored: string | Uint8Array): string {
  if (typeof stored === 'string') return stored;
  const hex = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Where the payload of a row stands. */
export function standsAt(place: number): { position: number; index: number } {
  const index = place % indexesPerPosition;
  return { position: (place - index) / indexesPerPosition, index };
}

/** The row as the room knows it. */
export function rowOf({ place, id, unknown, ...rest }: StoredPrediction): PredictionRow {
  return { ...rest, id: readId(id), ...standsAt(place), unknown: unknown === 1 };
}

/** With the key of the model version. */
export type KeyedCount = PredictionCount & { readonly version: number };

/** The count as it is told. */
export const withoutVersion = ({ version: _, ...count }: KeyedCount): PredictionCount => count;
