import type { WorkspaceAttributes } from '../../facts/facts.ts';
import { BoundedMap } from './cache.ts';
import type { Database } from './database.ts';

/** The vault of persons over one connection. */
export class SqliteVault {
  readonly #db: Database;
  readonly #tokens = new BoundedMap<string, string>(10_000);
  readonly #byValue = new BoundedMap<string, string>(10_000);
  readonly #values = new BoundedMap<string, string>(10_000);

  constructor(db: Database) {
    this.#db = db;
  }

  findToken(lookup: Uint8Array): string | undefined {
    const key = Buffer.from(lookup).toString('latin1');
    const cached = this.#tokens.get(key);
    if (cached !== undefined) return cached;
    const token = this.#db.get<{ token: string }>(
      'SELECT token FROM vault_persons WHERE lookup = ?',
      lookup,
    )?.token;
    if (token !== undefined) this.#tokens.set(key, token);
    return token;
  }

  findValue(token: string): string | undefined {
    const cached = this.#values.get(token);
    if (cached !== undefined) return cached;
    const value = this.#db.get<{ value: string }>(
      'SELECT value FROM vault_persons WHERE token = ?',
      token,
    )?.value;
    if (value !== undefined) this.#values.set(token, value);
    return value;
  }

  cachedToken(value: string): string | undefined {
    return this.#byValue.get(value);
  }

  cacheToken(value: string, token: string): void {
    this.#byValue.set(value, token);
  }

  putPerson(token: string, lookup: Uint8Array, value: string): void {
    this.#db.run(
      'INSERT INTO vault_persons (token, lookup, value) VALUES (?, ?, ?)',
      token,
      lookup,
      value,
    );
  }

  reset(): void {
    this.#tokens.clear();
    this.#values.clear();
    this.#byValue.clear();
  }
}

/** A row of workspaces; the door declares what it is to others. */
interface WorkspaceRow {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly artifactRoot: string | null;
  readonly traceArchivalLocation: string | null;
  readonly traceArchivalRetention: string | null;
  readonly deletedTime: number | null;
}

const workspaceColumns = `id, name, description, artifact_root AS artifactRoot,
  trace_archival_location AS traceArchivalLocation,
  trace_archival_retention AS traceArchivalRetention, deleted_time AS deletedTime`;

/**
 * Workspaces over one connection. The writer alone remembers ids: what a reader remembered would
 * outlive a deletion.
 */
export class SqliteWorkspaces {
  readonly #db: Database;
  readonly #ids: BoundedMap<string, string> | undefined;

  constructor(db: Database, options: { readonly remember: boolean }) {
    this.#db = db;
    this.#ids = options.remember ? new BoundedMap<string, string>(1_000) : undefined;
  }

  findWorkspaceId(name: string): string | undefined {
    const cached = this.#ids?.get(name);
    if (cached !== undefined) return cached;
    const id = this.#db.get<{ id: string }>(
      'SELECT id FROM workspaces WHERE name = ? AND deleted_time IS NULL',
      name,
    )?.id;
    if (id !== undefined) this.#ids?.set(name, id);
    return id;
  }

  findWorkspaceName(id: string): string | undefined {
    return this.#db.get<{ name: string }>('SELECT name FROM workspaces WHERE id = ?', id)?.name;
  }

  findWorkspace(name: string): WorkspaceRow | undefined {
    return this.#db.get<WorkspaceRow>(
      `SELECT ${workspaceColumns} FROM workspaces WHERE name = ?`,
      name,
    );
  }

  listWorkspaces(): WorkspaceRow[] {
    return this.#db.all<WorkspaceRow>(
      `SELECT ${workspaceColumns} FROM workspaces WHERE deleted_time IS NULL ORDER BY name`,
    );
  }

  putWorkspace(id: string, name: string): void {
    this.#db.run(
      'INSERT INTO workspaces (id, name) VALUES (?, ?) ON CONFLICT DO NOTHING',
      id,
      name,
    );
  }

  describeWorkspace(id: string, attributes: WorkspaceAttributes): void {
    const { description, artifactRoot, traceArchivalLocation, traceArchivalRetention } = attributes;
    const columns = {
      description,
      artifact_root: artifactRoot,
      trace_archival_location: traceArchivalLocation,
      trace_archival_retention: traceArchivalRetention,
    };
    for (const [column, value] of Object.entries(columns)) {
      if (value !== undefined)
        this.#db.run(`UPDATE workspaces SET ${column} = ? WHERE id = ?`, value, id);
    }
  }

  deleteWorkspace(id: string, time: number): void {
    this.#db.run('UPDATE workspaces SET deleted_time = ? WHERE id = ?', time, id);
    this.#ids?.clear();
  }

  reset(): void {
    this.#ids?.clear();
  }
}
