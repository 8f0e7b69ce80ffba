/** A large artifact up and down through the proxy, by the unmodified mlflow client. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Figure, median, type ValueFigure } from '../figures.ts';
import type { ClientOptions } from './client.ts';

const run = promisify(execFile);

/** Times it against a server, which is started and stopped. Ours answers when the bytes are on disk. */
export async function measureArtifact(options: ClientOptions): Promise<Figure[]> {
  const { system, python, effort, log, scratch } = options;
  const server = await options.start();
  try {
    log(`${system}: an artifact of ${effort.artifactMiB} MiB`);
    const script = join(import.meta.dirname, 'artifact_run.py');
    const args = [script, server.url, String(effort.artifactMiB), String(effort.repeats)];
    const { stdout } = await run(python, args, {
      cwd: scratch,
      env: {
        ...process.env,
        MLFLOW_DISABLE_TELEMETRY: 'true',
        DO_NOT_TRACK: 'true',
        TQDM_DISABLE: '1',
      },
    });
    // Printed by our script, in one line among those of the client.
    const line = stdout.split('\n').find((each) => each.startsWith('{')) ?? '';
    const { up, down } = JSON.parse(line) as Record<'up' | 'down', readonly number[]>;
    const figure = (direction: string, rates: readonly number[]): ValueFigure => ({
      kind: 'value',
      measure: `artifact of ${effort.artifactMiB} MiB, ${direction}`,
      system,
      value: median(rates),
      unit: 'MB/s',
    });
    return [figure('up', up), figure('down', down)];
  } finally {
    await server.stop();
  }
}
