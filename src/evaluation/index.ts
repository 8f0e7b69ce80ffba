export { projectEvaluation } from './project.ts';
export { mergeRecord } from './records.ts';
export type {
  EvaluationCondition,
  EvaluationDatasetRow,
  EvaluationOrder,
  EvaluationRecordRow,
  EvaluationSearch,
  EvaluationSearches,
  ScorerConfigRow,
  ScorerRow,
  ScorerVersionRow,
} from './store.ts';
