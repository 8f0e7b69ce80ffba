import { text } from '../../base/json.ts';
import type { LineageFact } from '../../facts/facts.ts';
import { findRef } from '../../facts/ref.ts';
import type { MergeRow } from '../store.ts';

/** Types of statements that say whether the ref and `value.of` are one dataset. */
const identityTypes: ReadonlyMap<string, Pick<MergeRow, 'rule' | 'apart'>> = new Map([
  ['alias', { rule: 'declared-alias', apart: false }],
  ['distinct', { rule: 'declared-distinct', apart: true }],
]);

/** What a statement says of two names, `other` being the whole ref of the second; undefined when nothing. */
export function readIdentity(
  fact: Extract<LineageFact, { kind: 'statement.made' }>,
): (Omit<MergeRow, 'a' | 'b' | 'position'> & { readonly other: string }) | undefined {
  const type = identityTypes.get(fact.type);
  const other = text(fact.value?.of);
  if (type === undefined || other === undefined || !findRef(other)) return undefined;
  const { id: statement, validFrom = null, validTo = null } = fact;
  return { ...type, statement, validFrom, validTo, other };
}
