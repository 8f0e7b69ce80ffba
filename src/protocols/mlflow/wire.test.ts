import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  logBatchMessage,
  logMetricMessage,
  searchRunsMessage,
  updateRunMessage,
} from './tracking/wire.ts';
import {
  alias,
  bool,
  double,
  type Fields,
  int64,
  type Message,
  message,
  oneOf,
  readMessage,
  repeated,
  required,
  string,
} from './wire.ts';

const one = message({
  id: required(alias(string, 'uuid')),
  value: double,
  time: int64,
  flag: bool,
  status: oneOf(['A', 'B'], 1),
  names: repeated(string),
});
const read = (source: unknown, text = false) => readMessage(one, source, { text });

describe('a message', () => {
  test('is read by its descriptor: unknown and null fields are not there', () => {
    expect(read({ id: 'x', value: 1, other: 5, time: null })).toEqual({ id: 'x', value: 1 });
  });

  test('finds a field under its older name', () => {
    expect(read({ uuid: 'x' })).toEqual({ id: 'x' });
    expect(read({ id: '', uuid: 'x' })).toEqual({ id: 'x' });
  });

  test.each([
    [{}, /^Missing value for required parameter 'id'\. See the API docs/],
    [{ id: '' }, /^Missing value for required parameter 'id'/],
    [{ id: 5 }, /^Invalid value 5 for parameter 'id' supplied: {2}Hint: Value was of type 'int'/],
    [{ id: 'x', time: 'soon' }, /^Invalid value "soon" for parameter 'time' supplied/],
    [{ id: 'x', time: 1.5 }, /Hint: Value was of type 'float'/],
    [{ id: 'x', time: 2 ** 60 }, /must be an integer between/],
    [{ id: 'x', value: 'nan' }, /parameter 'value'/],
    [{ id: 'x', value: true }, /Value was of type 'bool'/],
    [{ id: 'x', value: '' }, /parameter 'value'/],
    [{ id: 'x', status: 'C' }, /Invalid value "C" for parameter 'status'/],
    [{ id: 'x', status: 9 }, /parameter 'status'/],
    [{ id: 'x', flag: 'true' }, /parameter 'flag'/],
    [{ id: 'x', names: 'a' }, /Invalid value "a" for parameter 'names'/],
    [{ id: 'x', names: [1] }, /parameter 'names\[0\]'/],
    [[], /must be a JSON object/],
    ['x', /must be a JSON object/],
  ])('refuses %j', (source, text) => {
    expect(() => read(source)).toThrow(text);
  });

  test.each([
    [{ value: 'NaN' }, 'NaN'],
    [{ value: 'Infinity' }, Number.MAX_VALUE],
    [{ value: '-Infinity' }, -Number.MAX_VALUE],
    [{ value: JSON.parse('1e999') }, Number.MAX_VALUE],
    [{ value: '0.25' }, 0.25],
  ])('reads the double of %j', (source, value) => {
    expect(read({ id: 'x', ...source }).value).toBe(value);
  });

  test('reads integers as numbers or text, and enums by name or number', () => {
    expect(read({ id: 'x', time: '1700000000000', status: 2 })).toEqual({
      id: 'x',
      time: 1_700_000_000_000,
      status: 'B',
    });
  });

  test('reads a query string: one value of a list, booleans as text', () => {
    expect(read({ id: 'x', names: 'a', flag: 'True', time: '5' }, true)).toEqual({
      id: 'x',
      names: ['a'],
      flag: true,
      time: 5,
    });
    expect(() => read({ id: 'x', flag: 'yes' }, true)).toThrow(
      "Invalid boolean value: yes, must be 'true' or 'false'.",
    );
  });

  test('names the place of what is missing in a list', () => {
    expect(() =>
      readMessage(logBatchMessage, { run_id: 'r', metrics: [{ key: 'a', timestamp: 1 }] }),
    ).toThrow("Missing value for required parameter 'metrics[0].value'");
  });

  test('whatever is sent is read or refused with a code of ours, and what is read survives JSON', () => {
    const descriptors: readonly Message<Fields>[] = [
      one,
      logMetricMessage,
      logBatchMessage,
      searchRunsMessage,
      updateRunMessage,
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...descriptors),
        fc.jsonValue(),
        fc.dictionary(
          fc.constantFrom('id', 'run_id', 'value', 'metrics', 'tags', 'key', 'timestamp', 'status'),
          fc.jsonValue(),
        ),
        (descriptor, any, some) => {
          for (const source of [any, some]) {
            try {
              const body = readMessage(descriptor, source);
              expect(JSON.parse(JSON.stringify(body))).toEqual(body);
            } catch (thrown) {
              expect(thrown).toMatchObject({ code: 'invalid_message' });
            }
          }
        },
      ),
    );
  });
});
