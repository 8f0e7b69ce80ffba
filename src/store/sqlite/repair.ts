import { WherefromError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { Database } from './database.ts';
import { explainSqliteError, isBusy, isDamage } from './sqlite-errors.ts';

/**
 * What SQLite finds wrong with a file, or with one table of it, in its own words; empty when it is
 * sound. Reads all of it. What cells should hold it does not know: that is for `verify` to tell.
 * @throws storage_unavailable when it cannot be read at all.
 */
export function findDamage(storePath: string, table?: string): string[] {
  try {
    const db = new Database(storePath, 'read');
    try {
      const told = db.all<{ quick_check: string }>(
        `PRAGMA quick_check(${table ?? limits.damageLinesMax})`,
      );
      const lines = told.flatMap(({ quick_check }) => quick_check.trim().split('\n'));
      return lines.filter((line) => line !== 'ok').slice(0, limits.damageLinesMax);
    } finally {
      db.close();
    }
  } catch (thrown) {
    if (isDamage(thrown) && thrown instanceof Error) return [thrown.message];
    throw explainSqliteError(thrown);
  }
}

/**
 * Copies the record of a damaged store beside projections that were made from it: the shadow is a
 * whole store then, in one file. In place of a crash's durability it has none: sync it.
 * @param options.replaced as of `swapProjections`.
 * @throws integrity_broken when the record is damaged too.
 */
export function copyRecord(
  storePath: string,
  shadowPath: string,
  options: { readonly replaced?: number } = {},
): void {
  const db = new Database(shadowPath, 'write');
  try {
    // A shadow that a crash leaves behind is thrown away, and it has to end as one file.
    db.exec('PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;');
    const tables = db.all<{ name: string }>(
      `SELECT name FROM sqlite_schema WHERE type = 'table'
       AND (name LIKE 'log\\_%' ESCAPE '\\' OR name LIKE 'vault\\_%' ESCAPE '\\')`,
    );
    for (const { name } of tables) checkRecord(storePath, name);
    db.prepare('ATTACH ? AS damaged').run(storePath);
    db.exec('BEGIN IMMEDIATE');
    for (const { name } of tables) {
      // Of `log_meta` the shadow has the version of its own projections.
      db.exec(
        `INSERT INTO main.${name} SELECT * FROM damaged.${name} WHERE true ON CONFLICT DO NOTHING`,
      );
    }
    if (options.replaced !== undefined) {
      db.run(
        "INSERT INTO log_meta (key, value) VALUES ('replaced', ?) ON CONFLICT DO NOTHING",
        String(options.replaced),
      );
    }
    db.exec('COMMIT');
  } catch (thrown) {
    throw explainSqliteError(thrown);
  } finally {
    db.close();
  }
}

function checkRecord(storePath: string, table: string): void {
  const [damage] = findDamage(storePath, table);
  if (damage === undefined) return;
  throw new WherefromError(
    'integrity_broken',
    `The record itself is damaged, in ${table}: ${damage}.`,
    {
      hint: 'Nothing was changed. Restore the data directory from a backup.',
      detail: { table },
    },
  );
}

/**
 * Makes one file of a store: what else SQLite keeps beside it would be taken for part of the file
 * that comes in its place.
 * @throws conflict when another process has it open.
 */
export function settleStore(storePath: string): void {
  const db = new Database(storePath, 'write');
  try {
    db.exec('PRAGMA journal_mode=DELETE');
  } catch (cause) {
    if (!isBusy(cause)) throw explainSqliteError(cause);
    throw new WherefromError('conflict', 'Another process reads the data directory.', {
      hint: 'Wait until it is done, then rebuild again.',
      cause,
    });
  } finally {
    db.close();
  }
}
