/** Searching runs, and what a long search does to those who write meanwhile. */
import { join } from 'node:path';
import { type Figure, type MeasureContext, percentile, type System } from '../figures.ts';
import { post } from '../http.ts';
import type { LoadRequest } from '../load.ts';
import { type MeasuredServer, startWherefrom } from '../server.ts';
import { measureLoad } from './load-figure.ts';
import { fillRuns } from './run-facts.ts';
import { prepareLogMetric } from './tracking.ts';

/** Connections that write while a search goes on. */
const writers = 8;
const searchesMin = 5;

export interface SearchOptions extends MeasureContext {
  /** MLflow's own server on so many of the same runs; absent when it is not measured. */
  readonly peer?: ((runs: number) => Promise<MeasuredServer>) | undefined;
}

export async function measureSearch(context: SearchOptions): Promise<Figure[]> {
  const figures: Figure[] = [];
  const { searchedRuns, manyRuns } = context.effort;
  if (context.peer !== undefined) {
    context.log(`mlflow: search, ${searchedRuns} runs`);
    const server = await context.peer(searchedRuns);
    try {
      figures.push(...(await byMetric('mlflow', server, searchedRuns, context)));
    } finally {
      await server.stop();
    }
  }
  for (const runs of manyRuns === undefined ? [searchedRuns] : [searchedRuns, manyRuns]) {
    const data = join(context.scratch, `search-${runs}`);
    context.log(`wherefrom: search, ${runs} runs`);
    await fillRuns(data, runs);
    const server = await startWherefrom({ data });
    try {
      figures.push(...(await byMetric('wherefrom', server, runs, context)));
      figures.push(...(await besideWriters(server, runs, context)));
    } finally {
      await server.stop();
    }
  }
  return figures;
}

async function search(server: MeasuredServer, body: object): Promise<number> {
  const url = `${server.url}/api/2.0/mlflow/runs/search`;
  const sent = performance.now();
  await post(url, JSON.stringify({ experiment_ids: ['0'], max_results: 100, ...body }));
  return performance.now() - sent;
}

async function byMetric(
  system: System,
  server: MeasuredServer,
  runs: number,
  { effort }: MeasureContext,
): Promise<Figure[]> {
  const timesMs: number[] = [];
  const countFrom = performance.now() + effort.warmupMs;
  const until = countFrom + effort.durationMs;
  // The first is not counted, and a peer that takes seconds is asked a few times.
  for (let i = 0; performance.now() < until || timesMs.length < searchesMin; i += 1) {
    const filter = `metrics.accuracy > 0.${50 + (i % 40)}`;
    const timeMs = await search(server, { filter, order_by: ['metrics.accuracy DESC'] });
    if (i > 0 && performance.now() > countFrom) timesMs.push(timeMs);
  }
  const sorted = Float64Array.from(timesMs).sort();
  const measure = `search of ${runs} runs by metric`;
  const note = 'ordered, 100 a page';
  const figure = { kind: 'value', system, unit: 'ms', note } as const;
  return [
    { ...figure, measure: `${measure}, p50`, value: percentile(sorted, 0.5) },
    { ...figure, measure: `${measure}, p99`, value: percentile(sorted, 0.99) },
  ];
}

/** A filter that no run meets, asked again and again, and metrics logged at the same time. */
async function besideWriters(
  server: MeasuredServer,
  runs: number,
  { effort }: MeasureContext,
): Promise<Figure[]> {
  const metrics = await prepareLogMetric(server);
  let sent = 0;
  const next = (_index: number, connection: number): LoadRequest => {
    sent += 1;
    return metrics(sent, connection);
  };
  const load = { system: 'wherefrom', server, effort, connections: writers, next } as const;
  const alone = await measureLoad({ ...load, measure: 'log-metric, no search' });
  const timesMs: number[] = [];
  let writing = true;
  const searching = (async (): Promise<void> => {
    while (writing) timesMs.push(await search(server, { filter: "params.depth = 'none'" }));
  })();
  const measure = `log-metric, while ${runs} runs are searched by a parameter`;
  const beside = await measureLoad({ ...load, measure });
  writing = false;
  await searching;
  const sorted = Float64Array.from(timesMs).sort();
  const name = `search of ${runs} runs by a parameter that none has, beside writers, p50`;
  const figure = { kind: 'value', system: 'wherefrom', unit: 'ms' } as const;
  return [alone, beside, { ...figure, measure: name, value: percentile(sorted, 0.5) }];
}
