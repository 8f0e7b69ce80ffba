import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { limits } from '../../base/limits.ts';
import { openToRead } from './open-to-read.ts';

export type Row = Record<string, SQLInputValue>;

/** Rows of one statement that wait to be written together. */
interface Gathered {
  readonly rows: RowInsert;
  readonly values: SQLInputValue[];
}

/**
 * An insert of rows that no one needs before the next other statement: `before` ends with VALUES,
 * `row` is one row's placeholders, `after` says what a conflict does.
 */
export interface RowInsert {
  readonly columns: number;
  /** Statements for 32 rows and fewer, down to one: one for many costs a third less than many for one. */
  readonly statements: readonly (readonly [rows: number, sql: string])[];
}

export function rowInsert(before: string, columns: number, after = ''): RowInsert {
  const row = `(${Array.from({ length: columns }, () => '?').join(', ')})`;
  const statements = [32, 16, 8, 4, 2, 1].map(
    (rows) =>
      [rows, `${before} ${Array.from({ length: rows }, () => row).join(', ')} ${after}`] as const,
  );
  return { columns, statements };
}

/**
 * SQLite looks at the value of a bare `LIMIT ?` to choose its plan, and so prepares the statement anew
 * each time one is bound: twice the cost of a short query. An expression is not looked at.
 * Source: sqlite3ExprIsInteger and sqlite3VdbeSetVarmask of SQLite 3.53.
 */
function withStablePlan(sql: string): string {
  return sql.replace(/\b(LIMIT|OFFSET) (\?\d*)/g, '$1 $2+0');
}

function openToWrite(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: limits.busyTimeoutMs });
  try {
    db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;');
    db.exec(`PRAGMA wal_autocheckpoint=${limits.walPagesMax};`);
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/**
 * One connection with its prepared statements. The only place that knows the driver. Statements
 * are prepared once per SQL text; keep the texts constant, lists go in as JSON for `json_each(?)`.
 */
export class Database {
  readonly #db: DatabaseSync;
  readonly #statements: Map<string, StatementSync>;
  /** Statements that give rows as arrays. */
  readonly #tuples: Map<string, StatementSync>;
  readonly #gathered = new Map<RowInsert, Gathered>();
  #waiting = false;
  readonly #parts: Database[] = [];

  /** Opens with WAL and, for the writer, `synchronous=FULL`: a commit is on disk when it returns. */
  constructor(path: string | Database, mode: 'write' | 'read' = 'read') {
    if (path instanceof Database) {
      this.#db = path.#db;
      this.#statements = path.#statements;
      this.#tuples = path.#tuples;
      return;
    }
    this.#statements = new Map();
    this.#tuples = new Map();
    this.#db = mode === 'read' ? openToRead(path) : openToWrite(path);
    this.#db.exec('PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY; ');
  }

  /**
   * The same connection for one room, whose tables no other room reads: what it gathers is written
   * before its own other statements, and before the commit.
   */
  part(): Database {
    const part = new Database(this);
    this.#parts.push(part);
    return part;
  }

  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(withStablePlan(sql));
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
    if (this.#waiting) this.writeGathered();
    return this.prepare(sql).all(...values) as T[];
  }

  /** All rows as arrays of what the text selects: a third cheaper than objects. For constant texts. */
  tuples<T extends readonly unknown[]>(sql: string, ...values: SQLInputValue[]): T[] {
    // The driver types rows as objects, whatever was set.
    return this.#ofTuples(sql).all(...values) as unknown as T[];
  }

  /** The same one row after the other, for very many; nothing else is asked in between. */
  eachTuple<T extends readonly unknown[]>(
    sql: string,
    ...values: SQLInputValue[]
  ): IterableIterator<T> {
    return this.#ofTuples(sql).iterate(...values) as unknown as IterableIterator<T>;
  }

  #ofTuples(sql: string): StatementSync {
    if (this.#waiting) this.writeGathered();
    let statement = this.#tuples.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(withStablePlan(sql));
      statement.setReturnArrays(true);
      this.#tuples.set(sql, statement);
    }
    return statement;
  }

  get<T = Row>(sql: string, ...values: SQLInputValue[]): T | undefined {
    if (this.#waiting) this.writeGathered();
    return this.getApart(sql, ...values);
  }

  run(sql: string, ...values: SQLInputValue[]): { changes: number; lastInsertRowid: number } {
    if (this.#waiting) this.writeGathered();
    return this.runApart(sql, ...values);
  }

  /** Like `get`, for a table whose rows are never gathered. */
  getApart<T = Row>(sql: string, ...values: SQLInputValue[]): T | undefined {
    return this.prepare(sql).get(...values) as T | undefined;
  }

  /** Like `run`, for a table whose rows are never gathered. */
  runApart(sql: string, ...values: SQLInputValue[]): { changes: number; lastInsertRowid: number } {
    const { changes, lastInsertRowid } = this.prepare(sql).run(...values);
    return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) };
  }

  /**
   * Writes a row later, together with others: before any other statement that may see it, at the
   * latest before the commit. For inserts whose result nobody asks for.
   */
  gather(rows: RowInsert, ...values: SQLInputValue[]): void {
    this.#waiting = true;
    const gathered = this.#gathered.get(rows);
    if (gathered === undefined) this.#gathered.set(rows, { rows, values });
    else gathered.values.push(...values);
  }

  /** Writes what was gathered, in its parts too. @throws as the inserts do. */
  writeGathered(): void {
    for (const part of this.#parts) part.writeGathered();
    if (!this.#waiting) return;
    this.#waiting = false;
    for (const { rows, values } of this.#gathered.values()) {
      let from = 0;
      for (const [count, sql] of rows.statements) {
        const size = count * rows.columns;
        for (; from + size <= values.length; from += size)
          this.prepare(sql).run(...values.slice(from, from + size));
      }
      values.length = 0;
    }
  }

  /** Forgets what was gathered, after a rollback. */
  dropGathered(): void {
    for (const part of this.#parts) part.dropGathered();
    this.#waiting = false;
    this.#gathered.clear();
  }

  exec(sql: string): void {
    this.writeGathered();
    this.#db.exec(sql);
  }

  close(): void {
    this.#statements.clear();
    this.#tuples.clear();
    this.#db.close();
  }
}
