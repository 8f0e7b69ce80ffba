import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MetricPoint } from '../../facts/tracking-facts.ts';
import { temporaryStore } from '../../testing/store.ts';
import { unpackPoints } from '../../tracking/index.ts';

let held: ReturnType<typeof temporaryStore>;
let runs = 0;

beforeAll(async () => {
  held = temporaryStore();
  await held.store.transaction(async ({ tracking }) => {
    await tracking.ensureDefaultExperiment('default', 0);
  });
});
afterAll(() => held.remove());

/** Logs points to a new run, batch by batch, and returns its key. */
async function log(batches: readonly (readonly MetricPoint[])[]): Promise<number> {
  runs += 1;
  const id = `run-${runs}`;
  const run = { workspace: 'default', id, experimentId: '0', name: '', user: '', startTime: 0 };
  return held.store.transaction(async ({ tracking }) => {
    await tracking.putRun(run);
    for (const points of batches) await tracking.putMetrics('default', id, points, 0);
    return (await tracking.findRunHead('default', id))?.key ?? 0;
  });
}

type Key = 'timestamp' | 'step' | 'value';

/** In the order of the keys, each point once; a NaN is kept as 0 and follows it. */
function sorted(points: readonly MetricPoint[], keys: readonly Key[]): MetricPoint[] {
  const ofKey = (point: MetricPoint, key: Key): number =>
    Number.isNaN(point[key]) ? 0 : point[key];
  const once = new Map(points.map((each) => [keys.map((key) => each[key]).join(' '), each]));
  return [...once.values()].sort((a, b) => {
    for (const key of keys)
      if (ofKey(a, key) !== ofKey(b, key)) return ofKey(a, key) - ofKey(b, key);
    return Number(Number.isNaN(a.value)) - Number(Number.isNaN(b.value));
  });
}

/** MLflow's sample: the first of each of `limit` parts as even as can be, and the last of all. */
function sampled(points: readonly MetricPoint[], limit: number): MetricPoint[] {
  if (points.length <= limit) return [...points];
  const parts = Array.from({ length: limit }, (_, part) => {
    const larger = points.length % limit;
    return points[part * Math.floor(points.length / limit) + Math.min(part, larger)];
  });
  return [...parts.slice(0, -1), points.at(-1)].filter((each) => each !== undefined);
}

const point = fc.record({
  key: fc.constant('loss'),
  // Few, so that points share them, and parts overlap.
  timestamp: fc.integer({ min: 0, max: 400 }),
  step: fc.integer({ min: -200, max: 200 }),
  value: fc.constantFrom(0, 1, -0.5, Number.NaN),
});
const batches = fc.array(fc.array(point, { maxLength: 300 }), { maxLength: 4 });

test('histories and samples are those of all points in their order, however these came', async () => {
  const limits = fc.integer({ min: 1, max: 50 });
  const check = async (logged: MetricPoint[][], limit: number, offset: number) => {
    const run = await log(logged);
    const other = await log([[{ key: 'loss', timestamp: 1, step: 1, value: 1 }]]);
    const byTime = sorted(logged.flat(), ['timestamp', 'step', 'value']);
    const byStep = sorted(logged.flat(), ['step', 'timestamp', 'value']);
    const steps = { from: -20, to: 90 };
    const within = byStep.filter(({ step }) => step >= steps.from && step <= steps.to);
    const asked = { runs: [run, other], metric: 'loss', limit };
    const [all, page, some, narrow] = await held.store.read(async ({ tracking }) => [
      await tracking.metricHistories({ ...asked, limit: -1, offset: 0 }),
      await tracking.metricHistories({ ...asked, offset }),
      await tracking.metricSamples(asked),
      await tracking.metricSamples({ ...asked, steps }),
    ]);
    const points = (found: typeof all, index = 0): MetricPoint[] => {
      const each = found[index];
      return each === undefined ? [] : [...unpackPoints(each, 'loss')];
    };
    expect(points(all)).toEqual(byTime);
    expect(points(page)).toEqual(byTime.slice(offset, offset + limit));
    // The limit is one for all runs.
    const left = limit - points(page).length;
    expect(points(page, 1)).toHaveLength(offset === 0 && left > 0 ? 1 : 0);
    expect(points(some)).toEqual(sampled(byStep, limit));
    expect(points(some, 1)).toHaveLength(1);
    expect(points(narrow)).toEqual(sampled(within, limit));
  };
  await fc.assert(fc.asyncProperty(batches, limits, fc.integer({ min: 0, max: 30 }), check), {
    numRuns: 40,
  });
});

test('a sample of steps that grow is one of all, over many parts', async () => {
  const points = Array.from({ length: 3_000 }, (_, step) => ({
    ...{ key: 'loss', timestamp: 10_000 + step, step, value: step / 3 },
  }));
  const run = await log([points.slice(0, 1_000), points.slice(1_000, 1_001), points.slice(1_001)]);
  const [found] = await held.store.read(({ tracking }) =>
    tracking.metricSamples({ runs: [run], metric: 'loss', limit: 10 }),
  );
  const steps = [...unpackPoints(found ?? { run, points: new Float64Array() }, 'loss')];
  expect(steps.map(({ step }) => step)).toEqual([
    ...[0, 300, 600, 900, 1_200, 1_500, 1_800, 2_100, 2_400, 2_999],
  ]);
});
