import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { otlpAttributes, otlpSpan, startTracesServer } from '../../../testing/traces-server.ts';

let server: Awaited<ReturnType<typeof startTracesServer>>;
beforeEach(async () => {
  server = await startTracesServer();
});
afterEach(() => server.close());

const idOf = (number: number): string => `tr-${number.toString(16).padStart(32, '0')}`;
/** A trace at `second` seconds after midnight that took `took` ms. */
const start = (number: number, second: number, took: number, more: object = {}) =>
  server.call('POST', 'traces', {
    trace: {
      trace_info: {
        trace_id: idOf(number),
        trace_location: { type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id: '0' } },
        request_time: new Date(Date.UTC(2024, 0, 1, 0, 0, second)).toISOString(),
        execution_duration: `${took / 1000}s`,
        state: 'OK',
        ...more,
      },
    },
  });
const measure = (more: object) =>
  server.call('POST', 'traces/metrics', {
    experiment_ids: ['0'],
    view_type: 'TRACES',
    metric_name: 'trace_count',
    aggregations: [{ aggregation_type: 'COUNT' }],
    ...more,
  });
const points = async (more: object) => (await measure(more)).body.data_points;
const refusal = (message: unknown): object => ({
  status: 400,
  body: { error_code: 'INVALID_PARAMETER_VALUE', message },
});
const percentile = (value: number): object => ({
  aggregation_type: 'PERCENTILE',
  percentile_value: value,
});

