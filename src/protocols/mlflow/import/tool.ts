/** What `wherefrom import mlflow` is made of. */

export type { ImportProgress } from './context.ts';
export { runImport } from './importer.ts';
export type { ImportWorkspace } from './messages.ts';
export { proxiedDirectory, proxiedUrl } from './proxied.ts';
export { createRemoteTarget } from './remote-target.ts';
export { type ImportedThing, type ImportReport, importedThings } from './report.ts';
export { openRestSource } from './rest-source.ts';
export type { MlflowSource } from './source.ts';
export { restWorkspaces, sqliteWorkspaces } from './source-workspaces.ts';
export { openSqliteSource } from './sqlite-source.ts';
export { createImportTarget, type ImportTarget } from './target.ts';
