export { deploymentAt } from './deployment-at.ts';
export { projectRegistry } from './project.ts';
export { deploymentRef, modelRef, versionRef } from './refs.ts';
export type {
  AliasRow,
  DeploymentRow,
  ModelRow,
  RegistryCondition,
  RegistryOrder,
  RegistryReader,
  RegistrySearch,
  RegistrySearches,
  VersionRow,
} from './store.ts';
