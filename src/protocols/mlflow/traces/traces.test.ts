import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { otlpAttributes, otlpSpan, startTracesServer } from '../../../testing/traces-server.ts';

let server: Awaited<ReturnType<typeof startTracesServer>>;
beforeEach(async () => {
  server = await startTracesServer();
});
afterEach(() => server.close());

const idOf = (number: number): string => `tr-${number.toString(16).padStart(32, '0')}`;
const info = (number: number, more: object = {}): object => ({
  trace: {
    trace_info: {
      trace_id: idOf(number),
      trace_location: { type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id: '0' } },
      request_time: '2023-11-14T22:13:20.5Z',
      execution_duration: '1.25s',
      state: 'OK',
      ...more,
    },
  },
});
const start = (number: number, more: object = {}) =>
  server.call('POST', 'traces', info(number, more));
const get = async (number: number) =>
  (await server.call('GET', `traces/${idOf(number)}`)).body.trace?.trace_info;
const search = (filter: string, more: object = {}) =>
  server.call('POST', 'traces/search', {
    locations: [{ mlflow_experiment: { experiment_id: '0' } }],
    filter,
    ...more,
  });
const found = async (filter: string): Promise<string[]> =>
  ((await search(filter)).body.traces ?? []).map((each: { trace_id: string }) => each.trace_id);
const refusal = (status: number, error_code: string, message: unknown): object => ({
  status,
  body: { error_code, message },
});

describe('a trace that its client reports', () => {
  test('comes back as it was told, with where its files go', async () => {
    const reply = await start(1, {
      client_request_id: 'r-1',
      request_preview: 'q',
      response_preview: 'a',
      tags: { 'mlflow.traceName': 'ask', team: 'geo' },
      trace_metadata: { 'mlflow.trace.session': 's', 'mlflow.trace.cost': '{"total_cost": 0.5}' },
    });
    expect(reply.status).toBe(200);
    expect(reply.body).toEqual({ trace: { trace_info: await get(1) } });
    expect(await get(1)).toEqual({
      trace_id: idOf(1),
      client_request_id: 'r-1',
      trace_location: { type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id: '0' } },
      request_preview: 'q',
      response_preview: 'a',
      request_time: '2023-11-14T22:13:20.500Z',
      execution_duration: '1.250s',
      state: 'OK',
      trace_metadata: {
        'mlflow.trace.session': 's',
        'mlflow.trace.cost': '{"total_cost": 0.5}',
        'mlflow.trace.infoFinalized': 'true',
      },
      tags: {
        'mlflow.artifactLocation': `mlflow-artifacts:/0/traces/${idOf(1)}/artifacts`,
        'mlflow.traceName': 'ask',
        team: 'geo',
      },
    });
  });

  test('wins over what follows from its spans, whichever comes first', async () => {
    const span = [otlpSpan({ trace: 1, span: 1 })];
    const other = [otlpSpan({ trace: 2, span: 1 })];
    await server.exportSpans(span, { experiment: '0' });
    await start(1, { state: 'ERROR' });
    await start(2, { state: 'ERROR' });
    await server.exportSpans(other, { experiment: '0' });
    for (const number of [1, 2]) {
      expect(await get(number)).toMatchObject({
        request_time: '2023-11-14T22:13:20.500Z',
        execution_duration: '1.250s',
        state: 'ERROR',
        tags: { 'mlflow.trace.spansLocation': 'TRACKING_STORE' },
      });
    }
    expect(await server.rebuild()).toEqual([]);
  });

  test.each([
    [{ trace_id: '' }, 400, 'INVALID_PARAMETER_VALUE', /trace_id/],
    [
      { trace_location: { mlflow_experiment: { experiment_id: '9' } } },
      404,
      'RESOURCE_DOES_NOT_EXIST',
      'No Experiment with id=9 exists',
    ],
    [{ state: 'FINE' }, 400, 'INVALID_PARAMETER_VALUE', /state/],
    [{ request_time: 'yesterday' }, 400, 'INVALID_PARAMETER_VALUE', /request_time/],
    [{ execution_duration: 'long' }, 400, 'INVALID_PARAMETER_VALUE', /execution_duration/],
    [{ tags: { a: 1 } }, 400, 'INVALID_PARAMETER_VALUE', /tags\.a/],
    [
      { tags: { 'mlflow.traceName': 'x'.repeat(4_097) } },
      400,
      'INVALID_PARAMETER_VALUE',
      /Trace name/,
    ],
    [
      { assessments: [{ assessment_name: 'x' }] },
      400,
      'INVALID_PARAMETER_VALUE',
      'Unknown assessment type: None',
    ],
  ])('is refused when it cannot be: %j', async (more, status, code, message) => {
    const text = typeof message === 'string' ? message : expect.stringMatching(message);
    expect(await start(1, more)).toMatchObject(refusal(status, code, text));
  });

  test('persons in tags, metadata and assessments become tokens and are found by name', async () => {
    await start(1, {
      tags: { 'mlflow.user': 'alice' },
      trace_metadata: { 'mlflow.trace.user': 'bob' },
      assessments: [
        {
          assessment_name: 'ok',
          source: { source_type: 'HUMAN', source_id: 'carol' },
          feedback: { value: true },
        },
      ],
    });
    expect(await server.newest()).not.toMatch(/alice|bob|carol/);
    expect(await found("tag.mlflow.user = 'alice' AND metadata.mlflow.trace.user = 'bob'")).toEqual(
      [idOf(1)],
    );
    expect((await get(1)).assessments[0].source).toEqual({
      source_type: 'HUMAN',
      source_id: 'carol',
    });
  });
});

