import { createContext, Script } from 'node:vm';
import { WherefromError } from '../../base/errors.ts';
import { isObject } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';

// A pattern of a caller can be made to run for ages: only here can it be interrupted.
const filter = new Script('values.map((value) => pattern.test(value))');

/**
 * Which of the values a caller's regular expression finds something in.
 * @throws invalid_message when it is none, or takes longer than its time.
 */
export function matchAll(pattern: string, values: readonly string[]): boolean[] {
  if (pattern.length > limits.patternCharactersMax) {
    throw new WherefromError(
      'invalid_message',
      `A pattern can have at most ${limits.patternCharactersMax} characters.`,
    );
  }
  try {
    const context = createContext({ pattern: new RegExp(inOurSyntax(pattern)), values });
    // The script returns one truth value for each of the values.
    return filter.runInContext(context, { timeout: limits.patternTimeoutMs }) as boolean[];
  } catch (cause) {
    // It was thrown in a context of its own, whose Error is another class.
    const slow = isObject(cause) && cause.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
    throw new WherefromError(
      'invalid_message',
      slow
        ? `The pattern '${pattern}' takes longer than ${limits.patternTimeoutMs} ms here.`
        : `The pattern '${pattern}' is not a regular expression.`,
      { hint: 'Use LIKE, or a simpler pattern.', cause },
    );
  }
}

/** Flags at the beginning hold for all of a pattern of Python's; here they enclose what they hold for. */
function inOurSyntax(pattern: string): string {
  return pattern.replace(/^\(\?([ims]+)\)(.*)$/s, '(?$1:$2)');
}

/**
 * Whether a text is like a pattern of SQL: `%` any characters, `_` one. Case counts.
 * In time proportional to both lengths at worst.
 */
export function isLike(text: string, pattern: string): boolean {
  let at = 0;
  let next = 0;
  let star = -1;
  let retry = 0;
  while (at < text.length) {
    if (pattern[next] === '%') {
      star = next;
      retry = at;
      next += 1;
    } else if (next < pattern.length && (pattern[next] === '_' || pattern[next] === text[at])) {
      at += 1;
      next += 1;
    } else if (star >= 0) {
      retry += 1;
      at = retry;
      next = star + 1;
    } else return false;
  }
  while (pattern[next] === '%') next += 1;
  return next === pattern.length;
}
