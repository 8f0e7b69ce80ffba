import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../../base/limits.ts';
import { startTracesServer } from '../../../testing/traces-server.ts';

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
const search = (filter: string, more: object = {}) =>
  server.call('POST', 'traces/search', {
    locations: [{ mlflow_experiment: { experiment_id: '0' } }],
    filter,
    ...more,
  });
const refusal = (status: number, error_code: string, message: unknown): object => ({
  status,
  body: { error_code, message },
});

describe('searches', () => {
  test('page by page, newest first, each trace once', async () => {
    for (let number = 1; number <= 5; number += 1) {
      await start(number, { request_time: `2023-01-0${number}T00:00:00Z` });
    }
    const ids: string[] = [];
    let token: string | undefined;
    do {
      const { body } = await search('', { max_results: 2, page_token: token });
      ids.push(...(body.traces ?? []).map((each: { trace_id: string }) => each.trace_id));
      token = body.next_page_token;
    } while (token);
    expect(ids).toEqual([5, 4, 3, 2, 1].map(idOf));
    expect((await search('', { max_results: 501 })).status).toBe(400);
  });

  test('a pattern that would run for ages is refused in time', async () => {
    await start(1, { tags: { long: `${'a'.repeat(40)}b` } });
    const began = performance.now();
    expect(await search("tag.long RLIKE '^(a+)+$'")).toMatchObject(
      refusal(400, 'INVALID_PARAMETER_VALUE', expect.stringContaining('takes longer than')),
    );
    expect(performance.now() - began).toBeLessThan(limits.patternTimeoutMs + 2_000);
    expect((await search("tag.long RLIKE '('")).status).toBe(400);
  });

  test('a pattern is read as Python reads it: flags before it, and a dot that is no line break', async () => {
    await start(1, { tags: { note: 'Loan\nREFUSED' } });
    const found = async (pattern: string) =>
      (await search(`tag.note RLIKE '${pattern}'`)).body.traces?.length ?? 0;
    expect(await found('refused')).toBe(0);
    expect(await found('(?i)refused')).toBe(1);
    expect(await found('(?im)^refused$|x')).toBe(1);
    expect(await found('Loan.REFUSED')).toBe(0);
    expect(await found('(?s)Loan.REFUSED')).toBe(1);
  });

  test('how two filters go together is counted', async () => {
    await start(1, { tags: { a: '1', b: '1' } });
    await start(2, { tags: { a: '1' } });
    await start(3);
    const reply = await server.call('POST', 'traces/calculate-filter-correlation', {
      experiment_ids: ['0'],
      filter_string1: "tag.a = '1'",
      filter_string2: "tag.b = '1'",
    });
    expect(reply.body).toMatchObject({
      filter1_count: 2,
      filter2_count: 1,
      joint_count: 1,
      total_count: 3,
    });
    expect(reply.body.npmi).toBeCloseTo(0.369, 3);
  });
});
