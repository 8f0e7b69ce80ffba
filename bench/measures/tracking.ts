/** MLflow's requests, the same for every server that speaks its protocol. */

import type { Effort, Figure, LoadFigure, MeasureContext, System } from '../figures.ts';
import { type CreatedRun, post } from '../http.ts';
import type { LoadRequest } from '../load.ts';
import type { MeasuredServer } from '../server.ts';
import { measureLoad } from './load-figure.ts';

const api = '/api/2.0/mlflow';
const runCount = 64;
const modelCount = 32;

/** One of the servers that are compared. */
export interface TrackingSide {
  readonly system: System;
  readonly effort: Effort;
  readonly connections: readonly number[];
  /** A server with nothing in it. */
  readonly start: () => Promise<MeasuredServer>;
}

type Next = (index: number, connection: number) => LoadRequest;

interface TrackingMeasure {
  readonly name: string;
  readonly itemsPerRequest?: number;
  /** Makes what the requests need, and the requests. */
  readonly prepare: (server: MeasuredServer) => Promise<Next>;
}

const measures: readonly TrackingMeasure[] = [
  { name: 'create-run', prepare: async () => createRun },
  { name: 'log-metric', prepare: prepareLogMetric },
  { name: 'log-batch of 100', itemsPerRequest: 100, prepare: prepareLogBatch },
  { name: 'create model version', prepare: prepareModelVersion },
];

/**
 * Measures creating runs, logging metrics one by one and by the hundred, and registering versions. Where
 * sides are compared they take turns, twice, and the better of the two figures counts: a shared machine
 * is fast and slow by the minute, and one side after the other would be measured on two machines.
 */
export async function measureTracking(
  sides: readonly TrackingSide[],
  log: MeasureContext['log'],
): Promise<Figure[]> {
  const servers: MeasuredServer[] = [];
  try {
    for (const { start } of sides) servers.push(await start());
    const figures: Figure[] = [];
    for (const measure of measures)
      figures.push(...(await measureInTurns(measure, sides, servers, log)));
    return figures;
  } finally {
    for (const server of servers) await server.stop();
  }
}

async function measureInTurns(
  { name, itemsPerRequest = 1, prepare }: TrackingMeasure,
  sides: readonly TrackingSide[],
  servers: readonly MeasuredServer[],
  log: MeasureContext['log'],
): Promise<Figure[]> {
  const best = new Map<string, LoadFigure>();
  const nexts: Next[] = [];
  for (const server of servers) nexts.push(offset(await prepare(server)));
  const counts = [...new Set(sides.flatMap(({ connections }) => connections))].sort(
    (a, b) => a - b,
  );
  for (let turn = 0; turn < (sides.length > 1 ? 2 : 1); turn += 1) {
    for (const count of counts) {
      for (const [index, { system, effort, connections }] of sides.entries()) {
        const [server, next] = [servers[index], nexts[index]];
        if (server === undefined || next === undefined || !connections.includes(count)) continue;
        log(`${system}: ${name}, ${count} connections`);
        const load = { system, server, effort, connections: count, itemsPerRequest };
        const figure = await measureLoad({ ...load, measure: name, next });
        const before = best.get(`${system} ${count}`);
        if (before === undefined || figure.requestsPerSecond > before.requestsPerSecond)
          best.set(`${system} ${count}`, figure);
      }
    }
  }
  return [...best.values()].sort(
    (a, b) =>
      sides.findIndex((side) => side.system === a.system) -
      sides.findIndex((side) => side.system === b.system),
  );
}

/** Numbers requests on over several loads, so that none says again what was said before. */
function offset(next: Next): Next {
  return (_index, connection) => next(requestCounter.next(), connection);
}

const requestCounter = ((): { next(): number } => {
  let count = 0;
  return { next: () => ++count };
})();

function createRun(index: number): LoadRequest {
  const tags = [
    ['mlflow.user', `user-${index % 20}`],
    ['mlflow.source.name', 'train.py'],
    ['mlflow.source.type', 'LOCAL'],
    ['mlflow.source.git.commit', '5f1d7f3a9c5b4f1e8d2a7c6b9e0f3d4c5b6a7f8e'],
  ].map(([key, value]) => ({ key, value }));
  const start_time = Date.now();
  const body = { experiment_id: '0', start_time, run_name: `bench-${index}`, tags };
  return { method: 'POST', path: `${api}/runs/create`, body: JSON.stringify(body) };
}

async function createRuns(server: MeasuredServer): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < runCount) {
    const { path, body = '' } = createRun(ids.length);
    ids.push((await post<CreatedRun>(server.url + path, body)).run.info.run_id);
  }
  return ids;
}

/** Runs to log to, and the requests that log to them. */
export async function prepareLogMetric(server: MeasuredServer): Promise<Next> {
  const runs = await createRuns(server);
  return (index) => {
    const body = `{"run_id":"${runs[index % runCount]}","key":"loss_${index % 10}","value":${1 / index},"timestamp":${Date.now()},"step":${index}}`;
    return { method: 'POST', path: `${api}/runs/log-metric`, body };
  };
}

async function prepareLogBatch(server: MeasuredServer): Promise<Next> {
  const runs = await createRuns(server);
  return (index) => {
    const timestamp = Date.now();
    const metrics = Array.from(
      { length: 100 },
      (_, i) =>
        `{"key":"metric_${i}","value":${i + 1 / index},"timestamp":${timestamp},"step":${index}}`,
    );
    const body = `{"run_id":"${runs[index % runCount]}","metrics":[${metrics.join(',')}]}`;
    return { method: 'POST', path: `${api}/runs/log-batch`, body };
  };
}

async function prepareModelVersion(server: MeasuredServer): Promise<Next> {
  const runs = await createRuns(server);
  for (let i = 0; i < modelCount; i += 1) {
    const url = `${server.url}${api}/registered-models/create`;
    await post(url, JSON.stringify({ name: `bench-model-${i}` }));
  }
  return (index) => {
    const run_id = runs[index % runCount];
    const source = `mlflow-artifacts:/0/${run_id}/artifacts/model`;
    const body = JSON.stringify({ name: `bench-model-${index % modelCount}`, source, run_id });
    return { method: 'POST', path: `${api}/model-versions/create`, body };
  };
}
