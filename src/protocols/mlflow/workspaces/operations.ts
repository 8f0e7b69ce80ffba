import type { DecideContext, Operation, StateReader, WorkspaceRow } from '../../../door/index.ts';
import type { WorkspaceAttributes } from '../../../facts/facts.ts';
import { doesNotExist, invalidParameter, mlflowError } from '../errors.ts';
import { mlflowOperation } from '../operation.ts';
import { below } from '../operations/names.ts';
import type { CreateWorkspace, DeleteWorkspace, Said, UpdateWorkspace } from './wire.ts';

/** What was said, as facts say it: empty text clears. */
function attributesOf(said: Said): WorkspaceAttributes {
  const clearable = (text: string | undefined): string | null | undefined =>
    text === '' ? null : text;
  return {
    description: said.description,
    artifactRoot: clearable(said.default_artifact_root),
    traceArchivalLocation: clearable(said.trace_archival_config?.location),
    traceArchivalRetention: clearable(said.trace_archival_config?.retention),
  };
}

/** A workspace that is not deleted. @throws not_found with MLflow's text. */
export async function getWorkspace(
  { workspaces }: Pick<StateReader, 'workspaces'>,
  name: string,
): Promise<WorkspaceRow> {
  const row = await workspaces.findWorkspace(name);
  if (row !== undefined && row.deletedTime === null) return row;
  throw doesNotExist(`Workspace '${name}' not found`);
}

/** POST `workspaces`. The entry stands in the workspace that it makes. */
export const createWorkspace = mlflowOperation<CreateWorkspace, null, { id: string }>({
  operation: 'workspaces/create',
  async decide({ name }, { state, random }) {
    const before = await state.workspaces.findWorkspace(name);
    if (before === undefined) {
      return { decided: { id: `ws_${random(12).toString('hex')}` }, answer: null };
    }
    throw mlflowError(
      'RESOURCE_ALREADY_EXISTS',
      before.deletedTime === null
        ? `Workspace '${name}' already exists.`
        : `Workspace '${name}' was deleted. Its name is not given again: refs and keys of what was in it keep their meaning.`,
    );
  },
  facts: ({ name, ...said }, { id }) => {
    const root = said.default_artifact_root;
    const defaultLocation = root ? below(root, '0') : undefined;
    return [{ kind: 'workspace.created', id, name, ...attributesOf(said), defaultLocation }];
  },
});

/** PATCH `workspaces/{name}`: sets what is given. */
export const updateWorkspace = mlflowOperation<UpdateWorkspace, null, { id: string }>({
  operation: 'workspaces/update',
  async decide({ name, ...said }, { state }) {
    const row = await getWorkspace(state, name);
    const changed = Object.entries(attributesOf(said)).some(
      ([key, value]) => value !== undefined && value !== row[key as keyof WorkspaceAttributes],
    );
    return changed ? { decided: { id: row.id }, answer: null } : { unchanged: null };
  },
  facts: ({ name: _name, ...said }, { id }) => [
    { kind: 'workspace.updated', id, ...attributesOf(said) },
  ],
});

/** DELETE `workspaces/{name}`: no request reaches it any more; what was in it stays in the record. */
export const deleteWorkspace = mlflowOperation<DeleteWorkspace, null, { id: string }>({
  operation: 'workspaces/delete',
  async decide({ name, mode }, context) {
    const { id } = await getWorkspace(context.state, name);
    const held = mode === 'CASCADE' ? undefined : await findContent(name, context);
    if (held === undefined) return { decided: { id }, answer: null };
    throw invalidParameter(
      mode === 'RESTRICT'
        ? `Cannot delete workspace '${name}': it still contains ${held}. Remove or reassign them before deleting the workspace.`
        : `Cannot delete workspace '${name}': it still contains ${held}, and what is recorded keeps its workspace. Delete with mode CASCADE, or keep the workspace.`,
    );
  },
  facts: (_message, { id }, { time }) => [{ kind: 'workspace.deleted', id, time }],
});

/** What stands in the way of deleting a workspace; undefined when nothing does. */
async function findContent(
  workspace: string,
  { state }: DecideContext,
): Promise<string | undefined> {
  const { registry, tracking } = state;
  const search = { workspace, conditions: [], orders: [], limit: 2, offset: 0 };
  const experiments = await tracking.getExperiments(
    await tracking.searchExperiments({ ...search, stage: undefined }),
  );
  if (experiments.some(({ id }) => id !== '0')) return 'experiments';
  const fallback = experiments.find(({ id }) => id === '0');
  if (fallback && (await tracking.runIdsOfExperiment(fallback.key)).length > 0) return 'runs';
  const models = { ...search, experimentIds: ['0'], datasets: [], stage: undefined };
  if ((await tracking.searchLoggedModels(models)).length > 0) return 'logged models';
  for (const prompts of [false, true]) {
    if ((await registry.searchModels({ ...search, prompts })).length > 0)
      return prompts ? 'prompts' : 'registered models';
  }
  if ((await state.webhooks.list(workspace, { limit: 1, offset: 0 })).length > 0) return 'webhooks';
  if ((await registry.listDeployments(workspace, { limit: 1 })).length > 0) return 'deployments';
  if ((await state.predictions.findByPrefix(workspace, '', 1)).length > 0) return 'predictions';
  if ((await state.traces.findByPrefix(workspace, '', 1)).length > 0) return 'traces';
  const datasets = { ...search, experiments: undefined };
  if ((await state.evaluation.searchDatasets(datasets)).length > 0) return 'evaluation datasets';
  if ((await state.evaluation.listScorers(workspace, undefined)).length > 0) return 'scorers';
  const page = { limit: 1, offset: 0 };
  const filter = { experiment: undefined };
  if ((await state.review.listQueues(workspace, filter, page)).length > 0) return 'review queues';
  if ((await state.review.listSchemas(workspace, undefined, page)).length > 0)
    return 'label schemas';
  const issues = { workspace, ...filter, conditions: [], counted: false, ...page };
  if ((await state.review.searchIssues(issues)).length > 0) return 'issues';
  return undefined;
}

/** Every operation of workspaces, for rebuild. */
export const workspaceOperations: readonly Operation[] = [
  createWorkspace,
  updateWorkspace,
  deleteWorkspace,
  // Looked up by name at replay, so their types are erased here.
] as unknown as readonly Operation[];
