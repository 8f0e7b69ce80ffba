import { sha256Hex } from '../../base/digest.ts';
import { isObject, type JsonObject, list, text } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import type { DecideContext } from '../../door/index.ts';
import type { Fact } from '../../facts/facts.ts';
import type { ModelTag } from '../../facts/registry-facts.ts';
import { type VersionRow, versionRef } from '../../registry/index.ts';
import { runRef } from './lineage/refs.ts';

/**
 * Prompts are model versions with tags of their own. What those say is told to the graph here, and
 * which runs and logged models use which prompt.
 * Source: mlflow/prompt/constants.py, mlflow/tracing/utils/prompt.py.
 */

const textTag = 'mlflow.prompt.text';
const typeTag = '_mlflow_prompt_type';
const formatTag = '_mlflow_prompt_response_format';
const configTag = '_mlflow_prompt_model_config';
const runsTag = 'mlflow.prompt.associatedRunIds';

/** On a run or logged model: the prompts that it uses, `[{"name", "version"}]` in JSON. */
const linkedTag = 'mlflow.linkedPrompts';

const variablePattern = /\{\{\s*([a-zA-Z_][a-zA-Z0-9_]*(?:\.[a-zA-Z_][a-zA-Z0-9_]*)*)\s*\}\}/g;

/** A prompt version that something uses, resolved when the link was made. */
export type PromptLink = {
  readonly name: string;
  readonly version: number;
  readonly generation: number;
};

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** JSON in a tag as attribute, when it is small enough to be one. */
function jsonAttribute(name: string, json: string | undefined): JsonObject {
  if (json === undefined || json.length > limits.attributeBytesMax / 4) return {};
  const value = parse(json);
  // What JSON.parse returns is JSON.
  return isObject(value) ? { [name]: value as JsonObject } : {};
}

function templateAttributes(template: string): JsonObject {
  const names = Array.from(template.matchAll(variablePattern), ([, name = '']) => name);
  return { digest: `sha256:${sha256Hex(template)}`, variables: [...new Set(names)].sort() };
}

/**
 * What a prompt's tags say as attributes of its version: kind, digest and variables of the template,
 * response format, model configuration; {} when none of the tags is a prompt's.
 */
export function promptAttributes(tags: readonly ModelTag[]): JsonObject {
  const byKey = new Map(tags.map(({ key, value }) => [key, value]));
  const template = byKey.get(textTag);
  const type = byKey.get(typeTag);
  return {
    ...(type === undefined ? {} : { promptType: type }),
    ...(template === undefined ? {} : templateAttributes(template)),
    ...jsonAttribute('responseFormat', byKey.get(formatTag)),
    ...jsonAttribute('modelConfig', byKey.get(configTag)),
  };
}

/** Runs that an older client says use the prompt: a tag of the prompt lists their ids. */
export function associatedRunFacts(
  prompt: string,
  tag: ModelTag,
  { workspace, time }: { readonly workspace: string; readonly time: number },
): Fact[] {
  if (tag.key !== runsTag) return [];
  const runs = new Set(tag.value.split(',').map((id) => id.trim()));
  return [...runs]
    .filter((id) => id !== '')
    .slice(0, limits.linkedPromptsMax)
    .map((id) => usedFact(prompt, runRef(workspace, id), { rule: runsTag, time }));
}

type Reading = Pick<DecideContext, 'state' | 'workspace'>;

const linkOf = ({ name, version, generation }: VersionRow): PromptLink => ({
  name,
  version,
  generation,
});

/** The prompts that tags link, as the registry knows them now; those that it does not know are left out. */
export async function linkedPrompts(
  tags: readonly ModelTag[],
  { state, workspace }: Reading,
): Promise<PromptLink[]> {
  const value = tags.find(({ key }) => key === linkedTag)?.value;
  if (value === undefined) return [];
  const links: PromptLink[] = [];
  for (const item of list(parse(value)).slice(0, limits.linkedPromptsMax)) {
    if (!isObject(item)) continue;
    const name = text(item.name);
    const version = Number(item.version);
    if (name === undefined || !Number.isSafeInteger(version)) continue;
    const row = await state.registry.findVersion(workspace, name, version);
    if (row !== undefined) links.push(linkOf(row));
  }
  return links;
}

/** The prompts that URIs name: `prompts:/name/1` or `prompts:/name@alias`. */
export async function promptsOfUris(
  uris: readonly string[],
  { state, workspace }: Reading,
): Promise<PromptLink[]> {
  const links: PromptLink[] = [];
  for (const uri of uris.slice(0, limits.linkedPromptsMax)) {
    const [, name = '', version, alias] = /^prompts:\/+([^/@]+)(?:\/(\d+)|@(.+))$/.exec(uri) ?? [];
    const row =
      alias === undefined
        ? await state.registry.findVersion(workspace, name, Number(version ?? 0))
        : await state.registry.findVersionByAlias(workspace, name, alias);
    if (row !== undefined) links.push(linkOf(row));
  }
  return links;
}

/** A run or logged model, by its whole ref, uses prompts. */
export function promptFacts(
  user: string,
  prompts: readonly PromptLink[] | undefined,
  how: { readonly workspace: string; readonly time: number; readonly rule?: string },
): Fact[] {
  const { workspace, time, rule = linkedTag } = how;
  return (prompts ?? []).map((prompt) =>
    usedFact(versionRef(workspace, prompt, prompt.version), user, { rule, time }),
  );
}

/** A run reads a prompt; a logged model, being no activity, uses it. */
function usedFact(
  prompt: string,
  user: string,
  { rule, time }: { readonly rule: string; readonly time: number },
): Fact {
  return {
    kind: 'relation.stated',
    relation: user.startsWith('run:') ? 'read-by' : 'used-by',
    from: prompt,
    to: user,
    role: 'prompt',
    known: 'observed',
    rule,
    time,
  };
}
