import type { DecideContext } from '../../../door/index.ts';
import type { MetricPoint } from '../../../facts/tracking-facts.ts';
import type { RunHead } from '../../../tracking/index.ts';
import { doesNotExist, invalidParameter } from '../errors.ts';
import { mlflowOperation } from '../operation.ts';
import type { ImportMetrics, ImportSeries } from './messages.ts';

function pointsOf(series: ImportSeries): MetricPoint[] {
  const { key, timestamps = [], steps = [], values = [] } = series;
  const model = series.model_id || undefined;
  const datasetName = series.dataset_name || undefined;
  const datasetDigest = series.dataset_digest || undefined;
  return timestamps.map((timestamp, index) => {
    const value = values[index] ?? 'NaN';
    return {
      key,
      value: value === 'NaN' ? Number.NaN : value,
      timestamp,
      step: steps[index] ?? 0,
      model,
      datasetName,
      datasetDigest,
    };
  });
}

function checkLengths({ key, timestamps, steps, values }: ImportSeries): void {
  const count = timestamps?.length ?? 0;
  if (count > 0 && steps?.length === count && values?.length === count) return;
  throw invalidParameter(
    `The series '${key}' needs as many timestamps as steps and values, and at least one.`,
  );
}

async function anyNewOfRun(
  run: RunHead,
  series: ImportSeries,
  { state }: DecideContext,
): Promise<boolean> {
  for (const point of pointsOf(series)) {
    if (!(await state.tracking.hasMetric(run.key, point))) return true;
  }
  return false;
}

/** The points of a model are known by run, metric, time and step, as MLflow keys them. */
async function anyNewOfModel(
  run: string,
  id: string,
  series: readonly ImportSeries[],
  { state, workspace }: DecideContext,
): Promise<boolean> {
  const model = await state.tracking.findLoggedModel(workspace, id);
  if (model === undefined) throw doesNotExist(`Logged model with ID '${id}' not found.`);
  const name = (key: string, { timestamp, step }: MetricPoint, of: string): string =>
    JSON.stringify([of, key, timestamp, step]);
  const known = new Set(
    (await state.tracking.loggedModelMetrics([model.key])).map((each) =>
      name(each.key, each, each.run ?? ''),
    ),
  );
  return series.some((each) =>
    pointsOf(each).some((point) => !known.has(name(point.key, point, run))),
  );
}

async function anyNew(run: RunHead, body: ImportMetrics, context: DecideContext): Promise<boolean> {
  const ofModels = new Map<string, ImportSeries[]>();
  for (const series of body.series ?? []) {
    const { model_id } = series;
    if (!model_id) {
      if (await anyNewOfRun(run, series, context)) return true;
    } else ofModels.set(model_id, [...(ofModels.get(model_id) ?? []), series]);
  }
  for (const [model, series] of ofModels) {
    if (await anyNewOfModel(body.run_id, model, series, context)) return true;
  }
  return false;
}

export const importMetrics = mlflowOperation<ImportMetrics, null, Record<string, never>>({
  operation: 'import/metrics',
  async decide(body, context) {
    for (const series of body.series ?? []) checkLengths(series);
    // Deleted runs too: they are brought with their history.
    const run = await context.state.tracking.findRunHead(context.workspace, body.run_id);
    if (run === undefined) throw doesNotExist(`Run with id=${body.run_id} not found`);
    return (await anyNew(run, body, context)) ? { decided: {}, answer: null } : { unchanged: null };
  },
  facts: ({ run_id, series = [] }) => [
    { kind: 'metrics.logged', run: run_id, metrics: series.flatMap(pointsOf) },
  ],
});
