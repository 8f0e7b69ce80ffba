import { WherefromError } from '../../../base/errors.ts';
import { isObject, list, text } from '../../../base/json.ts';
import type { Database } from '../../../store/sqlite/database.ts';
import type { ImportWorkspace } from './messages.ts';
import { createRestClient, type RestOptions } from './rest-client.ts';
import { columnsOf, openMlflowDatabase } from './sqlite-database.ts';

const onlyDefault: ImportWorkspace = { name: 'default' };

/** Where new artifacts went there is kept where clients reach it too: not a path of that machine. */
function workspaceOf(said: {
  readonly name: string;
  readonly description?: string | undefined;
  readonly root?: string | undefined;
}): ImportWorkspace {
  const { name, description, root } = said;
  const shared = root !== undefined && /^(?!file:)[a-z][\w+.-]+:/i.test(root);
  return {
    name,
    ...(description === undefined ? {} : { description }),
    ...(shared ? { default_artifact_root: root } : {}),
  };
}

/** The workspaces of a database: those that are described, and those that hold something. */
export function sqliteWorkspaces(path: string): ImportWorkspace[] {
  const db = openMlflowDatabase(path);
  try {
    const columns = columnsOf(db);
    const found = new Map<string, ImportWorkspace>();
    for (const table of ['experiments', 'registered_models', 'evaluation_datasets', 'webhooks']) {
      if (columns.get(table)?.has('workspace') !== true) continue;
      for (const { name } of namesIn(db, table)) found.set(name, { name });
    }
    if (columns.has('workspaces')) {
      const rows = db.all<{ name: string; description: string | null; root: string | null }>(
        'SELECT name, description, default_artifact_root AS root FROM workspaces',
      );
      for (const { name, description, root } of rows)
        found.set(
          name,
          workspaceOf({ name, description: description ?? undefined, root: root ?? undefined }),
        );
    }
    if (!found.has(onlyDefault.name)) found.set(onlyDefault.name, onlyDefault);
    return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  } finally {
    db.close();
  }
}

const namesIn = (db: Database, table: string): { name: string }[] =>
  db.all<{ name: string }>(`SELECT DISTINCT workspace AS name FROM ${table}`);

/** Refusals that are not about workspaces. */
const telling: ReadonlySet<string> = new Set([
  'storage_unavailable',
  'unauthenticated',
  'forbidden',
]);

/**
 * The workspaces of a server; only the default one of a server without workspaces.
 * @throws storage_unavailable, unauthenticated, forbidden.
 */
export async function restWorkspaces(options: RestOptions): Promise<ImportWorkspace[]> {
  const answer = await createRestClient(options)
    .get('/api/3.0/mlflow/workspaces')
    .catch((thrown: unknown): Record<string, unknown> => {
      if (thrown instanceof WherefromError && telling.has(thrown.code)) throw thrown;
      return {};
    });
  const found = list(answer.workspaces)
    .filter(isObject)
    .map((said) =>
      workspaceOf({
        name: String(said.name),
        description: text(said.description),
        root: text(said.default_artifact_root),
      }),
    );
  return found.length === 0 ? [onlyDefault] : found;
}
