import type {
  EvaluationReader,
  EvaluationRecordRow,
  EvaluationStore,
  NewEvaluationDataset,
  ScorerConfigRow,
  ScorerVersionRow,
} from '../../evaluation/store.ts';
import type { Database } from './database.ts';
import { SqliteEvaluationReader } from './evaluation-reader.ts';

/** Evaluation datasets and scorers in SQLite, to read. */
export function createSqliteEvaluationReader(db: Database): EvaluationReader {
  return new SqliteEvaluationReader(db);
}

/** The same for the writer. It caches nothing: every look-up is one seek. */
export function createSqliteEvaluationStore(db: Database): EvaluationStore {
  return new SqliteEvaluationStore(db);
}

class SqliteEvaluationStore extends SqliteEvaluationReader implements EvaluationStore {
  datasetKey(workspace: string, id: string): number {
    const row = this.findDataset(workspace, id);
    if (!row) throw new Error(`no evaluation dataset ${id} in the workspace ${workspace}`);
    return row.key;
  }

  addDataset({ workspace, id, name, digest, time, user }: NewEvaluationDataset): number {
    return this.db.run(
      `INSERT INTO evaluation_datasets (workspace, id, name, digest, created_time, updated_time, created_by, updated_by)
       VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?6)`,
      workspace,
      id,
      name,
      digest,
      time,
      user,
    ).lastInsertRowid;
  }

  putDatasetTag(dataset: number, key: string, value: string): void {
    this.db.run(
      'INSERT OR REPLACE INTO evaluation_dataset_tags (dataset, key, value) VALUES (?, ?, ?)',
      dataset,
      key,
      value,
    );
  }

  removeDatasetTag(dataset: number, key: string): void {
    this.db.run('DELETE FROM evaluation_dataset_tags WHERE dataset = ? AND key = ?', dataset, key);
  }

  linkExperiment(dataset: number, experiment: string): void {
    this.db.run(
      'INSERT OR IGNORE INTO evaluation_dataset_experiments (dataset, experiment) VALUES (?, ?)',
      dataset,
      experiment,
    );
  }

  unlinkExperiment(dataset: number, experiment: string): void {
    this.db.run(
      'DELETE FROM evaluation_dataset_experiments WHERE dataset = ? AND experiment = ?',
      dataset,
      experiment,
    );
  }

  touchDataset(dataset: number, time: number): void {
    this.db.run(
      'UPDATE evaluation_datasets SET updated_time = max(updated_time, ?) WHERE key = ?',
      time,
      dataset,
    );
  }

  updateDataset(
    dataset: number,
    state: {
      readonly digest: string;
      readonly profile: string | null;
      readonly time: number;
      readonly schema?: string | undefined;
      readonly user?: string | null | undefined;
    },
  ): void {
    this.db.run(
      `UPDATE evaluation_datasets SET digest = ?2, profile = ?3, updated_time = ?4,
         schema = coalesce(?5, schema), updated_by = CASE WHEN ?6 THEN ?7 ELSE updated_by END
       WHERE key = ?1`,
      dataset,
      state.digest,
      state.profile,
      state.time,
      state.schema ?? null,
      state.user === undefined ? 0 : 1,
      state.user ?? null,
    );
  }

  deleteDataset(dataset: number): void {
    for (const table of ['dataset_tags', 'dataset_experiments', 'records']) {
      this.db.run(`DELETE FROM evaluation_${table} WHERE dataset = ?`, dataset);
    }
    this.db.run('DELETE FROM evaluation_datasets WHERE key = ?', dataset);
  }

  putRecord(dataset: number, record: EvaluationRecordRow): void {
    this.db.run(
      `INSERT INTO evaluation_records (dataset, id, input_digest, inputs, outputs, expectations, tags,
         source, source_id, source_type, created_time, updated_time, created_by, updated_by)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (dataset, id) DO UPDATE SET outputs = excluded.outputs,
         expectations = excluded.expectations, tags = excluded.tags,
         updated_time = excluded.updated_time, updated_by = excluded.updated_by`,
      dataset,
      record.id,
      record.inputDigest,
      record.inputs,
      record.outputs,
      record.expectations,
      record.tags,
      record.source,
      record.sourceId,
      record.sourceType,
      record.createdTime,
      record.updatedTime,
      record.createdBy,
      record.updatedBy,
    );
  }

  removeRecords(dataset: number, ids: readonly string[]): void {
    this.db.run(
      'DELETE FROM evaluation_records WHERE dataset = ? AND id IN (SELECT value FROM json_each(?))',
      dataset,
      JSON.stringify(ids),
    );
  }

  putScorerVersion(workspace: string, version: ScorerVersionRow): void {
    this.db.run(
      `INSERT INTO evaluation_scorers (workspace, id, experiment, name, version_count)
       VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (workspace, id) DO UPDATE SET version_count = excluded.version_count`,
      workspace,
      version.id,
      version.experiment,
      version.name,
      version.version,
    );
    this.db.run(
      `INSERT INTO evaluation_scorer_versions (scorer, version, serialized, created_time)
       VALUES (?, ?, ?, ?)`,
      this.#scorerKey(workspace, version.id),
      version.version,
      version.serialized,
      version.createdTime,
    );
  }

  #scorerKey(workspace: string, id: string): number {
    const row = this.db.get<{ key: number }>(
      'SELECT key FROM evaluation_scorers WHERE workspace = ? AND id = ?',
      workspace,
      id,
    );
    if (!row) throw new Error(`no scorer ${id} in the workspace ${workspace}`);
    return row.key;
  }

  deleteScorer(workspace: string, id: string, version: number | null): void {
    const scorer = this.#scorerKey(workspace, id);
    this.db.run(
      'DELETE FROM evaluation_scorer_versions WHERE scorer = ?1 AND (?2 IS NULL OR version = ?2)',
      scorer,
      version,
    );
    if (version !== null) return;
    this.db.run('DELETE FROM evaluation_scorer_configs WHERE scorer = ?', scorer);
    this.db.run('DELETE FROM evaluation_scorers WHERE key = ?', scorer);
  }

  putScorerConfig(workspace: string, config: Omit<ScorerConfigRow, 'experiment'>): void {
    this.db.run(
      `INSERT OR REPLACE INTO evaluation_scorer_configs (scorer, id, sample_rate, filter)
       VALUES (?, ?, ?, ?)`,
      this.#scorerKey(workspace, config.scorer),
      config.config,
      config.sampleRate,
      config.filter,
    );
  }
}
