import type { AsOf, FormerRefRow, LineageReader, NodeRow } from '../store.ts';

export interface RenamesOptions {
  readonly reader: LineageReader;
  readonly moment: AsOf;
  /** Position of the newest rename; -1 when there is none. */
  readonly renamed: number;
}

/** The nodes under the refs and names that they had at the moment: what they gave up after it. */
export async function namedAt(
  nodes: readonly NodeRow[],
  { reader, moment, renamed }: RenamesOptions,
): Promise<readonly NodeRow[]> {
  if (!renamedAfter(moment, renamed)) return nodes;
  const former = Map.groupBy(
    await reader.formerRefs(nodes.map(({ key }) => key)),
    ({ node }) => node,
  );
  return nodes.map((node) => {
    const then = former.get(node.key)?.find((row) => isLater(row, moment));
    return then === undefined ? node : { ...node, ref: then.ref, name: then.name };
  });
}

/** Whether anything can have been renamed after the moment; `renamed` as in the options. */
export function renamedAfter({ position, at }: AsOf, renamed: number): boolean {
  return renamed >= 0 && (at !== undefined || renamed > position);
}

/** At the moment the name had not been given up yet. */
function isLater({ position, until }: FormerRefRow, moment: AsOf): boolean {
  return position > moment.position || (moment.at !== undefined && until > moment.at);
}
