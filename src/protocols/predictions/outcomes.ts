import { canonicalJson } from '../../base/json.ts';
import type { DecideContext, Operation, Payload, Tokenise } from '../../door/index.ts';
import { findRef } from '../../facts/ref.ts';
import type { OutcomeRow } from '../../predictions/index.ts';
import { timeOf } from './check.ts';
import { type RecordResult, type RecordsAnswer, RecordsAnswerBuilder } from './results.ts';
import type { OutcomeMessage } from './wire.ts';

export interface SentOutcomes {
  readonly outcomes: readonly OutcomeMessage[];
}

type DecidedOutcome = {
  readonly id: string;
  readonly time: number;
  /** Id of the prediction. */
  readonly prediction: string;
};

/** `outcomes`: what became known later. An outcome may come before its prediction. */
export const recordOutcomes: Operation<SentOutcomes, RecordsAnswer, OutcomeMessage> = {
  protocol: 'wherefrom',
  operation: 'outcomes',
  persons: tokeniseOutcomes,
  async decide({ outcomes }, context) {
    const results = new RecordsAnswerBuilder();
    const payloads: Payload<OutcomeMessage>[] = [];
    const accepted = new Map<string, OutcomeMessage>();
    for (const [index, message] of outcomes.entries()) {
      const prediction = predictionId(message.prediction);
      const repeated = await findRepeated(message, prediction, accepted, context);
      if (repeated) {
        results.add({ index, ...repeated });
        continue;
      }
      const id = message.id || `out_${context.random(12).toString('hex')}`;
      accepted.set(id, message);
      const known = await context.state.predictions.find(context.workspace, prediction);
      results.add(known ? { index, id, status: 'kept' } : flagged(index, id, prediction));
      const time = timeOf(message.time) ?? context.time;
      payloads.push({ message, decided: { id, time, prediction } satisfies DecidedOutcome });
    }
    const answer = results.finish(true);
    if (payloads.length === 0) return { outcome: 'unchanged', answer };
    return { outcome: 'acceptedSet', payloads, answer };
  },
  translate({ message, decided }) {
    // Stored by `decide` above, and JSON gives back what it was given.
    const { id, time, prediction } = decided as DecidedOutcome;
    const { type } = message;
    return {
      facts: [{ kind: 'outcome.recorded', id, prediction, type, time, message }],
      warnings: [],
    };
  },
};

function flagged(index: number, id: string, prediction: string): RecordResult {
  const message = `Kept, but the prediction ${prediction} is not known yet.`;
  return { index, id, status: 'flagged', message };
}

/** Predictions are named by id, or by ref. */
function predictionId(named: string): string {
  const ref = findRef(named);
  return ref?.kind === 'prediction' ? ref.name : named;
}

function tokeniseOutcomes(body: SentOutcomes, tokenise: Tokenise): SentOutcomes {
  if (!body.outcomes.some(({ by }) => by)) return body;
  return {
    ...body,
    outcomes: body.outcomes.map((outcome) =>
      outcome.by ? { ...outcome, by: tokenise(outcome.by) } : outcome,
    ),
  };
}

/** Finds the same outcome, recorded before or earlier in the request; with another content it is refused. */
async function findRepeated(
  message: OutcomeMessage,
  prediction: string,
  accepted: ReadonlyMap<string, OutcomeMessage>,
  { state, workspace }: DecideContext,
): Promise<Omit<RecordResult, 'index'> | undefined> {
  const read = async (row: OutcomeRow): Promise<unknown> =>
    state.predictions.readMessage(row.position, row.index);
  const content = canonicalJson(message);
  const isSame = (other: unknown): boolean =>
    other !== undefined && canonicalJson(other) === content;
  if (message.id) {
    const row = await state.predictions.findOutcome(workspace, message.id);
    const before = accepted.get(message.id) ?? (row && (await read(row)));
    if (before === undefined && row === undefined) return undefined;
    if (isSame(before)) return { id: message.id, status: 'duplicate' };
    const problem = `The outcome ${message.id} was recorded before with other content.`;
    return { id: message.id, status: 'refused', message: `${problem} Send it under another id.` };
  }
  for (const [id, other] of accepted) {
    if (other.prediction === message.prediction && isSame(other))
      return { id, status: 'duplicate' };
  }
  for (const row of await state.predictions.outcomesOf(workspace, [prediction])) {
    if (isSame(await read(row))) return { id: row.id, status: 'duplicate' };
  }
  return undefined;
}
