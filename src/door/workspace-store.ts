import type { Awaitable } from '../base/awaitable.ts';
import type { WorkspaceAttributes } from '../facts/facts.ts';

/** A workspace: the separate area of one team. Times are ms since 1970. */
export interface WorkspaceRow {
  /** Opaque, as ledger entries carry it. */
  readonly id: string;
  /** As refs and requests carry it; never given to another workspace, also after a deletion. */
  readonly name: string;
  readonly description: string | null;
  readonly artifactRoot: string | null;
  readonly traceArchivalLocation: string | null;
  readonly traceArchivalRetention: string | null;
  readonly deletedTime: number | null;
}

/** Workspaces by opaque id, which ledger entries carry, and name, which refs carry. */
export interface WorkspaceReader {
  /** Of one that is not deleted. */
  findWorkspaceId(name: string): Awaitable<string | undefined>;
  /** Also of a deleted one. */
  findWorkspaceName(id: string): Awaitable<string | undefined>;
  /** Also a deleted one. */
  findWorkspace(name: string): Awaitable<WorkspaceRow | undefined>;
  /** Those that are not deleted, by name. */
  listWorkspaces(): Awaitable<WorkspaceRow[]>;
}

export interface WorkspaceStore extends WorkspaceReader {
  putWorkspace(id: string, name: string): Awaitable<void>;
  /** Sets what is given; null clears. */
  describeWorkspace(id: string, attributes: WorkspaceAttributes): Awaitable<void>;
  deleteWorkspace(id: string, time: number): Awaitable<void>;
}
