import { WherefromError } from '../../base/errors.ts';
import { isObject } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import { numericTimeMin, readTime } from '../../contract/moment.ts';

/**
 * A prediction as it was sent. Only members that this server reads are named here; all others are
 * kept as they are. Checked by hand: a schema library would take longer than everything else.
 */
export interface PredictionMessage {
  readonly id?: string | null;
  readonly time?: string | number | null;
  readonly modelVersion?: NamedVersion | null;
  readonly model?: string | null;
  readonly version?: string | number | null;
  readonly alias?: string | null;
  readonly deployment?: string | null;
  readonly subject?: string | null;
  readonly decision?: unknown;
  readonly [member: string]: unknown;
}

/** A model version: `credit-risk@3`, `credit-risk@champion`, a whole ref, or its parts. */
export type NamedVersion =
  | string
  | {
      readonly model: string;
      readonly version?: string | number | undefined;
      readonly alias?: string | undefined;
    };

const isText = (value: unknown): boolean => typeof value === 'string';
const isId = (value: unknown): boolean =>
  typeof value === 'string' && value !== '' && value.length <= limits.idCharactersMax;
const isName = (value: unknown): boolean =>
  typeof value === 'string' && value !== '' && value.length <= limits.refCharactersMax;
const isNumberOrText = (value: unknown): boolean =>
  typeof value === 'number' || typeof value === 'string';

function isNamedVersion(value: unknown): boolean {
  if (isName(value)) return true;
  if (!isObject(value) || !isName(value.model)) return false;
  return isNumberOrText(value.version) || isName(value.alias);
}

/** Members that must be of a form when they are there; null counts as absent. */
const members: readonly (readonly [name: string, is: (value: unknown) => boolean, form: string])[] =
  [
    ['id', isId, `a text of 1 to ${limits.idCharactersMax} characters`],
    ['time', isNumberOrText, 'an RFC 3339 time, a date, or milliseconds since 1970'],
    [
      'modelVersion',
      isNamedVersion,
      'a text such as credit-risk@3, or {model, version} or {model, alias}',
    ],
    ['model', isName, 'the name of a registered model'],
    ['version', isNumberOrText, 'a version number'],
    ['alias', isName, 'an alias of a registered model'],
    ['deployment', isName, 'the name or ref of a deployment'],
    ['features', isObject, 'an object of names and values'],
    ['steps', isSteps, 'a list of objects, each with a name'],
    ['reasonCodes', Array.isArray, 'a list'],
    ['inputDigest', (value) => isText(value) || isObject(value), 'a text, or {algorithm, value}'],
    ['subject', isText, 'a text'],
    ['entityKeys', isObject, 'an object of names and values'],
    ['requestId', isText, 'a text'],
    ['featureViews', Array.isArray, 'a list'],
    ['latencyMs', (value) => typeof value === 'number' && value >= 0, 'a number of milliseconds'],
    [
      'parents',
      (value) => Array.isArray(value) && value.every(isId),
      'a list of ids of predictions',
    ],
  ];

function isSteps(value: unknown): boolean {
  return Array.isArray(value) && value.every((step) => isObject(step) && isText(step.name));
}

/** An error about one record of a request. */
export function invalidRecord(
  what: string,
  index: number,
  problem: string,
  hint?: string,
): WherefromError {
  const message = `${what} ${index} (counting from 0) cannot be recorded: ${problem}`;
  return new WherefromError('invalid_message', message, {
    detail: { index },
    ...(hint === undefined ? {} : { hint }),
  });
}

const depthMax = 32;

/**
 * Walks a value that JSON.parse made, and refuses what has no canonical form: numbers beyond the
 * range of a double, halves of surrogate pairs; and nesting that recursion could not survive.
 * @returns an upper bound of its bytes as canonical JSON, or what is wrong with it.
 * Source: RFC 8785 section 3.2.2, RFC 7493 section 2.
 */
export function measure(value: unknown, depth = 0): number | string {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? 25 : 'a number is beyond the range of a double.';
    case 'string':
      if (!value.isWellFormed()) return 'a text holds half of a surrogate pair.';
      return value.length * 6 + 2;
    case 'object':
      return value === null ? 4 : measureMembers(value, depth);
    default:
      return 5;
  }
}

function measureMembers(value: object, depth: number): number | string {
  if (depth >= depthMax) return `it is nested deeper than ${depthMax} levels.`;
  let bytes = 2;
  for (const key of Object.keys(value)) {
    if (!key.isWellFormed()) return 'a name holds half of a surrogate pair.';
    // `value` came from JSON.parse: an object or a list, whose own members are all there is.
    const inner = measure((value as Record<string, unknown>)[key], depth + 1);
    if (typeof inner === 'string') return inner;
    bytes += inner + key.length * 6 + 4;
  }
  return bytes;
}

/** Reads a time of a record, ms since 1970; undefined when it has none. @throws invalid_message. */
export function timeOf(
  value: string | number | null | undefined,
  what = 'time',
): number | undefined {
  if (value === undefined || value === null) return undefined;
  const time = typeof value === 'string' ? readTime(value, what) : value;
  if ((typeof value === 'number' || /^\d+$/.test(value)) && time < numericTimeMin)
    throw new WherefromError('invalid_message', `${what} is ${value}, a number before 2000.`, {
      hint: 'Numbers are milliseconds since 1970, not seconds. Write an earlier time as 1999-12-31T00:00:00Z.',
    });
  if (Number.isInteger(time) && Math.abs(time) <= 8.64e15) return time;
  throw new WherefromError('invalid_message', `${what} is ${value}, which is not a time.`, {
    hint: 'Write it as 2026-07-31T09:30:00Z, or in whole milliseconds since 1970.',
  });
}

/**
 * Checks one prediction. @throws invalid_message, naming its index and what is wrong.
 */
export function checkPrediction(value: unknown, index: number): PredictionMessage {
  const refuse = (problem: string, hint?: string): WherefromError =>
    invalidRecord('Prediction', index, problem, hint);
  if (!isObject(value)) throw refuse('it is not an object.');
  for (const [name, is, form] of members) {
    const member = value[name];
    if (member !== undefined && member !== null && !is(member)) {
      throw refuse(`"${name}" must be ${form}.`);
    }
  }
  const bytes = measure(value);
  if (typeof bytes === 'string') throw refuse(bytes);
  if (bytes > limits.predictionBytesMax) {
    const exact = Buffer.byteLength(JSON.stringify(value));
    if (exact > limits.predictionBytesMax) {
      throw refuse(`it has ${exact} bytes; the limit is ${limits.predictionBytesMax}.`);
    }
  }
  if (!value.modelVersion && !value.model && !value.deployment && !value.alias) {
    throw refuse(
      'it names neither a model version nor a deployment.',
      'Add "modelVersion": "name@3" (or "name@alias"), or "deployment": "name".',
    );
  }
  // The table above has checked the members that the type names.
  const message = value as PredictionMessage;
  if (typeof message.time === 'string' || typeof message.time === 'number') {
    try {
      timeOf(message.time);
    } catch (thrown) {
      throw refuse(thrown instanceof Error ? thrown.message : 'its time cannot be read.');
    }
  }
  return message;
}
