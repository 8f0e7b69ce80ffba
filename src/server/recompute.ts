import type { z } from 'zod';
import { toWherefromError } from '../base/errors.ts';
import { canonicalJson, isObject, list, text } from '../base/json.ts';
import { askedSchema, type WalkInput } from '../contract/answer.ts';
import type { OpenedDirectory } from './offline.ts';

/** Opens the data directory so that questions are answered as if asked at the time, ms since 1970. */
export type OpenAt = (askedTime: number | undefined) => Promise<OpenedDirectory>;

/** What became of an answer that was asked for again at its own moment. */
export interface Recomputed {
  /** For people: `trace of dataset:…`. */
  readonly what: string;
  /** `unknown`: it does not hold what it was asked with. */
  readonly outcome: 'same' | 'different' | 'unknown';
  readonly differences: readonly string[];
}

/** Differences named of one answer: one is enough to refuse it. */
const differencesMax = 10;

/** Asks again what the answer was asked with, at its own moment, and compares every part of it. */
export async function recompute(
  answer: Readonly<Record<string, unknown>>,
  open: OpenAt,
): Promise<Recomputed> {
  const question = questionOf(answer);
  const ref = text(answer.ref) ?? '';
  if (question === undefined)
    return {
      what: ref === '' ? 'answer' : `answer about ${ref}`,
      outcome: 'unknown',
      differences: [],
    };
  const what = `${question.name} of ${ref}`;
  const { time, reach = 'all' } = question.asked;
  const opened = await open(time === undefined ? undefined : Date.parse(time));
  try {
    const { answers, reveal } = opened.services;
    const again = await answers[question.name](
      { ...question.input, ref },
      { workspace: 'default', reach },
    );
    const told: unknown = JSON.parse(reveal(JSON.stringify(again)));
    const differences = compare(answer, isObject(told) ? told : {});
    return { what, outcome: differences.length === 0 ? 'same' : 'different', differences };
  } catch (thrown) {
    return { what, outcome: 'different', differences: [toWherefromError(thrown).message] };
  } finally {
    await opened.close();
  }
}

/** Answers of earlier versions do not hold it. */
const askedPart = askedSchema.partial();

interface Question {
  readonly name: 'trace' | 'impact' | 'completeness' | 'statements';
  readonly input: Omit<WalkInput, 'ref'>;
  readonly asked: z.infer<typeof askedPart>;
}

/** What it was asked with, of its shape and of `asked`; a diff does not hold its moment. */
function questionOf(answer: Readonly<Record<string, unknown>>): Question | undefined {
  const name = nameOf(answer);
  const { asOf, at } = answer;
  const position = isObject(asOf) ? asOf.position : undefined;
  if (name === undefined || typeof position !== 'number') return undefined;
  const asked = askedPart.safeParse(answer.asked ?? {}).data;
  const time = typeof at === 'string' ? Date.parse(at) : undefined;
  if (asked === undefined || Number.isNaN(time)) return undefined;
  const { depth, nodes, columns, kinds } = asked;
  return { name, asked, input: { depth, nodes, columns, kinds, asOf: { position }, at: time } };
}

function nameOf(answer: Readonly<Record<string, unknown>>): Question['name'] | undefined {
  if (answer.direction === 'upstream') return 'trace';
  if (answer.direction === 'downstream') return 'impact';
  if (Array.isArray(answer.checks)) return 'completeness';
  return Array.isArray(answer.statements) ? 'statements' : undefined;
}

/** Of the checkpoint the caller judges; `asked` is the question, not the answer. */
const notCompared: ReadonlySet<string> = new Set(['checkpoint', 'asked']);

/** Where the answer is not what the record tells, in words. The order of lists does not count. */
function compare(
  answer: Readonly<Record<string, unknown>>,
  told: Readonly<Record<string, unknown>>,
): string[] {
  const members = new Set([...Object.keys(answer), ...Object.keys(told)]);
  const differences: string[] = [];
  for (const member of members) {
    if (notCompared.has(member)) continue;
    if (Array.isArray(answer[member]) && Array.isArray(told[member]))
      differences.push(...compareLists(member, list(answer[member]), list(told[member])));
    else if (textOf(answer[member]) !== textOf(told[member]))
      differences.push(
        `${member}: it says ${textOf(answer[member])}, the record ${textOf(told[member])}`,
      );
  }
  const more = differences.length - differencesMax;
  return more > 0
    ? [...differences.slice(0, differencesMax), `and ${more} more differences`]
    : differences;
}

function compareLists(
  member: string,
  said: readonly unknown[],
  told: readonly unknown[],
): string[] {
  const mine = new Set(said.map(itemText));
  const record = new Set(told.map(itemText));
  const beyond = [...mine].filter((item) => !record.has(item));
  const missing = [...record].filter((item) => !mine.has(item));
  const count =
    said.length === told.length ? [] : [`${member}: ${said.length} instead of ${told.length}`];
  return [
    ...beyond.map((item) => `${member}: the record does not say ${item}`),
    ...missing.map((item) => `${member}: it lacks ${item}`),
    ...(beyond.length + missing.length === 0 ? count : []),
  ];
}

/** Of the entries that a link stands on only the first stays the same: the last one moves on. */
function itemText(item: unknown): string {
  if (!isObject(item) || !Array.isArray(item.positions)) return textOf(item);
  return textOf({ ...item, positions: item.positions.slice(0, 1) });
}

const textOf = (value: unknown): string =>
  value === undefined ? 'nothing' : canonicalJson(value as Parameters<typeof canonicalJson>[0]); // read from JSON
