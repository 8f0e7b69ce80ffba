import type { KeyValue, LoggedModelStatus } from '../../facts/tracking-facts.ts';
import type { ArtifactRow, NewLoggedModel } from '../../tracking/index.ts';
import { SqliteExperimentStore } from './tracking-experiment-store.ts';

/** The writes of logged models and artifact files; the rest of the store builds on it. */
export class SqliteLoggedModelStore extends SqliteExperimentStore {
  putLoggedModel(model: NewLoggedModel): void {
    this.db.run(
      `INSERT OR IGNORE INTO tracking_models
       (id, experiment, name, model_type, source_run, artifact_uri, status, deleted, creation_time, last_update_time)
       VALUES (?, ?, ?, ?, ?, ?, 'LOGGED_MODEL_PENDING', 0, ?, ?)`,
      model.id,
      this.experimentKey(model.workspace, model.experimentId),
      model.name,
      model.modelType,
      model.sourceRun,
      model.artifactUri,
      model.time,
      model.time,
    );
  }

  finalizeLoggedModel(
    workspace: string,
    id: string,
    change: {
      readonly status: LoggedModelStatus;
      readonly digest?: string | undefined;
      readonly time: number;
    },
  ): void {
    this.db.run(
      'UPDATE tracking_models SET status = ?, digest = ?, last_update_time = ? WHERE key = ?',
      change.status,
      change.digest ?? null,
      change.time,
      this.#model(workspace, id),
    );
  }

  putLoggedModelTags(workspace: string, id: string, tags: readonly KeyValue[]): void {
    const owner = this.#model(workspace, id);
    for (const { key, value } of tags) {
      this.db.run(
        'INSERT OR REPLACE INTO tracking_model_tags (model, name, value) VALUES (?, ?, ?)',
        owner,
        key,
        value,
      );
    }
  }

  deleteLoggedModelTag(workspace: string, id: string, key: string): void {
    this.db.run(
      'DELETE FROM tracking_model_tags WHERE model = ? AND name = ?',
      this.#model(workspace, id),
      key,
    );
  }

  putLoggedModelParams(workspace: string, id: string, params: readonly KeyValue[]): void {
    const owner = this.#model(workspace, id);
    for (const { key, value } of params) {
      this.db.run(
        'INSERT OR IGNORE INTO tracking_model_params (model, name, value) VALUES (?, ?, ?)',
        owner,
        key,
        value,
      );
    }
  }

  deleteLoggedModel(workspace: string, id: string, time: number): void {
    this.db.run(
      'UPDATE tracking_models SET deleted = 1, last_update_time = ? WHERE key = ?',
      time,
      this.#model(workspace, id),
    );
  }

  putArtifact(workspace: string, { path, digest, bytes }: ArtifactRow): void {
    this.db.run(
      'INSERT OR REPLACE INTO tracking_artifacts (workspace, path, digest, bytes) VALUES (?, ?, ?, ?)',
      workspace,
      path,
      digest,
      bytes,
    );
  }

  deleteArtifacts(workspace: string, path: string): void {
    this.db.run(
      `DELETE FROM tracking_artifacts WHERE workspace = ? AND (path = ? OR (path >= ? AND path < ?))`,
      workspace,
      path,
      `${path}/`,
      `${path}0`,
    );
  }

  #model(workspace: string, id: string): number {
    const row = this.findLoggedModel(workspace, id);
    if (row === undefined)
      throw new Error(`tracking: logged model ${id} is not in workspace ${workspace}`);
    return row.key;
  }
}
