import type { Json } from '../../base/json.ts';
import {
  contentAttributes,
  contentText,
  pythonJson,
  readSpan,
  type SpanContent,
  type TraceCondition,
} from '../../traces/index.ts';
import { isLike, matchAll } from './traces-regexp.ts';

/** Keys of the traces that have a span which meets all conditions. */
export function tracesOf(
  contents: readonly SpanContent[],
  conditions: readonly TraceCondition[],
): number[] {
  const spans = contents.flatMap(({ owner, span }) => {
    const read = readSpan(span);
    return read === undefined ? [] : [{ owner, span: read }];
  });
  const meets = conditions.map((condition) => {
    const name = condition.key.slice('attributes.'.length);
    const values = spans.map(({ span }) =>
      condition.key === 'content' ? contentText(span) : shown(contentAttributes(span)[name]),
    );
    return holds(condition, values);
  });
  return spans.flatMap(({ owner }, index) => (meets.every((each) => each[index]) ? owner : []));
}

function shown(value: Json | undefined): string | undefined {
  return value === undefined || typeof value === 'string' ? value : pythonJson(value);
}

/** Whether each value meets the condition; one that is not there meets none. */
function holds(
  { operator, value }: TraceCondition,
  values: readonly (string | undefined)[],
): readonly boolean[] {
  if (operator === 'RLIKE') {
    const matches = matchAll(
      String(value),
      values.map((each) => each ?? ''),
    );
    return values.map((each, index) => each !== undefined && matches[index] === true);
  }
  const wanted = String(value);
  const lower = wanted.toLowerCase();
  const among = new Set(Array.isArray(value) ? value : []);
  return values.map((each) => {
    if (each === undefined) return false;
    switch (operator) {
      case '=':
        return each === wanted;
      case '!=':
        return each !== wanted;
      case 'LIKE':
        return isLike(each, wanted);
      case 'ILIKE':
        return isLike(each.toLowerCase(), lower);
      case 'IN':
        return among.has(each);
      case 'NOT IN':
        return !among.has(each);
      default:
        return false;
    }
  });
}
