import type { Fact } from '../facts/facts.ts';
import type { Operation } from './operation.ts';
import type { WorkspaceStore } from './workspace-store.ts';

/** The workspace of who names none. */
export const defaultWorkspace = 'default';

/**
 * True for what a workspace may be called: names stand in refs, headers and URLs.
 * Source: mlflow/store/workspace/abstract_store.py (WorkspaceNameValidator).
 */
export function isWorkspaceName(name: string): boolean {
  return /^[a-z0-9][-a-z0-9]{0,61}[a-z0-9]$/.test(name) && !reservedNames.has(name);
}

/** Parts of MLflow's paths, where a workspace of that name could not be told from them. */
export const reservedNames: ReadonlySet<string> = new Set([
  'workspaces',
  'api',
  'ajax-api',
  'static-files',
]);

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

/** Writes what facts say about workspaces. Facts of other rooms are passed over. */
export async function projectWorkspaces(
  facts: readonly Fact[],
  store: WorkspaceStore,
): Promise<void> {
  for (const fact of facts) {
    switch (fact.kind) {
      case 'workspace.created':
        await store.putWorkspace(fact.id, fact.name);
        await store.describeWorkspace(fact.id, fact);
        break;
      case 'workspace.updated':
        await store.describeWorkspace(fact.id, fact);
        break;
      case 'workspace.deleted':
        await store.deleteWorkspace(fact.id, fact.time);
        break;
      default:
    }
  }
}
