import { byLatest, type PointOrder } from '../../tracking/index.ts';

/** The latest point of a metric of a run, and after which point none was logged. */
export type LatestRow = readonly [
  ...of: [run: number, name: number],
  ...point: [timestamp: number, step: number, value: number, nan: number],
  ...newest: [timestamp: number, step: number],
];

/** True when the point is newer than all of its metric, by timestamp, then step. */
export function isAfter(
  { timestamp, step }: { readonly timestamp: number; readonly step: number },
  latest: LatestRow | undefined,
): boolean {
  if (latest === undefined) return true;
  const [newestTimestamp, newestStep] = [latest[6], latest[7]];
  return timestamp > newestTimestamp || (timestamp === newestTimestamp && step > newestStep);
}

const orderOf = ([, , timestamp, step, value]: LatestRow): PointOrder => ({
  timestamp,
  step,
  value,
});

/** What is latest of a metric once there is one more point of it: the row itself when nothing changes. */
export function mergeLatest(before: LatestRow, point: LatestRow, isNewest: boolean): LatestRow {
  const wins = byLatest(orderOf(point), orderOf(before)) > 0;
  if (!wins && !isNewest) return before;
  const [run, name, timestamp, step, value, nan] = wins ? point : before;
  const [, , , , , , newestTimestamp, newestStep] = isNewest ? point : before;
  return [run, name, timestamp, step, value, nan, newestTimestamp, newestStep];
}
