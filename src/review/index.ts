export { projectReview } from './project.ts';
export type * from './store.ts';
