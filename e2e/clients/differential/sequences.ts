/** Sequences of requests as clients make them, from a seed: mostly right, sometimes not. */
import type { Step } from './compared.ts';
import { createRandom, type Random } from './random.ts';
import { registry, versions } from './registry-actions.ts';
import { type Action, get, type Made, send, versionOf } from './sequence-parts.ts';
import { experiments, loggedModels, logging, pageActions, runs } from './tracking-actions.ts';

/** More of what clients do most. */
const actions: readonly Action[] = [
  ...[
    ...experiments,
    ...runs,
    ...logging,
    ...logging,
    ...loggedModels,
    ...registry,
    ...versions,
    ...pageActions,
  ],
  ...[runs[0], runs[0], loggedModels[0], registry[0], versions[0], versions[1]].filter(
    (action) => action !== undefined,
  ),
];

/** Model versions and models are deleted at the end: numbers of deleted versions are given out again by MLflow. */
function endings(random: Random, made: Made): Step[] {
  return made.registered
    .slice(0, 6)
    .flatMap((name) => [
      send('DELETE', '/model-versions/delete', { name, version: versionOf(random) }),
      get('/registered-models/get', { name }),
      send('DELETE', '/registered-models/delete', { name }),
      get('/registered-models/get', { name }),
    ]);
}

/** The requests of a seed, about `length` of them. */
export function sequence(seed: number, length: number): Step[] {
  const random = createRandom(seed);
  const made: Made = { experiments: [], runs: [], models: [], registered: [], count: 0 };
  const steps = Array.from({ length }, () => random.pick(actions)(random, made));
  return [...steps, ...endings(random, made)];
}
