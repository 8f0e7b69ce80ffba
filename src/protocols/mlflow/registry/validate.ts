import { posix } from 'node:path';
import type { ModelTag } from '../../../facts/registry-facts.ts';
import { invalidParameter } from '../errors.ts';
import { invalidValue } from '../wire.ts';

/** MLflow's checks and texts. Source: mlflow/utils/validation.py, model_version_stages.py. */

const tagKeyCharactersMax = 250;
const tagValueCharactersMax = 100_000;
const aliasCharactersMax = 255;
/** Python's \w with Unicode, the dash, and for keys the rest that MLflow allows. */
const keyPattern = /^[\p{L}\p{N}_/.\-: ]*$/u;
const aliasPattern = /^[\p{L}\p{N}_-]*$/u;

/** `len()` of Python: characters, not UTF-16 units. */
function lengthOf(text: string): number {
  return text.length < tagKeyCharactersMax ? text.length : [...text].length;
}

function exceeds(what: string, limit: number): Error {
  return invalidParameter(`'${what}' exceeds the maximum length of ${limit} characters`);
}

/** Python's posixpath.normpath. */
function normalizePath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

function checkPath(name: string, parameter: string): void {
  const normal = normalizePath(name);
  if (normal === name && normal !== '.' && !normal.startsWith('..') && !normal.startsWith('/')) {
    return;
  }
  throw invalidValue(
    parameter,
    name,
    `Names may be treated as files in certain cases, and must not resolve to other names when treated as such. This name would resolve to '${normal}'`,
  );
}

/** @throws invalid_message when the name is blank, holds / or :, or reads as another path. */
export function checkModelName(name: string, parameter = 'name'): void {
  if (name.trim() === '') {
    throw invalidParameter(`Missing value for required parameter '${parameter}'.`);
  }
  if (/[/:]/.test(name)) {
    throw invalidParameter(`Invalid model name '${name}'. Names cannot contain '/' or ':'.`);
  }
  checkPath(name, 'name');
}

/** The number that a version's text stands for, as Python's int() reads it. */
export function readVersion(version: string): number {
  if (/^\s*[+-]?\d+\s*$/.test(version)) return Number(version);
  throw invalidParameter(`Parameter 'version' must be an integer, got '${version}'.`);
}

export function checkTagKey(key: string): void {
  if (!keyPattern.test(key)) {
    throw invalidValue(
      'key',
      key,
      `Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).`,
    );
  }
  checkPath(key, 'key');
}

/** Checks a tag of a model or version. */
export function checkTag({ key, value }: ModelTag): void {
  checkTagKey(key);
  if (lengthOf(key) > tagKeyCharactersMax) throw exceeds('key', tagKeyCharactersMax);
  if (lengthOf(value) <= tagValueCharactersMax) return;
  if (key === 'mlflow.prompt.text') {
    throw invalidParameter(
      `Prompt text exceeds max length of ${tagValueCharactersMax} characters.`,
    );
  }
  throw exceeds('value', tagValueCharactersMax);
}

/** The tags of a new model or version: checked, each key once with its last value. */
export function readTags(
  tags: readonly { readonly key?: string; readonly value?: string }[] | undefined,
): ModelTag[] {
  const byKey = new Map<string, string>();
  for (const { key = '', value = '' } of tags ?? []) {
    checkTag({ key, value });
    byKey.set(key, value);
  }
  return [...byKey].map(([key, value]) => ({ key, value }));
}

export function checkAlias(alias: string): void {
  if (alias === '') throw invalidParameter('Registered model alias name cannot be empty.');
  if (!aliasPattern.test(alias)) {
    throw invalidParameter(
      `Invalid alias name: '${alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-).`,
    );
  }
  if (lengthOf(alias) > aliasCharactersMax) {
    throw exceeds('Registered model alias name', aliasCharactersMax);
  }
}

/** Checks an alias that is to be set: some names are reserved. */
export function checkNewAlias(alias: string): void {
  checkAlias(alias);
  if (alias.toLowerCase() === 'latest') {
    throw invalidParameter("'latest' alias name (case insensitive) is reserved.");
  }
  if (/^[vV]\d+$/.test(alias)) {
    throw invalidParameter(`Version alias name '${alias}' is reserved.`);
  }
}

const stages = ['None', 'Staging', 'Production', 'Archived'] as const;

/** A stage as it is stored; clients write it in any case. */
export function readStage(stage: string): string {
  const found = stages.find((each) => each.toLowerCase() === stage.toLowerCase());
  if (found !== undefined) return found;
  throw invalidParameter(
    `Invalid Model Version stage: ${stage}. Value must be one of ${stages.join(', ')}.`,
  );
}

/** Stages that a transition can clear of other versions. */
export const activeStages: readonly string[] = ['Staging', 'Production'];

export const promptTag = 'mlflow.prompt.is_prompt';

/** Prompts are kept as registered models with this tag. */
export function isPrompt(tags: readonly ModelTag[]): boolean {
  return tags.some(({ key, value }) => key === promptTag && value.toLowerCase() === 'true');
}
