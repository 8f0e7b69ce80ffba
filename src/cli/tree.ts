import { isObject, list } from '../base/json.ts';
import type { Answer, AnswerEdge, AnswerNode } from '../contract/answer.ts';
import type { EntityKind } from '../facts/kinds.ts';
import { findRef } from '../facts/ref.ts';

/** A node in the tree of an answer, with the links that connect it to the one above. */
export interface TreeNode {
  readonly node: AnswerNode;
  /** Links to the parent; none for the root. */
  readonly edges: readonly AnswerEdge[];
  /** True when its own children are printed elsewhere: every node is expanded once. */
  readonly repeated: boolean;
  readonly children: readonly TreeNode[];
  readonly columns: readonly Column[];
  /** The runs that a run is part of: upstream they are named, and no way to their other parts. */
  readonly partOf: readonly Parent[];
}

/** A run that another is part of, and the links that say so. */
export interface Parent {
  readonly node: AnswerNode;
  readonly edges: readonly AnswerEdge[];
}

/** A column of a dataset and the columns that it comes from (upstream) or goes to (downstream). */
export interface Column {
  readonly node: AnswerNode;
  readonly links: readonly { readonly other: AnswerNode; readonly edge: AnswerEdge }[];
}

/** An answer as a tree, and what of it hangs on nothing (an answer for some kinds only). */
export interface AnswerTree {
  readonly root: TreeNode;
  readonly rest: readonly AnswerNode[];
}

/** Leaves first, what has much behind it last: so that one line does not part a node from its own. */
const orderOfKinds: readonly EntityKind[] = [
  'agent',
  'workspace',
  'experiment',
  'environment',
  'code',
  'jobVersion',
  'job',
  'field',
  'source',
  'dataset',
  'datasetVersion',
  'run',
  'artifact',
  'model',
  'modelVersion',
  'deployment',
  'prediction',
];
const rankOfKind = new Map(orderOfKinds.map((kind, rank) => [kind, rank]));

/**
 * Makes a tree of an answer's graph. A node is expanded where it is nearest to the root, and only
 * referred to elsewhere. Columns stand under their dataset, unless a column was asked for.
 */
export function treeOf(answer: Answer): AnswerTree {
  return new TreeBuilder(answer).build();
}

class TreeBuilder {
  readonly #answer: Answer;
  readonly #nodes: Map<string, AnswerNode>;
  /** Ref of the nearer end → ref of the farther end → links between them. */
  readonly #links = new Map<string, Map<string, AnswerEdge[]>>();
  readonly #columns = new Map<string, Column[]>();
  /** Ref of a run → the runs that it is part of. */
  readonly #parents = new Map<string, Map<string, AnswerEdge[]>>();
  /** Ref → the ref under which it is expanded. */
  readonly #home = new Map<string, string | undefined>();
  readonly #placed = new Set<string>();
  readonly #namedParents = new Set<string>();

  constructor(answer: Answer) {
    this.#answer = answer;
    this.#nodes = new Map(answer.nodes.map((node) => [node.ref, node]));
  }

  build(): AnswerTree {
    const root = this.#root();
    const columnsAreNodes = root.kind === 'field';
    if (columnsAreNodes) this.#linkDataset(root.ref);
    else this.#collectColumns();
    for (const edge of this.#answer.edges) {
      if (versionRelations.has(edge.relation) && edge.from === root.ref) this.#linkVersion(edge);
      else if (this.#ends(edge).far !== root.ref) this.#link(edge, columnsAreNodes);
      if (isPartOf(edge)) this.#collectParent(edge);
    }
    this.#findHomes(root.ref);
    while (this.#linkParents() || this.#linkParts()) this.#findHomes(root.ref);
    const tree = this.#place(root, [], undefined);
    // A run that a column was derived in is named with the link, a parent under the run.
    const named = new Set(this.#answer.edges.flatMap(({ run }) => run ?? []));
    const isNamed = (ref: string): boolean => named.has(ref) || this.#namedParents.has(ref);
    const rest = this.#answer.nodes.filter(({ ref }) => !this.#placed.has(ref) && !isNamed(ref));
    return { root: tree, rest };
  }

  /** What was asked; a dataset may be listed under another of its names. */
  #root(): AnswerNode {
    const { ref, nodes } = this.#answer;
    const isSame = ({ attributes }: AnswerNode): boolean =>
      list(attributes.sameAs).some((same) => isObject(same) && same.ref === ref);
    return this.#nodes.get(ref) ?? nodes.find(isSame) ?? unlistedNode(ref);
  }

  /** A column hangs on its dataset, which no edge of an answer says. */
  #linkDataset(column: string): void {
    const key = datasetKey(column);
    for (const { ref, kind } of this.#answer.nodes) {
      const isDataset = kind === 'dataset' || kind === 'datasetVersion';
      if (isDataset && datasetKey(ref) === key) this.#linksOf(column).set(ref, []);
    }
  }

  /** A dataset or model that was asked for stands for its versions, whichever way is walked. */
  #linkVersion(edge: AnswerEdge): void {
    if (this.#nodes.has(edge.to)) this.#linksOf(edge.from).set(edge.to, [edge]);
  }

  #linksOf(near: string): Map<string, AnswerEdge[]> {
    const links = this.#links.get(near) ?? new Map<string, AnswerEdge[]>();
    this.#links.set(near, links);
    return links;
  }

