import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../base/limits.ts';
import {
  champion,
  model,
  prediction,
  refOf,
  startPredictionServer,
  version,
} from '../../testing/prediction-server.ts';

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

describe('predictions', () => {
  it('keeps one, answers 201 with a receipt, and shows it again', async () => {
    const { status, headers, body } = await post(
      'predictions',
      prediction({ id: 'a', extra: { kept: true }, outcomes: [1] }),
    );
    expect(status).toBe(201);
    expect(body).toMatchObject({ accepted: 1, duplicates: 0, refused: 0, flagged: 0, results: [] });
    expect(headers['wherefrom-receipt']).toBe(`test ${body.receipt.position} 0`);
    expect(await show('a')).toMatchObject({
      ref: 'prediction:default/a',
      modelVersion: refOf(1),
      flagged: false,
      prediction: { features: { age: 30 }, extra: { kept: true }, outcomes: [1] },
      outcomes: [],
    });
  });

  it('takes lines that begin with a byte order mark, as Windows tools write them', async () => {
    const lines = `\uFEFF${JSON.stringify(prediction({ id: 'bom' }))}\n`;
    expect(
      await post('predictions', lines, { 'content-type': 'application/x-ndjson' }),
    ).toMatchObject({ status: 201 });
  });

  it('takes a date for its first moment in UTC, as the schema says', async () => {
    const { body } = await post('predictions', prediction({ time: '2026-01-31' }));
    expect((await show(body.ids[0])).time).toBe('2026-01-31T00:00:00.000Z');
  });

  it('makes ids in the order of time when there are none', async () => {
    const { body } = await post('predictions', [prediction(), prediction()]);
    expect(body.ids).toHaveLength(2);
    for (const id of body.ids)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set(body.ids).size).toBe(2);
    expect((await show(body.ids[1])).time).toBe('2026-01-01T00:00:00.000Z');
  });

  it('appends nothing when the same prediction comes again, also in one request', async () => {
    await post('predictions', prediction({ id: 'a' }));
    const again = await post('predictions', { output: 0.7, ...prediction({ id: 'a' }) });
    expect(again).toMatchObject({ status: 200, body: { accepted: 0, duplicates: 1 } });
    expect(again.headers['wherefrom-receipt']).toBeUndefined();
    const both = await post('predictions', [prediction({ id: 'b' }), prediction({ id: 'b' })]);
    expect(both.body).toMatchObject({
      accepted: 1,
      duplicates: 1,
      results: [{ index: 1, id: 'b', status: 'duplicate' }],
    });
  });

  it('refuses other content under an id, and keeps the rest of the list', async () => {
    await post('predictions', prediction({ id: 'a' }));
    const list = await post('predictions', {
      predictions: [prediction({ id: 'a', output: 1 }), prediction({ id: 'b' })],
    });
    expect(list).toMatchObject({
      status: 201,
      body: { accepted: 1, refused: 1, results: [{ index: 0, id: 'a', status: 'refused' }] },
    });
    const single = await post('predictions', prediction({ id: 'a', output: 1 }));
    expect(single).toMatchObject({
      status: 409,
      body: { type: '/problems/conflict', status: 409 },
    });
    expect((await show('a')).prediction.output).toBe(0.7);
  });

  it('recognises a repetition in the same batch of the door', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => post('predictions', prediction({ id: 'same' }))),
    );
    expect(answers.map(({ body }) => body.accepted).sort()).toEqual([0, 0, 0, 0, 0, 0, 0, 1]);
    const others = await Promise.all(
      [1, 2].map((output) => post('predictions', prediction({ id: 'other', output }))),
    );
    expect(others.map(({ status }) => status).sort()).toEqual([201, 409]);
  });

  it('keeps and flags what names an unknown version, alias or deployment', async () => {
    const { status, body } = await post('predictions', [
      prediction({ id: 'a', modelVersion: 'credit-risk@9' }),
      prediction({ id: 'b', modelVersion: 'credit-risk@champion' }),
      prediction({ id: 'c', modelVersion: 'nope@1' }),
      prediction({ id: 'd', deployment: 'nowhere' }),
      prediction({ id: 'e', modelVersion: 'modelVersion:other/credit-risk@1' }),
    ]);
    expect(status).toBe(201);
    expect(body).toMatchObject({ accepted: 5, flagged: 5 });
    expect(body.results[0]).toMatchObject({
      index: 0,
      status: 'flagged',
      message: 'Kept, but not joined: no model version "credit-risk@9" is known.',
    });
    expect(await show('a')).toMatchObject({ modelVersion: null, flagged: true });
    expect(await show('d')).toMatchObject({
      modelVersion: refOf(1),
      deployment: null,
      flagged: true,
    });
    expect(await server.store.read(({ predictions }) => predictions.countAll())).toMatchObject({
      predictions: 5,
      unknown: 5,
    });
  });

  it('resolves an alias once, to the version it meant at that time', async () => {
    server.clock.time += 1000;
    await server.state(champion(1));
    await post('predictions', prediction({ id: 'a', modelVersion: 'credit-risk@champion' }));
    server.clock.time += 1000;
    await server.state(champion(2));
    await post('predictions', [
      prediction({ id: 'b', modelVersion: { model: 'credit-risk', alias: 'champion' } }),
      prediction({
        id: 'c',
        modelVersion: undefined,
        alias: 'credit-risk@champion',
        time: server.clock.time - 1,
      }),
      prediction({
        id: 'd',
        modelVersion: 'models:/credit-risk@champion',
        time: new Date(server.clock.time).toISOString(),
      }),
    ]);
    const versions = await Promise.all(
      ['a', 'b', 'c', 'd'].map(async (id) => (await show(id)).modelVersion),
    );
    expect(versions).toEqual([refOf(1), refOf(2), refOf(1), refOf(2)]);
  });

  it('never gives the predictions of a deleted model to a new one of its name', async () => {
    await post('predictions', prediction({ id: 'old' }));
    const before = server.clock.time;
    server.clock.time += 1000;
    await server.state({ kind: 'model.deleted', name: 'credit-risk', generation: 1 });
    await server.state(model(2), version(1, 2));
    server.clock.time += 1000;
    await post('predictions', [
      prediction({ id: 'late', time: before }),
      prediction({ id: 'new' }),
      prediction({ id: 'whole', modelVersion: refOf(1) }),
      prediction({ id: 'unknown', modelVersion: 'credit-risk@2' }),
    ]);
    expect((await show('old')).modelVersion).toBe(refOf(1));
    expect((await show('late')).modelVersion).toBe(refOf(1));
    expect((await show('new')).modelVersion).toBe(`${refOf(1)}~2`);
    expect((await show('whole')).modelVersion).toBe(refOf(1));
    expect((await show('unknown')).modelVersion).toBeNull();
    const counts = await server.store.read(({ predictions }) =>
      predictions.countByModelVersion([refOf(1)]),
    );
    expect(counts).toMatchObject([{ count: 3, deployment: null }]);
  });

  it('counts a renamed version under both names', async () => {
    await post('predictions', prediction({ id: 'a' }));
    await server.state(
      {
        kind: 'model.renamed',
        name: 'credit-risk',
        generation: 1,
        to: { name: 'risk', generation: 1 },
        time: 0,
      },
      {
        kind: 'entity.renamed',
        from: refOf(1),
        to: 'modelVersion:default/risk@1',
        time: server.clock.time,
      },
    );
    server.clock.time += 1;
    await post('predictions', [
      prediction({ id: 'b', modelVersion: 'risk@1' }),
      prediction({ id: 'c', time: server.clock.time }),
    ]);
    for (const ref of [refOf(1), 'modelVersion:default/risk@1']) {
      const counts = await server.store.read(({ predictions }) =>
        predictions.countByModelVersion([ref]),
      );
      expect(counts).toMatchObject([{ count: 3 }]);
    }
  });

  it('reads lines of JSON and compressed bodies', async () => {
    const lines = `${JSON.stringify(prediction({ id: 'a' }))}\n\n${JSON.stringify(prediction({ id: 'b' }))}\n`;
    const plain = await post('predictions', lines, { 'content-type': 'application/x-ndjson' });
    expect(plain.body.accepted).toBe(2);
    const packed = await post('predictions', gzipSync(JSON.stringify([prediction({ id: 'c' })])), {
      'content-encoding': 'gzip',
    });
    expect(packed.body.accepted).toBe(1);
    const broken = await post('predictions', `${JSON.stringify(prediction())}\n{"a":`, {
      'content-type': 'application/jsonl',
    });
    expect(broken).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('Line 2') },
    });
    expect(await post('predictions', 'no gzip', { 'content-encoding': 'gzip' })).toMatchObject({
      status: 400,
    });
    expect(await post('predictions', 'x', { 'content-encoding': 'br' })).toMatchObject({
      status: 415,
    });
    expect(await post('predictions', 'x', { 'content-type': 'text/plain' })).toMatchObject({
      status: 415,
      body: { detail: 'The media type text/plain is not spoken here.' },
    });
  });

  it('refuses a bomb of compressed bytes', async () => {
    const bomb = gzipSync(Buffer.alloc(limits.predictionsBodyBytesMax + 1, 32));
    expect(await post('predictions', bomb, { 'content-encoding': 'gzip' })).toMatchObject({
      status: 413,
    });
  });

  it('refuses the whole list when one item is not a prediction, and says which', async () => {
    const wrong: readonly [unknown, string][] = [
      [7, 'it is not an object'],
      [prediction({ time: 'yesterday' }), 'which is not a time'],
      [prediction({ time: '2026-02-30T00:00:00Z' }), 'which is not a time'],
      [prediction({ time: 1_763_750_000 }), 'a number before 2000'],
      [prediction({ time: '1763750000' }), 'a number before 2000'],
      [prediction({ features: [1] }), '"features" must be an object'],
      [prediction({ id: '' }), '"id" must be'],
      [prediction({ steps: [{}] }), '"steps" must be'],
      [prediction({ latencyMs: -1 }), '"latencyMs" must be'],
      [{ output: 1 }, 'neither a model version nor a deployment'],
      [prediction({ output: 'x'.repeat(limits.predictionBytesMax) }), 'the limit is'],
    ];
    for (const [item, problem] of wrong) {
      const { status, body } = await post('predictions', [prediction({ id: 'good' }), item]);
      expect({ status, ...body }).toMatchObject({
        status: 422,
        index: 1,
        detail: expect.stringContaining(problem),
      });
    }
    const odd = await post('predictions', '[{"modelVersion":"credit-risk@1","output":1e999}]');
    expect(odd).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining('range of a double') },
    });
    const deep = await post(
      'predictions',
      `{"modelVersion":"credit-risk@1","output":${'['.repeat(5000)}${']'.repeat(5000)}}`,
    );
    expect(deep).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining('nested deeper') },
    });
    const half = await post('predictions', '{"modelVersion":"credit-risk@1","output":"\\ud800"}');
    expect(half).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining('surrogate') },
    });
    expect((await show('good')).status).toBe(404);
  });

  it('refuses too many, malformed and empty bodies as problems', async () => {
    const many = Array.from({ length: limits.predictionsPerRequestMax + 1 }, () => ({}));
    expect(await post('predictions', many)).toMatchObject({
      status: 413,
      body: { type: '/problems/too_large' },
    });
    const malformed = await post('predictions', '{');
    expect(malformed).toMatchObject({
      status: 400,
      body: { type: '/problems/malformed_message', hint: expect.any(String) },
    });
    expect(malformed.headers['content-type']).toContain('application/problem+json');
    const empty = await server.app.inject({ method: 'POST', url: '/api/wherefrom/v1/predictions' });
    expect(empty.statusCode).toBe(400);
    expect(await post('predictions', [])).toMatchObject({ status: 200, body: { accepted: 0 } });
    expect(await show('nope')).toMatchObject({ status: 404, code: 'not_found' });
  });

  it('stores the subject as a token and shows the person', async () => {
    await post('predictions', [
      prediction({ id: 'a', subject: 'Ann Smith', decision: { by: 'Bob', what: 'refuse' } }),
    ]);
    await post('predictions', [
      prediction({ id: 'a', subject: 'Ann Smith', decision: { by: 'Bob', what: 'refuse' } }),
    ]);
    const shown = await show('a');
    expect(shown.prediction).toMatchObject({ subject: 'Ann Smith', decision: { by: 'Bob' } });
    const stored = await server.store.read(({ predictions }) =>
      predictions.readMessage(shown.position, shown.index),
    );
    expect(JSON.stringify(stored)).not.toMatch(/Ann|Bob/);
    expect(stored).toMatchObject({ subject: expect.stringMatching(/^person_/) });
  });

  it('keeps a large request as one entry and finds each prediction', async () => {
    const { body } = await post(
      'predictions',
      Array.from({ length: 2500 }, (_, index) => prediction({ id: `p${index}`, output: index })),
    );
    expect(body.accepted).toBe(2500);
    expect(await show('p2400')).toMatchObject({
      position: body.receipt.position,
      index: 2400,
      prediction: { output: 2400 },
    });
    const countAsOf = (position: number) =>
      server.store.read(({ predictions }) => predictions.countByModelVersion([refOf(1)], position));
    expect(await countAsOf(body.receipt.position)).toMatchObject([{ count: 2500 }]);
    expect(await countAsOf(body.receipt.position - 1)).toEqual([]);
    const page = await server.store.read(({ predictions }) =>
      predictions.listByModelVersion(refOf(1), { limit: 3 }),
    );
    expect(page.map(({ id }) => id)).toEqual(['p2499', 'p2498', 'p2497']);
    const next = await server.store.read(({ predictions }) =>
      predictions.listByModelVersion(refOf(1), { before: page[2], limit: 1 }),
    );
    expect(next.map(({ id }) => id)).toEqual(['p2496']);
    const found = await server.store.read(({ predictions }) =>
      predictions.findByPrefix('default', 'p24', 200),
    );
    expect(found).toHaveLength(111);
  });

  it('keeps the first content of each id, however requests repeat, mix and split them', async () => {
    const sent = fc.record({
      id: fc.constantFrom('a', 'b', 'c'),
      output: fc.integer({ min: 0, max: 1 }),
    });
    const requests = fc.array(fc.array(sent, { minLength: 1, maxLength: 5 }), { maxLength: 4 });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(requests, async (lists) => {
        round += 1;
        const first = new Map<string, number>();
        for (const list of lists) {
          const items = list.map(({ id, output }) => prediction({ id: `${id}-${round}`, output }));
          const { body } = await post('predictions', items);
          const expected = { accepted: 0, duplicates: 0, refused: 0 };
          for (const { id, output } of list) {
            const known = first.get(id);
            if (known === undefined) first.set(id, output);
            const what =
              known === undefined ? 'accepted' : known === output ? 'duplicates' : 'refused';
            expected[what] += 1;
          }
          expect(body).toMatchObject(expected);
        }
        for (const [id, output] of first) {
          expect((await show(`${id}-${round}`)).prediction.output).toBe(output);
        }
      }),
      { numRuns: 30 },
    );
  });
});
