import { limits } from '../base/limits.ts';
import {
  operationsByName,
  type ReadSession,
  readStoredMessages,
  translateStored,
} from '../door/index.ts';
import type { MetricPoint } from '../facts/facts.ts';
import type { StoredEntry } from '../ledger/index.ts';
import { operations } from '../protocols/index.ts';
import type { PastMoment } from '../tracking/index.ts';

const byName = operationsByName(operations);

/**
 * Finds in the payloads themselves which points of runs entries recorded: the tables do not say it of
 * every point. One answer reads `recordedEntriesMax` entries in all.
 */
export function createRecordedMetrics(session: ReadSession): PastMoment['recorded'] {
  let left: number = limits.recordedEntriesMax;
  return async (run, { from, to }) => {
    const count = to - from + 1;
    if (count > left) return undefined;
    left -= count;
    const points: MetricPoint[] = [];
    for (let position = from; position <= to; ) {
      const page = await session.ledger.list(position, Math.min(to - position + 1, pageEntries));
      if (page.length === 0) return undefined;
      for (const stored of page) points.push(...(await pointsIn(stored, run, session)));
      position += page.length;
    }
    return points;
  };
}

/** Entries that are held at a time. */
const pageEntries = 50;

async function pointsIn(
  stored: StoredEntry,
  run: string,
  session: ReadSession,
): Promise<MetricPoint[]> {
  const points: MetricPoint[] = [];
  for (const message of readStoredMessages(stored)) {
    // Most messages are about something else: they are not even parsed.
    if (!message.text.includes(run)) continue;
    const { facts } = await translateStored(message, byName, session);
    for (const fact of facts)
      if (fact.kind === 'metrics.logged' && fact.run === run) points.push(...fact.metrics);
  }
  return points;
}
