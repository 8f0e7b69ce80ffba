import { invalidParameter } from '../errors.ts';
import { readMaxResults, writePageToken } from '../paging.ts';

/** Source: mlflow/store/tracking/__init__.py (SEARCH_MAX_RESULTS_THRESHOLD). */
const rowsMax = 50_000;

/** `max_results`, or what stands for it. @throws invalid_message beyond the limits. */
export const pageLimit = (sent: number | undefined, fallback: number): number =>
  readMaxResults(sent, fallback, rowsMax);

/** The same for a list, whose refusal has other words. @throws invalid_message beyond the limits. */
export function listLimit(sent: number | undefined, fallback: number): number {
  const limit = sent ?? fallback;
  if (limit >= 1 && limit <= rowsMax) return limit;
  throw invalidParameter(
    `max_results must be between 1 and ${rowsMax}. See the API docs for more information about request parameters.`,
  );
}

/** A page of the rows, which were asked for one beyond it, and the token of the next page. */
export function pageOf<Row, Written>(
  rows: readonly Row[],
  { limit, offset }: { readonly limit: number; readonly offset: number },
  write: (row: Row) => Written,
): { readonly written: readonly Written[]; readonly next: { readonly next_page_token?: string } } {
  const size = limit - 1;
  const more = rows.length > size;
  return {
    written: rows.slice(0, size).map(write),
    next: more ? { next_page_token: writePageToken(offset + size) } : {},
  };
}
