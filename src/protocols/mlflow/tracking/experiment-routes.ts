import {
  type FullExperiment,
  findFullExperiment,
  type LifecycleStage,
  onePage,
  pageOfExperiments,
} from '../../../tracking/index.ts';
import type { ProtocolServices } from '../../services.ts';
import { doesNotExist } from '../errors.ts';
import { parseFilter, parseOrders } from '../filter.ts';
import { type Condition, experimentGrammar } from '../grammar.ts';
import { longList } from '../long-list.ts';
import {
  createExperiment,
  deleteExperiment,
  deleteExperimentTag,
  restoreExperiment,
  setExperimentTag,
  updateExperiment,
} from '../operations/experiments.ts';
import { readMaxResults, readPageToken, writePageToken } from '../paging.ts';
import type { Call, RouteHelpers } from '../routes.ts';
import { checkStorageLocation } from '../storage-location.ts';
import {
  checkExperimentId,
  checkExperimentName,
  checkExperimentTag,
  mlflowLimits,
} from '../validate.ts';
import { type Answer, writeExperiment } from './answers.ts';
import { conditionsWithTokens } from './persons.ts';
import * as wire from './wire.ts';

/** MLflow's view_type as the stage to look for; undefined means both. */
export function stageOf(
  view: 'ACTIVE_ONLY' | 'DELETED_ONLY' | 'ALL' | undefined,
): LifecycleStage | undefined {
  if (view === 'ALL') return undefined;
  return view === 'DELETED_ONLY' ? 'deleted' : 'active';
}

const experimentAnswer = ({ experiment, tags }: FullExperiment, workspace: string): Answer =>
  writeExperiment(experiment, tags, workspace);

/** Ids in a filter are numbers too. */
function checkIds(conditions: readonly Condition[]): void {
  for (const { entity, key, value } of conditions) {
    if (entity !== 'attribute' || key !== 'experiment_id' || value === null) continue;
    for (const id of Array.isArray(value) ? value : [value]) checkExperimentId(String(id));
  }
}

async function searchExperiments(
  body: wire.SearchExperiments,
  call: Call,
  services: ProtocolServices,
): Promise<Answer> {
  const limit = readMaxResults(body.max_results, 0, mlflowLimits.pageMax);
  const offset = readPageToken(body.page_token);
  const conditions = parseFilter(body.filter, experimentGrammar);
  checkIds(conditions);
  const search = {
    workspace: call.workspace,
    conditions: conditionsWithTokens(conditions, services),
    orders: parseOrders(body.order_by, experimentGrammar),
    stage: stageOf(body.view_type),
    limit,
    offset,
  };
  const keys = await services.searches.searchExperiments(onePage(search));
  const page = await services.read(({ tracking }) => pageOfExperiments(tracking, keys, limit));
  const write = (each: FullExperiment): Answer => experimentAnswer(each, call.workspace);
  return {
    ...(page.items.length === 0
      ? {}
      : { experiments: longList(page.items, page.items.length, write) }),
    ...(page.more ? { next_page_token: writePageToken(offset + limit) } : {}),
  };
}

/** `experiments/get`. @throws invalid_message, not_found with MLflow's text. */
export async function getExperiment(
  body: wire.ExperimentOnly,
  { workspace }: Call,
  services: ProtocolServices,
): Promise<Answer> {
  checkExperimentId(body.experiment_id);
  const id = String(BigInt(body.experiment_id.trim()));
  const found = await services.read(({ tracking }) =>
    findFullExperiment(tracking, workspace, { id }),
  );
  if (found === undefined) throw doesNotExist(`No Experiment with id=${id} exists`);
  return { experiment: experimentAnswer(found, workspace) };
}

/** The endpoints of experiments. */
export function registerExperimentRoutes(helpers: RouteHelpers, services: ProtocolServices): void {
  helpers.write('POST', '/mlflow/experiments/create', {
    message: wire.createExperimentMessage,
    operation: createExperiment,
    body(read) {
      if (read.artifact_location) checkStorageLocation(read.artifact_location, 'artifact_location');
      checkExperimentName(read.name);
      return read.tags === undefined ? read : { ...read, tags: read.tags.map(checkExperimentTag) };
    },
    answer: (answer) => answer,
  });
  helpers.write('POST', '/mlflow/experiments/update', {
    message: wire.updateExperimentMessage,
    operation: updateExperiment,
    body(read) {
      checkExperimentName(read.new_name);
      return read;
    },
  });
  helpers.write('POST', '/mlflow/experiments/delete', {
    message: wire.experimentMessage,
    operation: deleteExperiment,
    body: (read) => read,
  });
  helpers.write('POST', '/mlflow/experiments/restore', {
    message: wire.experimentMessage,
    operation: restoreExperiment,
    body: (read) => read,
  });
  helpers.write('POST', '/mlflow/experiments/set-experiment-tag', {
    message: wire.experimentTagMessage,
    operation: setExperimentTag,
    body: (read) => ({ ...read, ...checkExperimentTag(read) }),
  });
  helpers.write('POST', '/mlflow/experiments/delete-experiment-tag', {
    message: wire.deleteExperimentTagMessage,
    operation: deleteExperimentTag,
    body: (read) => read,
  });
  registerReads(helpers, services);
}

function registerReads(helpers: RouteHelpers, services: ProtocolServices): void {
  helpers.read('GET', '/mlflow/experiments/get', {
    message: wire.experimentMessage,
    answer: (body, call) => getExperiment(body, call, services),
  });
  helpers.read('GET', '/mlflow/experiments/get-by-name', {
    message: wire.experimentByNameMessage,
    async answer(body, { workspace }) {
      const name = body.experiment_name;
      const found = await services.read(({ tracking }) =>
        findFullExperiment(tracking, workspace, { name }),
      );
      if (found === undefined) throw doesNotExist(`Could not find experiment with name '${name}'`);
      return { experiment: experimentAnswer(found, workspace) };
    },
  });
  for (const method of ['GET', 'POST'] as const) {
    helpers.read(method, '/mlflow/experiments/search', {
      message: wire.searchExperimentsMessage,
      answer: (body, call) => searchExperiments(body, call, services),
    });
  }
}
