import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import { createDoor } from '../../door/door.ts';
import { createWorkspace, defaultWorkspace } from '../../door/workspaces.ts';
import { openSqliteStore } from '../../store/sqlite/open.ts';
import type { SqliteStore } from '../../store/sqlite/store.ts';
import type { ProtocolServices } from '../services.ts';
import { openlineage } from './index.ts';

const event = {
  eventTime: '2026-11-21T12:00:00Z',
  eventType: 'COMPLETE',
  run: { runId: 'r1' },
  job: { namespace: 'n', name: 'j' },
  inputs: [{ namespace: 'n', name: 'in' }],
};
const json = { 'content-type': 'application/json' };

let app: FastifyInstance;
let store: SqliteStore;
let directory: string;
let counts: Record<string, number>;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'wherefrom-openlineage-'));
  store = openSqliteStore(join(directory, 'store.db')).store;
  const door = createDoor({ store, clock: systemClock, log: 'test', secret: Buffer.alloc(32, 1) });
  await door.submit({
    operation: createWorkspace,
    workspace: defaultWorkspace,
    principal: 'p1',
    body: { name: defaultWorkspace },
  });
  counts = { refused: 0, warned: 0 };
  const services: Pick<ProtocolServices, 'door' | 'count'> = {
    door,
    count: (what) => {
      counts[what] = (counts[what] ?? 0) + 1;
    },
  };
  app = Fastify({ bodyLimit: 1_000 });
  app.addHook('onRequest', async (request) => {
    request.principal = { id: 'p1', role: 'write', workspace: defaultWorkspace, reach: 'all' };
  });
  // The routes use the door and the counters only.
  openlineage.register(app, services as ProtocolServices);
  await app.ready();
});

afterEach(async () => {
  await app.close();
  store.close();
  rmSync(directory, { recursive: true });
});

const post = (
  payload: string | Buffer,
  headers: Record<string, string> = json,
  url = '/api/v1/lineage',
) => app.inject({ method: 'POST', url, headers, payload });

const entries = (): Promise<number> =>
  store.read(async (session) => (await session.ledger.head()).size);

describe('POST /api/v1/lineage', () => {
  test('answers 201 with an empty body and the receipt', async () => {
    const answer = await post(JSON.stringify(event));
    expect(answer.statusCode).toBe(201);
    expect(answer.body).toBe('');
    expect(answer.headers['wherefrom-receipt']).toBe('test 1 0');
    expect(await entries()).toBe(2);
    const run = await store.read((session) => session.lineage.findNode('run:default/r1'));
    expect(run?.kind).toBe('run');
  });

  test('takes the same event again, with other white space, without a new entry', async () => {
    await post(JSON.stringify(event));
    const answer = await post(JSON.stringify(event, undefined, 2));
    expect(answer.statusCode).toBe(201);
    expect(answer.headers['wherefrom-receipt']).toBeUndefined();
    expect(await entries()).toBe(2);
    await post(JSON.stringify({ ...event, eventType: 'FAIL' }));
    expect(await entries()).toBe(3);
  });

  test('many at once, with repetitions, are recorded once each', async () => {
    const bodies = Array.from({ length: 200 }, (_, index) =>
      JSON.stringify({ ...event, run: { runId: `r${index % 50}` } }),
    );
    const answers = await Promise.all(bodies.map((body) => post(body)));
    expect(answers.every(({ statusCode }) => statusCode === 201)).toBe(true);
    expect(answers.filter(({ headers }) => headers['wherefrom-receipt']).length).toBe(50);
  });

  test.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['Deflate', deflateRawSync],
  ])('reads %s', async (encoding, compress) => {
    const answer = await post(compress(JSON.stringify(event)), {
      ...json,
      'content-encoding': encoding,
    });
    expect(answer.statusCode).toBe(201);
    expect(await entries()).toBe(2);
  });

  test.each([
    'application/json; charset=UTF-8',
    'application/json;charset="utf-8"',
    'text/json',
    'application/vnd.openlineage+json',
  ])('reads %s', async (contentType) => {
    expect((await post(JSON.stringify(event), { 'content-type': contentType })).statusCode).toBe(
      201,
    );
  });

  test('tells warnings in a header and counts them', async () => {
    const answer = await post(JSON.stringify({ ...event, eventTime: 'soon' }));
    expect(answer.statusCode).toBe(201);
    expect(String(answer.headers['wherefrom-warning'])).toContain('eventTime');
    expect(counts.warned).toBe(1);
  });

  test('persons and secrets are not in what is stored', async () => {
    const facets = {
      environmentVariables: { environmentVariables: [{ name: 'API_KEY', value: 'hunter2' }] },
      spark_applicationDetails: { userName: 'ada lovelace' },
    };
    const job = { ...event.job, facets: { ownership: { owners: [{ name: 'grace hopper' }] } } };
    const body = { ...event, run: { runId: 'r1', facets }, job };
    expect((await post(JSON.stringify(body))).statusCode).toBe(201);
    expect((await post(JSON.stringify(body))).headers['wherefrom-receipt']).toBeUndefined();
    const stored = await store.read((session) => session.messageOf(1, 0));
    expect(stored).toContain('***');
    expect(stored).toMatch(/person_/);
    expect(stored).not.toMatch(/hunter2|lovelace|hopper/);
  });

  test('a list is taken as a batch', async () => {
    const answer = await post(JSON.stringify([event, { ...event, run: { runId: 'r2' } }]));
    expect(answer.json()).toMatchObject({
      status: 'success',
      summary: { received: 2, successful: 2 },
    });
  });
});

