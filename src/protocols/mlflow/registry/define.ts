import type { JsonObject } from '../../../base/json.ts';
import type { DecideContext, Operation, Tokenise } from '../../../door/index.ts';
import type { Fact, FactContext } from '../../../facts/facts.ts';
import type { ModelTag } from '../../../facts/registry-facts.ts';

/** What a registry message comes to: something decided, or nothing new. */
export type Outcome<Answer, Decided> =
  | { readonly decided: Decided; readonly answer: Answer }
  | { readonly unchanged: Answer };

interface Definition<Sent, Answer, Decided extends JsonObject> {
  /** Endpoint, as ledger entries name the operation. */
  readonly operation: string;
  readonly persons?: (body: Sent, tokenise: Tokenise) => Sent;
  decide(body: Sent, context: DecideContext): Promise<Outcome<Answer, Decided>>;
  facts(message: Sent, decided: Decided, context: FactContext): readonly Fact[];
}

/** An operation of MLflow's registry whose `facts` sees what its own `decide` decided. */
export function registryOperation<Sent, Answer, Decided extends JsonObject>(
  definition: Definition<Sent, Answer, Decided>,
): Operation<Sent, Answer> {
  return {
    protocol: 'mlflow',
    operation: definition.operation,
    ...(definition.persons === undefined ? {} : { persons: definition.persons }),
    async decide(body, context) {
      const outcome = await definition.decide(body, context);
      return 'unchanged' in outcome
        ? { outcome: 'unchanged', answer: outcome.unchanged }
        : { outcome: 'accepted', decided: outcome.decided, answer: outcome.answer };
    },
    translate({ message, decided }, context) {
      // Stored by this operation's own `decide`, and JSON gives back what it was given.
      const facts = definition.facts(message, decided as Decided, context);
      return { facts, warnings: [] };
    },
  };
}

/** Tags whose value is a person. */
const personTags = new Set(['mlflow.user']);

/** A body with the persons in its tags replaced; the same object when there are none. */
export function tokeniseTags<Body extends { readonly tags?: readonly Partial<ModelTag>[] }>(
  body: Body,
  tokenise: Tokenise,
): Body {
  const isPerson = ({ key, value }: Partial<ModelTag>): boolean =>
    key !== undefined && personTags.has(key) && value !== undefined;
  if (!body.tags?.some(isPerson)) return body;
  const tags = body.tags.map((tag) =>
    isPerson(tag) ? { ...tag, value: tokenise(tag.value ?? '') } : tag,
  );
  return { ...body, tags };
}

/** The same for a body that is one tag. */
export function tokeniseTag<Body extends Partial<ModelTag>>(body: Body, tokenise: Tokenise): Body {
  if (body.key === undefined || body.value === undefined || !personTags.has(body.key)) return body;
  return { ...body, value: tokenise(body.value) };
}
