import { limits } from '../base/limits.ts';
import type { MetricPoint } from '../facts/facts.ts';
import { byLatest } from './latest.ts';
import type { MetricPart, RunRow, TrackingReader } from './store.ts';

/** A moment that is asked about: what was recorded up to a position, of timestamps up to a time. */
export interface PastMoment {
  /** Absent: everything recorded. */
  readonly position?: number | undefined;
  /** ms; absent: all. */
  readonly at?: number | undefined;
  /**
   * The points of a run that entries `from` to `to` recorded, both included.
   * @returns undefined when they are too many to be read.
   */
  recorded(
    run: string,
    span: { readonly from: number; readonly to: number },
  ): Promise<readonly MetricPoint[] | undefined>;
}

/**
 * The latest point of each of the run's metrics as it was at the moment.
 * @returns undefined when it cannot be told: too many points, or too many entries to look for them in.
 */
export async function metricsOfPast(
  reader: TrackingReader,
  run: RunRow,
  { position = Number.POSITIVE_INFINITY, at, recorded }: PastMoment,
): Promise<readonly MetricPoint[] | undefined> {
  const parts = await reader.metricParts(run.key);
  const whole = parts.filter((part, index) => endOf(part, parts[index + 1]) <= position);
  if (whole.length === parts.length && at === undefined) return reader.latestMetrics([run.key]);
  const until = at ?? Number.MAX_SAFE_INTEGER;
  const points: MetricPoint[] = [];
  const lastWhole = whole.at(-1);
  if (lastWhole !== undefined) {
    if ((await reader.countMetrics(run.key)) > limits.pastPointsMax) return undefined;
    points.push(...(await reader.pointsOfParts(run.key, { lastPart: lastWhole.part, until })));
  }
  // Begun by then, and not known to be whole by then: in which entry its points came is looked up.
  const open = parts[whole.length];
  if (open !== undefined && open.position <= position) {
    const came = await recorded(run.id, { from: open.position, to: position });
    if (came === undefined) return undefined;
    points.push(...came.filter(({ timestamp }) => timestamp <= until));
  }
  return latestOf(points);
}

/** By which position all points of a part had come; Infinity where more may still come. */
function endOf({ closedPosition }: MetricPart, next: MetricPart | undefined): number {
  return Math.min(closedPosition ?? Number.POSITIVE_INFINITY, next?.position ?? Infinity);
}

function latestOf(points: readonly MetricPoint[]): readonly MetricPoint[] {
  const latest = new Map<string, MetricPoint>();
  for (const point of points) {
    const before = latest.get(point.key);
    if (before === undefined || byLatest(point, before) > 0) latest.set(point.key, point);
  }
  return [...latest.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}
