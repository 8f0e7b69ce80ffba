export { iso } from './answer.ts';
export { diffTraces } from './diff.ts';
export { canonicalName } from './identity/canonical-name.ts';
export { projectLineage } from './project.ts';
export type * from './store.ts';
export {
  type GraphAnswer,
  impact,
  judge,
  type LineageSources,
  type PredictionNode,
  type PredictionSource,
  trace,
  walkLimits,
} from './trace.ts';
export type { Moment } from './view.ts';
