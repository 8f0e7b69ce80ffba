import type { Completeness } from '../contract/completeness.ts';
import type { RenderOptions } from './render-tree.ts';
import { clean, countOf, createStyle, shorten } from './style.ts';

/** Why a score says nothing, in words. */
export const notJudgedWords = {
  nothing: 'there is nothing to judge: no model, training run, deployment or data is behind it',
  stopped: 'the walk was cut off, so that what was not reached cannot be told from what is missing',
} as const;

/** A completeness answer as lines: the score, then each link, the missing ones with how to record them. */
export function renderCompleteness(
  answer: Completeness,
  { color, width }: RenderOptions,
): string[] {
  const style = createStyle(color);
  const percent = `${Math.floor(answer.score * 100)} %`;
  const { notJudged, stopped = [] } = answer;
  const lines =
    notJudged === undefined
      ? [`${style.bold(percent)} complete: ${clean(answer.ref)}`]
      : [`${style.bold('Not judged')}: ${clean(answer.ref)} (${notJudgedWords[notJudged]})`];
  for (const { found, what, ref, known, hint } of answer.checks) {
    const mark = found ? '✓' : style.red('✗');
    const how = known === undefined ? '' : ` · ${style.known(known, known)}`;
    const room = width === undefined ? Number.POSITIVE_INFINITY : width - what.length - 20;
    lines.push(`  ${mark} ${clean(what)}${how}  ${style.dim(shorten(clean(ref), room))}`);
    if (!found && hint !== undefined) lines.push(style.dim(`      ${clean(hint)}`));
  }
  for (const { ref, reason, count } of stopped)
    lines.push(
      style.dim(`  Stopped at ${clean(ref)} (${reason}): ${countOf(count, 'link')} not seen`),
    );
  return lines;
}
