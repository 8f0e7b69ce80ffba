import { isObject } from '../../base/json.ts';
import { findSpans, type SpanContent } from '../../traces/index.ts';

/** What the store needs of the ledger's tables. */
export interface TracePayloads {
  /** The stored texts of all messages at a position; undefined when there is none. */
  readTexts(position: number): readonly (string | undefined)[] | undefined;
}

const indexesPerPosition = 65_536;

/** Where a message stands, as one number. */
export function placeOf(position: number, index: number): number {
  return position * indexesPerPosition + index;
}

/** A span whose content is wanted: `traceId` is the id of its trace. */
export interface ContentPlace {
  readonly owner: number;
  readonly traceId: string;
  readonly id: string;
  readonly place: number;
}

/** Reads the contents of spans: each position and each message once. Those that were erased are left out. */
export function readContents(
  rows: readonly ContentPlace[],
  payloads: TracePayloads,
): SpanContent[] {
  const found = new Map<ContentPlace, unknown>();
  const byPosition = Map.groupBy(rows, ({ place }) => Math.floor(place / indexesPerPosition));
  for (const [position, atPosition] of byPosition) {
    const texts = payloads.readTexts(position) ?? [];
    for (const [place, atPlace] of Map.groupBy(atPosition, (row) => row.place)) {
      const text = texts[place % indexesPerPosition];
      const payload: unknown = text === undefined ? undefined : JSON.parse(text);
      if (isObject(payload)) findIn(payload.message, atPlace, found);
    }
  }
  return rows.flatMap((row) =>
    found.has(row) ? [{ owner: row.owner, span: found.get(row) }] : [],
  );
}

function findIn(
  message: unknown,
  rows: readonly ContentPlace[],
  found: Map<ContentPlace, unknown>,
): void {
  for (const [traceId, ofTrace] of Map.groupBy(rows, (row) => row.traceId)) {
    const ids = new Set(ofTrace.map(({ id }) => id));
    const spans = findSpans(message, traceId.replace(/^tr-/, ''), ids);
    for (const row of ofTrace) {
      const span = spans.get(row.id);
      if (span !== undefined) found.set(row, span);
    }
  }
}
