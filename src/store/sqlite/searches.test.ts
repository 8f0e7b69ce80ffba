import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { limits } from '../../base/limits.ts';
import { temporaryDirectory } from '../../testing/store.ts';
import type { TraceCondition } from '../../traces/index.ts';
import { openSqliteStore } from './open.ts';
import { createSearchThreads, type SearchThreads } from './search-threads.ts';
import { type SearchRequest, searchQuickly, searchWhole } from './searches.ts';
import type { SqliteStore } from './store.ts';

const workspace = 'default';
let directory: ReturnType<typeof temporaryDirectory>;
let path: string;
let store: SqliteStore;
let threads: SearchThreads;
/** Two runs with points and datasets. */
let runs: number[];

/** Some of everything that is searched. */
async function fill(): Promise<void> {
  await store.transaction(async ({ tracking, traces, registry, evaluation }) => {
    await tracking.ensureDefaultExperiment(workspace, 0);
    for (let i = 1; i <= 6; i += 1) {
      const experiment = {
        workspace,
        id: String(i),
        name: `e${i}`,
        artifactLocation: 'a',
        time: i,
      };
      await tracking.putExperiment(experiment);
      await tracking.putExperimentTag(workspace, String(i), 'team', `t${i % 2}`);
      const run = { workspace, id: `r${i}`, experimentId: '0', name: 'r', user: 'u', startTime: i };
      await tracking.putRun(run);
      await tracking.putParams(workspace, run.id, [{ key: 'depth', value: String(i % 2) }], 0);
      const points = Array.from({ length: 40 }, (_, step) => ({
        ...{ key: 'loss', timestamp: 1_000 - step, step: (step * 7) % 40 },
        value: step === 3 ? Number.NaN : step / 4,
      }));
      await tracking.putMetrics(workspace, run.id, points, 0);
      const dataset = { name: `d${i % 2}`, digest: 'x', sourceType: 'local', source: '{}' };
      await tracking.putInput(workspace, run.id, dataset, []);
      const model = { workspace, id: `m${i}`, experimentId: '0', name: 'm', modelType: '' };
      await tracking.putLoggedModel({ ...model, sourceRun: '', artifactUri: '', time: i });
      await putTrace(traces, i);
      await putModel(registry, i);
      const set = { workspace, id: `s${i}`, name: `set ${i}`, digest: 'x', time: i, user: null };
      const key = await evaluation.addDataset(set);
      await evaluation.putDatasetTag(key, 'team', `t${i % 2}`);
    }
    runs = (await tracking.findRuns(workspace, ['r1', 'r2'])).map(({ key }) => key);
  });
}

type Session = Parameters<Parameters<SqliteStore['transaction']>[0]>[0];

async function putTrace(traces: Session['traces'], i: number): Promise<void> {
  const key = await traces.addTrace({
    ...{ workspace, id: `tr-${i}`, experiment: '0', position: 0 },
    ...{ time: i, status: i % 3 === 0 ? 'ERROR' : 'OK' },
  });
  await traces.changeTrace(key, { durationMs: i, name: `agent ${i}` });
  await traces.putTag(key, { key: 'team', value: `t${i % 2}` });
}

async function putModel(registry: Session['registry'], i: number): Promise<void> {
  const times = { time: i, updatedTime: i };
  const named = { workspace, name: `model ${i}`, generation: 1, description: null };
  const model = await registry.addModel({ ...named, ...times });
  const places = { source: 's', storageLocation: 's', runId: `r${i % 2}`, runLink: null };
  const version = { model, version: 1, description: null, modelId: null, stage: 'None' };
  const rest = { ...places, ...times, deletedTime: null, touches: true };
  await registry.addVersion({ ...version, ...rest }, [{ key: 'team', value: `t${i % 2}` }]);
}

beforeAll(async () => {
  directory = temporaryDirectory();
  path = join(directory.path, 'store.db');
  ({ store } = openSqliteStore(path));
  await fill();
  threads = createSearchThreads(path);
});

afterAll(() => {
  threads.close();
  store.close();
  directory.remove();
});

const page = { workspace, limit: 4, offset: 1 };
const tag = { entity: 'tag', key: 'team', operator: '=', value: 't1' } as const;
const failed: TraceCondition = {
  ...{ entity: 'attribute', key: 'status' },
  ...{ operator: '=', value: 'ERROR' },
};

/** One search of each sort; `runs` are those of the store. */
const requests = (): SearchRequest[] => [
  { of: 'experiments', search: { ...page, conditions: [], orders: [], stage: 'active' } },
  { of: 'runs', search: { ...page, experimentIds: ['0'], conditions: [], orders: [] } },
  {
    of: 'loggedModels',
    search: { ...page, experimentIds: ['0'], conditions: [], orders: [], datasets: [] },
  },
  { of: 'datasetSummaries', search: { workspace, experimentIds: ['0'], limit: 10 } },
  { of: 'metricHistories', search: { runs, metric: 'loss', limit: 60, offset: 5 } },
  { of: 'metricSamples', search: { runs, metric: 'loss', limit: 7 } },
  { of: 'traces', search: { ...page, experiments: ['0'], conditions: [tag], orders: [] } },
  {
    of: 'traceOverlap',
    search: { workspace, experiments: ['0'], conditions: [], first: [tag], second: [failed] },
  },
  {
    of: 'traceMetrics',
    search: {
      ...{ workspace, experiments: ['0'], view: 'traces', metric: 'latency', filters: [] },
      ...{ aggregations: [{ type: 'AVG' }], dimensions: ['status'], limit: 10 },
    },
  },
  { of: 'models', search: { ...page, conditions: [], orders: [], prompts: false } },
  { of: 'versions', search: { ...page, conditions: [tag], orders: [], prompts: false } },
  {
    of: 'evaluationDatasets',
    search: { ...page, experiments: undefined, conditions: [tag], orders: [] },
  },
];

