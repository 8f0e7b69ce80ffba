/** How long a server takes to answer first, and how much memory it needs while nothing happens. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Figure,
  type MeasureContext,
  median,
  type System,
  type ValueFigure,
} from '../figures.ts';
import { memoryMiB } from '../processes.ts';
import { directoryBytes, type MeasuredServer, startWherefrom } from '../server.ts';

/** Idle means: this long after the first answer. */
const idleAfterMs = 3_000;

/** Starts on a new directory, on the same again, and on the largest graph that was measured. */
export async function measureStart(context: MeasureContext): Promise<Figure[]> {
  const { effort, scratch, log } = context;
  const small = join(scratch, 'start');
  const first: number[] = [];
  for (let i = 0; i < effort.repeats; i += 1) {
    log('wherefrom: cold start');
    first.push((await once(() => startWherefrom({ data: join(scratch, `start-${i}`) }))).startMs);
  }
  await once(() => startWherefrom({ data: small }));
  const again = await repeat(effort.repeats, () => startWherefrom({ data: small }));
  const figures: Figure[] = [
    milliseconds('cold start, new data directory', median(first)),
    milliseconds('cold start, small store', median(again)),
  ];
  const largest = effort.graphNodes
    .map((nodes) => join(scratch, `graph-${nodes}`))
    .findLast(existsSync);
  if (largest !== undefined) {
    const times = await repeat(effort.repeats, () => startWherefrom({ data: largest }));
    const note = `${(directoryBytes(largest) / 1e6).toFixed(0)} MB`;
    figures.push({ ...milliseconds('cold start, large store', median(times)), note });
  }
  const idle = await startWherefrom({ data: small });
  try {
    figures.push(await measureIdle('wherefrom', idle));
  } finally {
    await idle.stop();
  }
  return figures;
}

/** Memory of a server that has answered once and was then left alone. */
export async function measureIdle(system: System, server: MeasuredServer): Promise<Figure> {
  await sleep(idleAfterMs);
  const value = memoryMiB(server.pid);
  return { kind: 'value', measure: 'memory, idle, small store', system, value, unit: 'MiB' };
}

function milliseconds(measure: string, value: number): ValueFigure {
  return { kind: 'value', measure, system: 'wherefrom', value, unit: 'ms' };
}

async function once(start: () => Promise<MeasuredServer>): Promise<MeasuredServer> {
  const server = await start();
  await server.stop();
  return server;
}

async function repeat(count: number, start: () => Promise<MeasuredServer>): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i += 1) times.push((await once(start)).startMs);
  return times;
}
