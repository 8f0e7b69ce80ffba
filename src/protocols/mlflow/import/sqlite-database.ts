import { existsSync } from 'node:fs';
import { WherefromError } from '../../../base/errors.ts';
import { Database } from '../../../store/sqlite/database.ts';
import { checkRevision } from './schema.ts';
import { groupBy } from './sqlite-rows.ts';

/**
 * Opens a database of MLflow to read.
 * @throws not_found; invalid_message when it is none, or of an unknown version.
 */
export function openMlflowDatabase(path: string): Database {
  if (!existsSync(path)) {
    throw new WherefromError('not_found', `There is no file ${path}.`, {
      hint: 'After sqlite:/// comes the path: with one more slash an absolute one.',
    });
  }
  let db: Database | undefined;
  let revision: string | undefined;
  try {
    db = new Database(path, 'read');
    revision = db.get<{ version_num: string }>(
      'SELECT version_num FROM alembic_version',
    )?.version_num;
  } catch {
    // no database, or none of MLflow: told below
  }
  try {
    checkRevision(revision, path);
  } catch (thrown) {
    db?.close();
    throw thrown;
  }
  if (db === undefined) throw new Error('checkRevision let a file pass that is no database');
  return db;
}

/** The columns of every table: versions of MLflow differ. */
export function columnsOf(db: Database): ReadonlyMap<string, ReadonlySet<string>> {
  const rows = db.all<{ owner: string; name: string }>(
    `SELECT m.name AS owner, c.name FROM sqlite_schema m, pragma_table_info(m.name) c
     WHERE m.type = 'table'`,
  );
  const names = groupBy(rows, ({ owner }) => owner);
  return new Map([...names].map(([table, list]) => [table, new Set(list.map(({ name }) => name))]));
}
