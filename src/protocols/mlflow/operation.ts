import type { JsonObject } from '../../base/json.ts';
import type { DecideContext, Operation, Tokenise } from '../../door/index.ts';
import type { Fact, FactContext } from '../../facts/facts.ts';

/** What a message comes to: something decided, or nothing new. */
export type Outcome<Answer, Decided> =
  | { readonly decided: Decided; readonly answer: Answer }
  | { readonly unchanged: Answer };

interface Definition<Sent, Answer, Decided extends object> {
  /** Endpoint, as ledger entries name the operation. */
  readonly operation: string;
  readonly persons?: (body: Sent, tokenise: Tokenise) => Sent;
  decide(body: Sent, context: DecideContext): Promise<Outcome<Answer, Decided>>;
  facts(message: Sent, decided: Decided, context: FactContext): readonly Fact[];
}

/**
 * An operation of MLflow's API whose `facts` sees what its own `decide` decided: plain data that
 * survives JSON unchanged.
 */
export function mlflowOperation<Sent, Answer, Decided extends object>(
  definition: Definition<Sent, Answer, Decided>,
): Operation<Sent, Answer> {
  return {
    protocol: 'mlflow',
    operation: definition.operation,
    ...(definition.persons === undefined ? {} : { persons: definition.persons }),
    async decide(body, context) {
      const outcome = await definition.decide(body, context);
      if ('unchanged' in outcome) return { outcome: 'unchanged', answer: outcome.unchanged };
      // Plain data; interfaces have no index signature, so the compiler cannot see it.
      const decided = outcome.decided as unknown as JsonObject;
      return { outcome: 'accepted', decided, answer: outcome.answer };
    },
    translate({ message, decided }, context) {
      // Stored by this operation's own `decide`, and JSON gives back what it was given.
      return {
        facts: definition.facts(message, decided as unknown as Decided, context),
        warnings: [],
      };
    },
  };
}

/** The tag whose value is a person. */
export const userTag = 'mlflow.user';

/** A tag as it comes over the wire. */
export interface Tag {
  readonly key: string;
  readonly value?: string;
}

/** Tags with the person among them replaced; the same list when there is none. */
export function tokeniseTags<T extends Partial<Tag>>(
  tags: readonly T[] | undefined,
  tokenise: Tokenise,
): readonly T[] | undefined {
  if (tags?.some(({ key, value }) => key === userTag && value !== undefined) !== true) return tags;
  return tags.map((tag) =>
    tag.key === userTag && tag.value !== undefined ? { ...tag, value: tokenise(tag.value) } : tag,
  );
}
