import { isObject } from '../../base/json.ts';
import { invalidParameter } from './errors.ts';

/**
 * The offset that a page token stands for; 0 without one.
 * @throws invalid_message with MLflow's text when the token is none of ours.
 * Source: mlflow/utils/search_utils.py (parse_start_offset_from_page_token).
 */
export function readPageToken(token: string | undefined): number {
  if (token === undefined || token === '') return 0;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(token) || token.length % 4 !== 0) {
    throw invalidParameter('Invalid page token, could not base64-decode');
  }
  const text = Buffer.from(token, 'base64').toString('utf8');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw invalidParameter(`Invalid page token, decoded value=${text.slice(0, 200)}`);
  }
  const offset = isObject(parsed) ? Number(parsed.offset) : Number.NaN;
  if (!Number.isSafeInteger(offset) || offset <= 0) {
    throw invalidParameter(`Invalid page token, parsed value=${text.slice(0, 200)}`);
  }
  return offset;
}

/** The token of the page that begins at `offset`. */
export function writePageToken(offset: number): string {
  return Buffer.from(JSON.stringify({ offset })).toString('base64');
}

/**
 * `max_results` of a search: its default when absent.
 * @throws invalid_message with MLflow's text below 1 or above the cap.
 */
export function readMaxResults(value: number | undefined, fallback: number, cap: number): number {
  const count = value ?? fallback;
  const refused = `Invalid value ${count} for parameter 'max_results' supplied.`;
  if (count < 1) throw invalidParameter(`${refused} It must be a positive integer`);
  if (count > cap) throw invalidParameter(`${refused} It must be at most ${cap}`);
  return count;
}
