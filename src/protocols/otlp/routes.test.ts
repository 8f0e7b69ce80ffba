import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../base/limits.ts';
import { otlpAttributes, otlpSpan, startTracesServer } from '../../testing/traces-server.ts';

let server: Awaited<ReturnType<typeof startTracesServer>>;
beforeEach(async () => {
  server = await startTracesServer();
});
afterEach(() => server.close());

const fixture = readFileSync(
  join(import.meta.dirname, 'fixtures', 'opentelemetry-python-1.45-genai.pb'),
);
const fixtureId = 'tr-2fd58ef658c6d0c70c6a8e5a2e2ec9e8';
const protobuf = { 'content-type': 'application/x-protobuf' };
const ofMlflow = { 'x-mlflow-experiment-id': '0' };
const post = (body: string | Buffer | object, headers: Record<string, string> = {}) =>
  server.send('POST', '/v1/traces', { body, headers });
const find = (id: string) => server.store.read(({ traces }) => traces.find('default', id));

describe('bodies', () => {
  test.each([
    ['plain', fixture, {}],
    ['gzip', gzipSync(fixture), { 'content-encoding': 'gzip' }],
    ['deflate', deflateSync(fixture), { 'content-encoding': 'deflate' }],
    ['deflate without a header', deflateRawSync(fixture), { 'content-encoding': 'deflate' }],
  ])('protobuf of a real exporter is read: %s', async (_name, body, headers) => {
    const reply = await post(body, { ...protobuf, ...headers });
    expect(reply).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'application/x-protobuf',
        'wherefrom-receipt': expect.stringMatching(/^test \d+ 0$/),
      },
    });
    expect(reply.bytes).toHaveLength(0);
    expect(await find(fixtureId)).toMatchObject({
      rootName: 'chat tiny',
      status: 'OK',
      experiment: null,
      session: 'c1',
      time: 1_795_249_353_002,
      usage: '{"input_tokens": 3, "output_tokens": 1, "total_tokens": 4}',
    });
  });

  test('JSON has hex ids, and 64-bit numbers keep every digit', async () => {
    const attributes = [{ key: 'big', value: { intValue: '9007199254740993' } }];
    const reply = await server.exportSpans([otlpSpan({ trace: 1, span: 1 }, { attributes })], {
      experiment: '0',
    });
    expect(reply).toMatchObject({ status: 200, body: {} });
    const trace = await server.send(
      'GET',
      `/api/3.0/mlflow/traces/get?trace_id=tr-${'1'.padStart(32, '0')}`,
    );
    expect(trace.bytes.toString()).toContain('"start_time_unix_nano": 1700000000001123456');
    expect(trace.bytes.toString()).toContain('9007199254740993');
  });

  test.each([
    [
      'another media type',
      'x',
      { 'content-type': 'text/plain' },
      400,
      /^Invalid Content-Type: text\/plain/,
    ],
    [
      'bytes that are no message',
      Buffer.from([255, 255, 1]),
      protobuf,
      400,
      'Invalid OpenTelemetry format',
    ],
    ['JSON that is none', '{', {}, 400, 'Invalid OpenTelemetry format'],
    ['no spans', {}, {}, 400, 'Invalid OpenTelemetry format - no spans found'],
    [
      'an unknown encoding',
      'x',
      { 'content-encoding': 'br' },
      400,
      'Unsupported Content-Encoding: br',
    ],
    ['broken gzip', 'x', { 'content-encoding': 'gzip' }, 400, 'Failed to decompress gzip payload'],
  ])(
    "MLflow's client is refused in its server's words: %s",
    async (_name, body, headers, status, detail) => {
      const reply = await post(body, { ...ofMlflow, ...headers });
      expect(reply.status).toBe(status);
      expect(reply.body).toEqual({
        detail: typeof detail === 'string' ? detail : expect.stringMatching(detail),
      });
    },
  );

  test('a bomb of zeros is refused before it is inflated whole', async () => {
    const bomb = gzipSync(Buffer.alloc(limits.otlpBodyBytesMax + 1));
    const reply = await post(bomb, { ...protobuf, 'content-encoding': 'gzip' });
    expect(reply.status).toBe(413);
  });

  test('another exporter is refused with a Status in its own encoding', async () => {
    const json = await post('{', {});
    expect(json).toMatchObject({
      status: 400,
      body: { code: 3, message: 'Invalid OpenTelemetry format' },
    });
    const binary = await post(Buffer.from([255, 255, 1]), protobuf);
    expect(binary.headers['content-type']).toBe('application/x-protobuf');
    expect(binary.bytes.toString()).toContain('Invalid OpenTelemetry format');
  });

  test('values nested without end are refused', async () => {
    let value: unknown = { stringValue: 'x' };
    for (let depth = 0; depth < 50; depth += 1) value = { arrayValue: { values: [value] } };
    const span = otlpSpan({ trace: 1, span: 1 }, { attributes: [{ key: 'deep', value }] });
    expect((await server.exportSpans([span], { experiment: '0' })).status).toBe(422);
  });
});