describe('a trace of a 2.x client', () => {
  test('is begun, ended and found', async () => {
    const begun = await server.send('POST', '/api/2.0/mlflow/traces', {
      body: { experiment_id: '0', timestamp_ms: 1_000, tags: [{ key: 'a', value: 'b' }] },
    });
    const { request_id: id } = begun.body.trace_info;
    expect(begun.body.trace_info).toMatchObject({ status: 'IN_PROGRESS', execution_time_ms: 0 });
    const ended = await server.send('PATCH', `/api/2.0/mlflow/traces/${id}`, {
      body: {
        timestamp_ms: 1_250,
        status: 'OK',
        request_metadata: [{ key: 'k', value: 'v' }],
      },
    });
    expect(ended.body.trace_info).toMatchObject({ status: 'OK', execution_time_ms: 250 });
    const listed = await server.send(
      'GET',
      '/api/2.0/mlflow/traces?experiment_ids=0&filter=status%20%3D%20%27OK%27',
    );
    expect(listed.body.traces).toEqual([ended.body.trace_info]);
    const again = await server.send('GET', `/api/2.0/mlflow/traces/${id}/info`);
    expect(again.body).toEqual(ended.body);
  });
});

describe('tags', () => {
  test('are set, cut, deleted; what the server writes is not touched', async () => {
    await start(1);
    const path = `traces/${idOf(1)}/tags`;
    const set = await server.call('PATCH', path, { key: 'long', value: 'x'.repeat(9_000) });
    expect(set).toMatchObject({ status: 200, body: {} });
    // Answers show 4,096 characters of it.
    expect((await get(1)).tags.long).toHaveLength(4_096);
    const same = await server.call('PATCH', path, { key: 'long', value: 'x'.repeat(9_000) });
    expect(same.headers).not.toHaveProperty('wherefrom-receipt');
    expect(await server.call('DELETE', path, { key: 'long' })).toMatchObject({ status: 200 });
    expect(await server.call('DELETE', path, { key: 'long' })).toMatchObject(
      refusal(
        404,
        'RESOURCE_DOES_NOT_EXIST',
        `No trace tag with key 'long' for trace with ID '${idOf(1)}'`,
      ),
    );
    expect(
      await server.call('PATCH', path, { key: 'mlflow.trace.spansLocation', value: 'x' }),
    ).toMatchObject(
      refusal(
        400,
        'INVALID_PARAMETER_VALUE',
        "Tag 'mlflow.trace.spansLocation' is immutable and cannot be set on a trace.",
      ),
    );
    expect(await server.call('PATCH', 'traces/none/tags', { key: 'a', value: 'b' })).toMatchObject(
      refusal(404, 'RESOURCE_DOES_NOT_EXIST', "Trace with ID 'none' not found."),
    );
  });
});

