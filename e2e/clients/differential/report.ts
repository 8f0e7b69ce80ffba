/** What is printed of a difference: the request, both answers, and the requests that led there. */
import type { Compared, Json, Step } from './compared.ts';
import { firstDifference } from './pair.ts';

/** Differences shown of one test, and characters of each request or answer. */
const shownMax = 5;
const charactersMax = 1_500;

/** A difference and where in its sequence it came up. */
export interface Found {
  readonly compared: Compared;
  readonly index: number;
}

/** All differences of a test as text; '' without any. */
export function report(steps: readonly Step[], found: readonly Found[]): string {
  if (found.length === 0) return '';
  const shown = found.slice(0, shownMax).map((one) => describe(steps, one));
  return [`${found.length} of ${steps.length} answers differ`, ...shown].join('\n\n');
}

function describe(steps: readonly Step[], { compared, index }: Found): string {
  const { step, theirs, ours } = compared;
  return [
    `request ${index}: ${line(step)}`,
    `  MLflow:    ${theirs.status} ${cut(theirs.body)}`,
    `  Wherefrom: ${ours.status} ${cut(ours.body)}`,
    `  first difference at: ${firstDifference(theirs.body, ours.body) || 'the status'}`,
    '  shortest prefix:',
    ...prefix(steps.slice(0, index), step).map((each) => `    ${line(each)}`),
  ].join('\n');
}

const cut = (value: unknown): string => (JSON.stringify(value) ?? '').slice(0, charactersMax);
const line = ({ method, path, body, text }: Step): string =>
  `${method} ${path} ${text ?? cut(body)}`;

/** What a request names that others may have made: symbols, and names of registered models. */
function namesOf(step: Step): string[] {
  const text = decodeURIComponent(step.path) + JSON.stringify(step.body ?? {});
  const named = (step.body as { readonly [name: string]: Json } | undefined) ?? {};
  const registered = [named.name, named.new_name].filter((name) => typeof name === 'string');
  return [
    ...(text.match(/‹[^›]*›/g) ?? []),
    ...registered,
    ...(step.keep === undefined ? [] : [step.keep.symbol]),
  ];
}

/** The requests before that touch what the differing one names, or what those touch. */
function prefix(before: readonly Step[], step: Step): Step[] {
  const names = new Set(namesOf(step));
  const touching: Step[] = [];
  for (const each of before.toReversed()) {
    const own = namesOf(each);
    const reads = each.method === 'GET' || each.path.endsWith('/search');
    if (reads || !own.some((name) => names.has(name))) continue;
    for (const name of own) names.add(name);
    touching.unshift(each);
  }
  return touching;
}