  #ends({ from, to }: AnswerEdge): { near: string; far: string } {
    return this.#answer.direction === 'upstream'
      ? { near: to, far: from }
      : { near: from, far: to };
  }

  #link(edge: AnswerEdge, columnsAreNodes: boolean): void {
    const { near, far } = this.#ends(edge);
    if (near === far || !this.#nodes.has(far)) return;
    const isColumn = (ref: string): boolean => this.#nodes.get(ref)?.kind === 'field';
    if (!columnsAreNodes && (isColumn(near) || isColumn(far))) return;
    const ofNear = this.#linksOf(near);
    const between = ofNear.get(far);
    if (between === undefined) ofNear.set(far, [edge]);
    else between.push(edge);
  }

  #collectColumns(): void {
    const columns = new Map<
      string,
      Column & { links: { other: AnswerNode; edge: AnswerEdge }[] }
    >();
    for (const node of this.#answer.nodes) {
      if (node.kind !== 'field') continue;
      const column = { node, links: [] };
      columns.set(node.ref, column);
      const dataset = datasetKey(node.ref);
      const ofDataset = this.#columns.get(dataset);
      if (ofDataset === undefined) this.#columns.set(dataset, [column]);
      else ofDataset.push(column);
    }
    for (const edge of this.#answer.edges) {
      const { near, far } = this.#ends(edge);
      const other = columns.get(far)?.node;
      if (other !== undefined) columns.get(near)?.links.push({ other, edge });
    }
  }

  /** Breadth first, so that a node's home is where it is nearest to the root. */
  #findHomes(root: string): void {
    this.#home.clear();
    this.#home.set(root, undefined);
    const queue = [root];
    for (let next = 0; next < queue.length; next += 1) {
      const near = queue[next] as string;
      for (const far of this.#sorted(near)) {
        if (this.#home.has(far)) continue;
        this.#home.set(far, near);
        queue.push(far);
      }
    }
  }

  #sorted(near: string): string[] {
    const rank = (ref: string): number =>
      rankOfKind.get(this.#nodes.get(ref)?.kind ?? 'source') ?? 0;
    const name = (ref: string): string => this.#nodes.get(ref)?.name ?? ref;
    return [...(this.#links.get(near)?.keys() ?? [])].sort(
      (a, b) => rank(a) - rank(b) || name(a).localeCompare(name(b)) || (a < b ? -1 : 1),
    );
  }

  #place(node: AnswerNode, edges: readonly AnswerEdge[], parent: string | undefined): TreeNode {
    const { ref } = node;
    const repeated = this.#placed.has(ref) || this.#home.get(ref) !== parent;
    if (repeated) return { node, edges, repeated, children: [], columns: [], partOf: [] };
    this.#placed.add(ref);
    const columns = this.#takeColumns(node);
    const partOf = this.#parentsOf(ref, parent);
    const children = this.#sorted(ref).map((far) =>
      this.#place(
        this.#nodes.get(far) ?? unlistedNode(far),
        this.#links.get(ref)?.get(far) ?? [],
        ref,
      ),
    );
    return { node, edges, repeated, children, columns, partOf };
  }

  /** Downstream a parent is a child in the tree, as what its parts reached. */
  #collectParent(edge: AnswerEdge): void {
    if (this.#answer.direction === 'downstream' || edge.from === edge.to) return;
    if (!this.#nodes.has(edge.to)) return;
    const ofRun = this.#parents.get(edge.from) ?? new Map<string, AnswerEdge[]>();
    this.#parents.set(edge.from, ofRun);
    const edges = ofRun.get(edge.to);
    if (edges === undefined) ofRun.set(edge.to, [edge]);
    else edges.push(edge);
  }

  /** A parent that has something behind it, and no other place in the tree, hangs on its part. */
  #linkParents(): boolean {
    let linked = false;
    for (const [run, parents] of this.#parents) {
      if (!this.#home.has(run)) continue;
      for (const [parent, edges] of parents) {
        if (this.#home.has(parent) || !this.#hasBehind(parent, new Set())) continue;
        this.#linksOf(run).set(parent, edges);
        // The other way round it is said already.
        if (this.#links.get(parent)?.get(run)?.every(isPartOf)) this.#linksOf(parent).delete(run);
        linked = true;
      }
    }
    return linked;
  }

  /** Downstream, what a run reached it reached through its parts: those with no other place hang on it. */
  #linkParts(): boolean {
    if (this.#answer.direction === 'upstream') return false;
    let linked = false;
    for (const edge of this.#answer.edges.filter(isPartOf)) {
      const { from: part, to: whole } = edge;
      if (!this.#home.has(whole) || this.#home.has(part) || !this.#nodes.has(part)) continue;
      const ofWhole = this.#linksOf(whole);
      ofWhole.set(part, [...(ofWhole.get(part) ?? []), edge]);
      if (this.#links.get(part)?.get(whole)?.every(isPartOf)) this.#links.get(part)?.delete(whole);
      linked = true;
    }
    return linked;
  }

  /** More than its parts is behind the run, or behind what it is itself part of. */
  #hasBehind(run: string, met: Set<string>): boolean {
    if (met.has(run)) return false;
    met.add(run);
    const links = [...(this.#links.get(run)?.values() ?? [])].flat();
    if (!links.every(isPartOf)) return true;
    return [...(this.#parents.get(run)?.keys() ?? [])].some((parent) =>
      this.#hasBehind(parent, met),
    );
  }

  /** The parents of a run, and theirs, but for those that hang in the tree. */
  #parentsOf(run: string, above: string | undefined): readonly Parent[] {
    const found = new Map<string, Parent>();
    const add = (part: string): void => {
      for (const [parent, edges] of this.#parents.get(part) ?? []) {
        if (parent === above || parent === run || found.has(parent)) continue;
        if (this.#links.get(part)?.has(parent) === true) continue;
        this.#namedParents.add(parent);
        found.set(parent, { node: this.#nodes.get(parent) ?? unlistedNode(parent), edges });
        if (!this.#home.has(parent)) add(parent);
      }
    };
    add(run);
    return [...found.values()];
  }

  /** The columns of a dataset go under the first of its nodes that is printed. */
  #takeColumns(node: AnswerNode): readonly Column[] {
    if (node.kind !== 'dataset' && node.kind !== 'datasetVersion') return [];
    const key = datasetKey(node.ref);
    const columns = this.#columns.get(key) ?? [];
    this.#columns.delete(key);
    for (const column of columns) this.#placed.add(column.node.ref);
    return [...columns].sort((a, b) => (a.node.ref < b.node.ref ? -1 : 1));
  }
}

/** Between a thing and its versions. */
const versionRelations: ReadonlySet<string> = new Set(['has', 'has-version']);

const isPartOf = ({ relation }: AnswerEdge): boolean => relation === 'part-of';

/** Tells the dataset of a dataset, version or column. */
function datasetKey(ref: string): string {
  const parts = findRef(ref);
  return parts === undefined ? ref : `${parts.namespace}\n${parts.name}`;
}

/** The asked thing itself when an answer for some kinds only does not list it. */
function unlistedNode(ref: string): AnswerNode {
  const parts = findRef(ref);
  return { ref, id: ref, kind: parts?.kind ?? 'source', name: parts?.name ?? ref, attributes: {} };
}