describe('spans', () => {
  test('a trace is waited for until its spans are there, and says so when they do not come', async () => {
    const stats = { 'mlflow.trace.sizeStats': '{"num_spans": 2}' };
    await start(1, { trace_metadata: stats });
    await server.exportSpans([otlpSpan({ trace: 1, span: 1 })], { experiment: '0' });
    const whole = server.call('GET', `traces/get?trace_id=${idOf(1)}`);
    const partial = await server.call('GET', `traces/get?trace_id=${idOf(1)}&allow_partial=true`);
    expect(partial.body.trace.spans).toHaveLength(1);
    expect((await server.call('GET', `traces/batchGet?trace_ids=${idOf(1)}`)).body).toEqual({});
    await server.exportSpans([otlpSpan({ trace: 1, span: 2, parent: 1 })], { experiment: '0' });
    expect((await whole).body.trace.spans).toHaveLength(2);
    expect(await server.call('GET', 'traces/get?trace_id=tr-none')).toMatchObject(
      refusal(404, 'RESOURCE_DOES_NOT_EXIST', 'Trace with ID tr-none is not found.'),
    );
  });

  test('are shown in protobuf form, and as the file that pages load', async () => {
    const span = otlpSpan(
      { trace: 1, span: 2, parent: 1 },
      { attributes: otlpAttributes({ 'gen_ai.operation.name': 'chat', plain: 'text' }) },
    );
    await server.exportSpans([otlpSpan({ trace: 1, span: 1 }), span], { experiment: '0' });
    const { body } = await server.call('GET', `traces/get?trace_id=${idOf(1)}`);
    expect(body.trace.spans[1]).toMatchObject({
      trace_id: 'AAAAAAAAAAAAAAAAAAAAAQ==',
      span_id: 'AAAAAAAAAAI=',
      parent_span_id: 'AAAAAAAAAAE=',
      name: 'span 2',
      status: { code: 'STATUS_CODE_OK' },
      attributes: expect.arrayContaining([
        { key: 'plain', value: { string_value: 'text' } },
        { key: 'mlflow.spanType', value: { string_value: 'CHAT_MODEL' } },
      ]),
    });
    const file = await server.send(
      'GET',
      `/ajax-api/3.0/mlflow/get-trace-artifact?request_id=${idOf(1)}`,
    );
    expect(file.headers['content-disposition']).toBe('attachment; filename=traces.json');
    expect(JSON.parse(file.bytes.toString()).spans[1].attributes).toMatchObject({
      plain: '"text"',
      'mlflow.traceRequestId': `"${idOf(1)}"`,
    });
  });

  test('keep NaN and infinities apart from texts of that name', async () => {
    const said = (name: string) => ({
      arrayValue: { values: [{ doubleValue: name }, { stringValue: name }] },
    });
    const values = ['NaN', 'Infinity', '-Infinity'];
    const attributes = values.map((name) => ({ key: name, value: said(name) }));
    await server.exportSpans([otlpSpan({ trace: 1, span: 1 }, { attributes })], {
      experiment: '0',
    });
    const { body } = await server.call('GET', `traces/get?trace_id=${idOf(1)}`);
    expect(body.trace.spans[0].attributes).toEqual(
      expect.arrayContaining(
        values.map((name) => ({
          key: name,
          value: { array_value: { values: [{ double_value: name }, { string_value: name }] } },
        })),
      ),
    );
    const file = await server.send(
      'GET',
      `/ajax-api/3.0/mlflow/get-trace-artifact?request_id=${idOf(1)}`,
    );
    expect(JSON.parse(file.bytes.toString()).spans[0].attributes).toMatchObject(
      Object.fromEntries(values.map((name) => [name, `[${name}, "${name}"]`])),
    );
    expect(await server.rebuild()).toEqual([]);
  });
});

test('spans and attachments that a client stored as files are sent as files', async () => {
  await start(1);
  const url = `/ajax-api/3.0/mlflow/get-trace-artifact?request_id=${idOf(1)}`;
  expect((await server.send('GET', url)).status).toBe(404);
  const place = `/api/2.0/mlflow-artifacts/artifacts/0/traces/${idOf(1)}/artifacts`;
  await server.send('PUT', `${place}/traces.json`, { body: '{"spans":[]}' });
  await server.send('PUT', `${place}/attachments/a.png`, { body: 'image' });
  expect((await server.send('GET', url)).bytes.toString()).toBe('{"spans":[]}');
  expect(await server.send('GET', `${url}&path=a.png`)).toMatchObject({
    status: 200,
    headers: { 'content-disposition': 'attachment; filename=a.png' },
  });
  expect((await server.send('GET', `${url}&path=../traces.json`)).status).toBe(400);
});

