import type { ExperimentRow, LifecycleStage, NewExperiment } from '../../tracking/index.ts';
import { BoundedMap } from './cache.ts';
import { defaultExperiment, experimentNumber } from './tracking-experiments.ts';
import { SqliteTrackingReader } from './tracking-reader.ts';

/** The writes of experiments, with a cache of their rows; the rest of the store builds on it. */
export class SqliteExperimentStore extends SqliteTrackingReader {
  readonly #defaults = new Set<string>();
  /** By workspace and id; emptied by every write to an experiment. */
  readonly #experiments = new BoundedMap<string, ExperimentRow>();

  /** Forgets what is remembered, after a rollback. */
  reset(): void {
    this.#defaults.clear();
    this.#experiments.clear();
  }

  override findExperiment(workspace: string, id: string): ExperimentRow | undefined {
    const name = `${id} ${workspace}`;
    const cached = this.#experiments.get(name);
    if (cached !== undefined) return cached;
    const row = super.findExperiment(workspace, id);
    // Key 0 stands for an experiment that is not a row yet.
    if (row !== undefined && row.key !== 0) this.#experiments.set(name, row);
    return row;
  }

  protected experimentKey(workspace: string, id: string): number {
    const cached = this.#experiments.get(`${id} ${workspace}`);
    if (cached !== undefined) return cached.key;
    const row = this.db.get<{ key: number }>(
      'SELECT key FROM tracking_experiments WHERE workspace = ? AND number = ?',
      workspace,
      experimentNumber(id) ?? -1,
    );
    if (row === undefined)
      throw new Error(`tracking: experiment ${id} is not in workspace ${workspace}`);
    return row.key;
  }

  ensureDefaultExperiment(workspace: string, time: number, location?: string): void {
    if (this.#defaults.has(workspace)) return;
    const { number, name, artifactLocation } = defaultExperiment;
    this.db.run(
      `INSERT OR IGNORE INTO tracking_experiments
       (workspace, number, name, artifact_location, deleted, creation_time, last_update_time)
       VALUES (?, ?, ?, ?, 0, ?, ?)`,
      workspace,
      number,
      name,
      location ?? artifactLocation,
      time,
      time,
    );
    this.#defaults.add(workspace);
  }

  putExperiment({ workspace, id, name, artifactLocation, ...times }: NewExperiment): void {
    this.db.run(
      `INSERT OR IGNORE INTO tracking_experiments
       (workspace, number, name, artifact_location, deleted, creation_time, last_update_time)
       VALUES (?, ?, ?, ?, 0, ?, ?)`,
      workspace,
      experimentNumber(id) ?? 0,
      name,
      artifactLocation,
      times.time,
      times.updatedTime ?? times.time,
    );
  }

  renameExperiment(workspace: string, id: string, name: string, time: number): void {
    this.#experiments.clear();
    this.db.run(
      'UPDATE tracking_experiments SET name = ?, last_update_time = ? WHERE key = ?',
      name,
      time,
      this.experimentKey(workspace, id),
    );
  }

  stageExperiment(workspace: string, id: string, stage: LifecycleStage, time: number): void {
    this.#experiments.clear();
    const key = this.experimentKey(workspace, id);
    const deleted = stage === 'deleted' ? 1 : 0;
    this.db.run(
      'UPDATE tracking_experiments SET deleted = ?, last_update_time = ? WHERE key = ?',
      deleted,
      time,
      key,
    );
    this.db.run('UPDATE tracking_runs SET deleted = ? WHERE experiment = ?', deleted, key);
  }

  putExperimentTag(workspace: string, id: string, key: string, value: string | null): void {
    const experiment = this.experimentKey(workspace, id);
    if (value === null) {
      this.db.run(
        'DELETE FROM tracking_experiment_tags WHERE experiment = ? AND name = ?',
        experiment,
        key,
      );
      return;
    }
    this.db.run(
      'INSERT OR REPLACE INTO tracking_experiment_tags (experiment, name, value) VALUES (?, ?, ?)',
      experiment,
      key,
      value,
    );
  }
}
