import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeBlock } from '../../ledger/index.ts';
import { prediction, refOf, startPredictionServer } from '../../testing/prediction-server.ts';

let server: Awaited<ReturnType<typeof startPredictionServer>>;
let post: typeof server.post;
let show: typeof server.show;

beforeEach(async () => {
  server = await startPredictionServer();
  ({ post, show } = server);
});

afterEach(async () => {
  expect(await server.rebuild()).toEqual([]);
  await server.close();
});

/** Numbers before it are no times. */
const start = Date.UTC(2000, 0, 1);

describe('deployments', () => {
  it('joins predictions to the deployment that was active at their time', async () => {
    const first = await post('deployments', {
      name: 'scoring',
      modelVersion: 'credit-risk@1',
      environment: 'production',
      imageDigest: 'sha256:ab',
      by: 'Ann',
      featureViews: ['dataset:feast/applicants'],
    });
    expect(first).toMatchObject({
      status: 201,
      body: { ref: 'deployment:default/scoring@1', modelVersion: refOf(1), status: 'recorded' },
    });
    server.clock.time += 1000;
    const second = await post('deployments', { name: 'scoring', model: 'credit-risk', version: 2 });
    expect(second.body).toMatchObject({
      ref: 'deployment:default/scoring@2',
      modelVersion: refOf(2),
    });
    await post('predictions', [
      { id: 'now', deployment: 'scoring', output: 1 },
      { id: 'before', deployment: 'scoring', output: 1, time: server.clock.time - 1 },
      { id: 'number', deployment: 'deployment:default/scoring@1', output: 1 },
      { id: 'other', deployment: 'scoring', modelVersion: 'credit-risk@1', output: 1 },
      { id: 'early', deployment: 'scoring', output: 1, time: '1970-01-01T00:00:00Z' },
    ]);
    expect(await show('now')).toMatchObject({
      modelVersion: refOf(2),
      deployment: 'deployment:default/scoring@2',
    });
    expect(await show('before')).toMatchObject({
      modelVersion: refOf(1),
      deployment: 'deployment:default/scoring@1',
    });
    expect(await show('number')).toMatchObject({
      modelVersion: refOf(1),
      deployment: 'deployment:default/scoring@1',
    });
    expect(await show('other')).toMatchObject({
      modelVersion: refOf(1),
      deployment: null,
      flagged: true,
    });
    expect(await show('early')).toMatchObject({ modelVersion: null, flagged: true });
    const counts = await server.store.read(({ predictions }) =>
      predictions.countByDeployment(['deployment:default/scoring@1']),
    );
    expect(counts).toMatchObject([{ modelVersion: refOf(1), count: 2 }]);
  });

  it('changes nothing when the same deployment is posted again', async () => {
    await post('deployments', {
      name: 'scoring',
      modelVersion: 'credit-risk@1',
      endpoint: '/score',
    });
    server.clock.time += 1000;
    const again = await post('deployments', {
      name: 'scoring',
      modelVersion: 'credit-risk@1',
      endpoint: '/score',
    });
    expect(again).toMatchObject({ status: 200, body: { number: 1, status: 'unchanged' } });
    expect(
      (
        await post('deployments', {
          name: 'scoring',
          modelVersion: 'credit-risk@1',
          endpoint: '/v2',
        })
      ).body.number,
    ).toBe(2);
  });

  it('places a deployment that is told of late before the ones it precedes', async () => {
    await post('deployments', {
      name: 'scoring',
      modelVersion: 'credit-risk@2',
      from: start + 5000,
    });
    const late = await post('deployments', {
      name: 'scoring',
      modelVersion: 'credit-risk@1',
      from: start + 1000,
    });
    expect(late.body).toMatchObject({ number: 2, until: '2000-01-01T00:00:05.000Z' });
    expect(
      await post('deployments', {
        name: 'scoring',
        modelVersion: 'credit-risk@1',
        from: start + 2000,
        until: start + 6000,
      }),
    ).toMatchObject({ status: 409 });
  });

  it('ends one, once, and not before it began', async () => {
    await post('deployments', {
      name: 'scoring',
      modelVersion: 'credit-risk@1',
      from: start + 1000,
    });
    expect(await post('deployments/scoring/end', { until: start + 500 })).toMatchObject({
      status: 409,
    });
    expect(
      await post('deployments/scoring/end', { until: start + 2000, reason: 'rolled back' }),
    ).toMatchObject({ status: 201, body: { status: 'ended', until: '2000-01-01T00:00:02.000Z' } });
    expect(await post('deployments/scoring@1/end', { until: start + 2000 })).toMatchObject({
      status: 200,
      body: { status: 'unchanged' },
    });
    expect(await post('deployments/nowhere/end', '')).toMatchObject({ status: 404 });
  });

  it('by a bare name ends the one that runs, also when another was told of later', async () => {
    for (const [number, from] of [1, 3000, 2000].entries())
      await post('deployments', {
        name: 'scoring',
        modelVersion: `credit-risk@${(number % 2) + 1}`,
        from: start + from,
      });
    expect(await post('deployments/scoring/end', { reason: 'incident' })).toMatchObject({
      status: 201,
      body: { number: 2, status: 'ended' },
    });
    expect(await post('deployments/scoring/end', {})).toMatchObject({
      status: 200,
      body: { number: 2, status: 'unchanged' },
    });
  });

  it('by a bare name ends the one that runs, also when another is announced', async () => {
    const { time } = server.clock;
    await post('deployments', { name: 'scoring', modelVersion: 'credit-risk@1', from: start });
    const announced = { name: 'scoring', modelVersion: 'credit-risk@2', from: time + 9000 };
    await post('deployments', announced);
    expect(
      (await post('deployments', { name: 'scoring', modelVersion: 'credit-risk@1' })).body,
    ).toMatchObject({ number: 1, status: 'unchanged' });
    expect(await post('deployments/scoring/end', '')).toMatchObject({
      status: 201,
      body: { number: 1, until: new Date(time).toISOString() },
    });
    server.clock.time += 1000;
    const early = { name: 'scoring', modelVersion: 'credit-risk@2' };
    expect((await post('deployments', early)).body).toMatchObject({
      number: 3,
      status: 'recorded',
      until: new Date(time + 9000).toISOString(),
    });
  });

  it('says when one that is announced can end', async () => {
    const from = server.clock.time + 9000;
    await post('deployments', { name: 'scoring', modelVersion: 'credit-risk@1', from });
    const begin = new Date(from).toISOString();
    expect(await post('deployments/scoring/end', '')).toMatchObject({
      status: 409,
      body: {
        hint: `It begins at ${begin}, and can end ("until") then, as if it never ran, or later.`,
      },
    });
    expect(await post('deployments/scoring/end', { until: from })).toMatchObject({ status: 201 });
    expect(await post('deployments/scoring/end', { until: from + 1 })).toMatchObject({
      status: 409,
      body: { hint: `It can end ("until") between ${begin} and ${begin}.` },
    });
  });

  it('says what a prediction is joined to that is flagged, and what it lacks', async () => {
    await post('deployments', { name: 'scoring', modelVersion: 'credit-risk@1' });
    const { body } = await post('predictions', [
      prediction({ id: 'a', modelVersion: undefined, model: 'credit-risk' }),
      prediction({ id: 'b', modelVersion: 'credit-risk@2', deployment: 'scoring' }),
    ]);
    expect(body.results).toMatchObject([
      {
        message:
          'Kept, but not joined: "credit-risk" names a model without a version: say "credit-risk@3", or add "version" or "alias".',
      },
      {
        message: `Kept, and joined to ${refOf(2)}, but to no deployment: the deployment deployment:default/scoring@1 runs ${refOf(1)}, not that version.`,
      },
    ]);
  });

  it('refuses an unknown version and says which there are', async () => {
    const unknown = await post('deployments', { name: 'scoring', modelVersion: 'credit-risk@7' });
    expect(unknown).toMatchObject({
      status: 404,
      body: { hint: 'The model "credit-risk" has the versions 1, 2.' },
    });
    expect(
      await post('deployments', {
        name: 'scoring',
        modelVersion: 'credit-risk@1',
        from: start + 2000,
        until: start + 1000,
      }),
    ).toMatchObject({ status: 422 });
    expect(await post('deployments', { name: 'scoring' })).toMatchObject({ status: 422 });
    expect(await post('deployments', { modelVersion: 'credit-risk@1' })).toMatchObject({
      status: 422,
    });
  });
});

