/**
 * The same requests to MLflow's own server and to ours: what is answered must be equal, up to ids,
 * times and invented names, and up to what `differential/differences.ts` names.
 * `DIFFERENTIAL=all` sends everything that the generators know; otherwise a part that stays the same.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensurePythonEnv } from '../../scripts/python-env.ts';
import { type ChildServer, root, startChildServer } from '../server.ts';
import { badFieldSteps, spares } from './differential/bad-fields.ts';
import type { Compared, Step } from './differential/compared.ts';
import { reasonFor } from './differential/differences.ts';
import { searchSteps } from './differential/expressions.ts';
import { createPair, isAlike, type Pair } from './differential/pair.ts';
import { populationSteps } from './differential/population.ts';
import { createRandom } from './differential/random.ts';
import { type ReferenceServer, startReferenceServer } from './differential/reference-server.ts';
import { type Found, report } from './differential/report.ts';
import { foundAlike } from './differential/searches.ts';
import { sequence } from './differential/sequences.ts';

const all = process.env.DIFFERENTIAL === 'all';
const MINUTE_MS = 60_000;
/** Everything takes a quarter of an hour on two busy cores. */
const timeoutMs = (all ? 60 : 5) * MINUTE_MS;

let reference: ReferenceServer;
let server: ChildServer;
let pair: Pair;
let python: string;

beforeAll(async () => {
  ({ python } = await ensurePythonEnv({ log: console.log }));
  [reference, server] = await Promise.all([startReferenceServer(python), startChildServer()]);
  pair = createPair({ theirs: reference.url, ours: server.url });
}, timeoutMs);
afterAll(async () => {
  await Promise.all([reference?.stop(), server?.stop()]);
});

/** The same part of a list on every run: `count` of it, spread by a seed. */
function part<T>(items: readonly T[], count: number): readonly T[] {
  if (all || items.length <= count) return items;
  const random = createRandom(items.length);
  return items.filter(() => random.below(items.length) < count);
}

async function differing(
  steps: readonly Step[],
  alike: (compared: Compared) => boolean = isAlike,
): Promise<string> {
  const found: Found[] = [];
  for (const [index, step] of steps.entries()) {
    const compared = await pair.send(step);
    if (!alike(compared) && reasonFor(compared) === undefined) found.push({ compared, index });
  }
  return report(steps, found);
}

/** What a script is answered by MLflow's server, and by ours. */
function bothPlay(script: string): Promise<(readonly unknown[])[]> {
  const path = join(root, 'e2e', 'clients', script);
  const play = async (url: string): Promise<readonly unknown[]> => {
    const options = { maxBuffer: 16 * 1024 * 1024 };
    const { stdout } = await promisify(execFile)(python, [path, url], options);
    return JSON.parse(stdout.slice('RESULT '.length)) as readonly unknown[];
  };
  return Promise.all([play(reference.url), play(server.url)]);
}

describe('MLflow and Wherefrom', { timeout: timeoutMs }, () => {
  test('find the same by every expression, in the same order', async () => {
    expect(await differing(populationSteps())).toBe('');
    expect(await differing(part(searchSteps(), 700), foundAlike)).toBe('');
  });

  test.each(all ? [1, 2, 3, 4, 5] : [1])(
    'answer alike what clients send, seed %i',
    async (seed) => {
      expect(await differing(sequence(seed, all ? 1_500 : 500))).toBe('');
    },
  );

  test('answer alike to values at the edges of every field', async () => {
    expect(await differing([...spares, ...part(badFieldSteps().edges, 500)])).toBe('');
  });

  test('measure the same traces alike, and refuse what cannot be measured in the same words', async () => {
    const [theirs = [], ours] = await bothPlay('trace_metrics.py');
    expect(theirs.length).toBeGreaterThan(1_000);
    expect(ours).toEqual(theirs);
  });

  test('keep issues, label schemas and review queues alike', async () => {
    const [theirs = [], ours] = await bothPlay('review_requests.py');
    expect(theirs.length).toBeGreaterThan(100);
    expect(ours).toEqual(theirs);
  });

  // Last: what they take and we refuse makes their state another one.
  test('refuse values of wrong types', async () => {
    expect(await differing(part(badFieldSteps().wrong, 250))).toBe('');
  });
});