describe('refusals are problems', () => {
  const bomb = () => gzipSync(Buffer.alloc(limits.openLineageBodyBytesMax + 1, 32));
  const cases: readonly [string, () => string | Buffer, Record<string, string>, number, string][] =
    [
      ['malformed JSON', () => '{"run":', json, 400, 'malformed_message'],
      ['an empty body', () => '', json, 400, 'malformed_message'],
      [
        'bytes that are no UTF-8',
        () => Buffer.from([0x22, 0xff, 0x22]),
        json,
        400,
        'malformed_message',
      ],
      [
        'bytes that are no gzip',
        () => 'plain',
        { ...json, 'content-encoding': 'gzip' },
        400,
        'malformed_message',
      ],
      [
        'half of a gzip',
        () => gzipSync(JSON.stringify(event)).subarray(0, 30),
        { ...json, 'content-encoding': 'gzip' },
        400,
        'malformed_message',
      ],
      ['endless nesting', () => '['.repeat(1e6), json, 400, 'malformed_message'],
      ['a text', () => '"x"', json, 422, 'invalid_message'],
      ['null', () => 'null', json, 422, 'invalid_message'],
      ['an event about nothing', () => '{"eventType":"START"}', json, 422, 'invalid_message'],
      ['a run without id and job', () => '{"run":{},"job":{}}', json, 422, 'invalid_message'],
      ['XML', () => '<a/>', { 'content-type': 'application/xml' }, 415, 'unsupported_media'],
      [
        'an unknown encoding',
        () => '{}',
        { ...json, 'content-encoding': 'br' },
        415,
        'unsupported_media',
      ],
      [
        'an unknown charset',
        () => '{}',
        { 'content-type': 'application/json; charset=klingon' },
        415,
        'unsupported_media',
      ],
      [
        'a body above the limit',
        () => ' '.repeat(limits.openLineageBodyBytesMax + 1),
        json,
        413,
        'too_large',
      ],
      [
        'a body that inflates above the limit',
        bomb,
        { ...json, 'content-encoding': 'gzip' },
        413,
        'too_large',
      ],
    ];

  test.each(cases)('%s', async (_, payload, headers, status, code) => {
    const answer = await post(payload(), headers);
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(answer.json()).toMatchObject({ type: `/problems/${code}`, status, code });
    expect(await entries()).toBe(1);
  });

  test('unknown paths and methods too', async () => {
    for (const [method, url] of [
      ['GET', '/api/v1/lineage'],
      ['POST', '/api/v1/nothing'],
      ['PUT', '/api/v1/lineage'],
    ] as const) {
      const answer = await app.inject({ method, url });
      expect(answer.statusCode).toBe(404);
      expect(answer.json()).toMatchObject({ code: 'not_found' });
    }
  });
});

