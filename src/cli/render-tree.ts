import type { Answer, AnswerEdge, AnswerNode } from '../contract/answer.ts';
import { findRef } from '../facts/ref.ts';
import type { Known } from '../facts/relations.ts';
import { detailsOf } from './render-details.ts';
import { clean, countOf, createStyle, cut, kindWords, type Style, shorten } from './style.ts';
import { type Column, type TreeNode, treeOf } from './tree.ts';

/** How lines for people are made. */
export interface RenderOptions {
  /** Columns of the terminal; lines are not shortened when absent. */
  readonly width?: number | undefined;
  readonly color: boolean;
}

/** Children printed under one node; `--json` has all. */
const childrenMax = 60;
const columnsMax = 40;
const missingMax = 20;
/** Characters of a name, and of how a link is known, that stay when a line is too narrow for both. */
const nameWidthMin = 24;
const phraseWidthMin = 8;

/** A piece of a line, measured before it is coloured. */
interface Phrase {
  readonly text: string;
  paint(text: string): string;
}

/**
 * An answer of trace or impact as lines for people: the asked ref on top, below it what it comes
 * from or what it reached, each with how the link is known; then what was counted, where the walk
 * stopped, what is missing and the checkpoint.
 */
export function renderTree(answer: Answer, options: RenderOptions): string[] {
  const renderer = new TreeRenderer(answer, options);
  return [...renderer.tree(), '', ...renderer.summary()];
}

class TreeRenderer {
  readonly #answer: Answer;
  readonly #style: Style;
  readonly #width: number | undefined;
  readonly #lines: string[] = [];
  readonly #printed = new Set<string>();

  constructor(answer: Answer, { width, color }: RenderOptions) {
    this.#answer = answer;
    this.#style = createStyle(color);
    this.#width = width;
  }

  tree(): string[] {
    const { root, rest } = treeOf(this.#answer);
    this.#node(root, '', '');
    if (rest.length > 0) {
      this.#lines.push('', 'Also in the answer, without a link shown:');
      for (const node of rest) this.#line('  ', node, []);
    }
    return this.#lines;
  }

  #node(tree: TreeNode, prefix: string, below: string): void {
    const { node } = tree;
    this.#line(prefix, node, this.#metaOf(tree));
    if (tree.repeated) return;
    this.#printed.add(node.ref);
    const { children, columns } = tree;
    this.#details(node, `${below}${children.length > 0 ? '│  ' : '   '}`);
    this.#columns(columns, `${below}${children.length > 0 ? '│  ' : '   '}`);
    const shown = children.slice(0, childrenMax);
    const hidden = children.length - shown.length;
    for (const [index, child] of shown.entries()) {
      const last = index === shown.length - 1 && hidden === 0;
      this.#node(child, `${below}${last ? '└─ ' : '├─ '}`, `${below}${last ? '   ' : '│  '}`);
    }
    if (hidden > 0) {
      this.#lines.push(this.#style.dim(`${below}└─ … and ${hidden} more: --json lists all`));
    }
  }

  #metaOf({ node, edges, repeated }: TreeNode): Phrase[] {
    const { bold, dim } = this.#style;
    const meta = describeEdges(edges).map(({ text, known }) => ({
      text,
      paint: (shown: string) => this.#style.known(known, shown),
    }));
    if (repeated) {
      return [...meta, { text: this.#printed.has(node.ref) ? '(above)' : '(below)', paint: dim }];
    }
    const counts = this.#answer.counts.filter(({ ref }) => ref === node.ref);
    return [
      ...meta,
      ...counts.map(({ kind, count }) => ({ text: countOf(count, kindWords(kind)), paint: bold })),
    ];
  }

  #line(prefix: string, node: AnswerNode, meta: readonly Phrase[]): void {
    const { bold, dim } = this.#style;
    const lead = `${this.#indent(prefix)}${kindWords(node.kind)} `;
    let name = clean(labelOf(node));
    let phrases = meta;
    if (this.#width !== undefined) {
      const room = this.#width - lengthOf(lead);
      const wanted = meta.reduce((sum, { text }) => sum + 2 + lengthOf(text), 0);
      name = shorten(name, Math.max(room - wanted, Math.min(nameWidthMin, room)));
      phrases = squeeze(meta, room - lengthOf(name));
    }
    const rest = phrases.map(({ text, paint }) => `  ${paint(text)}`).join('');
    this.#lines.push(`${dim(lead)}${bold(name)}${rest}`);
  }

