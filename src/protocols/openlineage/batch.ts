import { errorCodes, toWherefromError, WherefromError } from '../../base/errors.ts';
import { isObject } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import type { Accepted } from '../../door/index.ts';
import { formatReceipt } from '../services.ts';
import { parseJson } from './body.ts';
import type { LineageAnswer } from './decide.ts';

/** One event of a batch: what it says, or why it could not be read. */
export type BatchItem =
  | { readonly body: unknown; readonly text?: string }
  | { readonly error: WherefromError };

/** The answer to a batch, in the words that other OpenLineage consumers use. */
export interface BatchAnswer {
  readonly status: 'success' | 'partial_success';
  readonly summary: {
    readonly received: number;
    readonly successful: number;
    readonly failed: number;
    /** Of the successful: recorded before, so nothing was appended. */
    readonly duplicates: number;
  };
  readonly failed_events: readonly {
    readonly index: number;
    readonly reason: string;
    readonly retriable: boolean;
  }[];
  /** One for each event; null where nothing was appended. */
  readonly receipts: readonly (string | null)[];
}

const lineTypes = /ndjson|jsonl|json-lines|jsonlines/i;

/**
 * The events of a batch: a JSON list, `{"events": […]}`, one event alone, or one JSON text a line.
 * @throws malformed_message, too_large.
 */
export function readBatch(text: string, contentType: string | undefined): BatchItem[] {
  if (lineTypes.test(contentType ?? '')) return bounded(readLines(text));
  const body = parseJson(text);
  const events = isObject(body) && Array.isArray(body.events) ? body.events : body;
  return Array.isArray(events)
    ? bounded(events.map((event) => ({ body: event })))
    : [{ body: events, text }];
}

function readLines(text: string): BatchItem[] {
  const items: BatchItem[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    if (items.length > limits.openLineageBatchEventsMax) break;
    try {
      items.push({ body: parseJson(line), text: line });
    } catch (thrown) {
      items.push({ error: toWherefromError(thrown) });
    }
  }
  return items;
}

function bounded(items: BatchItem[]): BatchItem[] {
  if (items.length <= limits.openLineageBatchEventsMax) return items;
  throw new WherefromError(
    'too_large',
    `The batch has more than ${limits.openLineageBatchEventsMax} events.`,
    {
      hint: 'Send several smaller batches.',
    },
  );
}

/** Submits all events at once, so that they share a commit; one that fails does not fail the others. */
export async function submitBatch(
  items: readonly BatchItem[],
  submit: (body: unknown, text?: string) => Promise<Accepted<LineageAnswer>>,
): Promise<BatchAnswer> {
  const outcomes = await Promise.allSettled(
    items.map((item) =>
      'error' in item ? Promise.reject(item.error) : submit(item.body, item.text),
    ),
  );
  const errors = outcomes.map((outcome) =>
    outcome.status === 'rejected' ? toWherefromError(outcome.reason) : undefined,
  );
  const [first] = errors;
  // When nothing went in and all may go in later, the whole request is worth sending again.
  if (first && errors.every((error) => error !== undefined && errorCodes[error.code].retryable))
    throw first;
  const failed = errors.flatMap((error, index) =>
    error ? [{ index, reason: reasonOf(error), retriable: errorCodes[error.code].retryable }] : [],
  );
  const accepted = outcomes.map((outcome) =>
    outcome.status === 'fulfilled' ? outcome.value : undefined,
  );
  return {
    status: failed.length === 0 ? 'success' : 'partial_success',
    summary: {
      received: items.length,
      successful: items.length - failed.length,
      failed: failed.length,
      duplicates: accepted.filter((outcome) => outcome?.answer.duplicate).length,
    },
    failed_events: failed,
    receipts: accepted.map((outcome) => (outcome?.receipt ? formatReceipt(outcome.receipt) : null)),
  };
}

/** What an internal fault says may hold paths or data: it stays in the log. */
function reasonOf(error: WherefromError): string {
  return error.code === 'internal' ? errorCodes.internal.title : `${error.code}: ${error.message}`;
}
