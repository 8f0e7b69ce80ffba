import type { Awaitable } from '../base/awaitable.ts';

/** An evaluation dataset. `key` is a surrogate of this store: it never leaves the server. */
export interface EvaluationDatasetRow {
  readonly key: number;
  readonly id: string;
  readonly name: string;
  /** JSON text; null until records came. */
  readonly schema: string | null;
  readonly profile: string | null;
  readonly digest: string;
  /** ms since 1970. */
  readonly createdTime: number;
  readonly updatedTime: number;
  /** Tokens of persons. */
  readonly createdBy: string | null;
  readonly updatedBy: string | null;
}

/** A record. Its parts are JSON text, as they were sent or merged. */
export interface EvaluationRecordRow {
  readonly id: string;
  readonly inputDigest: string;
  readonly inputs: string;
  readonly outputs: string | null;
  readonly expectations: string | null;
  readonly tags: string;
  readonly source: string | null;
  readonly sourceId: string | null;
  readonly sourceType: string | null;
  readonly createdTime: number;
  readonly updatedTime: number;
  readonly createdBy: string | null;
  readonly updatedBy: string | null;
}

/** A scorer, the name of a list of versions. */
export interface ScorerRow {
  readonly key: number;
  readonly id: string;
  readonly experiment: string;
  readonly name: string;
  /** How many versions were ever made: numbers are never handed out twice. */
  readonly versionCount: number;
}

export interface ScorerVersionRow {
  /** Id of the scorer. */
  readonly id: string;
  readonly experiment: string;
  readonly name: string;
  readonly version: number;
  readonly serialized: string;
  readonly createdTime: number;
}

export interface ScorerConfigRow {
  readonly config: string;
  /** Id of the scorer. */
  readonly scorer: string;
  readonly experiment: string;
  readonly sampleRate: number;
  readonly filter: string | null;
}

/** One comparison of a search; all of a search must hold. A tag that is absent matches nothing. */
export interface EvaluationCondition {
  readonly entity: 'attribute' | 'tag';
  /** A tag, or: name, created_time, last_update_time, created_by, last_updated_by. */
  readonly key: string;
  readonly operator: '=' | '!=' | '<' | '<=' | '>' | '>=' | 'LIKE' | 'ILIKE' | 'IN';
  readonly value: string | number | readonly string[];
}

export interface EvaluationOrder {
  readonly key: 'name' | 'created_time' | 'last_update_time';
  readonly ascending: boolean;
}

export interface EvaluationSearch {
  readonly workspace: string;
  /** Of any of these experiments; of all when undefined. */
  readonly experiments: readonly string[] | undefined;
  readonly conditions: readonly EvaluationCondition[];
  /** Newest first when empty. */
  readonly orders: readonly EvaluationOrder[];
  readonly limit: number;
  readonly offset: number;
}

/** A page of records: after the record with this time and id, or from an offset. */
export interface RecordPage {
  readonly after?: { readonly createdTime: number; readonly id: string } | undefined;
  readonly offset?: number | undefined;
  readonly limit: number;
}

/** What may look at every dataset: where these are many, on a thread that holds up no write. */
export interface EvaluationSearches {
  /** Keys of the datasets found, in order. */
  searchEvaluationDatasets(search: EvaluationSearch): Promise<number[]>;
}

/** Queries of evaluation datasets and scorers. What was deleted is not found. */
export interface EvaluationReader {
  findDataset(workspace: string, id: string): Awaitable<EvaluationDatasetRow | undefined>;
  /** Of many datasets, by surrogate; by key within each. */
  listDatasetTags(
    datasets: readonly number[],
  ): Awaitable<readonly { readonly owner: number; readonly key: string; readonly value: string }[]>;
  /** Ids, in the order in which they were linked. */
  listDatasetExperiments(dataset: number): Awaitable<string[]>;
  /** Keys of the datasets found, in order. */
  searchDatasets(search: EvaluationSearch): Awaitable<number[]>;
  /** In the order of the keys. */
  getDatasets(keys: readonly number[]): Awaitable<EvaluationDatasetRow[]>;
  countRecords(dataset: number): Awaitable<number>;
  /** Those that are there, by the digests of their inputs. */
  findRecordsByInput(dataset: number, digests: readonly string[]): Awaitable<EvaluationRecordRow[]>;
  findRecord(dataset: number, id: string): Awaitable<EvaluationRecordRow | undefined>;
  /** Ids of all records. */
  listRecordIds(dataset: number): Awaitable<string[]>;
  /** Those of the ids that are there. */
  findRecordIds(dataset: number, ids: readonly string[]): Awaitable<string[]>;
  /** By time of creation, then id. */
  listRecords(dataset: number, page: RecordPage): Awaitable<EvaluationRecordRow[]>;
  findScorer(workspace: string, experiment: string, name: string): Awaitable<ScorerRow | undefined>;
  /** The newest version of each scorer, by experiment and name. */
  listScorers(
    workspace: string,
    experiments: readonly string[] | undefined,
  ): Awaitable<ScorerVersionRow[]>;
  /** Oldest first. */
  listScorerVersions(scorer: number): Awaitable<ScorerVersionRow[]>;
  /** The newest without a number. */
  findScorerVersion(
    scorer: number,
    version: number | undefined,
  ): Awaitable<ScorerVersionRow | undefined>;
  listScorerConfigs(workspace: string, scorers: readonly string[]): Awaitable<ScorerConfigRow[]>;
}

export interface NewEvaluationDataset {
  readonly workspace: string;
  readonly id: string;
  readonly name: string;
  readonly digest: string;
  readonly time: number;
  readonly user: string | null;
}

/** Writes of the projection. `time`s are ms since 1970. */
export interface EvaluationStore extends EvaluationReader {
  /** By id. Throws a plain error when there is none: a broken invariant. */
  datasetKey(workspace: string, id: string): Awaitable<number>;
  /** @returns its key. */
  addDataset(dataset: NewEvaluationDataset): Awaitable<number>;
  putDatasetTag(dataset: number, key: string, value: string): Awaitable<void>;
  removeDatasetTag(dataset: number, key: string): Awaitable<void>;
  linkExperiment(dataset: number, experiment: string): Awaitable<void>;
  unlinkExperiment(dataset: number, experiment: string): Awaitable<void>;
  touchDataset(dataset: number, time: number): Awaitable<void>;
  /** `schema` and `user` stay as they are when undefined. */
  updateDataset(
    dataset: number,
    state: {
      readonly digest: string;
      readonly profile: string | null;
      readonly time: number;
      readonly schema?: string | undefined;
      readonly user?: string | null | undefined;
    },
  ): Awaitable<void>;
  /** With its records, tags and links. */
  deleteDataset(dataset: number): Awaitable<void>;
  putRecord(dataset: number, record: EvaluationRecordRow): Awaitable<void>;
  removeRecords(dataset: number, ids: readonly string[]): Awaitable<void>;
  putScorerVersion(workspace: string, version: ScorerVersionRow): Awaitable<void>;
  /** One version, or the scorer with all of them and its configuration. */
  deleteScorer(workspace: string, id: string, version: number | null): Awaitable<void>;
  putScorerConfig(workspace: string, config: Omit<ScorerConfigRow, 'experiment'>): Awaitable<void>;
}
