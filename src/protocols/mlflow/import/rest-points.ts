import { isObject, list, text } from '../../../base/json.ts';
import { limits } from '../../../base/limits.ts';
import { byLatest } from '../../../tracking/index.ts';
import { double, int64, message, readMessage, required, string } from '../wire.ts';
import type { LatestPoint } from './known.ts';
import type { ImportMetrics } from './messages.ts';
import type { RestClient } from './rest-client.ts';
import { describeInexact, type InexactPoint, metricsOf, type SourcePoint } from './source.ts';

type Json = Record<string, unknown>;

/** MLflow leaves out what is 0. */
const metricMessage = message({
  key: required(string),
  value: double,
  timestamp: int64,
  step: int64,
  dataset_name: string,
  dataset_digest: string,
});

function readPoint(said: Json): SourcePoint {
  const { key, value = 0, timestamp = 0, step = 0, ...of } = readMessage(metricMessage, said);
  const { dataset_name: datasetName = '', dataset_digest: datasetDigest = '' } = of;
  return { key, value, timestamp, step, datasetName, datasetDigest };
}

/**
 * True when the latest point of a metric is here. Points are sent so that the latest one of a metric
 * comes last: then all before it are here too.
 */
export function latestIsHere(metric: Json, here: readonly LatestPoint[]): boolean {
  if (!isExactPoint(metric)) return false;
  const { key, value, timestamp, step } = readPoint(metric);
  return here.some(
    (point) =>
      point[0] === key && point[1] === value && point[2] === timestamp && point[3] === step,
  );
}

/** Its integers can be told apart from their neighbours, as JSON numbers. */
const isExactPoint = ({ timestamp = 0, step = 0 }: Json): boolean =>
  Number.isSafeInteger(Number(timestamp)) && Number.isSafeInteger(Number(step));

/** @param inexact gets the points that have an integer beyond 2^53: they are left out. */
async function readHistory(
  client: RestClient,
  run: string,
  key: string,
  inexact: InexactPoint[],
): Promise<SourcePoint[]> {
  const points: SourcePoint[] = [];
  for (let token: string | undefined; ; ) {
    const answer = await client.get('/api/2.0/mlflow/metrics/get-history', {
      run_id: run,
      metric_key: key,
      max_results: '25000',
      ...(token === undefined ? {} : { page_token: token }),
    });
    for (const each of list(answer.metrics)) {
      if (!isObject(each)) continue;
      if (isExactPoint(each)) points.push(readPoint(each));
      else inexact.push({ key, timestamp: String(each.timestamp), step: String(each.step ?? 0) });
    }
    token = text(answer.next_page_token);
    if (token === undefined) return points.sort(byLatest);
  }
}

/** Points of a logged model. MLflow keeps a NaN of it as 0: the run's own history tells. */
async function readModelPoints(
  client: RestClient,
  run: string,
  of: { readonly model: string; readonly points: readonly Json[] },
): Promise<SourcePoint[]> {
  const found: SourcePoint[] = [];
  for (const said of of.points) {
    const point = readPoint(said);
    const same = (other: SourcePoint): boolean =>
      other.timestamp === point.timestamp && other.step === point.step;
    const own =
      point.value === 0 ? (await readHistory(client, run, point.key, [])).filter(same) : [];
    const value = own.length > 0 && own.every((each) => each.value === 'NaN') ? 'NaN' : point.value;
    found.push({ ...point, value, model: of.model });
  }
  return found;
}

/** The histories of a run's metrics, or points of a model that were measured in it, in pieces. */
export async function readHistories(
  client: RestClient,
  run: string,
  keys: readonly string[],
  of: {
    readonly model?: { readonly model: string; readonly points: readonly Json[] };
    /** Told of points that are left out. */
    readonly failed?: (run: string, reason: string) => void;
  },
): Promise<ImportMetrics[]> {
  const { model, failed } = of;
  const points: SourcePoint[] = [];
  const inexact: InexactPoint[] = [];
  if (model !== undefined) points.push(...(await readModelPoints(client, run, model)));
  for (const key of keys) {
    for (const point of await readHistory(client, run, key, inexact))
      points.push({ ...point, datasetName: '', datasetDigest: '' });
  }
  if (inexact.length > 0) failed?.(run, describeInexact(inexact, inexact.length));
  const pieces: ImportMetrics[] = [];
  for (let from = 0; from < points.length; from += limits.importPointsPerMessageMax) {
    pieces.push(metricsOf(run, points.slice(from, from + limits.importPointsPerMessageMax)));
  }
  return pieces;
}
