import { WherefromError } from './errors.ts';

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/**
 * The canonical text of a JSON value: sorted keys, no white space, shortest numbers. Numbers and
 * strings are those of JSON.stringify, which is what the RFC asks for; members that are undefined
 * are left out, as JSON.stringify does.
 * @throws invalid_message when the value is not JSON (a function, NaN, a lone surrogate).
 * Source: RFC 8785 section 3.2.
 */
export function canonicalJson(value: unknown): string {
  // The engine writes a value whose keys are in order in half the time that it takes key by key.
  const ordered = inOrder(value);
  if (ordered !== unfit) {
    const text = JSON.stringify(ordered);
    // Half a character is written as an escape; a whole one never is.
    if (!text.includes('\\ud')) return text;
  }
  return writeCanonical(value);
}

/** Stands for a value that an object of the engine cannot hold in the order of the RFC. */
const unfit = Symbol('unfit');

/** The value with the keys of its objects in order: itself where they are. @throws invalid_message. */
function inOrder(value: unknown): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value !== 'object') throw notJson(value);
  return Array.isArray(value)
    ? listInOrder(value)
    : objectInOrder(value as Record<string, unknown>); // neither null nor a list
}

function listInOrder(list: readonly unknown[]): unknown {
  let copy: unknown[] | undefined;
  for (let i = 0; i < list.length; i += 1) {
    const ordered = inOrder(list[i]);
    if (ordered === unfit) return unfit;
    if (ordered !== list[i]) copy ??= list.slice(0, i);
    copy?.push(ordered);
  }
  return copy ?? list;
}

function objectInOrder(value: Record<string, unknown>): unknown {
  const keys = Object.keys(value);
  let same = true;
  for (let i = 0; i < keys.length; i += 1) {
    const key = keys[i] as string; // in range
    // Numbers come first in an object whatever their order as text; __proto__ is no key to set.
    if (isDigit(key.charCodeAt(0)) || key === '__proto__' || key === 'toJSON') return unfit;
    if (i > 0 && key < (keys[i - 1] as string)) same = false;
  }
  // The default order is that of UTF-16 code units, as the RFC asks.
  if (!same) keys.sort();
  const copy: Record<string, unknown> = {};
  for (const key of keys) {
    const member = value[key];
    if (member === undefined) continue;
    const ordered = inOrder(member);
    if (ordered === unfit) return unfit;
    if (ordered !== member) same = false;
    copy[key] = ordered;
  }
  return same ? value : copy;
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/** The canonical text, written key by key. */
function writeCanonical(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return canonicalString(value);
    case 'number':
      if (Number.isFinite(value)) return JSON.stringify(value);
      break;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value)
        ? `[${value.map(writeCanonical).join(',')}]`
        : writeObject(value as Record<string, unknown>); // neither null nor a list
    default:
  }
  throw notJson(value);
}

function writeObject(value: Record<string, unknown>): string {
  let text = '{';
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member === undefined) continue;
    text += `${text.length > 1 ? ',' : ''}${canonicalString(key)}:${writeCanonical(member)}`;
  }
  return `${text}}`;
}

const notJson = (value: unknown): WherefromError =>
  new WherefromError('invalid_message', `A ${typeof value} is not JSON.`);

function canonicalString(text: string): string {
  if (text.isWellFormed()) return JSON.stringify(text);
  throw new WherefromError(
    'invalid_message',
    'The text holds half a character (a lone surrogate).',
  );
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value when it is a non-empty string. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The value when it is a list, otherwise an empty one. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The strings of a list, none of anything else. */
export function texts(value: unknown): string[] {
  return list(value).filter((item): item is string => typeof item === 'string');
}

/** The object without the members that are undefined, as JSON would have it. */
export function withoutUndefined<T extends object>(
  members: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // What is left has the types of the members that are there.
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
