export { type Changed, GraphChanges } from './changes.ts';
export { diffTraces } from './diff.ts';
export { canonicalName } from './identity/canonical-name.ts';
export { createNames } from './identity/names.ts';
export { iso } from './iso.ts';
export { createMemories } from './memory.ts';
export { instantOf, type Moment } from './moment.ts';
export { projectLineage } from './project.ts';
export { listStatements } from './statements.ts';
export type * from './store.ts';
export {
  type GraphAnswer,
  impact,
  judge,
  type LineageSources,
  trace,
  type WalkQuery,
  walkLimits,
} from './trace.ts';
export { GraphView } from './view.ts';
export type { PredictionNode, PredictionSource } from './walk-predictions.ts';
