export { projectImports } from './project.ts';
export type * from './store.ts';
