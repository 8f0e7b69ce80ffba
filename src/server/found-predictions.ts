import { isObject, texts } from '../base/json.ts';
import type { AnswerNode } from '../contract/answer.ts';
import type { ReadSession } from '../door/index.ts';
import { findRef, formatRef } from '../facts/ref.ts';
import { iso, type Moment, type PredictionNode } from '../lineage/index.ts';
import type { PredictionRow } from '../predictions/index.ts';
import { findTracePrediction } from './trace-predictions.ts';

/** Predictions as lineage sees them, with their outcomes: of the log, and traces. Each entry is read once. */
export async function findPredictions(
  session: ReadSession,
  refs: readonly string[],
  moment: Moment,
): Promise<PredictionNode[]> {
  const asked = refs.flatMap((ref) => {
    const parts = findRef(ref);
    return parts?.kind === 'prediction' ? { workspace: parts.namespace, id: parts.name } : [];
  });
  const found: PredictionNode[] = [];
  for (const [workspace, ids] of Map.groupBy(asked, (each) => each.workspace)) {
    const rows = await session.predictions.findMany(
      workspace,
      ids.map(({ id }) => id),
    );
    const logged = new Set(rows.map(({ id }) => id));
    const seen = rows.filter(
      ({ position, time }) =>
        position <= moment.position && (moment.at === undefined || time <= moment.at),
    );
    found.push(...(await nodesOf(session, { workspace, rows: seen, moment })));
    for (const { id } of ids) {
      const trace = logged.has(id)
        ? undefined
        : await findTracePrediction(session, { workspace, id }, moment);
      if (trace !== undefined) found.push(trace);
    }
  }
  return found;
}

/** The predictions of the log that one led to. */
export async function predictionsLedTo(
  { predictions }: ReadSession,
  ref: string,
  limit: number,
): Promise<{ readonly refs: readonly string[]; readonly count: number }> {
  const parts = findRef(ref);
  if (parts === undefined) return { refs: [], count: 0 };
  const { kind, namespace, name } = parts;
  const ids = await predictions.ledTo(namespace, name, limit);
  const count = ids.length < limit ? ids.length : await predictions.countLedTo(namespace, name);
  return { refs: ids.map((id) => formatRef({ kind, namespace, name: id })), count };
}

interface Rows {
  readonly workspace: string;
  readonly rows: readonly PredictionRow[];
  readonly moment: Moment;
}

async function nodesOf(session: ReadSession, asked: Rows): Promise<PredictionNode[]> {
  const { workspace, rows } = asked;
  const messages = await session.predictions.readMessages(rows);
  const times = await session.ledger.timesOf([...new Set(rows.map(({ position }) => position))]);
  const outcomes = await outcomesOf(session, asked);
  return rows.map((row, at): PredictionNode => {
    const stored = messages[at];
    const message = isObject(stored) ? stored : {};
    // Stored JSON of a checked prediction.
    const attributes = { ...(message as AnswerNode['attributes']), time: iso(row.time) };
    const known = outcomes.get(row.id) ?? [];
    return {
      ref: formatRef({ kind: 'prediction', namespace: workspace, name: row.id }),
      modelVersion: row.modelVersion ?? undefined,
      deployment: row.deployment ?? undefined,
      time: row.time,
      recordedTime: times.get(row.position) ?? row.time,
      position: row.position,
      attributes: known.length > 0 ? { ...attributes, outcomes: known } : attributes,
      parents: texts(message.parents).map((id) =>
        formatRef({ kind: 'prediction', namespace: workspace, name: id }),
      ),
    };
  });
}

type Attribute = AnswerNode['attributes'][string];

/** Outcomes recorded by the moment, by prediction. */
async function outcomesOf(
  session: ReadSession,
  { workspace, rows, moment }: Rows,
): Promise<Map<string, Attribute[]>> {
  const ids = rows.map(({ id }) => id);
  const outcomes = await session.predictions.outcomesOf(workspace, ids);
  const places = outcomes.filter(({ position }) => position <= moment.position);
  const messages = await session.predictions.readMessages(places);
  const found = new Map<string, Attribute[]>();
  for (const [at, { prediction, type, time }] of places.entries()) {
    const message = messages[at];
    const known = found.get(prediction) ?? [];
    known.push({
      type,
      time: iso(time),
      ...(isObject(message) ? (message as Record<string, never>) : {}),
    });
    found.set(prediction, known);
  }
  return found;
}
