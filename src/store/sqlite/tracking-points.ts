import type { MetricHistorySearch, MetricSampleSearch, RunPoints } from '../../tracking/index.ts';
import type { Database } from './database.ts';
import { pointsPerPart } from './tracking-metric-parts.ts';

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

type PointTuple = readonly [timestamp: number, step: number, value: number, nan: number];

const pointColumns = 't.timestamp, t.step, t.value, t.nan';
const pointsOfPart = `tracking_metrics t ON t.run = ?1 AND t.part = p.part
  AND t.name = (SELECT key FROM tracking_names WHERE name = ?2)`;

/** Points one after the other in an array that grows. */
function createPacker() {
  let packed = new Float64Array(3_000);
  let length = 0;
  return {
    put([timestamp, step, value, nan]: PointTuple): void {
      if (length === packed.length) {
        const larger = new Float64Array(length * 2);
        larger.set(packed);
        packed = larger;
      }
      packed[length] = timestamp;
      packed[length + 1] = step;
      packed[length + 2] = nan === 1 ? Number.NaN : value;
      length += 3;
    },
    points: (): RunPoints['points'] => packed.slice(0, length),
  };
}

/** All points of runs, or a page of them, by timestamp, step and value. */
export function historyOf(db: Database, search: MetricHistorySearch): RunPoints[] {
  const { metric, offset } = search;
  let left = search.limit;
  return search.runs.map((run) => {
    const packer = createPacker();
    const rows = db.eachTuple<PointTuple>(
      `${partsOfRun} SELECT ${pointColumns} FROM parts p CROSS JOIN ${pointsOfPart}
       ORDER BY t.timestamp, t.step, t.value LIMIT ?3 OFFSET ?4`,
      run,
      metric,
      left,
      offset,
    );
    for (const row of rows) packer.put(row);
    const points = packer.points();
    if (left >= 0) left -= points.length / 3;
    return { run, points };
  });
}

/** Parts of a metric's points whose steps are, all of them, before those of the next stretch. */
interface Stretch {
  readonly parts: number[];
  count: number;
  last: number;
}

/** Points of one metric of one run, of a range of steps, as ?1 to ?4. */
type Asked = readonly [run: number, metric: string, from: number, to: number];

/**
 * Steps mostly grow from part to part: then a sample is read from the parts that have it, and nothing is
 * sorted but within a part. One text for each part: to group the points of all would sort them.
 */
function stretchesOf(db: Database, asked: Asked): Stretch[] {
  const rows = db.tuples<readonly [part: number, spanned: string]>(
    `${partsOfRun} SELECT p.part, (SELECT json_array(count(*), min(t.step), max(t.step))
       FROM (SELECT 1) CROSS JOIN ${pointsOfPart} AND t.step BETWEEN ?3 AND ?4) FROM parts p`,
    ...asked,
  );
  const spans = rows.map(([part, spanned]) => {
    const [count, first, last] = JSON.parse(spanned) as [number, number, number]; // of the text above
    return { part, count, first, last };
  });
  const stretches: Stretch[] = [];
  for (const { part, count, first, last } of spans.sort((a, b) => a.first - b.first)) {
    if (count === 0) continue;
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

const stretchPoints = `SELECT ${pointColumns} FROM (SELECT value AS part FROM json_each(?5)) p
  CROSS JOIN ${pointsOfPart} AND t.step BETWEEN ?3 AND ?4 ORDER BY t.step, t.timestamp, t.value, t.nan`;

/** The points at some places, which grow, by step, timestamp and value. */
function pointsAt(
  db: Database,
  asked: Asked,
  stretches: readonly Stretch[],
  places: Iterator<number, undefined>,
): RunPoints['points'] {
  const packer = createPacker();
  let wanted = places.next().value;
  let start = 0;
  for (const { parts, count } of stretches) {
    if (wanted === undefined) break;
    if (wanted < start + count) {
      let place = start;
      for (const row of db.eachTuple<PointTuple>(stretchPoints, ...asked, JSON.stringify(parts))) {
        if (place === wanted) {
          packer.put(row);
          wanted = places.next().value;
        }
        place += 1;
      }
    }
    start += count;
  }
  return packer.points();
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
    const asked: Asked = [run, metric, from, to];
    const stretches = stretchesOf(db, asked);
    const total = stretches.reduce((sum, { count }) => sum + count, 0);
    return { run, points: pointsAt(db, asked, stretches, placesOf(total, limit)) };
  });
}

/** As SQL's `ntile` parts them: those parts that are one larger come first. */
function* placesOf(total: number, limit: number): Generator<number, undefined> {
  const count = Math.min(limit, total);
  const size = Math.floor(total / count);
  const larger = total % count;
  for (let index = 0; index < count - 1; index += 1) yield index * size + Math.min(index, larger);
  if (total > 0) yield total - 1;
  return undefined;
}