describe('spans', () => {
  test("MLflow's requests are taken whole or not at all; others in part", async () => {
    const spans = [
      otlpSpan({ trace: 1, span: 1 }),
      otlpSpan({ trace: 1, span: 2 }, { spanId: 'xy' }),
    ];
    const strict = await server.exportSpans(spans, { experiment: '0' });
    expect(strict).toMatchObject({
      status: 422,
      body: { detail: 'Cannot convert OpenTelemetry span to MLflow span' },
    });
    expect(strict.headers).not.toHaveProperty('wherefrom-receipt');
    const loose = await server.exportSpans(spans);
    expect(loose).toMatchObject({
      status: 200,
      body: {
        partialSuccess: { rejectedSpans: '1', errorMessage: expect.stringContaining('spanId') },
      },
    });
  });

  test('an experiment that is not there is refused as MLflow does', async () => {
    expect(
      await server.exportSpans([otlpSpan({ trace: 1, span: 1 })], { experiment: '77' }),
    ).toMatchObject({
      status: 404,
      body: { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'No Experiment with id=77 exists' },
    });
    expect(
      await server.exportSpans([otlpSpan({ trace: 1, span: 1 })], { experiment: 'x' }),
    ).toMatchObject({
      status: 400,
      body: { error_code: 'INVALID_PARAMETER_VALUE' },
    });
  });

  test('persons become tokens in the payload, and are shown again', async () => {
    const attributes = otlpAttributes({ 'user.id': 'alice@example.org', other: 'alice' });
    await server.exportSpans([otlpSpan({ trace: 1, span: 1 }, { attributes })], {
      experiment: '0',
    });
    expect(await server.newest()).not.toContain('alice@example.org');
    expect(await server.newest()).toMatch(/person_[0-9a-z]{26}/);
    const { body } = await server.call('GET', `traces/tr-${'1'.padStart(32, '0')}`);
    expect(body.trace.trace_info.trace_metadata['mlflow.trace.user']).toBe('alice@example.org');
  });

  test('a trace that comes in parts has the time, status and sums of all its spans', async () => {
    const usage = (count: number) => [
      { key: 'gen_ai.operation.name', value: { stringValue: 'chat' } },
      { key: 'gen_ai.usage.input_tokens', value: { intValue: String(count) } },
      { key: 'gen_ai.usage.output_tokens', value: { intValue: '1' } },
    ];
    const id = `tr-${'5'.padStart(32, '0')}`;
    await server.exportSpans(
      [otlpSpan({ trace: 5, span: 3, parent: 2 }, { attributes: usage(5) })],
      { experiment: '0' },
    );
    expect(await find(id)).toMatchObject({ status: 'IN_PROGRESS', time: 1_700_000_000_003 });
    await server.exportSpans(
      [otlpSpan({ trace: 5, span: 2, parent: 1 }, { attributes: usage(6) })],
      { experiment: '0' },
    );
    await server.exportSpans([otlpSpan({ trace: 5, span: 1 }, { status: { code: 2 } })], {
      experiment: '0',
    });
    expect(await find(id)).toMatchObject({
      status: 'ERROR',
      time: 1_700_000_000_001,
      durationMs: 102,
      // The inner one is within the outer one's count.
      usage: '{"input_tokens": 6, "output_tokens": 1, "total_tokens": 7}',
    });
    expect(await server.rebuild()).toEqual([]);
  });

  test('the same span again changes nothing but its place', async () => {
    const span = otlpSpan({ trace: 1, span: 1 });
    await server.exportSpans([span], { experiment: '0' });
    await server.exportSpans([span], { experiment: '0' });
    const id = `tr-${'1'.padStart(32, '0')}`;
    const row = await find(id);
    const count = await server.store.read(({ traces }) => traces.countSpans(row?.key ?? 0));
    expect(count).toBe(1);
    expect(await server.rebuild()).toEqual([]);
  });

  test('attributes of the resource and tags of the root become tags; reserved ones do not', async () => {
    await server.exportSpans(
      [
        otlpSpan(
          { trace: 1, span: 1 },
          {
            attributes: otlpAttributes({
              'mlflow.traceTag.team': 'geo',
              'mlflow.traceTag.mlflow.traceName': 'ask',
            }),
          },
        ),
      ],
      {
        experiment: '0',
        resource: otlpAttributes({
          'service.name': 'chat',
          'telemetry.sdk.name': 'x',
          'mlflow.trace.spansLocation': 'ELSEWHERE',
        }),
      },
    );
    const { body } = await server.call('GET', `traces/tr-${'1'.padStart(32, '0')}`);
    expect(body.trace.trace_info.tags).toEqual({
      'mlflow.artifactLocation': expect.stringContaining(
        `/traces/tr-${'1'.padStart(32, '0')}/artifacts`,
      ),
      'mlflow.trace.spansLocation': 'TRACKING_STORE',
      'mlflow.traceName': 'ask',
      'service.name': 'chat',
      team: 'geo',
    });
  });
});

