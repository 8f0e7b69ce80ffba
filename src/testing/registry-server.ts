import { createWorkspace, type Operation } from '../door/index.ts';
import type { Fact } from '../facts/facts.ts';
import { registerRegistryRoutes, registryOperations } from '../protocols/mlflow/registry/routes.ts';
import { useJsonBodies, useMlflowErrors } from '../protocols/mlflow/routes.ts';
import { startProtocolServer } from './protocol-server.ts';
import { stateFacts } from './state-facts.ts';

// Looked up by name at replay, so their types are erased here.
const operations = [createWorkspace, stateFacts, ...registryOperations] as unknown as Operation[];

/** A run, its logged model, and where their files are. */
export const run = '0123456789abcdef0123456789abcdef';
export const loggedModel = `m-${run}`;
export const artifacts = `mlflow-artifacts:/0/${run}/artifacts`;
export const modelFiles = `mlflow-artifacts:/0/models/${loggedModel}/artifacts`;

/** As the tracking endpoints would state them. */
const tracked: readonly Fact[] = [
  {
    kind: 'run.created',
    run,
    experiment: '0',
    name: 'r',
    user: '',
    startTime: 1,
    artifactUri: artifacts,
    tags: [],
  },
  {
    kind: 'loggedModel.created',
    model: loggedModel,
    experiment: '0',
    name: 'm',
    modelType: '',
    sourceRun: run,
    artifactUri: modelFiles,
    params: [],
    tags: [],
    time: 1,
  },
];

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** What an MLflow refusal looks like to `toMatchObject`. */
export const refusal = (error_code: string, message: unknown): object => ({
  body: { error_code, message },
});

/** A server of MLflow's registry endpoints, with a run and its logged model. */
export async function startRegistryServer() {
  const { app, services, store, rebuild, close } = await startProtocolServer((scope, each) => {
    scope.register(
      async (inner) => {
        useJsonBodies(inner);
        useMlflowErrors(inner, each);
        registerRegistryRoutes(inner, each);
      },
      { prefix: '/api/2.0' },
    );
  });
  await services.door.submit({
    operation: stateFacts,
    workspace: 'default',
    principal: 'tester',
    body: { facts: tracked },
  });
  const call = async (method: Method, path: string, body: Record<string, unknown> = {}) => {
    const url = `/api/2.0/mlflow/${path}`;
    const query = Object.entries(body).flatMap(([name, value]) =>
      [value].flat().map((each): [string, string] => [name, String(each)]),
    );
    const response = await app.inject(
      method === 'GET'
        ? { method, url: `${url}?${new URLSearchParams(query)}` }
        : { method, url, headers: { 'content-type': 'application/json' }, payload: body },
    );
    const receipt = response.headers['wherefrom-receipt'];
    return { status: response.statusCode, receipt, body: response.json() };
  };
  return {
    store,
    call,
    close,
    rebuild: () => rebuild(operations),
    async createModel(name: string, more: object = {}): Promise<void> {
      const { status, body } = await call('POST', 'registered-models/create', { name, ...more });
      if (status !== 200) throw new Error(body.message);
    },
    async createVersion(name: string, more: object = {}) {
      const body = { name, source: 's3://bucket/model', ...more };
      const answer = await call('POST', 'model-versions/create', body);
      return { ...answer, version: answer.body.model_version };
    },
    /** A node of the graph with the newest value of each attribute. */
    nodeOf(ref: string) {
      return store.read(async ({ lineage }) => {
        const node = await lineage.findNode(ref);
        const rows = node ? await lineage.attributes([node.key]) : [];
        const newestLast = [...rows].sort((a, b) => a.time - b.time);
        const attributes = Object.fromEntries(
          newestLast.map(({ name, value }) => [name, JSON.parse(value)]),
        );
        return node && { deleted: node.deletedTime !== null, attributes };
      });
    },
  };
}
