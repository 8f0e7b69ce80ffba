import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { refusal, startMlflowServer } from '../../../testing/mlflow-server.ts';

let server: Awaited<ReturnType<typeof startMlflowServer>>;
let run: string;

beforeEach(async () => {
  server = await startMlflowServer();
  run = await server.createRun();
});
afterEach(async () => {
  await server.close();
});

const pages = '/ajax-api/2.0/mlflow';
const logSteps = (run_id: string, steps: readonly number[]) =>
  server.post('runs/log-batch', {
    run_id,
    metrics: steps.map((step) => ({ key: 'm', value: step / 2, timestamp: 1_000 + step, step })),
  });
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('the history of many runs', () => {
  test('comes run by run, each by time', async () => {
    const other = await server.createRun();
    await logSteps(run, [2, 0, 1]);
    await logSteps(other, [5]);
    const query = `run_id=${other}&run_id=${run}&run_id=nobody&metric_key=m`;
    const { body } = await server.send('GET', `${pages}/metrics/get-history-bulk?${query}`);
    const seen = body.metrics.map((one: { run_id: string; step: number }) => [
      one.run_id,
      one.step,
    ]);
    const [first, second] = [run, other].sort();
    const steps = (id: string | undefined) => (id === run ? [0, 1, 2] : [5]);
    expect(seen).toEqual([first, second].flatMap((id) => steps(id).map((step) => [id, step])));
    const two = await server.send(
      'GET',
      `${pages}/metrics/get-history-bulk?${query}&max_results=2`,
    );
    expect(two.body.metrics).toHaveLength(2);
    expect(
      await server.send('GET', `${pages}/metrics/get-history-bulk?metric_key=m`),
    ).toMatchObject(
      refusal(400, 'INVALID_PARAMETER_VALUE', expect.stringContaining('at least one run_id')),
    );
  });

  test('is thinned out evenly, with its first and its last point', async () => {
    await logSteps(run, upTo(1_000));
    const get = async (more: string) => {
      const path = `metrics/get-history-bulk-interval?run_ids=${run}&metric_key=m${more}`;
      const { body } = await server.call('GET', path);
      return (body.metrics ?? []).map(({ step }: { step: number }) => step);
    };
    expect(await get('')).toEqual(upTo(1_000));
    const some = await get('&max_results=10');
    expect(some).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 999]);
    expect(await get('&start_step=10&end_step=12')).toEqual([10, 11, 12]);
    expect(await get('&max_results=1')).toEqual([999]);
    expect(await get('&start_step=2000&end_step=3000')).toEqual([]);
    const refused = await server.call(
      'GET',
      `metrics/get-history-bulk-interval?run_ids=${run}&metric_key=m&start_step=5&end_step=4`,
    );
    expect(refused).toMatchObject(
      refusal(400, 'INVALID_PARAMETER_VALUE', expect.stringContaining('end_step must be greater')),
    );
  });
});

describe('the datasets of experiments', () => {
  test('are named once for each context', async () => {
    const dataset = { name: 'd', digest: 'g', source_type: 'local', source: '{}' };
    const tags = [{ key: 'mlflow.data.context', value: 'train' }];
    const other = await server.createRun();
    for (const id of [run, other]) {
      await server.post('runs/log-inputs', { run_id: id, datasets: [{ dataset, tags }] });
    }
    const plain = { ...dataset, name: 'e' };
    await server.post('runs/log-inputs', { run_id: run, datasets: [{ dataset: plain }] });
    const asked = { experiment_ids: ['0', '7'] };
    const { body } = await server.send('POST', `${pages}/experiments/search-datasets`, asked);
    expect(body.dataset_summaries).toEqual([
      { experiment_id: '0', name: 'd', digest: 'g', context: 'train' },
      { experiment_id: '0', name: 'e', digest: 'g' },
    ]);
    const path = '/api/2.0/mlflow/experiments/search-datasets';
    expect((await server.send('POST', path, asked)).status).toBe(404);
  });
});
