/** Searching runs by a metric, ordered, 100 a page. */
import { join } from 'node:path';
import { type Figure, type MeasureContext, percentile } from '../figures.ts';
import { type CreatedRun, post } from '../http.ts';
import { type MeasuredServer, startWherefrom } from '../server.ts';

const atOnce = 100;

export async function measureSearch(context: MeasureContext): Promise<Figure[]> {
  const { effort, scratch, log } = context;
  const server = await startWherefrom({ data: join(scratch, 'search') });
  try {
    log(`wherefrom: search, ${effort.searchedRuns} runs`);
    await createRuns(server, effort.searchedRuns);
    const url = `${server.url}/api/2.0/mlflow/runs/search`;
    const timesMs: number[] = [];
    const until = performance.now() + effort.durationMs;
    for (let i = 0; performance.now() < until; i += 1) {
      const filter = `metrics.accuracy > 0.${50 + (i % 40)}`;
      const order_by = ['metrics.accuracy DESC'];
      const body = { experiment_ids: ['0'], filter, order_by, max_results: 100 };
      const sent = performance.now();
      await post(url, JSON.stringify(body));
      timesMs.push(performance.now() - sent);
    }
    const sorted = Float64Array.from(timesMs).sort();
    const measure = `search of ${effort.searchedRuns} runs by metric`;
    const note = 'ordered, 100 a page';
    const figure = { kind: 'value', system: 'wherefrom', unit: 'ms', note } as const;
    return [
      { ...figure, measure: `${measure}, p50`, value: percentile(sorted, 0.5) },
      { ...figure, measure: `${measure}, p99`, value: percentile(sorted, 0.99) },
    ];
  } finally {
    await server.stop();
  }
}

async function createRuns({ url }: MeasuredServer, count: number): Promise<void> {
  const api = `${url}/api/2.0/mlflow/runs`;
  const create = async (index: number): Promise<void> => {
    const body = JSON.stringify({
      experiment_id: '0',
      start_time: Date.now(),
      run_name: `r${index}`,
    });
    const { run } = await post<CreatedRun>(`${api}/create`, body);
    const value = ((index * 7919) % 10_007) / 10_007;
    const metrics = [{ key: 'accuracy', value, timestamp: Date.now(), step: 0 }];
    const params = [{ key: 'depth', value: String(index % 12) }];
    await post(`${api}/log-batch`, JSON.stringify({ run_id: run.info.run_id, metrics, params }));
  };
  for (let from = 0; from < count; from += atOnce) {
    await Promise.all(
      Array.from({ length: Math.min(atOnce, count - from) }, (_, i) => create(from + i)),
    );
  }
}
