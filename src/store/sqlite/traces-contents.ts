import { isObject } from '../../base/json.ts';
import { findSpans, type SpanContent } from '../../traces/index.ts';

/** What the store needs of the ledger's tables. */
export interface TracePayloads {
  /** The stored text of a message and what was decided for it; undefined when it was erased. */
  readPayload(position: number, index: number): string | undefined;
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

/** Reads the contents of spans, each message once. Those that were erased are left out. */
export function readContents(
  rows: readonly ContentPlace[],
  payloads: TracePayloads,
): SpanContent[] {
  const found = new Map<ContentPlace, unknown>();
  const byMessage = Map.groupBy(rows, ({ place, traceId }) => `${place} ${traceId}`);
  for (const group of byMessage.values()) {
    const [first] = group;
    if (first === undefined) continue;
    const index = first.place % indexesPerPosition;
    const text = payloads.readPayload((first.place - index) / indexesPerPosition, index);
    const payload: unknown = text === undefined ? undefined : JSON.parse(text);
    const ids = new Set(group.map(({ id }) => id));
    const message = isObject(payload) ? payload.message : undefined;
    const spans = findSpans(message, first.traceId.replace(/^tr-/, ''), ids);
    for (const row of group) {
      const span = spans.get(row.id);
      if (span !== undefined) found.set(row, span);
    }
  }
  return rows.flatMap((row) =>
    found.has(row) ? [{ owner: row.owner, span: found.get(row) }] : [],
  );
}
