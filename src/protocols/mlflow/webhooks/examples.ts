import type { JsonObject } from '../../../base/json.ts';
import type { WebhookEvent } from '../../../facts/webhook-facts.ts';

const model = { name: 'example_model' };
const prompt = { name: 'example_prompt' };
const tags = { tags: { example_key: 'example_value' } };
const tag = { key: 'example_key', value: 'example_value' };
const removed = { key: 'example_key' };
const alias = { alias: 'example_alias' };
const version = { version: '1' };

/** What the test of a webhook tells. Source: mlflow/webhooks/types.py (example). */
export const examples: Readonly<Record<WebhookEvent, JsonObject>> = {
  'registered_model.created': { ...model, ...tags, description: 'An example registered model' },
  'model_version.created': {
    ...model,
    ...version,
    source: 'models:/123',
    run_id: 'abcd1234abcd5678',
    ...tags,
    description: 'An example model version',
  },
  'model_version_tag.set': { ...model, ...version, ...tag },
  'model_version_tag.deleted': { ...model, ...version, ...removed },
  'model_version_alias.created': { ...model, ...alias, ...version },
  'model_version_alias.deleted': { ...model, ...alias },
  'prompt.created': { ...prompt, ...tags, description: 'An example prompt' },
  'prompt_version.created': {
    ...prompt,
    ...version,
    template: 'Hello {{name}}!',
    ...tags,
    description: 'An example prompt version',
  },
  'prompt_tag.set': { ...prompt, ...tag },
  'prompt_tag.deleted': { ...prompt, ...removed },
  'prompt_version_tag.set': { ...prompt, ...version, ...tag },
  'prompt_version_tag.deleted': { ...prompt, ...version, ...removed },
  'prompt_alias.created': { ...prompt, ...alias, ...version },
  'prompt_alias.deleted': { ...prompt, ...alias },
  'budget_policy.exceeded': {
    budget_policy_id: 'bp-abc123',
    budget_unit: 'USD',
    budget_amount: 100,
    current_spend: 105.5,
    duration_unit: 'MONTHS',
    duration_value: 1,
    target_scope: 'ENDPOINT',
    workspace: 'default',
    target_value: 'ep-abc123',
    window_start: 1_704_067_200_000,
  },
};
