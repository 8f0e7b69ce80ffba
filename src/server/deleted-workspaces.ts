import type { AnswerNode } from '../contract/answer.ts';
import type { ReadSession } from '../door/index.ts';
import { workspaceOf } from '../facts/ref.ts';
import { iso, type Moment } from '../lineage/index.ts';

/**
 * What lived in a workspace went with it: its nodes get the time of that deletion, unless they were
 * deleted before. Found when asked, for a workspace may hold millions of things.
 */
export async function markDeletedWorkspaces(
  session: ReadSession,
  nodes: readonly AnswerNode[],
  moment: Moment,
): Promise<AnswerNode[]> {
  const deleted = new Map<string, number>();
  for (const name of new Set(nodes.flatMap(({ ref }) => workspaceOf(ref) ?? []))) {
    const time = (await session.workspaces.findWorkspace(name))?.deletedTime ?? undefined;
    if (time === undefined || time > (moment.at ?? time)) continue;
    if (moment.position >= (await session.ledger.positionAt(time))) deleted.set(name, time);
  }
  if (deleted.size === 0) return [...nodes];
  return nodes.map((node) => {
    const time = deleted.get(workspaceOf(node.ref) ?? '');
    if (time === undefined || node.attributes.deletedTime !== undefined) return node;
    return { ...node, attributes: { ...node.attributes, deletedTime: iso(time) } };
  });
}
