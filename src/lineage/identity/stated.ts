import { text } from '../../base/json.ts';
import type { LineageFact } from '../../facts/facts.ts';
import { findRef, workspaceOf } from '../../facts/ref.ts';
import type { MergeRow, SupersededRow } from '../store.ts';

/** Types of statements that say whether the ref and `value.of` are one dataset. */
export const identityTypes: ReadonlyMap<string, Pick<MergeRow, 'rule' | 'apart'>> = new Map([
  ['alias', { rule: 'declared-alias', apart: false }],
  ['distinct', { rule: 'declared-distinct', apart: true }],
]);

/** What a statement says of two names, `other` being the whole ref of the second; undefined when nothing. */
export function readIdentity(
  fact: Extract<LineageFact, { kind: 'statement.made' }>,
): (Omit<MergeRow, 'a' | 'b' | 'position'> & { readonly other: string }) | undefined {
  const type = identityTypes.get(fact.type);
  const other = text(fact.value?.of);
  if (type === undefined || other === undefined || !mayJoin(fact.ref, other)) return undefined;
  const { id: statement, validFrom = null, validTo = null } = fact;
  return { ...type, statement, validFrom, validTo, other };
}

/** Only two names of one kind, both of the organisation or of one workspace, can be one thing. */
function mayJoin(ref: string, other: string): boolean {
  const [one, two] = [findRef(ref), findRef(other)];
  if (one === undefined || two === undefined || one.kind !== two.kind) return false;
  return workspaceOf(ref) === workspaceOf(other);
}

/** What is said in one workspace takes the place of nothing that was said about another's things. */
export function maySupersede({ ref, byRef }: SupersededRow): boolean {
  const workspace = ref === null ? undefined : workspaceOf(ref);
  return workspace === undefined || (byRef !== null && workspaceOf(byRef) === workspace);
}
