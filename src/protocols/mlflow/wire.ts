import { isObject } from '../../base/json.ts';
import { invalidParameter } from './errors.ts';

/**
 * Reads MLflow's proto-JSON by tables of fields, with MLflow's checks and texts. It runs for every
 * request, so a descriptor is a flat list and there is no schema library in its way.
 * Source: mlflow/server/handlers.py (_validate_param_against_schema), google.protobuf.json_format.
 */

/** Doubles as bodies keep them: NaN has no JSON number, infinities are stored as the largest doubles. */
export type Double = number | 'NaN';

/** The double that MLflow stores for Infinity. */
const largestDouble = Number.MAX_VALUE;

interface Enumeration {
  readonly names: readonly string[];
  /** Number of the first name in the protobuf. */
  readonly first: number;
}

/** One field of a message. `T` is the type that a read body has there. */
export interface Field<T> {
  readonly type: 'string' | 'int64' | 'int32' | 'double' | 'bool' | 'enum' | 'message' | 'json';
  readonly required: boolean;
  readonly repeated: boolean;
  /** What stands for an absent value: the default of the protobuf. */
  readonly fallback?: string | undefined;
  /** An older name of the field that clients may still send. */
  readonly alias?: string | undefined;
  readonly enumeration?: Enumeration | undefined;
  readonly message?: Message<Fields> | undefined;
  /** Never set: carries the type. */
  readonly is?: T;
}

export type Fields = Readonly<Record<string, Field<unknown>>>;

/** A message descriptor. `fields` is kept as a list too, for the reader's loop. */
export interface Message<F extends Fields> {
  readonly fields: F;
  readonly list: readonly (readonly [name: string, field: Field<unknown>])[];
}

type TypeOf<F> = F extends { readonly repeated: true }
  ? F extends Field<infer T>
    ? readonly T[]
    : never
  : F extends Field<infer T>
    ? T
    : never;

/** The body that `readMessage` returns for a descriptor: absent fields are not there at all. */
export type BodyOf<M> =
  M extends Message<infer F>
    ? {
        readonly [K in keyof F as F[K] extends { readonly required: true } ? K : never]: TypeOf<
          F[K]
        >;
      } & {
        readonly [K in keyof F as F[K] extends { readonly required: true } ? never : K]?: TypeOf<
          F[K]
        >;
      }
    : never;

type Plain<T> = Field<T> & { readonly required: false; readonly repeated: false };
const plain = { required: false, repeated: false } as const;

export const string: Plain<string> = { type: 'string', ...plain };
/** Milliseconds and counts. Beyond 2^53 a JSON number is no longer exact: refused. */
export const int64: Plain<number> = { type: 'int64', ...plain };
export const int32: Plain<number> = { type: 'int32', ...plain };
export const double: Plain<Double> = { type: 'double', ...plain };
export const bool: Plain<boolean> = { type: 'bool', ...plain };
/** A message that its operation reads by itself: maps, times and values of any type. */
export const json: Plain<unknown> = { type: 'json', ...plain };

/** An enum by its names; numbers count from `first`. */
export function oneOf<const N extends readonly string[]>(
  names: N,
  first: number,
): Plain<N[number]> {
  return { type: 'enum', enumeration: { names, first }, ...plain };
}

/** A nested message. */
export function nested<F extends Fields>(message: Message<F>): Plain<BodyOf<Message<F>>> {
  return { type: 'message', message, ...plain };
}

export function repeated<T>(field: Plain<T>): Field<T> & { required: false; repeated: true } {
  return { ...field, repeated: true };
}

/** The same field, which must be there and not be empty text. */
export function required<F extends Field<unknown>>(
  field: F,
): Omit<F, 'required'> & { required: true } {
  return { ...field, required: true };
}

/** A text that is '' when it is absent, as MLflow reads the fields of messages in lists. */
export const text: Field<string> & { readonly required: true; readonly repeated: false } = {
  ...string,
  required: true,
  fallback: '',
};

/** The same field, also found under an older name. */
export function alias<F extends Field<unknown>>(field: F, name: string): F {
  return { ...field, alias: name };
}

/** Describes a message: names of fields as in the protobuf, in the order in which they are checked. */
export function message<F extends Fields>(fields: F): Message<F> {
  return { fields, list: Object.entries(fields) };
}

/** Stands for the path of a parameter while nobody needs it. */
const unnamed = '?';

/** `Missing value for required parameter 'X'. …`, 400. */
export function missingValue(path: string): Error {
  return invalidParameter(
    `Missing value for required parameter '${path}'. See the API docs for more information about request parameters.`,
  );
}

