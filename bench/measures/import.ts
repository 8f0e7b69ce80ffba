/** Bringing a whole MLflow database over: how fast, and whether anything is lost. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Figure, MeasureContext, ValueFigure } from '../figures.ts';
import { makeImportSource, pointOf, runIdOf } from '../import-source.ts';
import { directoryBytes, startWherefrom } from '../server.ts';

const run = promisify(execFile);
const command = join(import.meta.dirname, '..', '..', 'bin', 'wherefrom');
const outputBytesMax = 64 * 1024 * 1024;
/** In each run: a tenth of it for each of ten metrics. */
const pointsPerRun = 100;
/** Runs whose histories are compared, value by value. */
const samples = 200;
const sampledMetric = 'loss';

export interface ImportMeasureContext extends MeasureContext {
  readonly python: () => Promise<string>;
}

interface Report {
  readonly seconds: number;
  readonly troubleCount: number;
  readonly brought: Readonly<Record<string, number>>;
  readonly there: Readonly<Record<string, number>>;
}

/** Imports a database into a new directory, again, and into a server; compares counts and samples. */
export async function measureImport(context: ImportMeasureContext): Promise<Figure[]> {
  const { effort, scratch, log } = context;
  const runs = effort.searchedRuns;
  const source = join(scratch, 'import.db');
  log(`wherefrom: import of ${runs} runs with ${runs * pointsPerRun} points`);
  await makeImportSource(await context.python(), source, { runs, pointsPerRun });
  const data = join(scratch, 'import');
  const first = await importFrom(source, ['--data', data]);
  expectAll(first.brought, runs);
  const again = await importFrom(source, ['--data', data]);
  expectAll(again.there, runs);
  const bytes = directoryBytes(data);
  const server = await startWherefrom({ data });
  try {
    await compareSamples(server.url, runs);
  } finally {
    await server.stop();
  }
  const remote = await startWherefrom({ data: join(scratch, 'import-remote') });
  let throughServer: Report;
  try {
    throughServer = await importFrom(source, ['--to', remote.url]);
    expectAll(throughServer.brought, runs);
    await compareSamples(remote.url, runs);
  } finally {
    await remote.stop();
  }
  const points = runs * pointsPerRun;
  const note = `${runs} runs, ${points} points; counts and ${Math.min(samples, runs)} histories compared`;
  return [
    figure('import into a directory', points / first.seconds, 'points/s', note),
    figure('import into a directory, whole', first.seconds, 's', note),
    figure('import through a server', points / throughServer.seconds, 'points/s', note),
    figure('import again, nothing new', again.seconds, 's', note),
    figure('import, bytes kept for a point', bytes / points, 'bytes', 'runs and graph included'),
  ];
}

const figure = (measure: string, value: number, unit: string, note: string): ValueFigure => ({
  kind: 'value',
  system: 'wherefrom',
  ...{ measure, value, unit, note },
});

async function importFrom(source: string, to: readonly string[]): Promise<Report> {
  const args = ['import', 'mlflow', `sqlite:///${source}`, '--json', ...to];
  const { stdout } = await run(command, args, { maxBuffer: outputBytesMax });
  // The last line of the verb's --json.
  const { report } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as { report: Report };
  if (report.troubleCount > 0) throw new Error(`the import had ${report.troubleCount} troubles`);
  return report;
}

function expectAll(counts: Readonly<Record<string, number>>, runs: number): void {
  const points = counts['metric points'];
  if (counts.runs === runs && points === runs * pointsPerRun) return;
  throw new Error(`the import lost something: ${counts.runs} runs, ${points} points`);
}

/** @throws when a history differs from what was written into the database. */
async function compareSamples(url: string, runs: number): Promise<void> {
  const steps = pointsPerRun / 10;
  for (let sample = 0; sample < Math.min(samples, runs); sample += 1) {
    const index = Math.floor((sample * runs) / Math.min(samples, runs));
    const query = `run_id=${runIdOf(index)}&metric_key=${sampledMetric}`;
    const answer = await fetch(`${url}/api/2.0/mlflow/metrics/get-history?${query}`);
    // MLflow's protocol, as the server speaks it.
    const { metrics = [] } = (await answer.json()) as { metrics?: { value: number | 'NaN' }[] };
    const expected = Array.from({ length: steps }, (_, step) => {
      const { value, nan } = pointOf(index, step);
      return nan === 1 ? 'NaN' : value;
    });
    const same =
      metrics.length === steps && metrics.every(({ value }, step) => value === expected[step]);
    if (!same) throw new Error(`the history of run ${index} came out differently`);
  }
}
