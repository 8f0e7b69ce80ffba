export { createDoor, type DoorMonitor, type ServerDoor } from './door.ts';
export type {
  Accepted,
  DecideContext,
  Decision,
  Door,
  Operation,
  Payload,
  Receipt,
  Submission,
  Tokenise,
} from './operation.ts';
export { replay } from './rebuild.ts';
export type { ReadSession, TransactionStore, WriteSession } from './session.ts';
export type { StateReader } from './state.ts';
export { personLookup, replaceHomes, revealTokens } from './vault.ts';
export { createWorkspace, defaultWorkspace } from './workspaces.ts';
