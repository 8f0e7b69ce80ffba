/** Generated runs, each with 5 metrics, 5 parameters and 4 tags. */
import { systemClock } from '../../src/base/clock.ts';
import { createDoor, createWorkspace, defaultWorkspace } from '../../src/door/index.ts';
import type { TrackingFact } from '../../src/facts/tracking-facts.ts';
import { openDataDirectory } from '../../src/server/data-directory.ts';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import { projectTracking } from '../../src/tracking/index.ts';

/** Runs that one transaction writes. */
const runsTogether = 5_000;
const metricNames = ['accuracy', 'loss', 'f1', 'precision', 'recall'] as const;
const paramNames = ['depth', 'rate', 'optimizer', 'seed', 'batch'] as const;
const tagNames = ['team', 'stage', 'region', 'mlflow.source.name'] as const;

/** A number from 0 to 1 that looks random and is the same in every run. */
function spread(index: number, salt: number): number {
  return ((Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(salt + 7, 0x85ebca6b)) >>> 0) / 2 ** 32;
}

/** Id of a generated run. */
const generatedRunId = (index: number): string => index.toString(16).padStart(32, '0');

function factsOf(index: number): TrackingFact[] {
  const run = generatedRunId(index);
  const time = Date.UTC(2026, 0, 1) + index * 1_000;
  const point = (key: string, salt: number) => ({
    key,
    value: spread(index, salt),
    timestamp: time,
    step: 0,
  });
  return [
    {
      kind: 'run.created',
      run,
      experiment: '0',
      name: `run-${index}`,
      user: 'bench',
      startTime: time,
      tags: tagNames.map((key, i) => ({ key, value: `${key}-${(index + i) % 20}` })),
    },
    { kind: 'metrics.logged', run, metrics: metricNames.map(point) },
    {
      kind: 'params.logged',
      run,
      params: paramNames.map((key, i) => ({ key, value: `${key}-${(index * (i + 3)) % 50}` })),
    },
  ];
}

/**
 * Fills a new data directory with `count` runs by the projection alone: what search reads is as a
 * server would have written it, without the hour that a million requests take. Its ledger is empty.
 */
export async function fillRuns(path: string, count: number): Promise<void> {
  const directory = openDataDirectory(path);
  const { store } = openSqliteStore(directory.storePath);
  try {
    const clock = systemClock;
    const door = createDoor({ store, clock, log: directory.log, secret: directory.secret });
    await door.submit({
      operation: createWorkspace,
      workspace: defaultWorkspace,
      principal: 'bench',
      body: { name: defaultWorkspace },
    });
    for (let from = 0; from < count; from += runsTogether) {
      await store.transaction(async ({ tracking }) => {
        for (let index = from; index < Math.min(count, from + runsTogether); index += 1) {
          const context = { position: 0, index: 0, time: 0, workspace: defaultWorkspace };
          await projectTracking(factsOf(index), { ...context, principal: 'bench' }, tracking);
        }
      });
    }
  } finally {
    store.close();
    directory.lock?.release();
  }
}
