/** Rows that one statement writes. */
export const rowsTogether = 10;

/** The same statement for one row of six values and for ten. */
function forRows(before: string, after: string): { readonly one: string; readonly ten: string } {
  const row = '(?, ?, ?, ?, ?, ?)';
  const ten = Array.from({ length: rowsTogether }, () => row).join(', ');
  return { one: `${before} ${row} ${after}`, ten: `${before} ${ten} ${after}` };
}

/** Points of the history; one that is there is ignored. */
export const insertMetrics = forRows(
  'INSERT OR IGNORE INTO tracking_metrics (run, name, timestamp, step, value, nan) VALUES',
  '',
);
/** Latest is by step, then timestamp, then value: not what was written last. */
export const upsertLatest = forRows(
  'INSERT INTO tracking_latest_metrics AS l (run, name, timestamp, step, value, nan) VALUES',
  `ON CONFLICT (run, name) DO UPDATE SET
   timestamp = excluded.timestamp, step = excluded.step, value = excluded.value, nan = excluded.nan
   WHERE (excluded.step, excluded.timestamp, excluded.value) > (l.step, l.timestamp, l.value)`,
);
