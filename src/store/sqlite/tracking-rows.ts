import type { LifecycleStage, OwnedKeyValue } from '../../tracking/index.ts';
import type { Database } from './database.ts';

/** A row as selected: its stage is a flag. */
export type Stored<T> = Omit<T, 'stage'> & { readonly deleted: number };

const stageOf = (deleted: number): LifecycleStage => (deleted === 1 ? 'deleted' : 'active');

export function staged<T>({ deleted, ...row }: Stored<T>): T {
  // The columns selected are those of T, with the stage as a flag.
  return { ...row, stage: stageOf(deleted) } as T;
}

/** Rows of owner, key and value, of those owners. */
export function keyValues(db: Database, sql: string, keys: readonly number[]): OwnedKeyValue[] {
  return db.all<OwnedKeyValue>(sql, JSON.stringify(keys));
}
