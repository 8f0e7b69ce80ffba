import type { Completeness } from '../contract/completeness.ts';
import type { RenderOptions } from './render-tree.ts';
import { clean, createStyle, shorten } from './style.ts';

/** A completeness answer as lines: the score, then each link, the missing ones with how to record them. */
export function renderCompleteness(
  answer: Completeness,
  { color, width }: RenderOptions,
): string[] {
  const style = createStyle(color);
  const percent = `${Math.floor(answer.score * 100)} %`;
  const lines = [`${style.bold(percent)} complete: ${clean(answer.ref)}`];
  for (const { found, what, ref, known, hint } of answer.checks) {
    const mark = found ? '✓' : style.red('✗');
    const how = known === undefined ? '' : ` · ${style.known(known, known)}`;
    const room = width === undefined ? Number.POSITIVE_INFINITY : width - what.length - 20;
    lines.push(`  ${mark} ${clean(what)}${how}  ${style.dim(shorten(clean(ref), room))}`);
    if (!found && hint !== undefined) lines.push(style.dim(`      ${clean(hint)}`));
  }
  return lines;
}
