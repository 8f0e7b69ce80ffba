/** Searching runs, and what a long search does to those who write meanwhile. */
import { join } from 'node:path';
import { type Figure, type MeasureContext, percentile } from '../figures.ts';
import { post } from '../http.ts';
import type { LoadRequest } from '../load.ts';
import { type MeasuredServer, startWherefrom } from '../server.ts';
import { measureLoad } from './load-figure.ts';
import { fillRuns } from './run-facts.ts';
import { prepareLogMetric } from './tracking.ts';

/** Connections that write while a search goes on. */
const writers = 8;

export async function measureSearch(context: MeasureContext): Promise<Figure[]> {
  const figures: Figure[] = [];
  const { searchedRuns, manyRuns } = context.effort;
  for (const runs of manyRuns === undefined ? [searchedRuns] : [searchedRuns, manyRuns]) {
    const data = join(context.scratch, `search-${runs}`);
    context.log(`wherefrom: search, ${runs} runs`);
    await fillRuns(data, runs);
    const server = await startWherefrom({ data });
    try {
      figures.push(...(await byMetric(server, runs, context)));
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
  server: MeasuredServer,
  runs: number,
  { effort }: MeasureContext,
): Promise<Figure[]> {
  const timesMs: number[] = [];
  const countFrom = performance.now() + effort.warmupMs;
  const until = countFrom + effort.durationMs;
  for (let i = 0; performance.now() < until; i += 1) {
    const filter = `metrics.accuracy > 0.${50 + (i % 40)}`;
    const timeMs = await search(server, { filter, order_by: ['metrics.accuracy DESC'] });
    if (performance.now() > countFrom) timesMs.push(timeMs);
  }
  const sorted = Float64Array.from(timesMs).sort();
  const measure = `search of ${runs} runs by metric`;
  const note = 'ordered, 100 a page';
  const figure = { kind: 'value', system: 'wherefrom', unit: 'ms', note } as const;
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
