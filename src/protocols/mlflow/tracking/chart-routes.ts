import { countPoints, type RunPoints, unpackPoints } from '../../../tracking/index.ts';
import type { ProtocolServices } from '../../services.ts';
import { invalidParameter } from '../errors.ts';
import { type LongList, longList } from '../long-list.ts';
import type { Call, RouteHelpers } from '../routes.ts';
import { checkExperimentId, mlflowLimits } from '../validate.ts';
import { message, missingValue, repeated, string } from '../wire.ts';
import { type Answer, writeMetric } from './answers.ts';
import * as wire from './wire.ts';

/** What MLflow's pages ask for charts and menus: histories of many runs at once, datasets. */

const { historyMax, historyRunsMax, historyPointsOfRunMax } = mlflowLimits;

/** `int()` of Python; the pages send text. */
function readWhole(text: string): number {
  if (/^\s*[+-]?\d+\s*$/.test(text)) return Number(text);
  throw invalidParameter(`Invalid value ${text} for parameter 'max_results' supplied.`);
}

const historyBulkMessage = message({
  run_id: repeated(string),
  metric_key: string,
  max_results: string,
});

/** Runs by key, in the order of the ids. As MLflow answers it: no run, no history. */
async function findRuns(
  ids: readonly string[],
  { workspace }: Call,
  services: ProtocolServices,
): Promise<Map<number, string>> {
  const rows = await services.read(({ tracking }) => tracking.findRuns(workspace, ids));
  const keys = new Map(rows.map(({ id, key }) => [id, key]));
  return new Map(ids.flatMap((id) => (keys.has(id) ? [[keys.get(id) ?? 0, id]] : [])));
}

/** The first `limit` points that were found of some runs. */
function writePoints(
  found: readonly RunPoints[],
  metric: string,
  { ids, limit }: { readonly ids: ReadonlyMap<number, string>; readonly limit: number },
): LongList {
  const points = {
    *[Symbol.iterator]() {
      let left = limit;
      for (const each of found) {
        for (const point of unpackPoints(each, metric, left))
          yield { ...writeMetric(point), run_id: ids.get(each.run) };
        left = Math.max(0, left - countPoints(each));
      }
    },
  };
  return longList(points, limit, (point) => point);
}

const countAll = (found: readonly RunPoints[]): number =>
  found.reduce((sum, each) => sum + countPoints(each), 0);

/** `metrics/get-history-bulk`: all values of some runs, one run after the other. */
async function historyBulk(
  body: {
    readonly run_id?: readonly string[];
    readonly metric_key?: string;
    readonly max_results?: string;
  },
  call: Call,
  services: ProtocolServices,
): Promise<Answer> {
  const { run_id: runs = [], metric_key: key } = body;
  if (runs.length === 0) {
    throw invalidParameter('GetMetricHistoryBulk request must specify at least one run_id.');
  }
  if (runs.length > historyRunsMax) {
    throw invalidParameter(
      `GetMetricHistoryBulk request cannot specify more than ${historyRunsMax} run_ids. Received ${runs.length} run_ids.`,
    );
  }
  if (key === undefined) {
    throw invalidParameter('GetMetricHistoryBulk request must specify a metric_key.');
  }
  const limit = Math.min(
    body.max_results === undefined ? historyMax : readWhole(body.max_results),
    historyMax,
  );
  const ids = await findRuns([...new Set(runs)].sort(), call, services);
  const found = await services.searches.metricHistories({
    runs: [...ids.keys()],
    metric: key,
    limit: historyMax,
    offset: 0,
  });
  const count = countAll(found);
  // A negative limit cuts from the end, as Python's slices do.
  const shown = limit < 0 ? Math.max(0, count + limit) : Math.min(count, limit);
  return { metrics: writePoints(found, key, { ids, limit: shown }) };
}

/**
 * `metrics/get-history-bulk-interval`: at most 2,500 values of each run, evenly spread.
 * @throws invalid_message with MLflow's text.
 */
export async function historyBulkInterval(
  body: wire.HistoryBulkInterval,
  call: Call,
  services: ProtocolServices,
): Promise<Answer> {
  const { run_ids: runs, start_step: from, end_step: to } = body;
  if (runs === undefined) throw missingValue('run_ids');
  if (runs.length > historyRunsMax) {
    throw invalidParameter(
      `GetMetricHistoryBulkInterval request must specify at most ${historyRunsMax} run_ids. Received ${runs.length} run_ids. See the API docs for more information about request parameters.`,
    );
  }
  const limit = body.max_results ?? historyPointsOfRunMax;
  if (limit < 1 || limit > historyPointsOfRunMax) {
    throw invalidParameter(
      `max_results must be between 1 and ${historyPointsOfRunMax}. See the API docs for more information about request parameters.`,
    );
  }
  if ((from === undefined) !== (to === undefined)) {
    throw invalidParameter(
      'If either start step or end step are specified, both must be specified.',
    );
  }
  const steps = from === undefined || to === undefined ? undefined : { from, to };
  if (steps !== undefined && steps.from > steps.to) {
    throw invalidParameter(
      `end_step must be greater than start_step. Found start_step=${from} and end_step=${to}.`,
    );
  }
  const { metric_key: metric } = body;
  const ids = await findRuns(runs, call, services);
  const search = { runs: [...ids.keys()], metric, limit, steps };
  const found = await services.searches.metricSamples(search);
  const count = countAll(found);
  return count === 0 ? {} : { metrics: writePoints(found, metric, { ids, limit: count }) };
}

/** `experiments/search-datasets`. @throws invalid_message with MLflow's text. */
export async function searchDatasets(
  { experiment_ids: ids = [] }: wire.SearchDatasets,
  { workspace }: Call,
  services: ProtocolServices,
): Promise<Answer> {
  const { datasetExperimentsMax, datasetSummariesMax } = mlflowLimits;
  if (ids.length === 0) {
    throw invalidParameter('SearchDatasets request must specify at least one experiment_id.');
  }
  if (ids.length > datasetExperimentsMax) {
    throw invalidParameter(
      `SearchDatasets request cannot specify more than ${datasetExperimentsMax} experiment_ids. Received ${ids.length} experiment_ids.`,
    );
  }
  for (const id of ids) checkExperimentId(id);
  const found = await services.searches.summariseDatasets({
    workspace,
    experimentIds: ids,
    limit: datasetSummariesMax,
  });
  if (found.length === 0) return {};
  return {
    dataset_summaries: found.map(({ experimentId, name, digest, context }) => ({
      experiment_id: experimentId,
      name,
      digest,
      ...(context === null ? {} : { context }),
    })),
  };
}

/** The endpoints of charts that clients call too. */
export function registerChartRoutes(helpers: RouteHelpers, services: ProtocolServices): void {
  helpers.read('GET', '/mlflow/metrics/get-history-bulk-interval', {
    message: wire.historyBulkIntervalMessage,
    answer: (body, call) => historyBulkInterval(body, call, services),
  });
}

/** The endpoints that MLflow's pages alone call, under `/ajax-api`. */
export function registerPageRoutes(helpers: RouteHelpers, services: ProtocolServices): void {
  helpers.read('GET', '/mlflow/metrics/get-history-bulk', {
    message: historyBulkMessage,
    answer: (body, call) => historyBulk(body, call, services),
  });
  helpers.read('POST', '/mlflow/experiments/search-datasets', {
    message: wire.searchDatasetsMessage,
    answer: (body, call) => searchDatasets(body, call, services),
  });
}