describe('what a trace came out of', () => {
  const uses = async (id: string) => {
    const row = await find(id);
    const rows = await server.store.read(({ traces }) => traces.uses([row?.key ?? 0]));
    return rows.map(
      ({ ref, relation, role, known, unknown }) =>
        `${ref} ${relation} ${role} ${known}${unknown ? ' unknown' : ''}`,
    );
  };

  test('a version that nobody registered is kept and flagged; a service may be a deployment', async () => {
    await post(fixture, protobuf);
    expect(await uses(fixtureId)).toEqual([
      'model:provider:openai/tiny-1 served model observed',
      'modelVersion:default/chat@3 served version observed unknown',
    ]);
  });

  test.each([
    [
      { metadata: { source: 'https://docs.example.org/a.html' } },
      'dataset:https:%2F%2Fdocs.example.org/a.html',
      'observed',
    ],
    [
      { metadata: { doc_uri: '/data/kb/a.md', sha256: 'ab'.repeat(32) } },
      `datasetVersion:file//data/kb/a.md@sha256:${'ab'.repeat(32)}`,
      'observed',
    ],
    [{ id: 'chunk-1' }, 'dataset:retriever:%2F%2Fspan%201/chunk-1', 'inferred'],
  ])('a document of a retriever is a dataset: %j', async (document, ref, known) => {
    const attributes = otlpAttributes({
      'openinference.span.kind': 'RETRIEVER',
      'output.value': JSON.stringify([document, { page_content: 'of unknown origin' }]),
    });
    await server.exportSpans([otlpSpan({ trace: 1, span: 1 }, { attributes })]);
    expect(await uses(`tr-${'1'.padStart(32, '0')}`)).toEqual([`${ref} read-by document ${known}`]);
  });
});
