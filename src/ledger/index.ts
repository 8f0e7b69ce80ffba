export { decodeBlock, encodeBlock } from './block.ts';
export {
  type Checkpoint,
  createSigner,
  generateSigningKey,
  openCheckpoint,
  type Signer,
  signCheckpoint,
} from './checkpoint.ts';
export { decodeEntry, type Entry, encodeEntry, messagesRoot } from './entry.ts';
export { leafHash, MerkleFrontier } from './merkle.ts';
export type { LedgerReader, LedgerStore, LogHead, StoredEntry } from './store.ts';
export { type Verification, verifyLedger } from './verify.ts';
