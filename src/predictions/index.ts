export { projectPredictions } from './project.ts';
export type {
  NewPrediction,
  OutcomeRow,
  PredictionCount,
  PredictionCursor,
  PredictionReader,
  PredictionRow,
  PredictionStore,
} from './store.ts';