describe('numbers of traces', () => {
  test('a percentile lies between its two neighbours', async () => {
    for (const [index, took] of [10, 20, 40, 80].entries()) await start(index + 1, 0, took);
    const [point] = await points({
      metric_name: 'latency',
      aggregations: [
        percentile(50),
        percentile(99.9),
        { aggregation_type: 'AVG' },
        percentile(0),
        percentile(100),
      ],
    });
    expect(point.values).toEqual({
      'P50.0': 30,
      'P99.9': expect.closeTo(79.88, 5),
      AVG: 37.5,
      'P0.0': 10,
      'P100.0': 80,
    });
  });

  test('come in the order of time and dimension, without what has no dimension', async () => {
    await start(1, 30, 1, { tags: { 'mlflow.traceName': 'b' } });
    await start(2, 61, 1, { tags: { 'mlflow.traceName': 'b' } });
    await start(3, 62, 1, { tags: { 'mlflow.traceName': 'a' } });
    await start(4, 63, 1);
    const time = Date.UTC(2024, 0, 1);
    expect(
      await points({
        dimensions: ['trace_name'],
        time_interval_seconds: 60,
        start_time_ms: time,
        end_time_ms: time + 100_000,
      }),
    ).toEqual(
      [
        ['2024-01-01T00:00:00+00:00', 'b'],
        ['2024-01-01T00:01:00+00:00', 'a'],
        ['2024-01-01T00:01:00+00:00', 'b'],
      ].map(([time_bucket, trace_name]) => ({
        metric_name: 'trace_count',
        dimensions: { time_bucket, trace_name },
        values: { COUNT: 1 },
      })),
    );
  });

  test('count nothing of other experiments, of deleted traces and outside of the times', async () => {
    for (const second of [1, 2, 3]) await start(second, second, 1);
    await server.call('POST', 'traces/delete-traces', {
      experiment_id: '0',
      request_ids: [idOf(2)],
    });
    expect(await points({})).toEqual([{ metric_name: 'trace_count', values: { COUNT: 2 } }]);
    const until = Date.UTC(2024, 0, 1, 0, 0, 1);
    expect(await points({ end_time_ms: until })).toMatchObject([{ values: { COUNT: 1 } }]);
    expect(await points({ start_time_ms: until + 1 })).toMatchObject([{ values: { COUNT: 1 } }]);
    expect(await points({ experiment_ids: ['7'] })).toMatchObject([{ values: { COUNT: 0 } }]);
  });

  test('a session and a person are found as they were told, and counted once', async () => {
    const metadata = { 'mlflow.trace.session': 's', 'mlflow.trace.user': 'alice' };
    await start(1, 0, 1, { trace_metadata: metadata });
    await start(2, 0, 1, { trace_metadata: metadata });
    await start(3, 0, 1);
    expect(await points({ metric_name: 'session_count' })).toMatchObject([
      { values: { COUNT: 1 } },
    ]);
    for (const filter of [
      "trace.metadata.mlflow.trace.session = 's'",
      "trace.metadata.`mlflow.trace.user` = 'alice'",
    ]) {
      expect(await points({ filters: [filter] })).toMatchObject([{ values: { COUNT: 2 } }]);
    }
  });

  test('cost and counts of spans by model', async () => {
    const attributes = (model: string, cost: number): { readonly attributes: unknown[] } => ({
      attributes: otlpAttributes({
        'mlflow.llm.model': model,
        'mlflow.llm.cost': JSON.stringify({ total_cost: cost }),
      }),
    });
    const spans = [
      otlpSpan({ trace: 1, span: 1 }, attributes('big', 2)),
      otlpSpan({ trace: 1, span: 2, parent: 1 }, attributes('big', 1)),
      otlpSpan({ trace: 1, span: 3, parent: 1 }, attributes('tiny', 0.5)),
    ];
    await server.exportSpans(spans, { experiment: '0' });
    const dimensions = ['span_model_name'];
    expect(
      await points({
        view_type: 'SPANS',
        metric_name: 'total_cost',
        aggregations: [{ aggregation_type: 'SUM' }],
        dimensions,
      }),
    ).toEqual([
      { metric_name: 'total_cost', dimensions: { span_model_name: 'big' }, values: { SUM: 3 } },
      { metric_name: 'total_cost', dimensions: { span_model_name: 'tiny' }, values: { SUM: 0.5 } },
    ]);
    const one = {
      view_type: 'SPANS',
      metric_name: 'span_count',
      filters: ["span.name = 'span 2'"],
    };
    expect(await points(one)).toMatchObject([{ values: { COUNT: 1 } }]);
  });

  test('assessments that another one replaced do not count', async () => {
    await start(1, 0, 1);
    const assess = (value: unknown, more: object = {}) =>
      server.call('POST', `traces/${idOf(1)}/assessments`, {
        assessment: { assessment_name: 'right', feedback: { value }, ...more },
      });
    const first = await assess('no');
    await assess(3);
    await assess('yes', { overrides: first.body.assessment.assessment_id });
    const view = { view_type: 'ASSESSMENTS' };
    expect(
      await points({
        ...view,
        metric_name: 'assessment_value',
        aggregations: [{ aggregation_type: 'MIN' }, { aggregation_type: 'AVG' }],
      }),
    ).toEqual([{ metric_name: 'assessment_value', values: { MIN: 1, AVG: 2 } }]);
    const counted = await points({
      ...view,
      metric_name: 'assessment_count',
      dimensions: ['assessment_value'],
    });
    expect(
      counted.map((each: { dimensions: object }) => Object.values(each.dimensions)[0]),
    ).toEqual(['"yes"', '3.0']);
  });
});

test.each([
  [{ metric_name: 'nope', view_type: 'ASSESSMENTS' }, /^metric_name must be one of \['assess/],
  [{ aggregations: [{ aggregation_type: 'SUM' }] }, /^Found invalid aggregation_type\(s\): \['SUM/],
  [{ aggregations: [percentile(50)] }, /^Found invalid aggregation_type/],
  [{ aggregations: [percentile(101)] }, 'Percentile value must be between 0 and 100, got 101'],
  [{ dimensions: ['span_name'] }, /^Found invalid dimension\(s\): \['span_name'\]/],
  [{ time_interval_seconds: 60 }, /^start_time_ms and end_time_ms are required/],
  [{ filters: ["span.name = 'x'"] }, /^Filtering by span is only supported for SPANS/],
  [{ filters: ["trace.status = 'OK' AND trace.tag.a = 'b'"] }, /AND$/],
  [{ max_results: 100_001 }, /from 0 to 100000/],
])('what cannot be measured is refused: %j', async (more, message) => {
  expect(await measure(more)).toMatchObject(refusal(expect.stringMatching(message)));
});
