/** Reading the whole history of a metric. */
import type { Figure, MeasureContext } from '../figures.ts';
import { type CreatedRun, post } from '../http.ts';
import { measureLoad } from './load-figure.ts';
import type { TrackingSide } from './tracking.ts';

type HistoryOptions = MeasureContext & TrackingSide;

const api = '/api/2.0/mlflow';
const pointCount = 10_000;
const pointsPerBatch = 1_000;

/** Measures `metrics/get-history` of 10,000 points, all in one answer. */
export async function measureHistory(options: HistoryOptions): Promise<Figure[]> {
  const { system, connections, effort, log } = options;
  const server = await options.start();
  try {
    const runs = `${server.url}${api}/runs`;
    const created = JSON.stringify({ experiment_id: '0', start_time: Date.now() });
    const { run } = await post<CreatedRun>(`${runs}/create`, created);
    const { run_id } = run.info;
    for (let from = 0; from < pointCount; from += pointsPerBatch) {
      const metrics = Array.from({ length: pointsPerBatch }, (_, i) => ({
        key: 'loss',
        value: 1 / (from + i + 1),
        timestamp: 1_700_000_000_000 + from + i,
        step: from + i,
      }));
      await post(`${runs}/log-batch`, JSON.stringify({ run_id, metrics }));
    }
    const path = `${api}/metrics/get-history?run_id=${run_id}&metric_key=loss`;
    const figures: Figure[] = [];
    for (const count of connections) {
      log(`${system}: metric history, ${count} connections`);
      const load = { system, server, effort, connections: count, measure: historyMeasure };
      figures.push(await measureLoad({ ...load, next: () => ({ method: 'GET', path }) }));
    }
    return figures;
  } finally {
    await server.stop();
  }
}

const historyMeasure = 'get-history of 10,000';
