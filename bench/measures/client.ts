/** An unmodified mlflow client against a server that speaks its protocol. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Figure, type MeasureContext, median, type System } from '../figures.ts';
import type { MeasuredServer } from '../server.ts';

const run = promisify(execFile);

interface TimedRun {
  readonly totalMs: number;
  readonly waitingMs: number;
}

export interface ClientOptions extends MeasureContext {
  readonly system: System;
  readonly python: string;
  readonly start: () => Promise<MeasuredServer>;
}

/** Times a run of 20 parameters and 20 metrics, with a model and without. */
export async function measureClient(options: ClientOptions): Promise<Figure[]> {
  const { system, python, effort, log } = options;
  const server = await options.start();
  try {
    log(`${system}: unmodified client`);
    const script = join(import.meta.dirname, 'client_run.py');
    const { stdout } = await run(python, [script, server.url, String(effort.repeats)], {
      cwd: options.scratch,
      env: { ...process.env, MLFLOW_DISABLE_TELEMETRY: 'true', DO_NOT_TRACK: 'true' },
    });
    // Printed by our script, as its last line.
    const times = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as {
      readonly withModel: readonly TimedRun[];
      readonly withoutModel: readonly TimedRun[];
    };
    return [
      ...figures('client run with a model', system, times.withModel),
      ...figures('client run without a model', system, times.withoutModel),
    ];
  } finally {
    await server.stop();
  }
}

function figures(measure: string, system: System, runs: readonly TimedRun[]): Figure[] {
  const figure = { kind: 'value', system, unit: 'ms' } as const;
  return [
    { ...figure, measure, value: median(runs.map(({ totalMs }) => totalMs)) },
    {
      ...figure,
      measure: `${measure}, of which waiting for the server`,
      value: median(runs.map(({ waitingMs }) => waitingMs)),
    },
  ];
}
