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
        ? `[${value.map(canonicalJson).join(',')}]`
        : canonicalObject(value as Record<string, unknown>); // neither null nor a list
    default:
  }
  throw new WherefromError('invalid_message', `A ${typeof value} is not JSON.`);
}

function canonicalObject(value: Record<string, unknown>): string {
  let text = '{';
  // The default order is that of UTF-16 code units, as the RFC asks.
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member === undefined) continue;
    text += `${text.length > 1 ? ',' : ''}${canonicalString(key)}:${canonicalJson(member)}`;
  }
  return `${text}}`;
}

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
