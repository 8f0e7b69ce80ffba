import { type BodyOf, message, nested, required, string } from '../wire.ts';

/** Source: mlflow/protos/service.proto (Workspace); required fields as mlflow/server/handlers.py checks them. */

const said = {
  description: string,
  default_artifact_root: string,
  trace_archival_config: nested(message({ location: string, retention: string })),
};

export const createWorkspaceMessage = message({ name: required(string), ...said });
export const updateWorkspaceMessage = message({ workspace_name: required(string), ...said });
export const workspaceMessage = message({ workspace_name: required(string) });

type CreateMessage = BodyOf<typeof createWorkspaceMessage>;

/** What a workspace may be described with. */
export type Said = Omit<CreateMessage, 'name'>;

/** Bodies of the operations. */
export type CreateWorkspace = { readonly name: string } & Said;
export type UpdateWorkspace = { readonly name: string } & Said;
export type DeleteWorkspace = { readonly name: string; readonly mode: DeletionMode };

/** What becomes of the things in a workspace that is deleted. */
export const deletionModes = ['SET_DEFAULT', 'CASCADE', 'RESTRICT'] as const;
export type DeletionMode = (typeof deletionModes)[number];
