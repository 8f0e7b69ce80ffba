export { createDoor, type DoorMonitor, type ServerDoor } from './door.ts';
export type {
  Accepted,
  DecideContext,
  Decision,
  Door,
  Operation,
  Payload,
  Receipt,
  Tokenise,
} from './operation.ts';
export { replay } from './rebuild.ts';
export { projectionsRebuilt } from './rebuilt.ts';
export type { ReadSession, TransactionStore } from './session.ts';
export type { StateReader } from './state.ts';
export { operationsByName, readStoredMessages, translateStored } from './stored.ts';
export { personLookup, replaceAgent, replaceHomes, revealTokens } from './vault.ts';
export { type SettledDelivery, settleDeliveries } from './webhooks.ts';
export type { WorkspaceRow } from './workspace-store.ts';
export {
  createWorkspace,
  defaultWorkspace,
  isWorkspaceName,
  reservedNames,
} from './workspaces.ts';
