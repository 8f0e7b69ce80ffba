export { projectPredictions } from './project.ts';
export type { OutcomeRow, PredictionRow } from './store.ts';
