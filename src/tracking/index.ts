export * from './latest.ts';
export type { PastMoment } from './past-metrics.ts';
export { projectTracking } from './project.ts';
export * from './queries.ts';
export type * from './searches.ts';
export type * from './store.ts';