describe('POST /api/v1/lineage/batch', () => {
  const url = '/api/v1/lineage/batch';

  test.each([
    ['a list', (events: unknown[]) => JSON.stringify(events), 'application/json'],
    [
      'an object with events',
      (events: unknown[]) => JSON.stringify({ events }),
      'application/json',
    ],
    [
      'one event a line',
      (events: unknown[]) => `${events.map((item) => JSON.stringify(item)).join('\n')}\n`,
      'application/x-ndjson',
    ],
  ])('takes %s; one bad event fails alone', async (_, write, contentType) => {
    const second = { ...event, run: { runId: 'r2' } };
    const answer = await post(
      write([event, 5, second, {}, event]),
      { 'content-type': contentType },
      url,
    );
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      status: 'partial_success',
      summary: { received: 5, successful: 3, failed: 2, duplicates: 1 },
      failed_events: [
        { index: 1, reason: 'invalid_message: The event is not a JSON object.', retriable: false },
        {
          index: 3,
          reason: 'invalid_message: The event names no run, no job and no dataset.',
          retriable: false,
        },
      ],
      receipts: ['test 1 0', null, 'test 1 1', null, null],
    });
    expect(await entries()).toBe(2);
    expect(counts.refused).toBe(2);
  });

  test('a line that is no JSON fails alone', async () => {
    const answer = await post(
      `${JSON.stringify(event)}\n{"run"\n`,
      { 'content-type': 'application/x-ndjson' },
      url,
    );
    expect(answer.json()).toMatchObject({ summary: { received: 2, successful: 1, failed: 1 } });
  });

  test('a list above the limit is refused whole', async () => {
    const answer = await post(
      JSON.stringify(Array.from({ length: limits.openLineageBatchEventsMax + 1 }, () => 1)),
      json,
      url,
    );
    expect(answer.statusCode).toBe(413);
  });

  test('an empty list is no fault', async () => {
    expect((await post('[]', json, url)).json()).toMatchObject({
      status: 'success',
      summary: { received: 0 },
    });
  });
});

test('the captured events of every producer are accepted as they were sent', async () => {
  for (const [group, count] of [
    ['airflow_pg', 11],
    ['dbt', 10],
    ['feast', 6],
    ['spark', 31],
  ] as const) {
    for (let index = 1; index <= count; index += 1) {
      const file = join(
        import.meta.dirname,
        'fixtures',
        group,
        `${String(index).padStart(3, '0')}.json`,
      );
      const answer = await post(gzipSync(readFileSync(file)), {
        ...json,
        'content-encoding': 'gzip',
      });
      expect(answer.statusCode).toBe(201);
    }
  }
  expect(counts.refused).toBe(0);
});

test('no JSON whatever is a fault of the server', async () => {
  const any = fc.jsonValue({ maxDepth: 4 });
  const text = fc.string({ unit: 'binary', maxLength: 20 });
  const part = fc.oneof(
    any,
    fc.record(
      { runId: text, namespace: text, name: text, facets: fc.oneof(any, fc.dictionary(text, any)) },
      { requiredKeys: [] },
    ),
  );
  const message = fc.oneof(
    any,
    fc.record(
      {
        run: part,
        job: part,
        dataset: part,
        inputs: fc.array(part, { maxLength: 2 }),
        outputs: fc.array(part, { maxLength: 2 }),
      },
      { requiredKeys: [] },
    ),
  );
  await fc.assert(
    fc.asyncProperty(message, async (value) => {
      const body = JSON.stringify(value);
      const { statusCode } = await post(body);
      expect([200, 201, 422], body).toContain(statusCode);
    }),
    { numRuns: 150 },
  );
});

test.each(['"\\ud800"', '"a\\u0000b"', '"\\udc00\\ud800"'])(
  'the run id %s is taken',
  async (runId) => {
    const answer = await post(
      `{"run":{"runId":${runId},"facets":{"x":{${runId}:1}}},"job":{"name":${runId}}}`,
    );
    expect(answer.statusCode).toBe(201);
  },
);
