import {
  countPoints,
  type FullRun,
  getFullRuns,
  onePage,
  pageOfRuns,
  unpackPoints,
} from '../../../tracking/index.ts';
import type { ProtocolServices } from '../../services.ts';
import { doesNotExist, invalidParameter } from '../errors.ts';
import { parseFilter, parseOrders } from '../filter.ts';
import { runGrammar } from '../grammar.ts';
import { longList } from '../long-list.ts';
import { logInputs, logOutputs } from '../operations/inputs.ts';
import { createRun, deleteRun, restoreRun, updateRun } from '../operations/runs.ts';
import { readMaxResults, readPageToken, writePageToken } from '../paging.ts';
import type { Call, RouteHelpers } from '../routes.ts';
import { checkExperimentId, checkLength, checkRunId, mlflowLimits } from '../validate.ts';
import { type Answer, writeMetric, writeRun } from './answers.ts';
import { stageOf } from './experiment-routes.ts';
import { conditionsWithTokens } from './persons.ts';
import * as wire from './wire.ts';

const asItIs = <T>(read: T): T => read;

/** `runs/get`. @throws not_found with MLflow's text. */
export async function getRun(id: string, call: Call, services: ProtocolServices): Promise<Answer> {
  const full = await services.read(async ({ tracking }) => {
    const run = await tracking.findRun(call.workspace, id);
    return run === undefined ? undefined : (await getFullRuns(tracking, [run.key]))[0];
  });
  if (full === undefined) throw doesNotExist(`Run with id=${id} not found`);
  return { run: writeRun(full) };
}

/** A run as searches show it: MLflow's leave the models out that it read. */
const writeFoundRun = (full: FullRun): Answer => writeRun({ ...full, modelInputs: [] });

/** `runs/search`. @throws invalid_message with MLflow's text. */
export async function searchRuns(
  body: wire.SearchRuns,
  call: Call,
  services: ProtocolServices,
): Promise<Answer> {
  const limit = readMaxResults(body.max_results, mlflowLimits.runsDefault, mlflowLimits.pageMax);
  const offset = readPageToken(body.page_token);
  const experimentIds = body.experiment_ids ?? [];
  for (const id of experimentIds) checkExperimentId(id);
  const search = {
    workspace: call.workspace,
    experimentIds,
    conditions: conditionsWithTokens(parseFilter(body.filter, runGrammar), services),
    orders: parseOrders(body.order_by, runGrammar),
    stage: stageOf(body.run_view_type),
    limit,
    offset,
  };
  const keys = await services.searches.searchRuns(onePage(search));
  const page = await services.read(({ tracking }) => pageOfRuns(tracking, keys, limit));
  return {
    ...(page.items.length === 0
      ? {}
      : { runs: longList(page.items, page.items.length, writeFoundRun) }),
    ...(page.more ? { next_page_token: writePageToken(offset + limit) } : {}),
  };
}

/** Without max_results all of it: SQLite's LIMIT -1. */
const everything = -1;

async function metricHistory(
  body: {
    readonly run_id: string;
    readonly metric_key: string;
    readonly max_results?: number;
    readonly page_token?: string;
  },
  call: Call,
  services: ProtocolServices,
): Promise<Answer> {
  const limit = body.max_results;
  if (limit !== undefined && limit <= 0) {
    throw invalidParameter(
      `Invalid value ${limit} for parameter 'max_results' supplied. It must be a positive integer.`,
    );
  }
  const size = limit === undefined ? undefined : Math.min(limit, mlflowLimits.historyMax);
  const offset = readPageToken(body.page_token);
  const run = await services.read(({ tracking }) => tracking.findRun(call.workspace, body.run_id));
  const found = await services.searches.metricHistories({
    // As MLflow answers it: no run, no history.
    runs: run === undefined ? [] : [run.key],
    metric: body.metric_key,
    limit: size === undefined ? everything : size + 1,
    offset,
  });
  const count = found.reduce((sum, each) => sum + countPoints(each), 0);
  const more = size !== undefined && count > size;
  const shown = more ? size : count;
  const points = found.map((each) => unpackPoints(each, body.metric_key, shown));
  return {
    ...(shown === 0 ? {} : { metrics: longList(points[0] ?? [], shown, writeMetric) }),
    ...(more ? { next_page_token: writePageToken(offset + size) } : {}),
  };
}

function checkInputs(body: wire.LogInputs): void {
  checkRunId(body.run_id);
  const datasets = body.datasets ?? [];
  if (datasets.length > mlflowLimits.datasetsMax) {
    throw invalidParameter(
      `A request can log at most ${mlflowLimits.datasetsMax} datasets. Got ${datasets.length}. Please split them across multiple requests.`,
    );
  }
  for (const { dataset, tags } of datasets) {
    checkLength('name', mlflowLimits.datasetNameCharactersMax, dataset.name);
    checkLength('digest', mlflowLimits.datasetDigestCharactersMax, dataset.digest);
    checkLength('source', mlflowLimits.datasetSourceCharactersMax, dataset.source);
    checkLength('schema', mlflowLimits.datasetSchemaCharactersMax, dataset.schema);
    checkLength('profile', mlflowLimits.datasetProfileCharactersMax, dataset.profile);
    for (const { key, value } of tags ?? []) {
      checkLength('key', mlflowLimits.inputTagKeyCharactersMax, key);
      checkLength('value', mlflowLimits.inputTagCharactersMax, value);
    }
  }
}

/** The endpoints of runs, their inputs and outputs, and of metric histories. */
export function registerRunRoutes(helpers: RouteHelpers, services: ProtocolServices): void {
  helpers.write('POST', '/mlflow/runs/create', {
    message: wire.createRunMessage,
    operation: createRun,
    body: asItIs,
    answer: asItIs,
  });
  helpers.write('POST', '/mlflow/runs/update', {
    message: wire.updateRunMessage,
    operation: updateRun,
    body: asItIs,
    answer: asItIs,
  });
  helpers.write('POST', '/mlflow/runs/delete', {
    message: wire.runMessage,
    operation: deleteRun,
    body: asItIs,
  });
  helpers.write('POST', '/mlflow/runs/restore', {
    message: wire.runMessage,
    operation: restoreRun,
    body: asItIs,
  });
  helpers.write('POST', '/mlflow/runs/log-inputs', {
    message: wire.logInputsMessage,
    operation: logInputs,
    body(read) {
      checkInputs(read);
      return read;
    },
  });
  helpers.write('POST', '/mlflow/runs/outputs', {
    message: wire.logOutputsMessage,
    operation: logOutputs,
    body: asItIs,
  });
  helpers.read('GET', '/mlflow/runs/get', {
    message: wire.runMessage,
    answer: (body, call) => getRun(body.run_id, call, services),
  });
  helpers.read('POST', '/mlflow/runs/search', {
    message: wire.searchRunsMessage,
    answer: (body, call) => searchRuns(body, call, services),
  });
  helpers.read('GET', '/mlflow/metrics/get-history', {
    message: wire.metricHistoryMessage,
    answer: (body, call) => metricHistory(body, call, services),
  });
}
