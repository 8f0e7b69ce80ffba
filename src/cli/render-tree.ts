import type { Answer, AnswerEdge, AnswerNode } from '../contract/answer.ts';
import { findRef } from '../facts/ref.ts';
import type { Known } from '../facts/relations.ts';
import { createLabels, type Labels } from './labels.ts';
import { inRuns, renderColumn } from './render-columns.ts';
import { detailsOf } from './render-details.ts';
import {
  clean,
  countOf,
  createStyle,
  cut,
  formatCount,
  kindWords,
  lengthOf,
  type Style,
  shorten,
  shortenDigests,
  shortenStart,
} from './style.ts';
import { type Column, type Parent, type TreeNode, treeOf } from './tree.ts';

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
const nameWidthMin = 28;
const phraseWidthMin = 8;

/** A piece of a line, measured before it is coloured. */
interface Phrase {
  readonly text: string;
  /** What stays of it where the line is narrow. */
  readonly brief: string;
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
  readonly #width: number;
  readonly #labels: Labels;
  readonly #lines: string[] = [];
  readonly #printed = new Set<string>();

  constructor(answer: Answer, { width, color }: RenderOptions) {
    this.#answer = answer;
    this.#style = createStyle(color);
    this.#width = width ?? Number.POSITIVE_INFINITY;
    this.#labels = createLabels(answer.nodes);
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
    const { children, columns, partOf } = tree;
    const inside = `${below}${children.length > 0 ? '│  ' : '   '}`;
    this.#detail(
      partOf.map((parent) => this.#parentLine(parent)),
      inside,
    );
    this.#detail(detailsOf(node), inside);
    this.#columns(columns, inside);
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
    const meta = this.#phrasesOf(edges);
    if (repeated) {
      const text = this.#printed.has(node.ref) ? '(above)' : '(below)';
      return [...meta, { text, brief: text, paint: dim }];
    }
    const counts = this.#answer.counts.filter(({ ref }) => ref === node.ref);
    return [
      ...meta,
      ...counts.map(({ kind, count }) => {
        const text = countOf(count, kindWords(kind));
        return { text, brief: text, paint: bold };
      }),
    ];
  }

