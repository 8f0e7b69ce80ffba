import type { Diff, DiffChange } from '../contract/diff.ts';
import { diffAreas } from '../contract/diff.ts';
import type { RenderOptions } from './render-tree.ts';
import { showChange, showValue } from './render-value.ts';
import { clean, createStyle, formatCount, joinWithin, type Style } from './style.ts';

/** Pieces of one change that are shown; `--json` has all. */
const piecesMax = 24;

/** A diff as lines: both sides, then the changes by area, what most likely explains it first. */
export function renderDiff(diff: Diff, { color, width }: RenderOptions): string[] {
  const style = createStyle(color);
  const lines = [
    `a ${style.bold(clean(diff.a.name))}  ${style.dim(clean(diff.a.ref))}`,
    `b ${style.bold(clean(diff.b.name))}  ${style.dim(clean(diff.b.ref))}`,
  ];
  for (const area of diffAreas) {
    const changes = diff.changes.filter((change) => change.area === area);
    const same = diff.same[area] ?? 0;
    if (changes.length === 0) continue;
    const note = same === 0 ? '' : style.dim(`  (${formatCount(same)} the same)`);
    lines.push('', `${style.bold(area)}${note}`);
    for (const change of changes) lines.push(...renderChange(change, style, width));
  }
  if (diff.changes.length === 0) lines.push('', 'Nothing that is recorded differs.');
  const equal = diffAreas.filter(
    (area) => (diff.same[area] ?? 0) > 0 && !diff.changes.some((change) => change.area === area),
  );
  if (equal.length > 0) lines.push('', style.dim(`The same in both: ${equal.join(', ')}.`));
  for (const what of diff.unknown) lines.push(style.dim(`Not compared: ${clean(what)}`));
  return lines;
}

function renderChange(change: DiffChange, style: Style, width: number | undefined): string[] {
  const { name, note } = change;
  const marks = { added: '+', removed: '-', changed: '~' } as const;
  const pieces = piecesOf(change);
  const hidden = pieces.length - piecesMax;
  const shown = pieces.slice(0, piecesMax);
  if (hidden > 0) shown.push(`… and ${hidden} more`);
  const title = `  ${marks[change.change]} ${clean(name)}`;
  const lines = shown.length === 0 ? [title] : joinWithin(`${title}: `, shown, width);
  return note === undefined ? lines : [...lines, style.dim(`      ${clean(note)}`)];
}

/** What a change says: a value, the refs where there is none, or what differs between two values. */
function piecesOf({ a, b, aRef, bRef }: DiffChange): string[] {
  if (a !== undefined && b !== undefined) return showChange(a, b);
  const sides = [
    { value: a, ref: aRef },
    { value: b, ref: bRef },
  ].flatMap(({ value, ref }) => (value === undefined ? (ref ?? []) : showValue(value)));
  return sides.length === 0 ? [] : [sides.map(clean).join(' → ')];
}
