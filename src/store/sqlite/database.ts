import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { limits } from '../../base/limits.ts';

export type Row = Record<string, SQLInputValue>;

/**
 * One connection with its prepared statements. The only place that knows the driver. Statements
 * are prepared once per SQL text; keep the texts constant, lists go in as JSON for `json_each(?)`.
 */
export class Database {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Opens with WAL and, for the writer, `synchronous=FULL`: a commit is on disk when it returns. */
  constructor(path: string, mode: 'write' | 'read') {
    this.#db = new DatabaseSync(path, { readOnly: mode === 'read', timeout: limits.busyTimeoutMs });
    if (mode === 'write') {
      this.#db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;');
      this.#db.exec(`PRAGMA wal_autocheckpoint=${limits.walPagesMax};`);
    }
    this.#db.exec('PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY; ');
  }

  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      // Search texts depend on the filter's shape: the oldest statement makes room.
      if (this.#statements.size >= limits.statementsMax) {
        this.#statements.delete(this.#statements.keys().next().value ?? '');
      }
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** All rows. `T` is what the SQL text selects: the one unchecked promise of this file. */
  all<T = Row>(sql: string, ...values: SQLInputValue[]): T[] {
    return this.prepare(sql).all(...values) as T[];
  }

  get<T = Row>(sql: string, ...values: SQLInputValue[]): T | undefined {
    return this.prepare(sql).get(...values) as T | undefined;
  }

  run(sql: string, ...values: SQLInputValue[]): { changes: number; lastInsertRowid: number } {
    const { changes, lastInsertRowid } = this.prepare(sql).run(...values);
    return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) };
  }

  iterate<T = Row>(sql: string, ...values: SQLInputValue[]): IterableIterator<T> {
    return this.prepare(sql).iterate(...values) as IterableIterator<T>;
  }

  exec(sql: string): void {
    this.#db.exec(sql);
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }
}
