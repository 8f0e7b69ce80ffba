import { isObject, type JsonObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import type { ReadSession } from '../door/index.ts';
import type { Fact, FactContext, MetricPoint } from '../facts/facts.ts';
import { decodeBlock, decodeEntry, type StoredEntry } from '../ledger/index.ts';
import { operations } from '../protocols/index.ts';
import type { PastMoment } from '../tracking/index.ts';

const byName = new Map(operations.map((each) => [`${each.protocol} ${each.operation}`, each]));

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
  { entry: bytes, block, position }: StoredEntry,
  run: string,
  session: ReadSession,
): Promise<MetricPoint[]> {
  const entry = decodeEntry(bytes, position);
  const operation = byName.get(`${entry.protocol} ${entry.operation}`);
  if (operation === undefined) return [];
  const workspace = await session.workspaces.findWorkspaceName(entry.workspace);
  const context = {
    position,
    time: entry.time,
    workspace: workspace ?? entry.workspace,
    principal: entry.principal,
  };
  return decodeBlock(block, position).flatMap((text, index) =>
    // Most messages are about something else: they are not even parsed.
    text.includes(run) ? pointsOf(factsOf(operation, text, { ...context, index }), run) : [],
  );
}

function factsOf(
  operation: (typeof operations)[number],
  text: string,
  context: FactContext,
): readonly Fact[] {
  const payload: unknown = JSON.parse(text);
  if (!isObject(payload) || !isObject(payload.decided)) return [];
  // A payload is JSON as `decide` made it.
  const decided = payload.decided as JsonObject;
  return operation.translate({ message: payload.message, decided }, context).facts;
}

function pointsOf(facts: readonly Fact[], run: string): readonly MetricPoint[] {
  return facts.flatMap((fact) =>
    fact.kind === 'metrics.logged' && fact.run === run ? fact.metrics : [],
  );
}
