import type { ProtocolServices } from '../../services.ts';
import type { Condition } from '../grammar.ts';

/** Keys whose stored value is a person's token. */
function isPerson({ entity, key }: Condition): boolean {
  return (
    (entity === 'attribute' && key === 'user_id') || (entity === 'tag' && key === 'mlflow.user')
  );
}

/**
 * Conditions on persons, with the token in place of the name. A name that this server never heard
 * stays as it is: no token is equal to it. Patterns cannot be looked up.
 */
export function conditionsWithTokens(
  conditions: readonly Condition[],
  { findToken }: Pick<ProtocolServices, 'findToken'>,
): readonly Condition[] {
  return conditions.map((condition) => {
    const { value } = condition;
    if (!isPerson(condition) || value === null || typeof value === 'number') return condition;
    if (typeof value === 'string') return { ...condition, value: findToken(value) ?? value };
    return { ...condition, value: value.map((name) => findToken(name) ?? name) };
  });
}