describe('assessments', () => {
  const path = `traces/${idOf(1)}/assessments`;
  const assessment = (more: object): object => ({
    assessment: { assessment_name: 'ok', source: { source_type: 'CODE', source_id: 'j' }, ...more },
  });

  test('change only what the mask names, and keep what they are', async () => {
    await start(1);
    const made = await server.call(
      'POST',
      path,
      assessment({ feedback: { value: 3 }, metadata: { a: '1' }, rationale: 'why' }),
    );
    const { assessment_id: id } = made.body.assessment;
    expect(id).toMatch(/^a-[0-9a-f]{32}$/);
    const changed = await server.call('PATCH', `${path}/${id}`, {
      ...assessment({ feedback: { value: 'yes' }, metadata: { b: '2' }, rationale: 'ignored' }),
      update_mask: 'feedback,metadata',
    });
    expect(changed.body.assessment).toMatchObject({
      feedback: { value: 'yes' },
      metadata: { a: '1', b: '2' },
      rationale: 'why',
      valid: true,
    });
    const wrong = { ...assessment({ expectation: { value: 1 } }), update_mask: 'expectation' };
    expect(await server.call('PATCH', `${path}/${id}`, wrong)).toMatchObject(
      refusal(
        400,
        'INVALID_PARAMETER_VALUE',
        'Cannot update expectation value on a Feedback assessment.',
      ),
    );
    expect(await server.call('GET', `${path}/a-none`)).toMatchObject(
      refusal(
        404,
        'RESOURCE_DOES_NOT_EXIST',
        `Assessment with ID 'a-none' not found for trace '${idOf(1)}'`,
      ),
    );
    expect(await server.rebuild()).toEqual([]);
  });

  test('one that overrides another makes it invalid, until it is deleted', async () => {
    await start(1);
    const first = (await server.call('POST', path, assessment({ feedback: { value: false } }))).body
      .assessment;
    const second = await server.call(
      'POST',
      path,
      assessment({ feedback: { value: true }, overrides: first.assessment_id }),
    );
    const one = async () =>
      (await server.call('GET', `${path}/${first.assessment_id}`)).body.assessment.valid;
    expect(await one()).toBe(false);
    expect(await found("feedback.ok = 'false'")).toEqual([]);
    await server.call('DELETE', `${path}/${second.body.assessment.assessment_id}`);
    expect(await one()).toBe(true);
    expect(await server.call('DELETE', `${path}/a-none`)).toMatchObject({ status: 200, body: {} });
    expect(await server.rebuild()).toEqual([]);
  });
});

describe('links and deletion', () => {
  test('an unknown prompt version is kept and flagged, a run must be there', async () => {
    await start(1);
    await server.call('POST', 'traces/link-prompts', {
      trace_id: idOf(1),
      prompt_versions: [{ name: 'qa', version: '3' }],
    });
    expect(await found("prompt = 'qa/3'")).toEqual([idOf(1)]);
    const counts = await server.store.read(({ traces }) =>
      traces.countByRef(['modelVersion:default/qa@3']),
    );
    expect(counts).toEqual([{ ref: 'modelVersion:default/qa@3', count: 1 }]);
    const link = { trace_ids: [idOf(1)], run_id: 'none' };
    expect((await server.call('POST', 'traces/link-to-run', link)).status).toBe(404);
    const many = {
      trace_ids: Array.from({ length: 101 }, (_, number) => idOf(number)),
      run_id: 'none',
    };
    expect(await server.call('POST', 'traces/link-to-run', many)).toMatchObject(
      refusal(
        400,
        'INVALID_PARAMETER_VALUE',
        expect.stringContaining('Cannot link more than 100 traces'),
      ),
    );
  });

  test('a deleted trace leaves a tombstone and what it came out of; its id may be used again', async () => {
    await start(1, { trace_metadata: { 'mlflow.modelId': 'm-1' }, request_preview: 'secret' });
    const deletion = { experiment_id: '0', request_ids: [idOf(1), 'other'] };
    expect((await server.call('POST', 'traces/delete-traces', deletion)).body).toEqual({
      traces_deleted: 1,
    });
    expect((await server.call('POST', 'traces/delete-traces', deletion)).body).toEqual({
      traces_deleted: 0,
    });
    expect((await server.call('GET', `traces/${idOf(1)}`)).status).toBe(404);
    const row = await server.store.read(({ traces }) => traces.findEver('default', idOf(1)));
    expect(row).toMatchObject({ request: null, deletedTime: expect.any(Number) });
    await start(1);
    expect(await found('')).toEqual([idOf(1)]);
    expect(await server.rebuild()).toEqual([]);
  });

  test('the oldest go first when only some are asked for', async () => {
    await start(1, { request_time: '2023-01-02T00:00:00Z' });
    await start(2, { request_time: '2023-01-01T00:00:00Z' });
    const most = {
      experiment_id: '0',
      max_timestamp_millis: Date.parse('2024-01-01'),
      max_traces: 1,
    };
    expect((await server.call('POST', 'traces/delete-traces', most)).body).toEqual({
      traces_deleted: 1,
    });
    expect(await found('')).toEqual([idOf(1)]);
    expect(await server.call('POST', 'traces/delete-traces', { experiment_id: '0' })).toMatchObject(
      refusal(
        400,
        'INVALID_PARAMETER_VALUE',
        'Either `max_timestamp_millis` or `trace_ids` must be specified.',
      ),
    );
  });
});
