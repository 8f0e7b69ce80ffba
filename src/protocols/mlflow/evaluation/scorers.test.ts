import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Refused, startEvaluationServer } from '../../../testing/evaluation-server.ts';
import { refusal } from '../../../testing/mlflow-server.ts';

let server: Awaited<ReturnType<typeof startEvaluationServer>>;

beforeEach(async () => {
  server = await startEvaluationServer();
});

afterEach(async () => {
  expect(await server.rebuild()).toEqual([]);
  await server.close();
});

describe('scorers', () => {
  const scorer = (instructions: string, model = 'openai:/gpt-4') =>
    JSON.stringify({ name: 's', instructions_judge_pydantic_data: { instructions, model } });
  const register = (name: string, serialized_scorer: string, experiment_id = '0') =>
    server.call('POST', 'scorers/register', { experiment_id, name, serialized_scorer });

  it('are registered in versions, listed, got and deleted', async () => {
    const first = await register('quality', scorer('a'));
    expect(first.body).toMatchObject({
      version: 1,
      experiment_id: '0',
      name: 'quality',
      scorer_id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      serialized_scorer: scorer('a'),
    });
    expect((await register('quality', scorer('b'))).body).toMatchObject({
      version: 2,
      scorer_id: first.body.scorer_id,
    });
    await register('another', scorer('c'));
    const listed = await server.call('GET', 'scorers/list?experiment_id=0');
    expect(listed.body.scorers).toMatchObject([
      { scorer_name: 'another', scorer_version: 1, experiment_id: 0 },
      { scorer_name: 'quality', scorer_version: 2 },
    ]);
    expect((await server.call('GET', 'scorers/list?experiment_ids=0')).body.scorers).toHaveLength(
      2,
    );
    expect((await server.call('GET', 'scorers/list')).body.scorers).toHaveLength(2);
    const versions = await server.call('GET', 'scorers/versions?experiment_id=0&name=quality');
    expect(versions.body.scorers).toMatchObject([{ scorer_version: 1 }, { scorer_version: 2 }]);
    const one = await server.call('GET', 'scorers/get?experiment_id=0&name=quality&version=1');
    expect(one.body.scorer).toMatchObject({ scorer_version: 1, serialized_scorer: scorer('a') });
    await server.call('DELETE', 'scorers/delete', {
      experiment_id: '0',
      name: 'quality',
      version: 2,
    });
    const newest = await server.call('GET', 'scorers/get?experiment_id=0&name=quality');
    expect(newest.body.scorer).toMatchObject({ scorer_version: 1 });
    expect((await register('quality', scorer('d'))).body).toMatchObject({ version: 3 });
    await server.call('DELETE', 'scorers/delete', { experiment_id: '0', name: 'quality' });
    expect((await register('quality', scorer('e'))).body).toMatchObject({ version: 1 });
  });

  it('are code in the graph', async () => {
    const { body } = await register('quality', scorer('a'));
    expect(await server.attributes(`code:default/scorer/${body.scorer_id}@1`)).toMatchObject({
      name: 'quality',
      type: 'scorer',
      model: 'openai:/gpt-4',
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    });
  });

  it('are configured to run on traces only when their model is a gateway', async () => {
    const { body } = await register('quality', scorer('a'));
    const named = { experiment_id: '0', name: 'quality' };
    expect(
      await server.call('PUT', 'scorers/online-config', { ...named, sample_rate: 0.5 }),
    ).toMatchObject(
      refusal(
        400,
        'INVALID_PARAMETER_VALUE',
        expect.stringMatching('does not use a gateway model'),
      ),
    );
    const off = await server.call('PUT', 'scorers/online-config', { ...named, sample_rate: 0 });
    expect(off.body.config).toMatchObject({ scorer_id: body.scorer_id, sample_rate: 0 });
    const { body: all } = await server.call(
      'GET',
      `scorers/online-configs?scorer_ids=${body.scorer_id}`,
    );
    expect(all.configs).toEqual([off.body.config]);
  });

  const refusedScorers: Refused[] = [
    ['POST', 'scorers/register', { name: 'a', serialized_scorer: '{}' }, 400, /'experiment_id'/],
    [
      'POST',
      'scorers/register',
      { experiment_id: '0', name: 'a', serialized_scorer: '{' },
      400,
      'serialized_scorer must be valid JSON',
    ],
    [
      'POST',
      'scorers/register',
      { experiment_id: '0', name: ' ', serialized_scorer: '{}' },
      400,
      'Scorer name cannot be empty or contain only whitespace.',
    ],
    [
      'POST',
      'scorers/register',
      { experiment_id: '0', name: 'a', serialized_scorer: '{"a":[{"call_source":"import os"}]}' },
      400,
      /^Custom scorer registration/,
    ],
    [
      'POST',
      'scorers/register',
      {
        experiment_id: '0',
        name: 'a',
        serialized_scorer: '[{"third_party_scorer_data":{"kwargs":{"a":[["base_url","x"]]}}}]',
      },
      400,
      /^third_party_scorer_data.kwargs must not contain 'base_url': /,
    ],
    [
      'POST',
      'scorers/register',
      { experiment_id: '0', name: 'a', serialized_scorer: scorer('a', 'gateway:/none') },
      404,
      "GatewayEndpoint not found (name='none')",
    ],
    ['GET', 'scorers/list?experiment_ids=x', undefined, 400, /^Invalid experiment ID 'x'/],
    [
      'POST',
      'scorers/register',
      { experiment_id: '9', name: 'a', serialized_scorer: '{}' },
      404,
      'No Experiment with id=9 exists',
    ],
    [
      'GET',
      'scorers/get?experiment_id=0&name=none',
      undefined,
      404,
      "Scorer with name 'none' not found for experiment 0.",
    ],
    ['GET', 'scorers/get?experiment_id=0&name=a&version=x', undefined, 400, /'version'/],
    ['GET', 'scorers/list?experiment_id=0&experiment_ids=0', undefined, 400, /Cannot specify both/],
    [
      'DELETE',
      'scorers/delete',
      { experiment_id: '0', name: 'none', version: 3 },
      404,
      "Scorer with name 'none' not found for experiment 0.",
    ],
    [
      'PUT',
      'scorers/online-config',
      { experiment_id: '0', name: 'a', sample_rate: 2 },
      400,
      'sample_rate must be between 0.0 and 1.0, got 2.0',
    ],
    ['GET', 'scorers/online-configs', undefined, 400, /'scorer_ids'/],
  ];

  it('are refused in words of MLflow when what is sent is bad', () =>
    server.expectRefused(refusedScorers));
});
