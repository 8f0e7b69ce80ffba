import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startMlflowServer } from '../../testing/mlflow-server.ts';

let server: Awaited<ReturnType<typeof startMlflowServer>>;

beforeEach(async () => {
  server = await startMlflowServer();
});

afterEach(async () => {
  expect(await server.rebuild()).toEqual([]);
  await server.close();
});

const isPrompt = { key: 'mlflow.prompt.is_prompt', value: 'true' };

async function registerPrompt(name: string, text: string, more: object[] = []): Promise<void> {
  await server.post('registered-models/create', { name, tags: [isPrompt] });
  const tags = [isPrompt, { key: 'mlflow.prompt.text', value: text }, ...more];
  const answer = await server.post('model-versions/create', { name, source: 'dummy-source', tags });
  expect(answer.status).toBe(200);
}

const linked = (...prompts: unknown[]) => ({
  key: 'mlflow.linkedPrompts',
  value: JSON.stringify(prompts),
});

const usersOf = async (prompt: string): Promise<unknown[]> =>
  (await server.edges(prompt))
    .filter(({ role }) => role === 'prompt')
    .map(({ to, relation, rule }) => ({ to, relation, rule }));

describe('a prompt', () => {
  it('is a model version with the digest and the variables of its template', async () => {
    const template = 'Say {{ b.c }} and {{a}}, {{a}}';
    await registerPrompt('qa', template, [
      { key: '_mlflow_prompt_type', value: 'text' },
      { key: '_mlflow_prompt_model_config', value: '{"temperature":0.5}' },
      { key: '_mlflow_prompt_response_format', value: 'no JSON' },
    ]);
    const attributes = await server.attributes('modelVersion:default/qa@1');
    expect(attributes).toMatchObject({
      promptType: 'text',
      digest: `sha256:${createHash('sha256').update(template).digest('hex')}`,
      variables: ['a', 'b.c'],
      modelConfig: { temperature: 0.5 },
    });
    expect(attributes).not.toHaveProperty('responseFormat');
  });

  it('has another digest when its text is tagged anew', async () => {
    await registerPrompt('qa', 'one');
    const before = await server.attributes('modelVersion:default/qa@1');
    const tag = { name: 'qa', version: '1', key: 'mlflow.prompt.text', value: 'two' };
    await server.post('model-versions/set-tag', tag);
    const after = await server.attributes('modelVersion:default/qa@1');
    expect(after.digest).toMatch(/^sha256:/);
    expect(after.digest).not.toBe(before.digest);
  });

  it('may come from nowhere but a placeholder', async () => {
    await server.post('registered-models/create', { name: 'qa', tags: [isPrompt] });
    const body = { name: 'qa', source: 's3://bucket/x', tags: [isPrompt] };
    expect(await server.post('model-versions/create', body)).toMatchObject({
      status: 400,
      body: {
        error_code: 'INVALID_PARAMETER_VALUE',
        message:
          "Invalid prompt source: 's3://bucket/x'. Prompt sources must use an MLflow placeholder.",
      },
    });
  });
});

describe('what uses a prompt', () => {
  it('is a run with the tag, however it was set', async () => {
    await registerPrompt('qa', 'x');
    const one = await server.createRun();
    const two = await server.createRun();
    const tag = linked({ name: 'qa', version: '1' }, { name: 'none', version: '1' }, 7);
    await server.post('runs/set-tag', { run_id: one, ...tag });
    await server.post('runs/log-batch', { run_id: two, tags: [tag] });
    const used = { relation: 'read-by', rule: 'mlflow.linkedPrompts' };
    expect(await usersOf('modelVersion:default/qa@1')).toEqual([
      { to: `run:default/${one}`, ...used },
      { to: `run:default/${two}`, ...used },
    ]);
  });

  it('is a logged model with the tag, or one whose MLmodel names it', async () => {
    await registerPrompt('qa', 'x');
    await server.post('registered-models/alias', { name: 'qa', alias: 'prod', version: '1' });
    const create = async () => {
      const { body } = await server.post('logged-models', { experiment_id: '0', name: 'm' });
      return body.model.info as { model_id: string; artifact_uri: string };
    };
    const tagged = await create();
    const saved = await create();
    const tag = linked({ name: 'qa', version: 1 });
    await server.call('PATCH', `logged-models/${tagged.model_id}/tags`, { tags: [tag] });
    const path = saved.artifact_uri.replace('mlflow-artifacts:/', '');
    await server.put(`${path}/MLmodel`, 'prompts:\n- prompts:/qa@prod\n- prompts:/none/1\n- 7\n');
    await server.call('PATCH', `logged-models/${saved.model_id}`, {
      model_id: saved.model_id,
      status: 'LOGGED_MODEL_READY',
    });
    expect(await usersOf('modelVersion:default/qa@1')).toEqual([
      {
        to: `artifact:default/${tagged.model_id}`,
        relation: 'used-by',
        rule: 'mlflow.linkedPrompts',
      },
      { to: `artifact:default/${saved.model_id}`, relation: 'used-by', rule: 'MLmodel.prompts' },
    ]);
  });

  it('is a run that an older client names in a tag of the prompt', async () => {
    await registerPrompt('qa', 'x');
    const run = await server.createRun();
    const key = 'mlflow.prompt.associatedRunIds';
    await server.post('model-versions/set-tag', {
      name: 'qa',
      version: '1',
      key,
      value: `${run},`,
    });
    expect(await usersOf('modelVersion:default/qa@1')).toEqual([
      { to: `run:default/${run}`, relation: 'read-by', rule: key },
    ]);
  });

  it('keeps its prompt when the name is used again', async () => {
    await registerPrompt('qa', 'x');
    const run = await server.createRun();
    const tag = { run_id: run, ...linked({ name: 'qa', version: '1' }) };
    await server.post('runs/set-tag', tag);
    await server.call('DELETE', 'registered-models/delete', { name: 'qa' });
    await registerPrompt('qa', 'y');
    expect(await usersOf('modelVersion:default/qa@1')).toHaveLength(1);
    expect(await usersOf('modelVersion:default/qa@1~2')).toEqual([]);
  });
});
