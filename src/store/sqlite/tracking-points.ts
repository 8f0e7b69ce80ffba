import type { MetricHistorySearch, MetricSampleSearch, RunPoints } from '../../tracking/index.ts';
import type { Database } from './database.ts';

/** Points of a run that stand in one part: some pages' worth. */
export const pointsPerPart = 256;

/** The parts of a run's points: each is one seek for a key. `?1` is the run. */
export const partsOfRun = `WITH RECURSIVE parts (part) AS (
  SELECT 0 UNION ALL
  SELECT part + 1 FROM parts WHERE part < (SELECT max(part) FROM tracking_metrics WHERE run = ?1))`;

/** How many points the runs have at most: their parts, as if each were full. */
export function boundOfPoints(db: Database, runs: readonly number[]): number {
  const row = db.get<{ parts: number | null }>(
    `SELECT sum((SELECT max(part) + 1 FROM tracking_metrics WHERE run = j.value)) AS parts FROM json_each(?) j`,
    JSON.stringify(runs),
  );
  return (row?.parts ?? 0) * pointsPerPart;
}

/** What points are read in the order of. */
type Axis = 'timestamp' | 'step';

const orders: Readonly<Record<Axis, string>> = {
  timestamp: 't.timestamp, t.step, t.value, t.nan',
  step: 't.step, t.timestamp, t.value, t.nan',
};

/** Points of one metric of one run, of a range of steps. */
interface Asked {
  readonly axis: Axis;
  /** What is bound to ?1 to ?4: the run, the metric, the first and the last step. */
  readonly values: readonly [run: number, metric: string, from: number, to: number];
}

const askedPoints = `tracking_metrics t ON t.run = ?1 AND t.part = p.part
  AND t.name = (SELECT key FROM tracking_names WHERE name = ?2) AND t.step BETWEEN ?3 AND ?4`;

/** Parts whose points stand, in the order of the axis, before those of the next stretch. */
interface Stretch {
  readonly parts: number[];
  count: number;
  last: number;
}

/**
 * Points mostly come in the order of their steps and times, so that parts follow one another: then a page
 * or a sample is read from the parts that have it, and nothing is sorted but within a part.
 */
function stretchesOf(db: Database, { axis, values }: Asked): Stretch[] {
  const rows = db.tuples<readonly [part: number, count: number, first: number, last: number]>(
    `${partsOfRun} SELECT p.part, count(*), min(t.${axis}), max(t.${axis})
     FROM parts p CROSS JOIN ${askedPoints} GROUP BY p.part ORDER BY 3`,
    ...values,
  );
  const stretches: Stretch[] = [];
  for (const [part, count, first, last] of rows) {
    const open = stretches.at(-1);
    if (open === undefined || first > open.last) stretches.push({ parts: [part], count, last });
    else {
      open.parts.push(part);
      open.count += count;
      open.last = Math.max(open.last, last);
    }
  }
  return stretches;
}

type PointTuple = readonly [timestamp: number, step: number, value: number, nan: number];

/** Points of a stretch in the order of the axis: `limit` of them, from one on. */
function pointsOf(
  db: Database,
  { axis, values }: Asked,
  { parts, offset, limit }: { parts: readonly number[]; offset: number; limit: number },
): IterableIterator<PointTuple> {
  return db.eachTuple<PointTuple>(
    `SELECT t.timestamp, t.step, t.value, t.nan
     FROM (SELECT value AS part FROM json_each(?5)) p CROSS JOIN ${askedPoints}
     ORDER BY ${orders[axis]} LIMIT ?6 OFFSET ?7`,
    ...values,
    JSON.stringify(parts),
    limit,
    offset,
  );
}

/** The points at some places, which grow, in the order of the axis. */
function pointsAt(
  db: Database,
  asked: Asked,
  stretches: readonly Stretch[],
  places: { readonly count: number; at(index: number): number },
): Float64Array {
  const packed = new Float64Array(places.count * 3);
  let index = 0;
  let start = 0;
  for (const { parts, count } of stretches) {
    if (index === places.count) break;
    const end = start + count;
    let place = places.at(index);
    if (place < end) {
      const limit = Math.min(end, places.at(places.count - 1) + 1) - place;
      const page = { parts, offset: place - start, limit };
      for (const [timestamp, step, value, nan] of pointsOf(db, asked, page)) {
        if (index < places.count && places.at(index) === place) {
          packed.set([timestamp, step, nan === 1 ? Number.NaN : value], index * 3);
          index += 1;
        }
        place += 1;
      }
    }
    start = end;
  }
  return packed;
}

const countOf = (stretches: readonly Stretch[]): number =>
  stretches.reduce((sum, { count }) => sum + count, 0);

/** All points of runs, or a page of them. */
export function historyOf(db: Database, search: MetricHistorySearch): RunPoints[] {
  const { metric, offset } = search;
  let left = search.limit < 0 ? Number.MAX_SAFE_INTEGER : search.limit;
  const found: RunPoints[] = [];
  for (const run of search.runs) {
    if (left === 0) break;
    const { MIN_SAFE_INTEGER: from, MAX_SAFE_INTEGER: to } = Number;
    const asked: Asked = { axis: 'timestamp', values: [run, metric, from, to] };
    const stretches = stretchesOf(db, asked);
    const count = Math.min(left, Math.max(0, countOf(stretches) - offset));
    left -= count;
    const places = { count, at: (index: number) => offset + index };
    found.push({ run, points: pointsAt(db, asked, stretches, places) });
  }
  return found;
}

/**
 * A metric's points by step, timestamp and value: the first of each of `limit` equal parts, and the
 * last of all, in whose favour the last part's first gives way.
 * Source: mlflow/store/tracking/sqlalchemy_store.py (_sample_rows_with_window_functions).
 */
export function samplesOf(
  db: Database,
  { runs, metric, limit, steps }: MetricSampleSearch,
): RunPoints[] {
  return runs.map((run) => {
    const from = steps?.from ?? Number.MIN_SAFE_INTEGER;
    const to = steps?.to ?? Number.MAX_SAFE_INTEGER;
    const asked: Asked = { axis: 'step', values: [run, metric, from, to] };
    const stretches = stretchesOf(db, asked);
    const total = countOf(stretches);
    const places = placesOf(total, Math.min(limit, total));
    return { run, points: pointsAt(db, asked, stretches, places) };
  });
}

/** As SQL's `ntile` parts them: those that are one larger come first. */
function placesOf(total: number, count: number): { count: number; at(index: number): number } {
  const size = Math.floor(total / count);
  const larger = total % count;
  const at = (index: number): number =>
    index === count - 1 ? total - 1 : index * size + Math.min(index, larger);
  return { count, at };
}
