import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isObject } from '../../../base/json.ts';
import type { WorkspaceRow } from '../../../door/index.ts';
import type { ProtocolServices } from '../../services.ts';
import { invalidParameter, mlflowError } from '../errors.ts';
import { type Call, callOf, submit } from '../routes.ts';
import { readMessage } from '../wire.ts';
import { createWorkspace, deleteWorkspace, getWorkspace, updateWorkspace } from './operations.ts';
import { checkNotDefault, checkSaid, checkWorkspaceName, readDeletionMode } from './validate.ts';
import { createWorkspaceMessage, updateWorkspaceMessage, workspaceMessage } from './wire.ts';

/** Workspace of MLflow's protobuf, in JSON. */
function writeWorkspace(row: WorkspaceRow): Record<string, unknown> {
  const archival = {
    ...(row.traceArchivalLocation === null ? {} : { location: row.traceArchivalLocation }),
    ...(row.traceArchivalRetention === null ? {} : { retention: row.traceArchivalRetention }),
  };
  return {
    name: row.name,
    ...(row.description === null ? {} : { description: row.description }),
    ...(row.artifactRoot === null ? {} : { default_artifact_root: row.artifactRoot }),
    ...(Object.keys(archival).length === 0 ? {} : { trace_archival_config: archival }),
  };
}

/** The body with the variables of the path. */
function said(request: FastifyRequest): unknown {
  const { body, params } = request;
  return isObject(body) || body === undefined || body === null
    ? { ...body, ...(params as object) } // Fastify's: an object of strings
    : body;
}

/** @throws forbidden, whether or not there is such a workspace. */
function checkReach(name: string, { principal }: Call): void {
  if (principal.reach === 'all' || principal.reach.includes(name)) return;
  throw mlflowError('PERMISSION_DENIED', `This key may not use the workspace '${name}'.`);
}

/** The workspace of a path. */
function namedBy(request: FastifyRequest): string {
  const { workspace_name: name } = readMessage(workspaceMessage, request.params);
  checkWorkspaceName(name);
  return name;
}

/** The five endpoints of workspaces, below `/api/3.0`. To change one needs an admin key. */
export function registerWorkspaceRoutes(app: FastifyInstance, services: ProtocolServices): void {
  const read = { config: { access: 'read' as const } };
  const admin = { config: { access: 'admin' as const } };
  const send = async (name: string): Promise<string> => {
    const row = await services.read((state) => getWorkspace(state, name));
    return services.reveal(JSON.stringify({ workspace: writeWorkspace(row) }));
  };

  app.get('/mlflow/workspaces', read, async (request, reply) => {
    const { reach } = request.principal;
    const rows = await services.read(({ workspaces }) => workspaces.listWorkspaces());
    const shown = rows.filter(({ name }) => reach === 'all' || reach.includes(name));
    const json = services.reveal(JSON.stringify({ workspaces: shown.map(writeWorkspace) }));
    return reply.type('application/json').send(json);
  });
  app.get('/mlflow/workspaces/:workspace_name', read, async (request, reply) => {
    const name = namedBy(request);
    checkReach(name, callOf(request, reply));
    return reply.type('application/json').send(await send(name));
  });
  app.post('/mlflow/workspaces', admin, async (request, reply) => {
    const { name, ...rest } = readMessage(createWorkspaceMessage, request.body);
    checkNotDefault(name, 'created');
    checkWorkspaceName(name);
    const call = { ...callOf(request, reply), workspace: name };
    await submit(services, createWorkspace, { name, ...checkSaid(rest) }, call);
    return reply
      .code(201)
      .type('application/json')
      .send(await send(name));
  });
  app.patch('/mlflow/workspaces/:workspace_name', admin, async (request, reply) => {
    const { workspace_name: name, ...rest } = readMessage(updateWorkspaceMessage, said(request));
    checkWorkspaceName(name);
    const checked = checkSaid(rest);
    if (Object.keys(checked).length === 0)
      throw invalidParameter('Workspace update must have at least one key');
    const call = { ...callOf(request, reply), workspace: name };
    await submit(services, updateWorkspace, { name, ...checked }, call);
    return reply.type('application/json').send(await send(name));
  });
  app.delete('/mlflow/workspaces/:workspace_name', admin, async (request, reply) => {
    const name = namedBy(request);
    checkNotDefault(name, 'deleted');
    const { query } = request;
    const mode = readDeletionMode(isObject(query) ? query.mode : undefined);
    const call = { ...callOf(request, reply), workspace: name };
    await submit(services, deleteWorkspace, { name, mode }, call);
    return reply.code(204).send();
  });
}
