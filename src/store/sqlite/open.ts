import { WherefromError } from '../../base/errors.ts';
import { Database } from './database.ts';
import { evaluationSchema } from './evaluation-schema.ts';
import { importsSchema } from './imports-schema.ts';
import { ledgerSchema, workspaceSchema } from './ledger-schema.ts';
import { lineageSchema } from './lineage-schema.ts';
import { predictionsSchema } from './predictions-schema.ts';
import { registrySchema } from './registry-schema.ts';
import { reviewSchema } from './review-schema.ts';
import { explainSqliteError } from './sqlite-errors.ts';
import { SqliteReaderStore, SqliteStore } from './store.ts';
import { tracesSchema } from './traces-schema.ts';
import { trackingSchema } from './tracking-schema.ts';
import { webhooksSchema } from './webhooks-schema.ts';

/** Version of the record's tables (`log_`, `vault_`). Each step up is a migration below. */
const recordVersion = 2;
/**
 * Version of all projections and translators together. When it differs from the stored one, the
 * projections are rebuilt from the payloads: raise it with any change of their meaning or tables.
 */
export const projectionVersion = 6;

const recordMigrations: readonly string[] = [
  ledgerSchema,
  // 2: times grow with positions, so a position is searched for by its time without an index.
  'DROP INDEX log_entries_time;',
];
const projectionSchema = [
  workspaceSchema,
  lineageSchema,
  trackingSchema,
  registrySchema,
  predictionsSchema,
  tracesSchema,
  evaluationSchema,
  reviewSchema,
  webhooksSchema,
  importsSchema,
].join('\n');

export interface OpenedStore {
  readonly store: SqliteStore;
  /** The version of the projections on disk; differs from `projectionVersion` when they must be rebuilt. */
  readonly projectionsOnDisk: number;
}

/**
 * Opens, and where needed creates or migrates, the embedded store.
 * @throws integrity_broken when the file is no sound database, or was written by a newer version.
 */
export function openSqliteStore(path: string): OpenedStore {
  let db: Database | undefined;
  try {
    db = new Database(path, 'write');
    migrate(db);
    const projectionsOnDisk = projectionsOf(db);
    if (projectionsOnDisk === 0) {
      createProjections(db);
      return { store: new SqliteStore(path, db), projectionsOnDisk: projectionVersion };
    }
    return { store: new SqliteStore(path, db), projectionsOnDisk };
  } catch (thrown) {
    db?.close();
    throw explainSqliteError(thrown);
  }
}

function projectionsOf(db: Database): number {
  return Number(
    db.get<{ value: string }>("SELECT value FROM log_meta WHERE key = 'projections'")?.value ?? 0,
  );
}

function migrate(db: Database): void {
  const version = db.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0;
  if (version > recordVersion) {
    throw new WherefromError(
      'integrity_broken',
      `The data directory has layout ${version}; this version knows ${recordVersion}.`,
      {
        hint: 'Use the newer version of Wherefrom that wrote it.',
      },
    );
  }
  for (let next = version; next < recordVersion; next += 1) {
    db.exec(
      `BEGIN IMMEDIATE; ${recordMigrations[next] ?? ''} PRAGMA user_version = ${next + 1}; COMMIT;`,
    );
  }
}

function createProjections(db: Database): void {
  db.exec(`BEGIN IMMEDIATE; ${projectionSchema}
    INSERT INTO log_meta (key, value) VALUES ('projections', '${projectionVersion}') ON CONFLICT DO UPDATE SET value = excluded.value; COMMIT;`);
}

/** Names of all projection tables of a database. */
function projectionTables(db: Database, schema = 'main'): string[] {
  return db
    .all<{ name: string }>(
      `SELECT name FROM ${schema}.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'log\\_%' ESCAPE '\\' AND name NOT LIKE 'vault\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name`,
    )
    .map(({ name }) => name);
}

/** Opens a new file with empty projections beside the store, for `replay` to fill. */
export function openShadowStore(path: string): SqliteStore {
  const db = new Database(path, 'write');
  // A shadow that a crash leaves behind is thrown away: it need not be durable.
  db.exec('PRAGMA synchronous=OFF;');
  migrate(db);
  createProjections(db);
  return new SqliteStore(path, db);
}

/**
 * Replaces every projection of the store by those of the shadow, in one transaction.
 * @param options.replaced the version of what was there, when the ledger is to tell of it: it is
 *   noted until `forgetReplaced`.
 */
export function swapProjections(
  storePath: string,
  shadowPath: string,
  options: { readonly replaced?: number } = {},
): void {
  const db = new Database(storePath, 'write');
  try {
    db.prepare('ATTACH ? AS shadow').run(shadowPath);
    db.exec('BEGIN IMMEDIATE');
    for (const table of projectionTables(db)) db.exec(`DROP TABLE main.${table}`);
    db.exec(projectionSchema);
    for (const table of projectionTables(db))
      db.exec(`INSERT INTO main.${table} SELECT * FROM shadow.${table}`);
    db.run(
      "INSERT INTO log_meta (key, value) VALUES ('projections', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
      String(projectionVersion),
    );
    if (options.replaced !== undefined) {
      // A note that is still there is of a rebuild before this one, and older.
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

/** One line for each projection table whose rows differ between the two files; empty when all are the same. */
export function compareProjections(storePath: string, shadowPath: string): string[] {
  const db = new Database(storePath, 'read');
  try {
    db.prepare('ATTACH ? AS shadow').run(shadowPath);
    const differences: string[] = [];
    const tables = new Set(projectionTables(db));
    for (const table of projectionTables(db, 'shadow')) {
      if (!tables.has(table)) {
        differences.push(`${table}: the table is missing`);
        continue;
      }
      const only = (from: string, other: string): number =>
        db.get<{ n: number }>(
          `SELECT count(*) AS n FROM (SELECT * FROM ${from}.${table} EXCEPT SELECT * FROM ${other}.${table})`,
        )?.n ?? 0;
      const missing = only('shadow', 'main');
      const extra = only('main', 'shadow');
      if (missing + extra > 0)
        differences.push(
          `${table}: ${missing} rows missing or changed, ${extra} rows that the record does not tell of`,
        );
    }
    return differences;
  } catch (thrown) {
    throw explainSqliteError(thrown);
  } finally {
    db.close();
  }
}

/**
 * Opens the store to read, beside a server that may be writing to it.
 * @param options.recordOnly whatever the projections are: only the record will be read.
 * @throws integrity_broken when the file is no sound database; conflict when its projections are of
 *   another version.
 */
export function openSqliteReader(
  path: string,
  options: { readonly recordOnly?: boolean } = {},
): SqliteReaderStore {
  try {
    const db = new Database(path, 'read');
    let onDisk: number;
    try {
      onDisk = options.recordOnly ? projectionVersion : projectionsOf(db);
    } finally {
      db.close();
    }
    if (onDisk !== projectionVersion) {
      throw new WherefromError(
        'conflict',
        `The projections of this data directory are of version ${onDisk}, not ${projectionVersion}.`,
        { hint: 'Run "wherefrom rebuild" on it, or start a server, which does it by itself.' },
      );
    }
    return new SqliteReaderStore(path);
  } catch (thrown) {
    throw explainSqliteError(thrown);
  }
}
