import type { JsonObject } from '../../../base/json.ts';
import type { Operation } from '../../../door/index.ts';
import type { Fact, FactContext } from '../../../facts/facts.ts';
import type { KeyValue } from '../../../facts/tracking-facts.ts';

/**
 * The facts that a live message would have given, had it come at `time`: what is imported means what
 * it would have meant. Live operations take the recorded time where their messages carry none.
 */
export function liveFacts<Sent, Answer>(
  operation: Operation<Sent, Answer>,
  payload: { readonly message: Sent; readonly decided: JsonObject },
  context: FactContext & { readonly at: number },
): readonly Fact[] {
  const { at, ...rest } = context;
  return operation.translate(payload, { ...rest, time: at > 0 ? at : context.time }).facts;
}

/** Tags that an owner does not have yet, by key: what is there stays. */
export function missingTags<T extends { readonly key: string }>(
  sent: readonly T[] | undefined,
  known: readonly KeyValue[],
): T[] {
  const keys = new Set(known.map(({ key }) => key));
  return (sent ?? []).filter(({ key }) => !keys.has(key));
}