  #phrasesOf(edges: readonly AnswerEdge[]): Phrase[] {
    return describeEdges(edges, this.#labels).map(({ known, ...texts }) => ({
      ...texts,
      paint: (shown: string) => this.#style.known(known, shown),
    }));
  }

  #line(prefix: string, node: AnswerNode, meta: readonly Phrase[]): void {
    const { bold, dim } = this.#style;
    const lead = `${this.#indent(prefix)}${kindWords(node.kind)} `;
    const { name, phrases } = fitLine(this.#labels.of(node), meta, this.#width - lengthOf(lead));
    const rest = phrases.map(({ text, paint }) => `  ${paint(text)}`).join('');
    this.#lines.push(`${dim(lead)}${bold(name)}${rest}`);
  }

  /** Indentation never takes more than half of the line. */
  #indent(prefix: string): string {
    const max = Math.floor(this.#width / 2);
    return lengthOf(prefix) <= max ? prefix : `…${[...prefix].slice(1 - max).join('')}`;
  }

  #parentLine({ node, edges }: Parent): string {
    const [first] = edges;
    const how = first === undefined ? '' : ` · ${first.known}${sourceOf(first)}`;
    return `part of run ${this.#labels.of(node)}${how}`;
  }

  #detail(lines: readonly string[], below: string): void {
    const indent = this.#indent(below);
    const room = this.#width - lengthOf(indent);
    for (const line of lines) this.#lines.push(this.#style.dim(indent + cut(line, room)));
  }

  #columns(columns: readonly Column[], below: string): void {
    const { dim } = this.#style;
    const arrow = this.#answer.direction === 'upstream' ? '←' : '→';
    const indent = this.#indent(below);
    const room = this.#width - lengthOf(indent);
    for (const column of columns.slice(0, columnsMax)) {
      this.#lines.push(dim(indent) + renderColumn(column, arrow, room));
    }
    const hidden = columns.length - columnsMax;
    if (hidden > 0) this.#lines.push(dim(indent + cut(`· … and ${hidden} more columns`, room)));
  }

  summary(): string[] {
    const { direction, stopped, completeness, checkpoint, asOf, at } = this.#answer;
    const lines = renderCounts(this.#answer);
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
  const { score, missing, notJudged } = completeness;
  if (notJudged === 'stopped')
    return [
      'Completeness: not judged, as the walk was cut off; "wherefrom completeness" judges all.',
    ];
  if (notJudged === 'nothing') return ['Completeness: nothing to judge.'];
  const percent = Math.floor(score * 100);
  if (missing.length === 0) return [`Completeness ${percent} %: nothing is missing.`];
  const lines = [`${style.bold(`Completeness ${percent} %`)}, missing:`];
  for (const { ref, what } of missing.slice(0, missingMax)) {
    lines.push(`  - ${clean(what)} of ${clean(ref)}`);
  }
  if (missing.length > missingMax) lines.push(`  … and ${missing.length - missingMax} more`);
  return lines;
}

/** What was counted and where; of several places how many different ones come first. */
function renderCounts({ counts, totals = [] }: Answer): string[] {
  return [...Map.groupBy(counts, ({ kind }) => kind)].flatMap(([kind, ofKind]) => {
    const sum = ofKind.reduce((all, { count }) => all + count, 0);
    const total = totals.find((each) => each.kind === kind)?.count ?? sum;
    const counted = `${countOf(total, kindWords(kind))}, counted, at`;
    if (ofKind.length === 1) return ofKind.map(({ ref }) => `${counted} ${clean(ref)}`);
    const places = Map.groupBy(ofKind, ({ ref }) => findRef(ref)?.kind ?? 'thing');
    const where = [...places].map(([place, some]) => countOf(some.length, kindWords(place)));
    return [
      `${counted} ${where.join(' and ')}:`,
      ...ofKind.map(({ ref, count }) => `  ${formatCount(count)} at ${clean(ref)}`),
    ];
  });
}

/** Links between two nodes as phrases: `read-by as train, test · observed (openlineage.inputs)`. */
function describeEdges(
  edges: readonly AnswerEdge[],
  labels: Labels,
): { text: string; brief: string; known: Known }[] {
  const alike = Map.groupBy(edges, ({ relation, how, known, rule }) =>
    JSON.stringify([relation, how, known, rule]),
  );
  return [...alike.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const roles = [...new Set(group.flatMap(({ role }) => role ?? []))];
    const as = roles.length === 0 ? '' : ` as ${clean(roles.join(', '))}`;
    const by = first.how === undefined ? '' : ` ${clean(first.how)}`;
    const brief = `${first.relation}${as}${by} · ${first.known}`;
    const text = `${brief}${sourceOf(first)}${withinOf(group, labels)}`;
    return [{ text, brief, known: first.known }];
  });
}

function sourceOf({ rule }: AnswerEdge): string {
  return rule === undefined ? '' : ` (${clean(rule)})`;
}

/** The run, or declaring job, in which columns were derived; of several how many. */
function withinOf(edges: readonly AnswerEdge[], labels: Labels): string {
  const runs = [...new Set(edges.flatMap(({ run }) => run ?? []))];
  const [first] = runs;
  if (first === undefined) return '';
  if (runs.length > 1) return inRuns(runs);
  return ` in ${kindWords(findRef(first)?.kind ?? 'run')} ${labels.ofRef(first)}`;
}

/**
 * A name and how it is linked, in `room` characters. First digests are shortened, then sources of
 * links left out, then the name: paths from their beginning, others in the middle.
 */
function fitLine(
  name: string,
  meta: readonly Phrase[],
  room: number,
): { name: string; phrases: readonly Phrase[] } {
  const brief = meta.map((phrase) => ({ ...phrase, text: phrase.brief }));
  const short = shortenDigests(name);
  for (const [shown, phrases] of [
    [name, meta],
    [short, meta],
    [short, brief],
  ] as const) {
    if (lengthOf(shown) + widthOf(phrases) <= room) return { name: shown, phrases };
  }
  const width = Math.max(room - widthOf(brief), Math.min(nameWidthMin, room));
  const shown = short.includes('/') ? shortenStart(short, width) : shorten(short, width);
  return { name: shown, phrases: squeeze(brief, room - lengthOf(shown)) };
}

function widthOf(phrases: readonly Phrase[]): number {
  return phrases.reduce((sum, { text }) => sum + 2 + lengthOf(text), 0);
}

/** The phrases that fit, the last of them shortened. */
function squeeze(phrases: readonly Phrase[], width: number): Phrase[] {
  const shown: Phrase[] = [];
  let room = width;
  for (const phrase of phrases) {
    if (room < 2 + phraseWidthMin) break;
    const text = shorten(phrase.text, room - 2);
    shown.push({ ...phrase, text });
    room -= 2 + lengthOf(text);
  }
  return shown;
}
