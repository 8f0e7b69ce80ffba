import { isObject } from '../base/json.ts';
import type { TraceSpan } from '../facts/trace-facts.ts';

/** Counts of tokens that a trace sums up. Source: mlflow/tracing/constant.py (TokenUsageKey). */
export const tokenKeys = [
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
  'cache_creation_input_tokens_above_1hr',
] as const;
/** These are in a sum also when no span told them. */
const tokenKeysAlways = tokenKeys.slice(0, 3);
/** Source: mlflow/tracing/constant.py (CostKey). */
export const costKeys = ['input_cost', 'output_cost', 'total_cost'] as const;

type Numbers = Readonly<Record<string, number>>;

function readNumbers(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The known keys of a JSON object that are numbers, in their order; undefined when there is none. */
function known(
  value: Record<string, unknown> | undefined,
  keys: readonly string[],
  allowed: (number: number) => boolean,
): Numbers | undefined {
  const found: Record<string, number> = {};
  for (const key of keys) {
    const raw = value?.[key];
    const number = typeof raw === 'string' && raw.trim() !== '' ? Number(raw) : raw;
    if (typeof number === 'number' && allowed(number)) found[key] = number;
  }
  return Object.keys(found).length === 0 ? undefined : found;
}

/**
 * JSON as Python writes it: a blank after each colon and comma. With `odd` `bare`, NaN and infinities
 * stand as `NaN`, `Infinity` and `-Infinity`, which Python reads but JSON does not have.
 */
export function pythonJson(value: unknown, odd: 'null' | 'bare' = 'null'): string {
  if (Array.isArray(value)) return `[${value.map((each) => pythonJson(each, odd)).join(', ')}]`;
  if (isObject(value)) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}: ${pythonJson(member, odd)}`).join(', ')}}`;
  }
  if (odd === 'bare' && typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return JSON.stringify(value) ?? 'null';
}

/** The counts of tokens in JSON text, as MLflow keeps them; undefined when it holds none. */
export function normalizeUsage(text: string | undefined): string | undefined {
  const usage = known(readNumbers(text), tokenKeys, Number.isSafeInteger);
  return usage && pythonJson(usage);
}

/** The costs in JSON text, as MLflow keeps them; undefined when it holds none. */
export function normalizeCost(text: string | undefined): string | undefined {
  const cost = known(readNumbers(text), costKeys, Number.isFinite);
  return cost && pythonJson(cost);
}

/** New numbers over those that were there before: a key that is not told again stays. */
export function mergeNumbers(before: string | null, after: string): string {
  return pythonJson({ ...readNumbers(before ?? undefined), ...readNumbers(after) });
}

type Node = Pick<TraceSpan, 'id' | 'parent'>;

/**
 * Adds up over a tree of spans, without counting twice: what lies below a span that has numbers is in
 * them already.
 * Source: mlflow/tracing/utils/__init__.py (_aggregate_from_nodes).
 */
function sumOf(
  spans: readonly Node[],
  numbersOf: (index: number) => Numbers | undefined,
): Record<string, number> | undefined {
  const indexes = new Map(spans.map((span, index) => [span.id, index]));
  const covered = (index: number): boolean => {
    const seen = new Set<number>([index]);
    let parent = indexes.get(spans[index]?.parent ?? '');
    while (parent !== undefined && !seen.has(parent)) {
      if (numbersOf(parent) !== undefined) return true;
      seen.add(parent);
      parent = indexes.get(spans[parent]?.parent ?? '');
    }
    return false;
  };
  let total: Record<string, number> | undefined;
  for (const index of spans.keys()) {
    const numbers = numbersOf(index);
    if (numbers === undefined || covered(index)) continue;
    total ??= {};
    for (const [key, value] of Object.entries(numbers)) total[key] = (total[key] ?? 0) + value;
  }
  return total;
}

/** Tokens of a whole trace, as JSON text; undefined when no span tells any. */
export function sumUsage(spans: readonly TraceSpan[]): string | undefined {
  const numbers = spans.map(({ usage }) => known(readNumbers(usage), tokenKeys, Number.isFinite));
  const total = sumOf(spans, (index) => numbers[index]);
  if (total === undefined) return undefined;
  const always = Object.fromEntries(tokenKeysAlways.map((key) => [key, 0]));
  return normalizeUsage(JSON.stringify({ ...always, ...total }));
}

/** Cost of a whole trace, as JSON text; undefined when no span tells any. */
export function sumCost(spans: readonly TraceSpan[]): string | undefined {
  const numbers = spans.map(({ cost }) => known(readNumbers(cost), costKeys, Number.isFinite));
  const total = sumOf(spans, (index) => numbers[index]);
  if (total === undefined) return undefined;
  const always = Object.fromEntries(costKeys.map((key) => [key, 0]));
  return normalizeCost(JSON.stringify({ ...always, ...total }));
}
