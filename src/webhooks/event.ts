import type { Awaitable } from '../base/awaitable.ts';
import type { JsonObject } from '../base/json.ts';
import type { Fact } from '../facts/facts.ts';
import type { ModelName, ModelTag } from '../facts/registry-facts.ts';
import type { WebhookEvent } from '../facts/webhook-facts.ts';

/** Tags by which MLflow keeps prompts as registered models. Source: mlflow/prompt/constants.py. */
const isPromptTag = 'mlflow.prompt.is_prompt';
const promptTextTag = 'mlflow.prompt.text';
const promptTypeTag = '_mlflow_prompt_type';

/** Says whether a registered model is a prompt. */
export type IsPrompt = (model: ModelName) => Awaitable<boolean>;

/** What a webhook is told of a fact. `data` as mlflow/webhooks/types.py has it. */
export interface Told {
  readonly event: WebhookEvent;
  readonly data: JsonObject;
}

const tagsOf = (tags: readonly ModelTag[]): Map<string, string> =>
  new Map(tags.map(({ key, value }) => [key, value]));

/** True for the value of the tag that makes a model a prompt. */
export function saysPrompt(value: string | undefined): boolean {
  return value?.toLowerCase() === 'true';
}

/**
 * The event that a fact is; undefined when webhooks are not told of it.
 * Source: mlflow/server/handlers.py, the calls of deliver_webhook.
 */
export async function eventOf(fact: Fact, isPrompt: IsPrompt): Promise<Told | undefined> {
  switch (fact.kind) {
    case 'model.created':
      return modelCreated(fact);
    case 'modelVersion.created':
      return versionCreated(fact);
    case 'model.tagSet': {
      const { name, key, value } = fact;
      // MLflow tells of tags of prompts, not of those of models.
      return (await isPrompt(fact))
        ? { event: 'prompt_tag.set', data: { name, key, value } }
        : undefined;
    }
    case 'model.tagDeleted': {
      const { name, key } = fact;
      return (await isPrompt(fact))
        ? { event: 'prompt_tag.deleted', data: { name, key } }
        : undefined;
    }
    case 'modelVersion.tagSet': {
      const { name, version, key, value } = fact;
      const event = (await isPrompt(fact)) ? 'prompt_version_tag.set' : 'model_version_tag.set';
      return { event, data: { name, version: String(version), key, value } };
    }
    case 'modelVersion.tagDeleted': {
      const { name, version, key } = fact;
      const prompt = await isPrompt(fact);
      const event = prompt ? 'prompt_version_tag.deleted' : 'model_version_tag.deleted';
      return { event, data: { name, version: String(version), key } };
    }
    case 'alias.set': {
      const { name, alias, version } = fact;
      const event = (await isPrompt(fact)) ? 'prompt_alias.created' : 'model_version_alias.created';
      return { event, data: { name, alias, version: String(version) } };
    }
    case 'alias.deleted': {
      const { name, alias } = fact;
      const event = (await isPrompt(fact)) ? 'prompt_alias.deleted' : 'model_version_alias.deleted';
      return { event, data: { name, alias } };
    }
    default:
      return undefined;
  }
}

function modelCreated(fact: Extract<Fact, { kind: 'model.created' }>): Told {
  const { name, description = '' } = fact;
  const tags = tagsOf(fact.tags);
  const prompt = saysPrompt(tags.get(isPromptTag));
  if (prompt) for (const key of [isPromptTag, promptTypeTag]) tags.delete(key);
  return {
    event: prompt ? 'prompt.created' : 'registered_model.created',
    data: { name, tags: Object.fromEntries(tags), description },
  };
}

function versionCreated(fact: Extract<Fact, { kind: 'modelVersion.created' }>): Told {
  const { name, source } = fact;
  const tags = tagsOf(fact.tags);
  const version = String(fact.version);
  const description = fact.description || null;
  if (!saysPrompt(tags.get(isPromptTag))) {
    const run_id = fact.runId || null;
    const data = { name, version, source, run_id, tags: Object.fromEntries(tags), description };
    return { event: 'model_version.created', data };
  }
  const template = tags.get(promptTextTag) ?? null;
  for (const key of [promptTextTag, isPromptTag, promptTypeTag]) tags.delete(key);
  const data = { name, version, template, tags: Object.fromEntries(tags), description };
  return { event: 'prompt_version.created', data };
}
