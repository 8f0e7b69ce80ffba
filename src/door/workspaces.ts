import type { Awaitable } from '../base/awaitable.ts';
import type { Fact } from '../facts/facts.ts';
import type { Operation } from './operation.ts';

/** Workspaces by opaque id, which ledger entries carry, and name, which refs carry. */
export interface WorkspaceReader {
  findWorkspaceId(name: string): Awaitable<string | undefined>;
  findWorkspaceName(id: string): Awaitable<string | undefined>;
}

export interface WorkspaceStore extends WorkspaceReader {
  putWorkspace(id: string, name: string): Awaitable<void>;
}

/** The workspace of who names none. */
export const defaultWorkspace = 'default';

interface CreateWorkspace {
  readonly name: string;
}

/** The server's own message that makes a workspace; the first entry of every log. */
export const createWorkspace: Operation<CreateWorkspace, { id: string }> = {
  protocol: 'wherefrom',
  operation: 'workspaces/create',
  decide(_body, context) {
    const id = `ws_${context.random(12).toString('hex')}`;
    return { outcome: 'accepted', decided: { id }, answer: { id } };
  },
  translate({ message, decided }) {
    return {
      facts: [{ kind: 'workspace.created', id: String(decided.id), name: message.name }],
      warnings: [],
    };
  },
};

export async function projectWorkspaces(
  facts: readonly Fact[],
  store: WorkspaceStore,
): Promise<void> {
  for (const fact of facts) {
    if (fact.kind === 'workspace.created') await store.putWorkspace(fact.id, fact.name);
  }
}
