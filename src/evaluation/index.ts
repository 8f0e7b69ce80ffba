export { projectEvaluation } from './project.ts';
export { mergeRecord } from './records.ts';
export type {
  EvaluationCondition,
  EvaluationDatasetRow,
  EvaluationOrder,
  EvaluationReader,
  EvaluationRecordRow,
  EvaluationSearch,
  EvaluationSearches,
  RecordPage,
  ScorerConfigRow,
  ScorerRow,
  ScorerVersionRow,
} from './store.ts';
