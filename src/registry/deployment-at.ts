import type { DeploymentRow } from './store.ts';

/**
 * The deployment that a bare name means at a time (ms): the one that runs then; when none does, the
 * one that ran last before it; when none ever ran, the first that is announced. A higher number is
 * only one that was recorded later: history is brought in late, and what is to come is announced.
 */
export function deploymentAt<Row extends DeploymentRow>(
  rows: readonly Row[],
  time: number,
): Row | undefined {
  const byStart = [...rows].sort((a, b) => a.from - b.from || a.number - b.number);
  // One that ends where it begins was taken back: it never ran.
  const ran = byStart.filter(({ from, until }) => from !== until);
  const began = ran.filter(({ from }) => from <= time);
  const running = began.findLast(({ until }) => until === null || time < until);
  return running ?? began.at(-1) ?? ran[0] ?? byStart.at(-1);
}
