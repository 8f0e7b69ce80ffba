import type { Operation } from '../../../door/index.ts';
import type { ProtocolServices } from '../../services.ts';
import type { RouteHelpers } from '../routes.ts';
import type { BodyOf, Fields, Message } from '../wire.ts';
import {
  addDatasetToExperiments,
  createDataset,
  deleteDataset,
  deleteDatasetTag,
  removeDatasetFromExperiments,
  setDatasetTags,
} from './datasets.ts';
import { readTagsText } from './json-text.ts';
import {
  type DatasetView,
  getDataset,
  listExperiments,
  listRecords,
  searchDatasets,
  viewDataset,
  writeDataset,
} from './read.ts';
import { deleteRecords, upsertRecords } from './records.ts';
import {
  configureScorer,
  deleteScorer,
  getScorer,
  listScorerConfigs,
  listScorers,
  listScorerVersions,
  registerScorer,
  writeConfig,
  writeRegistered,
} from './scorers.ts';
import * as wire from './wire.ts';

/** Every operation of evaluation datasets and scorers, for rebuild. */
export const evaluationOperations = [
  createDataset,
  setDatasetTags,
  deleteDatasetTag,
  deleteDataset,
  addDatasetToExperiments,
  removeDatasetFromExperiments,
  upsertRecords,
  deleteRecords,
  registerScorer,
  deleteScorer,
  configureScorer,
  // Looked up by name at replay, so their types are erased here.
] as readonly unknown[] as readonly Operation[];

/** Evaluation datasets and scorers, below `/api/3.0`. */
export function registerEvaluationRoutes(helpers: RouteHelpers, services: ProtocolServices): void {
  registerDatasetWrites(helpers, services);
  registerDatasetReads(helpers, services);
  registerScorerRoutes(helpers, services);
}

/** A write whose body is the message as it was read. */
function write<F extends Fields, Answer>(
  helpers: RouteHelpers,
  [method, path]: readonly ['POST' | 'PUT' | 'PATCH' | 'DELETE', string],
  route: {
    readonly message: Message<F>;
    readonly operation: Operation<BodyOf<Message<F>>, Answer>;
    readonly answer?: (answer: Answer) => unknown;
  },
): void {
  helpers.write(method, `/mlflow/${path}`, { ...route, body: (read) => read });
}

function registerDatasetWrites(helpers: RouteHelpers, services: ProtocolServices): void {
  const answer = (view: DatasetView) => ({ dataset: writeDataset(view, services.reveal) });
  helpers.write('POST', '/mlflow/datasets/create', {
    message: wire.createDatasetMessage,
    operation: createDataset,
    body: ({ name, experiment_ids = [], tags }) => ({
      name,
      experiment_ids: [...new Set(experiment_ids)],
      tags: readTagsText(tags),
    }),
    answer,
  });
  helpers.write('PATCH', '/mlflow/datasets/:dataset_id/tags', {
    message: wire.datasetTagsMessage,
    operation: setDatasetTags,
    body: ({ dataset_id, tags }) => ({ dataset_id, tags: readTagsText(tags) }),
  });
  write(helpers, ['DELETE', 'datasets/:dataset_id/tags/:key'], {
    message: wire.datasetTagMessage,
    operation: deleteDatasetTag,
  });
  write(helpers, ['DELETE', 'datasets/:dataset_id'], {
    message: wire.datasetMessage,
    operation: deleteDataset,
  });
  write(helpers, ['POST', 'datasets/:dataset_id/add-experiments'], {
    message: wire.datasetExperimentsMessage,
    operation: addDatasetToExperiments,
    answer,
  });
  write(helpers, ['POST', 'datasets/:dataset_id/remove-experiments'], {
    message: wire.datasetExperimentsMessage,
    operation: removeDatasetFromExperiments,
    answer,
  });
  const counts = (answered: object) => answered;
  write(helpers, ['POST', 'datasets/:dataset_id/records'], {
    message: wire.upsertRecordsMessage,
    operation: upsertRecords,
    answer: counts,
  });
  write(helpers, ['DELETE', 'datasets/:dataset_id/records'], {
    message: wire.deleteRecordsMessage,
    operation: deleteRecords,
    answer: counts,
  });
}

function registerDatasetReads(helpers: RouteHelpers, services: ProtocolServices): void {
  const { reveal } = services;
  for (const method of ['GET', 'POST'] as const) {
    helpers.read(method, '/mlflow/datasets/search', {
      message: wire.searchDatasetsMessage,
      answer: (body, call) => searchDatasets(body, call, services),
    });
  }
  helpers.read('GET', '/mlflow/datasets/:dataset_id', {
    message: wire.datasetMessage,
    answer: ({ dataset_id }, { workspace }) =>
      services.read(async (state) => {
        const row = await getDataset(dataset_id, { state, workspace });
        return { dataset: writeDataset(await viewDataset(row, state), reveal) };
      }),
  });
  helpers.read('GET', '/mlflow/datasets/:dataset_id/records', {
    message: wire.recordsMessage,
    answer: (body, { workspace }) =>
      services.read((state) => listRecords(body, workspace, { state, reveal })),
  });
  helpers.read('GET', '/mlflow/datasets/:dataset_id/experiment-ids', {
    message: wire.datasetMessage,
    answer: (body, { workspace }) =>
      services.read((state) => listExperiments(body, workspace, state)),
  });
}

function registerScorerRoutes(helpers: RouteHelpers, services: ProtocolServices): void {
  write(helpers, ['POST', 'scorers/register'], {
    message: wire.registerScorerMessage,
    operation: registerScorer,
    answer: writeRegistered,
  });
  write(helpers, ['DELETE', 'scorers/delete'], {
    message: wire.scorerMessage,
    operation: deleteScorer,
  });
  write(helpers, ['PUT', 'scorers/online-config'], {
    message: wire.scorerConfigMessage,
    operation: configureScorer,
    answer: (row) => ({ config: writeConfig(row) }),
  });
  helpers.read('GET', '/mlflow/scorers/list', {
    message: wire.listScorersMessage,
    answer: (body, { workspace }) => services.read((state) => listScorers(body, workspace, state)),
  });
  helpers.read('GET', '/mlflow/scorers/versions', {
    message: wire.scorerVersionsMessage,
    answer: (body, { workspace }) =>
      services.read((state) => listScorerVersions(body, workspace, state)),
  });
  helpers.read('GET', '/mlflow/scorers/get', {
    message: wire.scorerMessage,
    answer: (body, { workspace }) => services.read((state) => getScorer(body, workspace, state)),
  });
  helpers.read('GET', '/mlflow/scorers/online-configs', {
    message: wire.scorerConfigsMessage,
    answer: (body, { workspace }) =>
      services.read((state) => listScorerConfigs(body, workspace, state)),
  });
}