  /** Indentation never takes more than half of the line. */
  #indent(prefix: string): string {
    const max = Math.floor((this.#width ?? Number.POSITIVE_INFINITY) / 2);
    return lengthOf(prefix) <= max ? prefix : `…${[...prefix].slice(1 - max).join('')}`;
  }

  #details(node: AnswerNode, below: string): void {
    const indent = this.#indent(below);
    const room = (this.#width ?? Number.POSITIVE_INFINITY) - lengthOf(indent);
    for (const line of detailsOf(node)) this.#lines.push(this.#style.dim(indent + cut(line, room)));
  }

  #columns(columns: readonly Column[], below: string): void {
    const arrow = this.#answer.direction === 'upstream' ? '←' : '→';
    for (const { node, links } of columns.slice(0, columnsMax)) {
      const from = links.map(({ other, edge }) => {
        const how = edge.how === undefined ? '' : ` ${clean(edge.how)}`;
        return `${clean(labelOf(other))}${how}, ${edge.known}`;
      });
      const text = `· ${clean(findRef(node.ref)?.field ?? node.name)}${from.length === 0 ? '' : ` ${arrow} ${from.join('; ')}`}`;
      const indent = this.#indent(below);
      const room = (this.#width ?? Number.POSITIVE_INFINITY) - lengthOf(indent);
      this.#lines.push(this.#style.dim(indent) + shorten(text, room));
    }
    const hidden = columns.length - columnsMax;
    if (hidden > 0) this.#lines.push(this.#style.dim(`${below}· … and ${hidden} more columns`));
  }

  summary(): string[] {
    const { direction, counts, stopped, completeness, checkpoint, asOf, at } = this.#answer;
    const lines = counts.map(
      ({ ref, kind, count }) => `${countOf(count, kindWords(kind))}, counted, at ${clean(ref)}`,
    );
    for (const { ref, reason, count } of stopped) {
      lines.push(
        `Stopped at ${clean(ref)}: ${stopWords[reason]} (${countOf(count, 'link')} not followed).`,
      );
    }
    // What a downstream answer lacks is not what its ref lacks: it says so only when it is told.
    if (direction === 'upstream' || completeness.missing.length > 0) {
      lines.push(...renderCompleteness(completeness, this.#style));
    }
    const time = asOf.recordedTime === null ? '' : `, recorded ${asOf.recordedTime}`;
    lines.push(`As of entry ${asOf.position}${time}${at === null ? '' : `; true at ${at}`}.`);
    if (checkpoint !== null) {
      const root = `${checkpoint.root.slice(0, 12)}…`;
      lines.push(`Checkpoint: ${countOf(checkpoint.size, 'entry')}, root ${root}`);
    }
    return lines;
  }
}

const stopWords = {
  depth: 'the depth limit was reached, --depth raises it',
  nodes: 'the node limit was reached, --nodes raises it',
  hub: 'it has too many links to list',
  permission: 'this key may not see further',
} as const;

/** The score, and what is missing. */
function renderCompleteness(completeness: Answer['completeness'], style: Style): string[] {
  const { score, missing } = completeness;
  const percent = Math.floor(score * 100);
  if (missing.length === 0) return [`Completeness ${percent} %: nothing is missing.`];
  const lines = [`${style.bold(`Completeness ${percent} %`)}, missing:`];
  for (const { ref, what } of missing.slice(0, missingMax)) {
    lines.push(`  - ${clean(what)} of ${clean(ref)}`);
  }
  if (missing.length > missingMax) lines.push(`  … and ${missing.length - missingMax} more`);
  return lines;
}

/** Links between two nodes as phrases: `read-by as train, test · observed (openlineage.inputs)`. */
function describeEdges(edges: readonly AnswerEdge[]): { text: string; known: Known }[] {
  const alike = Object.values(
    Object.groupBy(edges, ({ relation, how, known, rule, run }) =>
      JSON.stringify([relation, how, known, rule, run]),
    ),
  );
  return alike.flatMap((group = []) => {
    const [first] = group;
    if (first === undefined) return [];
    const roles = [...new Set(group.flatMap(({ role }) => role ?? []))];
    const as = roles.length === 0 ? '' : ` as ${clean(roles.join(', '))}`;
    const by = first.how === undefined ? '' : ` ${clean(first.how)}`;
    const source = first.rule === undefined ? '' : ` (${clean(first.rule)})`;
    const run = first.run === undefined ? undefined : findRef(first.run);
    const within = run === undefined ? '' : ` in ${run.kind} ${clean(run.name)}`;
    const text = `${first.relation}${as}${by} · ${first.known}${source}${within}`;
    return [{ text, known: first.known }];
  });
}

/** The name, and for a column the dataset that it is in. */
function labelOf({ ref, kind, name }: AnswerNode): string {
  if (kind !== 'field') return name;
  const parts = findRef(ref);
  return parts?.field === undefined ? name : `${parts.field} of ${parts.name}`;
}

/** The phrases that fit, the last of them shortened. */
function squeeze(phrases: readonly Phrase[], width: number): Phrase[] {
  const shown: Phrase[] = [];
  let room = width;
  for (const { text, paint } of phrases) {
    if (room < 2 + phraseWidthMin) break;
    const shortened = shorten(text, room - 2);
    shown.push({ text: shortened, paint });
    room -= 2 + lengthOf(shortened);
  }
  return shown;
}

function lengthOf(text: string): number {
  return [...text].length;
}
