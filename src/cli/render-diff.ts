import type { Json } from '../base/json.ts';
import type { Diff, DiffChange } from '../contract/diff.ts';
import { diffAreas } from '../contract/diff.ts';
import type { RenderOptions } from './render-tree.ts';
import { clean, createStyle, formatCount, type Style, shorten } from './style.ts';

const valueWidthMax = 60;

/** A diff as lines: both sides, then the changes by area, what most likely explains it first. */
export function renderDiff(diff: Diff, { color }: RenderOptions): string[] {
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
    for (const change of changes) lines.push(...renderChange(change, style));
  }
  if (diff.changes.length === 0) lines.push('', 'Nothing that is recorded differs.');
  const equal = diffAreas.filter(
    (area) => (diff.same[area] ?? 0) > 0 && !diff.changes.some((change) => change.area === area),
  );
  if (equal.length > 0) lines.push('', style.dim(`The same in both: ${equal.join(', ')}.`));
  for (const what of diff.unknown) lines.push(style.dim(`Not compared: ${clean(what)}`));
  return lines;
}

function renderChange(change: DiffChange, style: Style): string[] {
  const { name, a, b, aRef, bRef, note } = change;
  const marks = { added: '+', removed: '-', changed: '~' } as const;
  const before = shown(a, aRef);
  const after = shown(b, bRef);
  const values = {
    added: after,
    removed: before,
    changed: `${before} → ${after}`,
  }[change.change];
  const line = `  ${marks[change.change]} ${clean(name)}${values === '' ? '' : `: ${values}`}`;
  return note === undefined ? [line] : [line, style.dim(`      ${clean(note)}`)];
}

function shown(value: Json | undefined, ref: string | undefined): string {
  if (value === undefined) return clean(ref ?? '');
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return clean(shorten(text, valueWidthMax));
}
