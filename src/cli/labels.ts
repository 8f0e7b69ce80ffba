import { text } from '../base/json.ts';
import type { AnswerNode } from '../contract/answer.ts';
import { findRef } from '../facts/ref.ts';
import { clean } from './style.ts';

/** Characters of a run id that are enough to ask again, unless another run begins alike. */
const shortIdLength = 8;

/** How the things of one answer are called in lines for people. */
export interface Labels {
  /** Safe to print. */
  of(node: AnswerNode): string;
  /** What a ref is called: as its node when the answer lists it. */
  ofRef(ref: string): string;
}

/** Names for people: what has a name of its own keeps its id in brackets, so that it can be asked for. */
export function createLabels(nodes: readonly AnswerNode[]): Labels {
  const byRef = new Map(nodes.map((node) => [node.ref, node]));
  const runs = nodes.filter(({ kind }) => kind === 'run').map(({ name }) => name);
  const of = (node: AnswerNode): string => clean(labelOf(node, runs));
  return {
    of,
    ofRef(ref) {
      const node = byRef.get(ref);
      return node === undefined ? clean(findRef(ref)?.name ?? ref) : of(node);
    },
  };
}

function labelOf({ ref, kind, name: id, attributes }: AnswerNode, runs: readonly string[]): string {
  if (kind === 'field') {
    const parts = findRef(ref);
    return parts?.field === undefined ? id : `${parts.field} of ${parts.name}`;
  }
  const name = text(attributes.name);
  if (name === undefined || name === '' || name === id) return id;
  if (kind === 'run') return `${name} (${shortId(id, runs)})`;
  // Artifacts are asked for by their whole id.
  return kind === 'artifact' ? `${name} (${id})` : id;
}

/** The beginning of a run id that no other run of the answer shares. */
function shortId(id: string, runs: readonly string[]): string {
  let length = shortIdLength;
  const others = runs.filter((other) => other !== id);
  while (length < id.length && others.some((other) => other.startsWith(id.slice(0, length)))) {
    length += 1;
  }
  return id.slice(0, length);
}
