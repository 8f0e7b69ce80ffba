import type { Known } from '../facts/relations.ts';

/** How text for people is written: colours only where a terminal shows them. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  known(known: Known, text: string): string;
}

const wrap = (open: number, close: number) => (text: string) =>
  `\u001B[${open}m${text}\u001B[${close}m`;
const plain = (text: string): string => text;
const codes: Readonly<Record<Known, number>> = {
  observed: 32,
  declared: 36,
  parsed: 34,
  inferred: 33,
};

/** ANSI colours, or none. */
export function createStyle(color: boolean): Style {
  if (!color) return { bold: plain, dim: plain, red: plain, known: (_known, text) => text };
  return {
    bold: wrap(1, 22),
    dim: wrap(2, 22),
    red: wrap(31, 39),
    known: (known, text) => wrap(codes[known], 39)(text),
  };
}

// Names come from clients: a control character in one must not steer the reader's terminal.
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
const controls = /[\u0000-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g;

/** Text of others, safe to print. */
export function clean(text: string): string {
  return text.replace(controls, '\uFFFD');
}

/** Shortens in the middle, where refs and paths say least. At least 8 characters stay. */
export function shorten(text: string, width: number): string {
  const characters = [...text];
  const room = Math.max(width, 8);
  if (characters.length <= room) return text;
  const head = Math.ceil((room - 1) / 2);
  const tail = room - 1 - head;
  return `${characters.slice(0, head).join('')}…${characters.slice(-tail).join('')}`;
}

/** Shortens at the beginning, where paths say least. At least 8 characters stay. */
export function shortenStart(text: string, width: number): string {
  const characters = [...text];
  const room = Math.max(width, 8);
  return characters.length <= room ? text : `…${characters.slice(1 - room).join('')}`;
}

const digests = /[0-9a-f]{32,}/g;
const digestWidth = 8;

/** Digests and ids by their beginning: nobody reads the rest, and `--json` has it. */
export function shortenDigests(text: string): string {
  return text.replace(digests, (digest) => `${digest.slice(0, digestWidth)}…`);
}

/** Shortens at the end, where lists say least. */
export function cut(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width
    ? text
    : `${characters.slice(0, Math.max(width, 8) - 1).join('')}…`;
}

/** Joins with commas after a lead, going on below it where a line would be too long. */
export function joinWithin(
  lead: string,
  pieces: readonly string[],
  width = Number.POSITIVE_INFINITY,
): string[] {
  const indent = '      ';
  const lines: string[] = [];
  let line = lead;
  for (const [index, piece] of pieces.entries()) {
    const text = index === pieces.length - 1 ? piece : `${piece}, `;
    const begins = line === lead || line === indent;
    if (!begins && lengthOf(line) + lengthOf(text.trimEnd()) > width) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += text;
  }
  return [...lines, line];
}

/** Characters as a reader counts them, but for combined ones. */
export function lengthOf(text: string): number {
  return [...text].length;
}

/** 1234567 as 1,234,567. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** A count with its noun: `1 prediction`, `2 model versions`, `3 entries`. */
export function countOf(count: number, noun: string): string {
  const plural = noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`;
  return `${formatCount(count)} ${count === 1 ? noun : plural}`;
}

/** `modelVersion` as `model version`. */
export function kindWords(kind: string): string {
  return kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
