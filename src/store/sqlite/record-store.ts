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

/** Names of workspaces over one connection. */
export class SqliteWorkspaces {
  readonly #db: Database;
  readonly #ids = new BoundedMap<string, string>(1_000);

  constructor(db: Database) {
    this.#db = db;
  }

  findWorkspaceId(name: string): string | undefined {
    const cached = this.#ids.get(name);
    if (cached !== undefined) return cached;
    const id = this.#db.get<{ id: string }>('SELECT id FROM workspaces WHERE name = ?', name)?.id;
    if (id !== undefined) this.#ids.set(name, id);
    return id;
  }

  findWorkspaceName(id: string): string | undefined {
    return this.#db.get<{ name: string }>('SELECT name FROM workspaces WHERE id = ?', id)?.name;
  }

  putWorkspace(id: string, name: string): void {
    this.#db.run(
      'INSERT INTO workspaces (id, name) VALUES (?, ?) ON CONFLICT DO NOTHING',
      id,
      name,
    );
  }

  reset(): void {
    this.#ids.clear();
  }
}
