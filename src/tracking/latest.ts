/** What decides which point of a metric is its latest. */
export interface PointOrder {
  readonly step: number;
  /** ms since 1970. */
  readonly timestamp: number;
  readonly value: number | 'NaN';
}

/**
 * Puts the latest point of a metric last: by step, then timestamp, then value, where NaN counts as 0.
 * Source: mlflow/store/tracking/sqlalchemy_store.py.
 */
export function byLatest(a: PointOrder, b: PointOrder): number {
  return (
    a.step - b.step || a.timestamp - b.timestamp || (Number(a.value) || 0) - (Number(b.value) || 0)
  );
}
