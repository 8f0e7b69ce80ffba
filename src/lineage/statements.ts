import { isObject, type JsonObject, text } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import type { AnswerNode } from '../contract/answer.ts';
import type { StatementShown } from '../contract/statements.ts';
import { identityTypes, maySupersede } from './identity/stated.ts';
import { iso } from './iso.ts';
import { instantOf, type Moment, type Statement } from './moment.ts';
import type { StatementRow, SupersededRow } from './store.ts';
import type { GraphView } from './view.ts';

/** Statements about the nodes as recorded by the moment, oldest first; none for most. Remembered by node. */
export async function readStatements(
  { reader, memory, moment }: GraphView,
  keys: readonly number[],
): Promise<ReadonlyMap<number, readonly Statement[]>> {
  const { statements } = memory;
  const unknown = keys.filter((key) => !statements.has(key));
  const stored = unknown.length === 0 ? [] : await reader.statements(unknown);
  const rows = stored.filter(({ position }) => position <= moment.position);
  const ends = rows.length === 0 ? [] : await reader.superseded(rows.map(({ id }) => id));
  const endsOf = Map.groupBy(
    ends.filter((end) => end.position <= moment.position && maySupersede(end)),
    ({ statement }) => statement,
  );
  const byNode = Map.groupBy(rows, ({ node }) => node);
  for (const key of unknown)
    statements.set(
      key,
      (byNode.get(key) ?? []).map((row) => statementOf(row, endsOf.get(row.id) ?? [])),
    );
  return new Map(
    keys.flatMap((key) => {
      const found = statements.get(key) ?? [];
      return found.length === 0 ? [] : [[key, found] as const];
    }),
  );
}

function statementOf(row: StatementRow, superseded: readonly SupersededRow[]): Statement {
  const said = JSON.parse(row.body) as JsonObject; // written by the projection as an object
  const timeIn = (name: string): number | undefined =>
    typeof said[name] === 'number' ? said[name] : undefined;
  return {
    id: row.id,
    type: row.type,
    said,
    time: row.time,
    position: row.position,
    validFrom: timeIn('validFrom'),
    validTo: timeIn('validTo'),
    superseded,
  };
}

/**
 * Whether it holds at the moment: within its validity, and before what took its place. Without a
 * beginning it holds since it was made; what says that two names are one holds always.
 */
export function holdsAt(statement: Statement, moment: Moment): boolean {
  const { type, time, validFrom, validTo, superseded } = statement;
  const always = moment.at === undefined || identityTypes.has(type);
  const from = validFrom ?? (always ? Number.NEGATIVE_INFINITY : time);
  const to = Math.min(
    validTo ?? Number.POSITIVE_INFINITY,
    ...superseded.map((end) => end.validFrom ?? Number.NEGATIVE_INFINITY),
  );
  const instant = instantOf(moment);
  return from <= instant && instant < to;
}

/** The statement as answers show it. */
function showStatement(statement: Statement, moment: Moment): StatementShown {
  const { id, type, said, time, position, validFrom, validTo, superseded } = statement;
  const author = text(said.author);
  const supersedes = text(said.supersedes);
  return {
    id,
    type,
    ...(text(said.text) !== undefined && { text: text(said.text) }),
    ...(isObject(said.value) && { value: said.value }),
    ...(author !== undefined && { author }),
    time: iso(time),
    ...(validFrom !== undefined && { validFrom: iso(validFrom) }),
    ...(validTo !== undefined && { validTo: iso(validTo) }),
    ...(supersedes !== undefined && { supersedes }),
    ...(superseded.length > 0 && {
      supersededBy: superseded.map((end) => ({
        id: end.by,
        ...(end.validFrom !== null && { validFrom: iso(end.validFrom) }),
      })),
    }),
    position,
    holds: holdsAt(statement, moment),
  };
}

/** The node with what is stated about it and holds at the moment, the newest first. */
export function withStatements(
  node: AnswerNode,
  statements: readonly Statement[],
  moment: Moment,
): AnswerNode {
  const holding = statements.filter((each) => holdsAt(each, moment));
  if (holding.length === 0) return node;
  const newest = byAge(holding).slice(0, limits.statementsPerNodeMax);
  const shown = newest.map((each) => {
    const { holds: _, ...rest } = showStatement(each, moment);
    return rest;
  });
  const hidden = holding.length - newest.length;
  return {
    ...node,
    attributes: {
      ...node.attributes,
      statements: shown as AnswerNode['attributes'][string], // plain JSON objects
      ...(hidden > 0 && { statementsOmitted: hidden }),
    },
  };
}

/** What became of the approvals of a thing: `unheld` when there are some, and none holds and agrees. */
export type Approval = 'approved' | 'refused' | 'unheld' | 'none';

/** By the newest approval that holds: a later one that says `approved: false` refuses it. */
export function approvalOf(statements: readonly Statement[], moment: Moment): Approval {
  const approvals = statements.filter(({ type }) => type === 'approval');
  const holding = approvals.filter((each) => holdsAt(each, moment));
  if (holding.length === 0) return approvals.length === 0 ? 'none' : 'unheld';
  const time = Math.max(...holding.map((each) => each.time));
  const newest = holding.filter((each) => each.time === time);
  return newest.every(agrees) ? 'approved' : 'refused';
}

function agrees({ said }: Statement): boolean {
  const approved = isObject(said.value) ? said.value.approved : undefined;
  return approved === undefined || approved === true;
}

/** What is stated about a ref, under each of the names that it has, the newest first. */
export async function listStatements(
  view: GraphView,
  ref: string,
): Promise<readonly StatementShown[]> {
  const node = await view.reader.findNode(ref);
  if (node === undefined) return [];
  const keys = node.kind === 'dataset' ? await view.names.of(node.key) : [node.key];
  const found = [...(await readStatements(view, keys)).values()].flat();
  return byAge(found).map((each) => showStatement(each, view.moment));
}

/** The newest first. */
function byAge(statements: readonly Statement[]): Statement[] {
  return [...statements].sort(
    (a, b) => b.time - a.time || b.position - a.position || (a.id < b.id ? -1 : 1),
  );
}