/** JSON as Python writes it: sorted keys, and ASCII only. */
function asPython(value: unknown): string {
  const text = JSON.stringify(value, (_key, item: unknown) =>
    isObject(item) ? Object.fromEntries(Object.entries(item).sort()) : item,
  );
  return (text ?? 'null').replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** `Invalid value V for parameter 'X' supplied: …`, 400. */
export function invalidValue(path: string, value: unknown, reason?: string): Error {
  const shown = asPython(value).slice(0, 500);
  return invalidParameter(
    `Invalid value ${shown} for parameter '${path}' supplied${reason === undefined ? '.' : `: ${reason}`}`,
  );
}

/** What Python calls the type of a JSON value. */
export function pythonType(value: unknown): string {
  if (value === null) return 'NoneType';
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  return 'dict';
}

function wrongType(path: string, value: unknown): Error {
  const hint = ` Hint: Value was of type '${pythonType(value)}'. See the API docs for more information about request parameters.`;
  return invalidValue(path, value, hint);
}

const int32Limit = 2 ** 31;
const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

function readInteger(value: unknown, path: string, field: Field<unknown>): number {
  // Whole numbers in text, also written as 1e3.
  const number = typeof value === 'string' && decimal.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number)) throw wrongType(path, value);
  if (field.type === 'int32' && (number < -int32Limit || number >= int32Limit)) {
    throw wrongType(path, value);
  }
  const limit = Number.MAX_SAFE_INTEGER;
  if (Math.abs(number) > limit) {
    throw invalidValue(path, value, `It must be an integer between -${limit} and ${limit}.`);
  }
  return number;
}

function readDouble(value: unknown, path: string): Double {
  if (typeof value === 'number') return clampDouble(value);
  if (value === 'NaN') return 'NaN';
  if (typeof value !== 'string' || value.trim() === '') throw wrongType(path, value);
  const number = Number(value);
  if (Number.isNaN(number) || /^[+-]?0[xbo]/i.test(value)) throw wrongType(path, value);
  return clampDouble(number);
}

/** JSON.parse reads 1e999 as Infinity; MLflow stores infinities as the largest doubles. */
function clampDouble(value: number): number {
  if (value === Number.POSITIVE_INFINITY) return largestDouble;
  if (value === Number.NEGATIVE_INFINITY) return -largestDouble;
  return value;
}

function readEnum(value: unknown, path: string, enumeration: Enumeration): string {
  const { names, first } = enumeration;
  if (typeof value === 'string' && names.includes(value)) return value;
  const index = typeof value === 'number' ? value - first : Number.NaN;
  const digits = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) - first : index;
  const name = names[digits];
  if (name === undefined) throw wrongType(path, value);
  return name;
}

function readBool(value: unknown, path: string, text: boolean): boolean {
  if (typeof value === 'boolean') return value;
  if (text && typeof value === 'string') {
    const lower = value.toLowerCase();
    if (lower === 'true' || lower === 'false') return lower === 'true';
    throw invalidParameter(`Invalid boolean value: ${value}, must be 'true' or 'false'.`);
  }
  throw wrongType(path, value);
}

function readValue(value: unknown, field: Field<unknown>, path: string, text: boolean): unknown {
  switch (field.type) {
    case 'string':
      if (typeof value === 'string') return value;
      throw wrongType(path, value);
    case 'int64':
    case 'int32':
      return readInteger(value, path, field);
    case 'double':
      return readDouble(value, path);
    case 'bool':
      return readBool(value, path, text);
    case 'enum':
      return readEnum(value, path, field.enumeration ?? { names: [], first: 0 });
    case 'json':
      return value;
    case 'message':
      if (!isObject(value) || field.message === undefined) throw wrongType(path, value);
      return readFields(field.message, value, path === unnamed ? unnamed : `${path}.`, text);
  }
}

function readRepeated(
  value: unknown,
  field: Field<unknown>,
  path: string,
  text: boolean,
): unknown[] {
  const items = text && !Array.isArray(value) ? [value] : value;
  if (!Array.isArray(items)) throw wrongType(path, value);
  return items.map((item, index) =>
    readValue(item, field, path === unnamed ? unnamed : `${path}[${index}]`, text),
  );
}

function readFields(
  descriptor: Message<Fields>,
  source: Record<string, unknown>,
  prefix: string,
  text: boolean,
): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const [name, field] of descriptor.list) {
    let value = source[name];
    if (field.alias !== undefined && (value === undefined || value === null || value === '')) {
      value = source[field.alias];
    }
    const path = prefix === unnamed ? unnamed : prefix + name;
    value ??= field.fallback;
    if (value === undefined || value === null) {
      if (field.required) throw missingValue(path);
      continue;
    }
    if (field.required && value === '' && field.fallback === undefined) throw missingValue(path);
    body[name] = field.repeated
      ? readRepeated(value, field, path, text)
      : readValue(value, field, path, text);
  }
  return body;
}

/**
 * Reads a JSON body (or what a query string was parsed to, with `text`) by its descriptor. Unknown
 * fields are ignored, null means absent.
 * @throws invalid_message with MLflow's text, naming the parameter.
 */
export function readMessage<F extends Fields>(
  descriptor: Message<F>,
  source: unknown,
  options: { readonly text?: boolean } = {},
): BodyOf<Message<F>> {
  if (source !== undefined && source !== null && !isObject(source)) {
    throw invalidParameter('The request body must be a JSON object.');
  }
  const text = options.text === true;
  let body: Record<string, unknown>;
  try {
    body = readFields(descriptor, source ?? {}, unnamed, text);
  } catch {
    // Again, with the names of parameters for the message: building them took a third of the reading.
    body = readFields(descriptor, source ?? {}, '', text);
  }
  // The loop has put in each field what its descriptor, of which BodyOf is made, allows.
  return body as BodyOf<Message<F>>;
}

/** The JSON value of a double in an answer. */
export function writeDouble(value: number): Double {
  return Number.isNaN(value) ? 'NaN' : value;
}
