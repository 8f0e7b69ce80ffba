import type { DocumentNode, FieldNode, FragmentDefinitionNode, SelectionSetNode } from 'graphql';
import { invalidParameter } from '../errors.ts';

/**
 * How much one query may ask for: each root field is a search, and aliases repeat them.
 * Source: mlflow/server/graphql/graphql_no_batching.py and its defaults.
 */
const graphqlLimits = { rootFieldsMax: 10, aliasesMax: 10, depthMax: 10, selectionsMax: 1_000 };

type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

interface Level {
  readonly fields: readonly FieldNode[];
  readonly aliases: number;
}

/** The fields of one level, those of its fragments among them; a fragment is looked into once. */
function fieldsOf(set: SelectionSetNode, fragments: Fragments): Level {
  const fields: FieldNode[] = [];
  const seen = new Set<string>();
  const sets: SelectionSetNode[] = [set];
  for (let next = sets.pop(); next !== undefined; next = sets.pop()) {
    for (const selection of next.selections) {
      if (selection.kind === 'Field') fields.push(selection);
      else if (selection.kind === 'InlineFragment') sets.push(selection.selectionSet);
      else if (!seen.has(selection.name.value)) {
        seen.add(selection.name.value);
        const fragment = fragments.get(selection.name.value);
        if (fragment !== undefined) sets.push(fragment.selectionSet);
      }
    }
  }
  return { fields, aliases: fields.filter(({ alias }) => alias !== undefined).length };
}

/** MLflow's refusal of a query that is nested too deep. */
export const tooDeep = (): Error =>
  invalidParameter(`Query exceeds maximum depth of ${graphqlLimits.depthMax}`);

const tooMany = (limit: number, what: string, count: number): Error =>
  invalidParameter(`GraphQL queries should have at most ${limit} ${what}, got ${count} ${what}.`);

/** @throws invalid_message with MLflow's text when a query asks for too much. */
export function checkQuery({ definitions }: DocumentNode): void {
  const { rootFieldsMax, aliasesMax, depthMax, selectionsMax } = graphqlLimits;
  const fragments = new Map(
    definitions
      .filter((each) => each.kind === 'FragmentDefinition')
      .map((each) => [each.name.value, each]),
  );
  let level = definitions
    .filter((each) => each.kind === 'OperationDefinition')
    .map((each) => each.selectionSet);
  const counts = { roots: 0, aliases: 0, selections: 0 };
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > depthMax) throw tooDeep();
    const below: SelectionSetNode[] = [];
    for (const { fields, aliases } of level.map((set) => fieldsOf(set, fragments))) {
      if (depth === 1) counts.roots += fields.length;
      counts.aliases = Math.max(counts.aliases, aliases);
      counts.selections += fields.length;
      if (counts.selections > selectionsMax) {
        throw invalidParameter(`Query exceeds maximum total selections of ${selectionsMax}`);
      }
      below.push(
        ...fields.flatMap(({ selectionSet }) => (selectionSet === undefined ? [] : [selectionSet])),
      );
    }
    level = below;
  }
  if (counts.roots > rootFieldsMax) throw tooMany(rootFieldsMax, 'root fields', counts.roots);
  if (counts.aliases > aliasesMax) throw tooMany(aliasesMax, 'aliases', counts.aliases);
}
