import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from './openlineage-server.ts';
import { runMlflowFlow } from './python-flow.ts';

let server: TestServer;
let out: Record<string, unknown>;

beforeAll(async () => {
  server = await startTestServer();
  out = await runMlflowFlow('prompts_flow.py', server);
});
afterAll(() => server?.stop());

describe("the mlflow client's prompts, unmodified", () => {
  test('are registered in versions and loaded by version, alias and as the latest', () => {
    expect(out.versions).toEqual([1, 2, 1]);
    expect(out.by_version).toEqual({
      template: 'Briefly: {{question}}',
      commit: 'shorter',
      format: { type: 'object', properties: { answer: { type: 'string' } } },
      config: { model_name: 'local', temperature: 0.5, max_tokens: 10 },
      filled: 'Briefly: why?',
    });
    expect(out.by_alias).toEqual({
      template: 'Answer {{ question }} in the voice of {{ persona.name }}.',
      version: 1,
      aliases: ['production'],
    });
    expect(out.latest).toBe(2);
    expect(out.chat).toMatchObject({ text: false, template: [{ role: 'system' }, {}] });
    expect(out.missing).toBeNull();
  });

  test('take tags and model configurations, and give them back', () => {
    expect(out.tags).toMatchObject({ team: 'research', owner: 'botany' });
    expect(out.version_tags).toMatchObject({ quality: 'good' });
    expect(out.tags_after).not.toHaveProperty('owner');
    expect(out.config_after).toEqual({ temperature: 0.1 });
  });

  test('are found by name, tag and experiment, and hidden among models', () => {
    expect(out.search).toEqual(['chat', 'qa']);
    expect(out.search_name).toEqual(['qa']);
    expect(out.search_tag).toEqual(['qa']);
    expect(out.search_experiment).toEqual(['chat', 'qa']);
    expect(out.pages).toEqual(['chat', 'qa']);
    expect(out.search_versions).toEqual([1, 2]);
    expect(out.models).toEqual([]);
    expect(out.model_versions).toEqual([]);
  });

  test('are refused in the words of MLflow', () => {
    expect(out.refused).toMatchObject({
      taken: { code: 'INVALID_PARAMETER_VALUE' },
      model: { code: 'RESOURCE_ALREADY_EXISTS' },
      missing: { code: 'RESOURCE_DOES_NOT_EXIST' },
      alias: { code: 'INVALID_PARAMETER_VALUE' },
      long: {
        code: 'INVALID_PARAMETER_VALUE',
        message: expect.stringContaining('exceeds max length of 100000 characters'),
      },
    });
    expect(out.after_long).toMatchObject({ code: 'RESOURCE_DOES_NOT_EXIST' });
  });

  test('are deleted by version and as a whole', () => {
    expect(out.versions_left).toEqual([1]);
    expect(out.prompts_left).toEqual(['qa']);
  });

  test('are behind the runs and models that use them', async () => {
    expect(out.linked).toEqual([
      { name: 'qa', version: '1' },
      { name: 'chat', version: '1' },
    ]);
    const run = await server.ask('trace', `run:default/${out.run}`);
    const prompts = run.edges.filter(({ role }) => role === 'prompt');
    expect(prompts.map(({ from, relation }) => `${from} ${relation}`).sort()).toEqual([
      'modelVersion:default/chat@1 read-by',
      'modelVersion:default/qa@1 read-by',
    ]);
    const prompt = run.nodes.find(({ ref }) => ref === 'modelVersion:default/qa@1');
    expect(prompt?.attributes).toMatchObject({
      promptType: 'text',
      digest: expect.stringMatching(/^sha256:/),
      variables: ['persona.name', 'question'],
    });
    const impact = await server.ask('impact', 'modelVersion:default/qa@2');
    expect(impact.edges).toContainEqual(
      expect.objectContaining({ relation: 'used-by', to: `artifact:default/${out.external}` }),
    );
    const model = await server.ask('trace', `artifact:default/${out.model}`);
    expect(model.edges).toContainEqual(
      expect.objectContaining({ from: 'modelVersion:default/qa@1', relation: 'used-by' }),
    );
  });
});
