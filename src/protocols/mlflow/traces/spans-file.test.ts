import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTracesServer } from '../../../testing/traces-server.ts';

let server: Awaited<ReturnType<typeof startTracesServer>>;
beforeEach(async () => {
  server = await startTracesServer();
});
afterEach(() => server.close());

const traceOf = async (): Promise<string> => {
  const reply = await server.send('POST', '/api/2.0/mlflow/traces', {
    body: { experiment_id: '0', timestamp_ms: 1_700_000_000_000 },
  });
  return reply.body.trace_info.request_id;
};
const upload = (trace: string, body: string) =>
  server.send(
    'PUT',
    `/api/2.0/mlflow-artifacts/artifacts/0/traces/${trace}/artifacts/traces.json`,
    {
      body,
    },
  );
/** A span as 2.x clients write it; nanoseconds do not fit a number of JavaScript. */
const span = (id: number, more: object = {}): string =>
  JSON.stringify({
    name: `step ${id}`,
    context: { span_id: id.toString(16).padStart(16, '0'), trace_id: 'ab'.repeat(16) },
    parent_id: null,
    start_time: 'START',
    end_time: 'END',
    status_code: 'OK',
    status_message: '',
    attributes: { 'mlflow.spanType': '"TOOL"', n: '3' },
    events: [],
    ...more,
  })
    .replace('"START"', '1700000000000123457')
    .replace('"END"', '1700000000500123457');
const spansOf = async (trace: string) =>
  (await server.call('GET', `traces/get?trace_id=${trace}&allow_partial=true`)).bytes.toString();
const size = () => server.store.read(async ({ ledger }) => (await ledger.head()).size);

describe('the spans in the file of an older client', () => {
  test('are those of the trace, with all digits of their times', async () => {
    const trace = await traceOf();
    expect((await upload(trace, `{"spans": [${span(1)}]}`)).status).toBe(200);
    const said = await spansOf(trace);
    expect(said).toContain('"start_time_unix_nano": 1700000000000123457');
    expect(said).toContain('"name": "step 1"');
    const found = await server.call('POST', 'traces/search', {
      locations: [{ mlflow_experiment: { experiment_id: '0' } }],
      filter: "span.type = 'TOOL' AND span.attributes.n = '3'",
    });
    expect(found.body.traces).toMatchObject([{ trace_id: trace }]);
    await server.rebuild();
  });

  test('come once, and those that a later file adds come too', async () => {
    const trace = await traceOf();
    await upload(trace, `{"spans": [${span(1)}]}`);
    const before = await size();
    await upload(trace, `{"spans": [${span(1)}]}`);
    expect(await size()).toBe(before);
    await upload(trace, `{"spans": [${span(1)}, ${span(2)}]}`);
    expect(await spansOf(trace)).toContain('"name": "step 2"');
  });

  test('a person among them is a token in the record', async () => {
    const trace = await traceOf();
    await upload(trace, `{"spans": [${span(1, { attributes: { 'user.id': '"alice"' } })}]}`);
    expect(await server.newest()).not.toContain('alice');
    expect(await spansOf(trace)).toContain('alice');
  });

  test.each([
    ['no JSON', '{"spans": ['],
    ['another thing', '[1]'],
    ['a span that has no id', `{"spans": [${span(0)}]}`],
    ['a span without a start', '{"spans": [{"name": "x"}]}'],
  ])('%s is only a file', async (_what, body) => {
    const trace = await traceOf();
    expect((await upload(trace, body)).status).toBe(200);
    expect(await spansOf(trace)).not.toContain('start_time_unix_nano');
  });

  test('a file where no trace is, or beside the place of the trace, is only a file', async () => {
    const trace = await traceOf();
    await upload('f'.repeat(32), `{"spans": [${span(1)}]}`);
    await server.send(
      'PUT',
      `/api/2.0/mlflow-artifacts/artifacts/other/traces/${trace}/artifacts/traces.json`,
      { body: `{"spans": [${span(1)}]}` },
    );
    expect(await spansOf(trace)).not.toContain('step 1');
  });
});