describe('a search', () => {
  test('of each sort finds on a thread what it finds here, and something', async () => {
    for (const request of requests()) {
      const here = await store.read((session) => searchWhole(session, request));
      expect(await threads.search(request), request.of).toEqual(here);
      expect(JSON.stringify(here).length, request.of).toBeGreaterThan(4);
    }
  });

  test('over few rows is answered at once, and finds the same', async () => {
    for (const request of requests()) {
      const [quick, whole] = await store.read(async (session) => [
        await searchQuickly(session, request),
        await searchWhole(session, request),
      ]);
      expect(quick, request.of).toEqual(whole);
    }
  });

  test('that reads contents or tries a pattern goes to a thread however few there are', async () => {
    const search = { ...page, experiments: ['0'], orders: [] };
    const pattern = { ...failed, operator: 'RLIKE', value: 'E.*' } as const;
    const content = { entity: 'span', key: 'content', operator: 'LIKE', value: '%x%' } as const;
    for (const condition of [pattern, content]) {
      const request = { of: 'traces', search: { ...search, conditions: [condition] } } as const;
      expect(await store.read((session) => searchQuickly(session, request))).toBeUndefined();
    }
    const found = await store.searches.searchTraces({
      ...search,
      offset: 0,
      conditions: [pattern],
    });
    expect(found).toHaveLength(2);
  });

  test('is refused by the thread in the same words as here', async () => {
    const unknown = { ...tag, entity: 'attribute', key: 'colour' } as const;
    const pattern = { ...failed, operator: 'RLIKE', value: '(' } as const;
    const refused: SearchRequest[] = [
      {
        of: 'experiments',
        search: { ...page, conditions: [unknown], orders: [], stage: undefined },
      },
      { of: 'traces', search: { ...page, experiments: ['0'], conditions: [pattern], orders: [] } },
    ];
    for (const request of refused) {
      const here = await store
        .read((session) => searchWhole(session, request))
        .then(() => undefined)
        .catch(({ code, message, hint }) => ({ code, message, hint }));
      expect(here?.code).toBe('invalid_message');
      await expect(threads.search(request)).rejects.toMatchObject(here ?? {});
    }
  });
});

test('a search whose thread ends is refused, and another thread takes the next one', async () => {
  const later = join(directory.path, 'later.db');
  const young = createSearchThreads(later);
  const [request] = requests();
  if (request === undefined) throw new Error('there is no request');
  // There is no store yet: the thread cannot open it, and ends.
  await expect(young.search(request)).rejects.toMatchObject({ code: 'storage_unavailable' });
  openSqliteStore(later).store.close();
  // Experiment "0", which is there before anything was written.
  expect(await young.search({ ...request, search: { ...request.search, offset: 0 } })).toEqual([0]);
  young.close();
});

test('over many rows only what an index gives is found at once, and it is the same', async () => {
  await store.transaction(async ({ traces, registry }) => {
    for (let i = 10; i < limits.searchedInlineMax + 20; i += 1) {
      await putTrace(traces, i);
      await putModel(registry, i);
    }
  });
  const both = (request: SearchRequest) =>
    store.read(async (session) => [
      await searchQuickly(session, request),
      await searchWhole(session, request),
    ]);
  const traces = { ...page, experiments: ['0'], conditions: [], orders: [] };
  const since = { entity: 'attribute', key: 'time', operator: '>=', value: 500 } as const;
  const models = { ...page, conditions: [], orders: [], prompts: false };
  const named = { ...page, offset: 0, orders: [], prompts: false };
  const name = { entity: 'attribute', key: 'name', operator: '=', value: 'model 44' } as const;
  const run = { ...name, key: 'run_id', value: 'r1' };
  for (const request of [
    { of: 'traces', search: traces },
    { of: 'traces', search: { ...traces, conditions: [since] } },
    { of: 'models', search: models },
    { of: 'models', search: { ...named, conditions: [name] } },
    { of: 'versions', search: { ...named, conditions: [name] } },
    { of: 'versions', search: { ...named, conditions: [run] } },
  ] satisfies SearchRequest[]) {
    const [quick, whole] = await both(request);
    expect(quick, JSON.stringify(request)).toEqual(whole);
    expect(quick).not.toEqual([]);
  }
  for (const request of [
    { of: 'traces', search: { ...traces, conditions: [tag] } },
    { of: 'models', search: { ...models, conditions: [tag] } },
    { of: 'versions', search: models },
  ] satisfies SearchRequest[]) {
    const [quick, whole] = await both(request);
    expect(quick, JSON.stringify(request)).toBeUndefined();
    expect(await threads.search(request)).toEqual(whole);
  }
});
