/** A large artifact up and down through the proxy, by the unmodified mlflow client. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Figure, type MeasureContext, median, type System } from '../figures.ts';
import type { MeasuredServer } from '../server.ts';

const run = promisify(execFile);

export interface ArtifactOptions extends MeasureContext {
  readonly python: string;
  /** Systems to measure, in turns. Ours answers when the bytes are on disk. */
  readonly systems: readonly {
    readonly system: System;
    readonly start: () => Promise<MeasuredServer>;
  }[];
}

/** Times it against servers that run at the same time and are asked one after another. */
export async function measureArtifact(options: ArtifactOptions): Promise<Figure[]> {
  const { systems, python, effort, log, scratch } = options;
  const servers: MeasuredServer[] = [];
  try {
    for (const { start } of systems) servers.push(await start());
    log(
      `an artifact of ${effort.artifactMiB} MiB: ${systems.map(({ system }) => system).join(', ')}`,
    );
    const script = join(import.meta.dirname, 'artifact_run.py');
    const args = [script, String(effort.artifactMiB), String(effort.repeats)];
    const { stdout } = await run(python, [...args, ...servers.map(({ url }) => url)], {
      cwd: scratch,
      env: {
        ...process.env,
        MLFLOW_DISABLE_TELEMETRY: 'true',
        DO_NOT_TRACK: 'true',
        TQDM_DISABLE: '1',
      },
    });
    // Printed by our script, in one line among those of the client.
    const line = stdout.split('\n').find((each) => each.startsWith('RESULT ')) ?? '';
    const rates = JSON.parse(line.slice('RESULT '.length)) as readonly Rates[];
    return systems.flatMap(({ system }, index) => {
      const { up = [], down = [] } = rates[index] ?? {};
      const measure = `artifact of ${effort.artifactMiB} MiB`;
      const figure = { kind: 'value', system, unit: 'MB/s' } as const;
      return [
        { ...figure, measure: `${measure}, up`, value: median(up) },
        { ...figure, measure: `${measure}, down`, value: median(down) },
      ];
    });
  } finally {
    for (const server of servers) await server.stop();
  }
}

type Rates = Partial<Readonly<Record<'up' | 'down', readonly number[]>>>;
