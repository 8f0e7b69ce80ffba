import { describe, expect, test } from 'vitest';
import { contentAttributes } from './content.ts';
import { traceOfSpan } from './otlp.ts';
import { readSpanDictionaries, spanOfDictionary } from './span-dictionary.ts';

const traceId = 'ab'.repeat(16);
const id = `tr-${traceId}`;
const base = {
  name: 'ask',
  start_time_unix_nano: '1700000000123456789',
  end_time_unix_nano: '1700000000123456790',
  attributes: {},
};
const read = (more: object) => spanOfDictionary({ ...base, ...more }, { traceId, id });

describe('a span of MLflow', () => {
  test.each([
    ['3.17, in base64', { span_id: 'AAAAAAAAAAE=', parent_span_id: 'AAAAAAAAAAI=' }],
    ['3.5, in hex', { span_id: '0000000000000001', parent_span_id: '0000000000000002' }],
    ['2.22', { context: { span_id: '0x1', trace_id: '0xff' }, parent_id: '0x2' }],
  ])('has its ids: %s', (_version, ids) => {
    const span = read(ids);
    expect(span).toMatchObject({
      ...{ traceId, spanId: '0000000000000001', parentSpanId: '0000000000000002' },
      startTimeUnixNano: '1700000000123456789',
    });
    expect(span && traceOfSpan(span)).toBe(id);
  });

  test.each([
    [{ status: { code: 'STATUS_CODE_ERROR', message: 'no' } }, { code: 2, message: 'no' }],
    [{ status: { code: 'OK' } }, { code: 1 }],
    [{ status_code: 'UNSET', status_message: '' }, { code: 0 }],
  ])('has the status of %j', (said, status) => {
    expect(read({ span_id: '01'.repeat(8), ...said })?.status).toEqual(status);
  });

  test('has the values that MLflow wrote, also text that looks like JSON', () => {
    const values = {
      ...{ text: 'a', list: [1, 'two'], object: { n: 1.5 }, yes: true, none: null },
      ...{ whole: 2, part: 0.5, quoted: '["no list"]' },
    };
    const attributes = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, JSON.stringify(value)]),
    );
    const span = read({ span_id: '01'.repeat(8), attributes: { ...attributes, odd: 'NaN' } });
    expect(span && contentAttributes(span)).toMatchObject({ ...values, odd: 'NaN' });
  });

  test.each([[{ span_id: 'x' }], [{}], [{ span_id: '01'.repeat(8), start_time_unix_nano: null }]])(
    'is none without an id and a start: %j',
    (more) => {
      expect(read(more)).toBeUndefined();
    },
  );

  test('of MLflow 2 is of the trace that has the digits themselves as its id', () => {
    const span = spanOfDictionary({ ...base, span_id: '01'.repeat(8) }, { traceId, id: traceId });
    expect(span && traceOfSpan(span)).toBe(traceId);
  });
});

test('nanoseconds keep their digits, texts with digits stay as they are', () => {
  const json = '{"start": 1700000000123456789, "text": "at 1700000000123456789 \\"x\\"", "n": 5}';
  expect(readSpanDictionaries(json)).toEqual({
    start: '1700000000123456789',
    text: 'at 1700000000123456789 "x"',
    n: 5,
  });
});
