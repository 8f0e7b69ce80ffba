export { projectRegistry } from './project.ts';
export { deploymentRef, modelRef, versionRef } from './refs.ts';
export type {
  AliasRow,
  AliasUse,
  DeploymentRow,
  ModelRow,
  NameUse,
  NewVersion,
  RegistryCondition,
  RegistryOrder,
  RegistryReader,
  RegistrySearch,
  RegistryStore,
  VersionRow,
} from './store.ts';
