export { projectTracking } from './project.ts';
export * from './queries.ts';
export type * from './store.ts';
