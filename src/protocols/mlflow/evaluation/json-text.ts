import { numberText, parseExact } from '../../../base/exact-json.ts';
import { isObject } from '../../../base/json.ts';
import type { EvaluationTag } from '../../../facts/evaluation-facts.ts';
import { invalidParameter } from '../errors.ts';

/** Fields of these messages are JSON in text. @throws invalid_message, naming the parameter. */
export function readJsonText(text: string, parameter: string): unknown {
  try {
    return parseExact(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.slice(0, 200) : 'unreadable';
    throw invalidParameter(`Parameter '${parameter}' must be valid JSON: ${reason}`);
  }
}

const escapeBeyondAscii = (json: string): string =>
  json.replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Text as Python's json.dumps writes it, which is what MLflow stores and answers. */
export function pythonJson(value: unknown): string {
  const number = numberText(value);
  if (number !== undefined) return number;
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`;
  if (!isObject(value)) return escapeBeyondAscii(JSON.stringify(value) ?? 'null');
  const members = Object.entries(value).map(
    ([key, item]) => `${escapeBeyondAscii(JSON.stringify(key))}: ${pythonJson(item)}`,
  );
  return `{${members.join(', ')}}`;
}

/** A tag's value as Python's str() writes it; null means that it is not set. */
function tagText(key: string, value: unknown): string | null {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  const number = numberText(value);
  if (number !== undefined) return number;
  throw invalidParameter(`The value of the tag '${key}' must be a string.`);
}

/** Tags as the client sends them: a JSON object in text. @throws invalid_message. */
export function readTagsText(text: string | undefined): EvaluationTag[] {
  if (text === undefined || text === '') return [];
  const tags = readJsonText(text, 'tags');
  if (tags === null) return [];
  if (!isObject(tags)) throw invalidParameter("Parameter 'tags' must be a JSON object.");
  return Object.entries(tags)
    .map(([key, value]) => ({ key, value: tagText(key, value) }))
    .filter(({ value }) => value !== null);
}