describe('outcomes', () => {
  it('join a prediction, also before it comes, once each', async () => {
    const early = await post('outcomes', { prediction: 'a', type: 'truth', value: true });
    expect(early).toMatchObject({ status: 201, body: { accepted: 1, flagged: 1 } });
    await post('predictions', prediction({ id: 'a' }));
    const list = await post('outcomes', [
      { prediction: 'a', type: 'truth', value: true },
      {
        prediction: 'a',
        type: 'override',
        value: 'accept',
        by: 'Ann',
        reason: 'payslip',
        id: 'o1',
        time: '2026-01-02T00:00:00Z',
      },
    ]);
    expect(list.body).toMatchObject({ accepted: 1, duplicates: 1 });
    const shown = await show('a');
    expect(shown.outcomes).toMatchObject([
      { type: 'truth', value: true },
      { type: 'override', by: 'Ann', id: 'o1', time: '2026-01-02T00:00:00.000Z' },
    ]);
    expect(
      await post('outcomes', { prediction: 'a', type: 'override', value: 'refuse', id: 'o1' }),
    ).toMatchObject({ status: 409 });
    expect(await post('outcomes', { prediction: 'a', type: 'guess' })).toMatchObject({
      status: 422,
      body: { index: 0 },
    });
  });
});

describe('statements', () => {
  it('are made about whole refs and known versions', async () => {
    const made = await post('statements', [
      { ref: 'credit-risk@1', type: 'approval', author: 'Ann', validFrom: '2026-01-01T00:00:00Z' },
      { ref: 'dataset:file/data.csv', type: 'limitation', text: 'Only Germany.' },
    ]);
    expect(made).toMatchObject({
      status: 201,
      body: { accepted: 2, ids: [expect.stringMatching(/^st_/), expect.any(String)] },
    });
    expect(await post('statements', { ref: 'nobody@1', type: 'note' })).toMatchObject({
      status: 404,
    });
    expect(
      await post('statements', { ref: 'credit-risk@1', type: 'note', validFrom: 5, validTo: 4 }),
    ).toMatchObject({ status: 422 });
    expect(await post('statements', { ref: 'credit-risk@1' })).toMatchObject({ status: 422 });
  });

  it('say that two names are one only of one kind, and within one workspace', async () => {
    const alias = (ref: string, of: string | undefined, type = 'alias') =>
      post('statements', { ref, type, ...(of !== undefined && { value: { of } }) });
    const data = 'dataset:file/data.csv';
    expect(await alias(data, 'dataset:file/copy.csv')).toMatchObject({ status: 201 });
    expect(await alias(data, 'dataset:file/else.csv', 'distinct')).toMatchObject({ status: 201 });
    for (const type of ['alias', 'distinct']) {
      expect(await alias(data, refOf(1), type)).toMatchObject({ status: 422 });
      expect(await alias(data, 'source:postgres/db', type)).toMatchObject({ status: 422 });
      expect(await alias(data, 'garbage', type)).toMatchObject({ status: 422 });
      expect(await alias(data, undefined, type)).toMatchObject({ status: 422 });
      const lake = 'dataset:s3:%2F%2Flake/raw';
      for (const same of [lake, lake.replace('s3', 's3a')])
        expect(await alias(lake, same, type)).toMatchObject({
          status: 422,
          body: { detail: expect.stringContaining('are the same name') },
        });
      expect(
        await alias('model:default/credit-risk', 'model:fraud/credit-risk', type),
      ).toMatchObject({ status: 403, body: { detail: expect.stringContaining('workspace') } });
    }
    const alone = await post('statements', { ref: data, type: 'alias' });
    expect(alone.body).not.toHaveProperty('id');
    const listed = await post('statements', [
      { ref: data, type: 'note' },
      { ref: data, type: 'alias', value: { of: 'garbage' } },
    ]);
    expect(listed).toMatchObject({
      status: 201,
      body: {
        accepted: 1,
        refused: 1,
        results: [
          {
            index: 1,
            status: 'refused',
            code: 'invalid_message',
            message: expect.stringContaining('garbage'),
          },
        ],
      },
    });
  });

  it('take back nothing that was said about another workspace', async () => {
    const data = 'dataset:file/data.csv';
    await post('statements', { id: 'ok', ref: 'credit-risk@1', type: 'approval' });
    expect(await post('statements', { ref: data, type: 'note', supersedes: 'ok' })).toMatchObject({
      status: 403,
    });
    expect(
      await post('statements', { ref: 'credit-risk@2', type: 'note', supersedes: 'ok' }),
    ).toMatchObject({ status: 201 });
    expect(await post('statements', { id: 'ok', ref: data, type: 'approval' })).toMatchObject({
      status: 409,
    });
  });

  it('keep the agents that they are about as tokens only', async () => {
    const made = await post('statements', {
      ref: 'agent:default/ann',
      type: 'distinct',
      value: { of: 'agent:default/anna', why: 'x' },
    });
    const { position, index } = made.body.receipt;
    const text = await server.store.read(({ ledger }) => {
      const [stored] = ledger.list(position, 1);
      return stored && decodeBlock(stored.block, position)[index];
    });
    expect(text).toMatch(/agent:default\/person_.*agent:default\/person_/);
    expect(text).not.toContain('ann');
  });

  it('are made once under an id', async () => {
    const note = { id: 'n1', ref: 'dataset:file/data.csv', type: 'note', text: 'x' };
    expect((await post('statements', note)).body.accepted).toBe(1);
    expect((await post('statements', note)).body).toMatchObject({ accepted: 0, duplicates: 1 });
    expect(await post('statements', { ...note, type: 'incident' })).toMatchObject({ status: 409 });
  });
});
