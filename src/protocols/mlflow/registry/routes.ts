import type { FastifyInstance } from 'fastify';
import type { Operation, StateReader } from '../../../door/index.ts';
import type { ProtocolServices } from '../../services.ts';
import { createRouteHelpers, type RouteHelpers } from '../routes.ts';
import type { BodyOf, Fields, Message } from '../wire.ts';
import { deleteAlias, getVersionByAlias, setAlias } from './aliases.ts';
import {
  createModel,
  deleteModel,
  deleteModelTag,
  renameModel,
  setModelTag,
  updateModel,
} from './models.ts';
import {
  getModel,
  getVersion,
  type ModelView,
  type VersionView,
  viewModel,
  viewVersion,
  writeModel,
  writeVersion,
} from './read.ts';
import { searchModels, searchVersions } from './search.ts';
import { readStage } from './validate.ts';
import {
  createVersion,
  deleteVersion,
  deleteVersionTag,
  setVersionTag,
  transitionStage,
  updateVersion,
} from './versions.ts';
import * as wire from './wire.ts';

/** Every operation of the registry, for rebuild. */
export const registryOperations: readonly Operation[] = [
  createModel,
  updateModel,
  renameModel,
  deleteModel,
  setModelTag,
  deleteModelTag,
  createVersion,
  updateVersion,
  transitionStage,
  deleteVersion,
  setVersionTag,
  deleteVersionTag,
  setAlias,
  deleteAlias,
  // Looked up by name at replay, so their types are erased here.
] as unknown as readonly Operation[];

const modelAnswer = (view: ModelView) => ({ registered_model: writeModel(view) });
const versionAnswer = (view: VersionView) => ({ model_version: writeVersion(view) });

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** The 22 endpoints of MLflow's model registry, below the prefix of `app` (for example `/api/2.0`). */
export function registerRegistryRoutes(
  app: FastifyInstance,
  services: ProtocolServices,
  helpers: RouteHelpers = createRouteHelpers(app, services),
): void {
  registerWrites(helpers);
  registerReads(helpers, services);
}

function registerWrites(helpers: RouteHelpers): void {
  const write = <F extends Fields, Answer>(
    [method, path]: readonly [Method, string],
    message: Message<F>,
    operation: Operation<BodyOf<Message<F>>, Answer>,
    answer?: (answer: Answer) => unknown,
  ): void => {
    helpers.write(method, `/mlflow/${path}`, {
      message,
      operation,
      body: (read) => read,
      ...(answer === undefined ? {} : { answer }),
    });
  };
  write(['POST', 'registered-models/create'], wire.createModelMessage, createModel, modelAnswer);
  write(['POST', 'registered-models/rename'], wire.renameModelMessage, renameModel, modelAnswer);
  write(['PATCH', 'registered-models/update'], wire.updateModelMessage, updateModel, modelAnswer);
  write(['DELETE', 'registered-models/delete'], wire.nameMessage, deleteModel);
  write(['POST', 'registered-models/set-tag'], wire.setModelTagMessage, setModelTag);
  write(['DELETE', 'registered-models/delete-tag'], wire.deleteModelTagMessage, deleteModelTag);
  write(['POST', 'registered-models/alias'], wire.setAliasMessage, setAlias);
  write(['DELETE', 'registered-models/alias'], wire.aliasMessage, deleteAlias);
  write(['POST', 'model-versions/create'], wire.createVersionMessage, createVersion, versionAnswer);
  write(
    ['PATCH', 'model-versions/update'],
    wire.updateVersionMessage,
    updateVersion,
    versionAnswer,
  );
  write(
    ['POST', 'model-versions/transition-stage'],
    wire.stageMessage,
    transitionStage,
    versionAnswer,
  );
  write(['DELETE', 'model-versions/delete'], wire.versionMessage, deleteVersion);
  write(['POST', 'model-versions/set-tag'], wire.setVersionTagMessage, setVersionTag);
  write(['DELETE', 'model-versions/delete-tag'], wire.deleteVersionTagMessage, deleteVersionTag);
}

function registerReads(helpers: RouteHelpers, services: ProtocolServices): void {
  const read = <F extends Fields>(
    [method, path]: readonly [Method, string],
    message: Message<F>,
    query: (body: BodyOf<Message<F>>, workspace: string, state: StateReader) => Promise<unknown>,
  ): void => {
    helpers.read(method, `/mlflow/${path}`, {
      message,
      answer: (body, { workspace }) => services.read((state) => query(body, workspace, state)),
    });
  };
  read(
    ['GET', 'registered-models/get'],
    wire.nameMessage,
    async (body, workspace, { registry }) => {
      const row = await getModel(registry, workspace, body.name);
      return modelAnswer(await viewModel(registry, row));
    },
  );
  helpers.read('GET', '/mlflow/registered-models/search', {
    message: wire.searchMessage,
    answer: (body, call) => searchModels(body, call, services),
  });
  for (const method of ['GET', 'POST'] as const) {
    read(
      [method, 'registered-models/get-latest-versions'],
      wire.latestVersionsMessage,
      latestVersions,
    );
  }
  read(
    ['GET', 'registered-models/alias'],
    wire.aliasMessage,
    async (body, workspace, { registry }) =>
      versionAnswer(await getVersionByAlias(registry, workspace, body)),
  );
  read(
    ['GET', 'model-versions/get'],
    wire.versionMessage,
    async (body, workspace, { registry }) => {
      const row = await getVersion(registry, workspace, body);
      return versionAnswer(await viewVersion(registry, row));
    },
  );
  helpers.read('GET', '/mlflow/model-versions/search', {
    message: wire.searchMessage,
    answer: (body, call) => searchVersions(body, call, services),
  });
  read(
    ['GET', 'model-versions/get-download-uri'],
    wire.downloadMessage,
    async ({ name = '', version = '' }, workspace, { registry }) => {
      const row = await getVersion(registry, workspace, { name, version });
      return { artifact_uri: row.storageLocation };
    },
  );
}

async function latestVersions(
  { name, stages = [] }: BodyOf<typeof wire.latestVersionsMessage>,
  workspace: string,
  { registry }: StateReader,
): Promise<unknown> {
  const model = await getModel(registry, workspace, name);
  const wanted = stages.map(readStage);
  const versions: unknown[] = [];
  for (const row of await registry.listLatestVersions(model.key)) {
    if (wanted.length > 0 && !wanted.includes(row.stage)) continue;
    versions.push(writeVersion(await viewVersion(registry, row)));
  }
  return versions.length === 0 ? {} : { model_versions: versions };
}
