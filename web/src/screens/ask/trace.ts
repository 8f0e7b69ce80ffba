import { fetchJson, type Problem, readKey, readList, readText } from '../../api.ts';

/** Characters of a run id that are enough to ask for it again. */
const SHORT_ID_LENGTH = 8;

/** As much of a trace as the first page shows. */
export interface Trace {
  readonly ref: string;
  readonly nodes: readonly TraceNode[];
  readonly edgeCount: number;
  /** Where the walk stopped short, and why. */
  readonly stopped: readonly string[];
}

export interface TraceNode {
  readonly ref: string;
  readonly kind: string;
  readonly name: string;
}

/** The address of the full answer, relative to the page. */
export function tracePath(ref: string): string {
  return `api/wherefrom/v1/trace?ref=${encodeURIComponent(ref)}`;
}

/** Asks the server where `ref` came from. */
export async function fetchTrace(
  ref: string,
): Promise<{ readonly trace: Trace } | { readonly problem: Problem }> {
  const answer = await fetchJson(tracePath(ref));
  if ('problem' in answer) return answer;
  const { body } = answer;
  const asked = readText(body, 'ref') ?? ref;
  return {
    trace: {
      ref: asked,
      // What was asked about is no answer.
      nodes: readList(body, 'nodes')
        .map(readNode)
        .filter((node) => node.ref !== asked),
      edgeCount: readList(body, 'edges').length,
      stopped: readList(body, 'stopped').map(
        (stop) =>
          `${readText(stop, 'ref') ?? 'somewhere'}: ${readText(stop, 'reason') ?? 'stopped'}`,
      ),
    },
  };
}

function readNode(node: unknown): TraceNode {
  const ref = readText(node, 'ref') ?? readText(node, 'id') ?? '';
  const kind = readText(node, 'kind') ?? 'unknown';
  const id = readText(node, 'name') ?? (ref || 'without a name');
  return { ref, kind, name: labelOf(kind, id, readText(readKey(node, 'attributes'), 'name')) };
}

/** Runs and logged models have ids; where they have a name too, it says more. */
function labelOf(kind: string, id: string, name: string | undefined): string {
  if (name === undefined || name === id || (kind !== 'run' && kind !== 'artifact')) return id;
  return `${name} (${kind === 'run' ? id.slice(0, SHORT_ID_LENGTH) : id})`;
}

/** `modelVersion` as `model version`. */
export function kindWords(kind: string): string {
  return kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
