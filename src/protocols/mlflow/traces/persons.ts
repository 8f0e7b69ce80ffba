import type { Tokenise } from '../../../door/index.ts';
import type { KeyValue } from '../../../facts/tracking-facts.ts';
import type { TraceCondition } from '../../../traces/index.ts';
import type { ProtocolServices } from '../../services.ts';
import type { SentAssessment } from './read.ts';

/** Tags and metadata whose value is a person or an account. */
const personKeys = new Set([
  'mlflow.user',
  'mlflow.trace.user',
  'mlflow.auth.userId',
  'mlflow.auth.username',
]);

export const isPersonKey = (key: string): boolean => personKeys.has(key);

/** Entries with the persons among them replaced. */
export function tokeniseEntries(
  entries: readonly KeyValue[],
  tokenise: Tokenise,
): readonly KeyValue[] {
  if (!entries.some(({ key }) => isPersonKey(key))) return entries;
  return entries.map(({ key, value }) => ({
    key,
    value: isPersonKey(key) ? tokenise(value) : value,
  }));
}

/** A human source is a person. */
export function tokeniseAssessment(assessment: SentAssessment, tokenise: Tokenise): SentAssessment {
  const { sourceType, sourceId, metadata } = assessment;
  return {
    ...assessment,
    metadata: tokeniseEntries(metadata, tokenise),
    ...(sourceType === 'HUMAN' && sourceId !== undefined ? { sourceId: tokenise(sourceId) } : {}),
  };
}

/** Conditions on persons, with the token in place of the name. Patterns see tokens. */
export function conditionsWithTokens(
  conditions: readonly TraceCondition[],
  { findToken }: Pick<ProtocolServices, 'findToken'>,
): TraceCondition[] {
  return conditions.map((condition) => {
    const { entity, key, value } = condition;
    const ofPerson =
      ((entity === 'tag' || entity === 'metadata') && isPersonKey(key)) ||
      (entity === 'span' && key === 'attributes.user.id');
    return ofPerson && typeof value === 'string'
      ? { ...condition, value: findToken(value) ?? value }
      : condition;
  });
}
