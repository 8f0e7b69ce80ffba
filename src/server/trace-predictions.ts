import type { AnswerCount } from '../contract/answer.ts';
import type { ReadSession } from '../door/index.ts';
import { formatRef } from '../facts/ref.ts';
import { iso, type Moment, type PredictionNode } from '../lineage/index.ts';
import { readTracePrediction } from '../traces/index.ts';

/** A trace as lineage sees predictions: what it came out of joins it with the graph. */
export async function findTracePrediction(
  session: ReadSession,
  { workspace, id }: { readonly workspace: string; readonly id: string },
  moment: Moment,
): Promise<PredictionNode | undefined> {
  const row = await session.traces.findEver(workspace, id);
  if (!row || row.position > moment.position) return undefined;
  if (moment.at !== undefined && row.time > moment.at) return undefined;
  const { attributes, uses, parents } = await readTracePrediction(row, session.traces);
  return {
    ref: formatRef({ kind: 'prediction', namespace: workspace, name: row.id }),
    modelVersion: undefined,
    deployment: undefined,
    time: row.time,
    recordedTime: (await session.ledger.timeOf(row.position)) ?? row.time,
    position: row.position,
    attributes: { ...attributes, time: iso(row.time) },
    parents: parents.map((name) => formatRef({ kind: 'prediction', namespace: workspace, name })),
    uses,
  };
}

/** How many traces came out of each of the refs, and how many different ones that are. */
export async function countTraces(
  { traces }: ReadSession,
  refs: readonly string[],
  { position, at }: Moment,
): Promise<{ readonly counts: readonly AnswerCount[]; readonly total: number }> {
  const counts = await traces.countByRef(refs, position, at);
  const [first, ...more] = counts;
  const counted = counts.map(({ ref }) => ref);
  return {
    counts: counts.map(({ ref, count }) => ({ ref, kind: 'prediction', count })),
    total:
      more.length === 0 ? (first?.count ?? 0) : await traces.countOfRefs(counted, position, at),
  };
}
