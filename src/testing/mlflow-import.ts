import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { runImport } from '../protocols/mlflow/import/importer.ts';
import type { ImportReport } from '../protocols/mlflow/import/report.ts';
import { openSqliteSource } from '../protocols/mlflow/import/sqlite-source.ts';
import { createImportTarget, type ImportTarget } from '../protocols/mlflow/import/target.ts';
import { startMlflowServer } from './mlflow-server.ts';
import { temporaryDirectory } from './store.ts';

/** Versions of MLflow whose tables are at hand. */
export type SchemaVersion = '3.17.2' | '3.1' | '2.22';

const fixtures = join(import.meta.dirname, '../protocols/mlflow/import/fixtures');

/** A file that a release of MLflow wrote. */
export const importFixture = (name: string): string => readFileSync(join(fixtures, name), 'utf8');

/** A server with MLflow's protocol, and a database of MLflow that is imported into it. */
export async function startImportServer() {
  const server = await startMlflowServer();
  const files = temporaryDirectory();
  const path = join(files.path, 'mlflow.db');
  const run = (sql: string): void => {
    const db = new DatabaseSync(path);
    db.exec(sql);
    db.close();
  };
  const target = (workspace = 'default'): ImportTarget =>
    createImportTarget(
      { ...server.services, blobs: server.blobs },
      { principal: 'tester', workspace },
    );
  return {
    server,
    /** Directory of the database. */
    directory: files.path,
    path,
    /** Makes the database of that version, with these rows. */
    makeDatabase: (version: SchemaVersion, rows = ''): void =>
      run(importFixture(`schema-${version}.sql`) + rows),
    /** Changes the database. */
    change: run,
    target,
    /** Imports everything of a workspace of the source. */
    async importAll(into = target(), workspace = 'default'): Promise<ImportReport> {
      const source = openSqliteSource({ path, workspace });
      try {
        return await runImport({ source, target: into, files: true, base: files.path });
      } finally {
        source.close();
      }
    },
    /** How many entries the ledger has. */
    entries: async (): Promise<number> =>
      (await server.store.read(({ ledger }) => ledger.head())).size,
    async close(): Promise<void> {
      await server.close();
      files.remove();
    },
  };
}
