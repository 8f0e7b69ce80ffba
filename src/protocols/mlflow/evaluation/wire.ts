import { type BodyOf, double, int32, message, repeated, required, string } from '../wire.ts';

/** Source: mlflow/protos/datasets.proto, service.proto; required fields as mlflow/server/handlers.py checks them. */

const datasetId = required(string);

export const createDatasetMessage = message({
  name: required(string),
  experiment_ids: repeated(string),
  tags: string,
});
export const datasetMessage = message({ dataset_id: datasetId });
export const searchDatasetsMessage = message({
  experiment_ids: repeated(string),
  filter_string: string,
  max_results: int32,
  order_by: repeated(string),
  page_token: string,
});
export const datasetTagsMessage = message({ dataset_id: datasetId, tags: required(string) });
export const datasetTagMessage = message({ dataset_id: datasetId, key: required(string) });
export const upsertRecordsMessage = message({ dataset_id: datasetId, records: required(string) });
export const recordsMessage = message({
  dataset_id: datasetId,
  max_results: int32,
  page_token: string,
});
export const deleteRecordsMessage = message({
  dataset_id: datasetId,
  dataset_record_ids: repeated(string),
});
export const datasetExperimentsMessage = message({
  dataset_id: datasetId,
  experiment_ids: repeated(string),
});
export const registerScorerMessage = message({
  experiment_id: required(string),
  name: required(string),
  serialized_scorer: required(string),
});
export const listScorersMessage = message({
  experiment_id: string,
  experiment_ids: repeated(string),
});
export const scorerVersionsMessage = message({
  experiment_id: required(string),
  name: required(string),
});
export const scorerMessage = message({
  experiment_id: required(string),
  name: required(string),
  version: int32,
});
export const scorerConfigsMessage = message({ scorer_ids: required(repeated(string)) });
export const scorerConfigMessage = message({
  experiment_id: required(string),
  name: required(string),
  sample_rate: required(double),
  filter_string: string,
});

export type DatasetOnly = BodyOf<typeof datasetMessage>;
export type SearchDatasets = BodyOf<typeof searchDatasetsMessage>;
export type DatasetTag = BodyOf<typeof datasetTagMessage>;
export type UpsertRecords = BodyOf<typeof upsertRecordsMessage>;
export type Records = BodyOf<typeof recordsMessage>;
export type DeleteRecords = BodyOf<typeof deleteRecordsMessage>;
export type DatasetExperiments = BodyOf<typeof datasetExperimentsMessage>;
export type RegisterScorer = BodyOf<typeof registerScorerMessage>;
export type ListScorers = BodyOf<typeof listScorersMessage>;
export type ScorerVersions = BodyOf<typeof scorerVersionsMessage>;
export type ScorerOnly = BodyOf<typeof scorerMessage>;
export type ScorerConfig = BodyOf<typeof scorerConfigMessage>;
