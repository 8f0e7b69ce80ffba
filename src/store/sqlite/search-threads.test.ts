import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { limits } from '../../base/limits.ts';
import { temporaryDirectory } from '../../testing/store.ts';
import type { MetricQuery } from '../../traces/index.ts';
import type { RunSearch, SearchCondition } from '../../tracking/index.ts';
import { openSqliteStore } from './open.ts';
import { createSearchThreads } from './search-threads.ts';
import type { SqliteStore } from './store.ts';

const runCount = limits.searchedInlineMax + 500;
const workspace = 'default';
let directory: ReturnType<typeof temporaryDirectory>;
let path: string;
let store: SqliteStore;

const id = (index: number): string => `run-${String(index).padStart(5, '0')}`;

const putRuns = (from: number, to: number): Promise<void> =>
  store.transaction(async ({ tracking }) => {
    await tracking.ensureDefaultExperiment(workspace, 0);
    for (let index = from; index < to; index += 1) {
      const run = { workspace, id: id(index), experimentId: '0', name: 'r', user: 'u' };
      await tracking.putRun({ ...run, startTime: index });
      await tracking.putParams(workspace, run.id, [{ key: 'depth', value: String(index % 7) }], 0);
      // Ten runs share each value; some have no number, others no value at all.
      const value = index % 4 === 3 ? Number.NaN : Math.floor(index / 10);
      const metric = { key: 'accuracy', value, timestamp: index, step: 0 };
      if (index % 5 !== 4) await tracking.putMetrics(workspace, run.id, [metric], index);
    }
  });

const searchOf = (search: Partial<RunSearch>): RunSearch => ({
  workspace,
  experimentIds: ['0'],
  conditions: [],
  orders: [],
  stage: 'active',
  limit: 30,
  offset: 0,
  ...search,
});

const param = (value: string): SearchCondition => ({
  entity: 'parameter',
  key: 'depth',
  operator: '=',
  value,
});

beforeAll(async () => {
  directory = temporaryDirectory();
  path = join(directory.path, 'store.db');
  ({ store } = openSqliteStore(path));
  await putRuns(0, runCount);
}, 60_000);

afterAll(() => {
  store.close();
  directory.remove();
});

test('a search over many runs is answered on a thread and sees every acknowledged write', async () => {
  for (let index = runCount; index < runCount + 5; index += 1) {
    await putRuns(index, index + 1);
    const [newest] = await store.searches.searchRuns(
      searchOf({ conditions: [param(String(index % 7))], limit: 1 }),
    );
    const [row] = await store.read(({ tracking }) => tracking.getRuns([newest ?? 0]));
    expect(row?.id).toBe(id(index));
  }
});

test('while a search goes on, others and writes are answered', async () => {
  const order: string[] = [];
  const threads = createSearchThreads(path);
  const long = searchOf({ conditions: [param('none')], stage: undefined });
  const searches = Array.from({ length: 8 }, () =>
    threads.search({ of: 'runs', search: long }).then(() => order.push('search')),
  );
  await store.transaction(async () => undefined).then(() => order.push('write'));
  await Promise.all(searches);
  threads.close();
  expect(order[0]).toBe('write');
  expect(order).toHaveLength(9);
});

test('many traces are measured on a thread, in groups as a few are', async () => {
  const count = limits.searchedInlineMax + 100;
  await store.transaction(async ({ traces }) => {
    for (let index = 0; index < count; index += 1) {
      const key = await traces.addTrace({
        ...{ workspace, id: `tr-${index}`, experiment: '0', position: 0 },
        ...{ time: index * 1_000, status: 'OK' },
      });
      await traces.changeTrace(key, { durationMs: index % 3 });
    }
  });
  const query: MetricQuery = {
    ...{ workspace, experiments: ['0'], view: 'traces', metric: 'latency', dimensions: ['status'] },
    ...{ filters: [], bucketMs: 1_000_000, from: 0, until: 1_999_999, limit: 10 },
    aggregations: [{ type: 'MAX' }, { type: 'PERCENTILE', percent: 50 }],
  };
  expect(await store.read(({ traces }) => traces.measureFew(query))).toBeUndefined();
  const groups = await store.searches.measureTraces(query);
  expect(groups).toEqual([
    { bucket: 0, dimensions: ['OK'], values: [2, 1] },
    { bucket: 1_000_000, dimensions: ['OK'], values: [2, 1] },
  ]);
  expect(await store.read(({ traces }) => traces.measure(query))).toEqual(groups);
  const wrong = { ...query, dimensions: ['colour'] };
  await expect(store.searches.measureTraces(wrong)).rejects.toMatchObject({
    code: 'invalid_message',
  });
});

test('what a search refuses is refused by the thread in the same words', async () => {
  const unknown = searchOf({
    conditions: [{ entity: 'attribute', key: 'colour', operator: '=', value: 'red' }],
  });
  await expect(store.searches.searchRuns(unknown)).rejects.toMatchObject({
    code: 'invalid_message',
    message: "Nothing can be searched by the attribute 'colour'.",
  });
});

test('searches that wait when the store closes are refused', async () => {
  const threads = createSearchThreads(path);
  const request = { of: 'runs', search: searchOf({ conditions: [param('none')] }) } as const;
  const waiting = Promise.allSettled(Array.from({ length: 6 }, () => threads.search(request)));
  threads.close();
  for (const result of await waiting) expect(result.status).toBe('rejected');
});

test.each([
  { ascending: true, offset: 0, conditions: [] },
  { ascending: false, offset: 0, conditions: [] },
  { ascending: false, offset: 25, conditions: ['>='] },
  { ascending: true, offset: 5, conditions: ['<'] },
  { ascending: false, offset: 0, conditions: ['>', '!='] },
])('a quick search by metric finds what the whole search finds: %o', async (given) => {
  const conditions = given.conditions.map(
    (operator): SearchCondition => ({
      entity: 'metric',
      key: 'accuracy',
      operator: operator as SearchCondition['operator'], // one of those above
      value: 100,
    }),
  );
  const orders = [{ entity: 'metric', key: 'accuracy', ascending: given.ascending } as const];
  const search = searchOf({ conditions, orders, offset: given.offset });
  const [quick, whole] = await store.read(async ({ tracking }) => [
    await tracking.searchRunsQuickly(search),
    await tracking.searchRuns(search),
  ]);
  expect(quick).toEqual(whole);
  expect(whole).toHaveLength(30);
});

test('a quick search leaves to the whole one what its index does not hold', async () => {
  const orders = [{ entity: 'metric', key: 'accuracy', ascending: false } as const];
  const beyond = searchOf({ orders, offset: 1_480, limit: 200 });
  const unlogged = searchOf({ orders: [{ entity: 'metric', key: 'unlogged', ascending: true }] });
  const filtered = searchOf({ orders, conditions: [param('1')] });
  const found = await store.read(async ({ tracking }) =>
    Promise.all([beyond, unlogged, filtered].map((search) => tracking.searchRunsQuickly(search))),
  );
  expect(found).toEqual([undefined, undefined, undefined]);
});
