import type { JsonObject } from '../../base/json.ts';
import type { DeploymentRow } from '../../registry/store.ts';
import type { Database } from './database.ts';

const columns = `SELECT workspace, name, number, model_version AS modelVersion,
  from_time AS "from", until_time AS "until", attributes FROM registry_deployments`;

type StoredDeployment = Omit<DeploymentRow, 'attributes'> & { readonly attributes: string };

function rowOf(stored: StoredDeployment): DeploymentRow {
  // Written by `add` from a JSON object.
  return { ...stored, attributes: JSON.parse(stored.attributes) as JsonObject };
}

/** The deployments of the registry in SQLite. */
export class RegistryDeployments {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The one active at a time; when several claim it, the newest recorded. */
  find(workspace: string, name: string, at: number): DeploymentRow | undefined {
    const row = this.#db.get<StoredDeployment>(
      `${columns} WHERE workspace = ?1 AND name = ?2 AND from_time <= ?3
         AND (until_time IS NULL OR until_time > ?3) ORDER BY number DESC LIMIT 1`,
      workspace,
      name,
      at,
    );
    return row && rowOf(row);
  }

  findByNumber(workspace: string, name: string, number: number): DeploymentRow | undefined {
    const row = this.#db.get<StoredDeployment>(
      `${columns} WHERE workspace = ? AND name = ? AND number = ?`,
      workspace,
      name,
      number,
    );
    return row && rowOf(row);
  }

  list(
    workspace: string,
    options: { readonly name?: string | undefined; readonly limit: number },
  ): DeploymentRow[] {
    const rows =
      options.name === undefined
        ? this.#db.all<StoredDeployment>(
            `${columns} WHERE workspace = ? ORDER BY from_time DESC, name, number DESC LIMIT ?`,
            workspace,
            options.limit,
          )
        : this.#db.all<StoredDeployment>(
            `${columns} WHERE workspace = ? AND name = ? ORDER BY number DESC LIMIT ?`,
            workspace,
            options.name,
            options.limit,
          );
    return rows.map(rowOf);
  }

  add(deployment: DeploymentRow): void {
    this.#db.run(
      'INSERT INTO registry_deployments VALUES (?, ?, ?, ?, ?, ?, ?)',
      deployment.workspace,
      deployment.name,
      deployment.number,
      deployment.modelVersion,
      deployment.from,
      deployment.until,
      JSON.stringify(deployment.attributes),
    );
  }

  end(workspace: string, name: string, number: number, until: number): void {
    this.#db.run(
      'UPDATE registry_deployments SET until_time = ? WHERE workspace = ? AND name = ? AND number = ?',
      until,
      workspace,
      name,
      number,
    );
  }
}
