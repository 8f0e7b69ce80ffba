import type {
  EvaluationDatasetRow,
  EvaluationReader,
  EvaluationRecordRow,
  EvaluationSearch,
  RecordPage,
  ScorerConfigRow,
  ScorerRow,
  ScorerVersionRow,
} from '../../evaluation/store.ts';
import type { Database } from './database.ts';
import { datasetColumns, getDatasets, searchDatasets } from './evaluation-search.ts';

/** Columns of `evaluation_records` as EvaluationRecordRow names them. */
const recordColumns = `id, input_digest AS inputDigest, inputs, outputs, expectations, tags,
  source, source_id AS sourceId, source_type AS sourceType, created_time AS createdTime,
  updated_time AS updatedTime, created_by AS createdBy, updated_by AS updatedBy`;

const scorerVersions = `SELECT s.id, s.experiment, s.name, v.version, v.serialized,
    v.created_time AS createdTime
  FROM evaluation_scorers s JOIN evaluation_scorer_versions v ON v.scorer = s.key`;

/** Queries of evaluation datasets and scorers in SQLite. */
export class SqliteEvaluationReader implements EvaluationReader {
  protected readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  findDataset(workspace: string, id: string): EvaluationDatasetRow | undefined {
    return this.db.get<EvaluationDatasetRow>(
      `SELECT ${datasetColumns} FROM evaluation_datasets d WHERE d.workspace = ? AND d.id = ?`,
      workspace,
      id,
    );
  }

  listDatasetTags(datasets: readonly number[]): { owner: number; key: string; value: string }[] {
    return this.db.all<{ owner: number; key: string; value: string }>(
      `SELECT dataset AS owner, key, value FROM evaluation_dataset_tags
       WHERE dataset IN (SELECT value FROM json_each(?)) ORDER BY dataset, key`,
      JSON.stringify(datasets),
    );
  }

  listDatasetExperiments(dataset: number): string[] {
    return this.db
      .all<{ experiment: string }>(
        'SELECT experiment FROM evaluation_dataset_experiments WHERE dataset = ? ORDER BY key',
        dataset,
      )
      .map(({ experiment }) => experiment);
  }

  searchDatasets(search: EvaluationSearch): number[] {
    return searchDatasets(this.db, search);
  }

  getDatasets(keys: readonly number[]): EvaluationDatasetRow[] {
    return getDatasets(this.db, keys);
  }

  countRecords(dataset: number): number {
    const row = this.db.get<{ count: number }>(
      'SELECT count(*) AS count FROM evaluation_records WHERE dataset = ?',
      dataset,
    );
    return row?.count ?? 0;
  }

  findRecordsByInput(dataset: number, digests: readonly string[]): EvaluationRecordRow[] {
    return this.db.all<EvaluationRecordRow>(
      `SELECT ${recordColumns} FROM evaluation_records
       WHERE dataset = ? AND input_digest IN (SELECT value FROM json_each(?))`,
      dataset,
      JSON.stringify(digests),
    );
  }

  findRecord(dataset: number, id: string): EvaluationRecordRow | undefined {
    return this.db.get<EvaluationRecordRow>(
      `SELECT ${recordColumns} FROM evaluation_records WHERE dataset = ? AND id = ?`,
      dataset,
      id,
    );
  }

  listRecordIds(dataset: number): string[] {
    return this.db
      .all<{ id: string }>(
        'SELECT id FROM evaluation_records WHERE dataset = ? ORDER BY key',
        dataset,
      )
      .map(({ id }) => id);
  }

  findRecordIds(dataset: number, ids: readonly string[]): string[] {
    return this.db
      .all<{ id: string }>(
        `SELECT id FROM evaluation_records
         WHERE dataset = ? AND id IN (SELECT value FROM json_each(?)) ORDER BY key`,
        dataset,
        JSON.stringify(ids),
      )
      .map(({ id }) => id);
  }

  listRecords(dataset: number, { after, offset = 0, limit }: RecordPage): EvaluationRecordRow[] {
    return this.db.all<EvaluationRecordRow>(
      `SELECT ${recordColumns} FROM evaluation_records
       WHERE dataset = ? AND (created_time, id) > (?, ?)
       ORDER BY created_time, id LIMIT ? OFFSET ?`,
      dataset,
      after?.createdTime ?? -1,
      after?.id ?? '',
      limit,
      offset,
    );
  }

  findScorer(workspace: string, experiment: string, name: string): ScorerRow | undefined {
    return this.db.get<ScorerRow>(
      `SELECT key, id, experiment, name, version_count AS versionCount FROM evaluation_scorers
       WHERE workspace = ? AND experiment = ? AND name = ?`,
      workspace,
      experiment,
      name,
    );
  }

  listScorers(workspace: string, experiments: readonly string[] | undefined): ScorerVersionRow[] {
    return this.db.all<ScorerVersionRow>(
      `${scorerVersions} WHERE s.workspace = ?1
         AND (?2 IS NULL OR s.experiment IN (SELECT value FROM json_each(?2)))
         AND v.version = (SELECT max(n.version) FROM evaluation_scorer_versions n WHERE n.scorer = s.key)
       ORDER BY CAST(s.experiment AS INTEGER), s.name`,
      workspace,
      experiments === undefined ? null : JSON.stringify(experiments),
    );
  }

  listScorerVersions(scorer: number): ScorerVersionRow[] {
    return this.db.all<ScorerVersionRow>(
      `${scorerVersions} WHERE s.key = ? ORDER BY v.version`,
      scorer,
    );
  }

  findScorerVersion(scorer: number, version: number | undefined): ScorerVersionRow | undefined {
    return this.db.get<ScorerVersionRow>(
      `${scorerVersions} WHERE s.key = ?1 AND (?2 IS NULL OR v.version = ?2)
       ORDER BY v.version DESC LIMIT 1`,
      scorer,
      version ?? null,
    );
  }

  listScorerConfigs(workspace: string, scorers: readonly string[]): ScorerConfigRow[] {
    return this.db.all<ScorerConfigRow>(
      `SELECT c.id AS config, s.id AS scorer, s.experiment, c.sample_rate AS sampleRate, c.filter
       FROM evaluation_scorers s JOIN evaluation_scorer_configs c ON c.scorer = s.key
       WHERE s.workspace = ? AND s.id IN (SELECT value FROM json_each(?)) ORDER BY s.key`,
      workspace,
      JSON.stringify(scorers),
    );
  }
}
