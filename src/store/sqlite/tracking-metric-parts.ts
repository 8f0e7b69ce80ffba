import type { MetricPoint } from '../../facts/facts.ts';
import type { MetricPart } from '../../tracking/index.ts';
import { type Database, rowInsert } from './database.ts';

/** Points of a run that stand in one part: some pages' worth. */
export const pointsPerPart = 256;

/** Parts, as they are begun. */
export const partRows = rowInsert(
  'INSERT INTO tracking_metric_parts (run, part, position) VALUES',
  3,
);

/** The part of a run that its points go into, and how many stand in it: full when it is closed. */
export interface OpenPart {
  part: number;
  points: number;
}

/** The newest part of a run, from its table. */
export function readOpenPart(db: Database, run: number): OpenPart {
  const row = db.get<{ part: number | null; points: number; closed: number | null }>(
    `SELECT max(part) AS part, count(*) AS points,
       (SELECT closed_position FROM tracking_metric_parts WHERE run = ?1 ORDER BY part DESC LIMIT 1) AS closed
     FROM tracking_metrics
     WHERE run = ?1 AND part = (SELECT max(part) FROM tracking_metrics WHERE run = ?1)`,
    run,
  );
  const isClosed = row !== undefined && row.closed !== null;
  return { part: row?.part ?? 0, points: isClosed ? pointsPerPart : (row?.points ?? 0) };
}

/** Says that no point comes into the part after the position; what was said before stays. */
export function closePart(
  db: Database,
  {
    run,
    part,
    position,
  }: { readonly run: number; readonly part: number; readonly position: number },
): void {
  db.run(
    'UPDATE tracking_metric_parts SET closed_position = ? WHERE run = ? AND part = ? AND closed_position IS NULL',
    position,
    run,
    part,
  );
}

/** As `TrackingReader.metricParts`. */
export function metricParts(db: Database, run: number): MetricPart[] {
  return db.all<MetricPart>(
    'SELECT part, position, closed_position AS closedPosition FROM tracking_metric_parts WHERE run = ? ORDER BY part',
    run,
  );
}

/** As `TrackingReader.pointsOfParts`. */
export function pointsOfParts(
  db: Database,
  run: number,
  { lastPart, until }: { readonly lastPart: number; readonly until: number },
): MetricPoint[] {
  return db
    .all<MetricPoint & { nan: number }>(
      `SELECT n.name AS key, t.value, t.nan, t.timestamp, t.step FROM tracking_metrics t
       JOIN tracking_names n ON n.key = t.name WHERE t.run = ? AND t.part <= ? AND t.timestamp <= ?`,
      run,
      lastPart,
      until,
    )
    .map(({ nan, ...point }) => (nan === 1 ? { ...point, value: Number.NaN } : point));
}
