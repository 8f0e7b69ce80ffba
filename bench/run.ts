/**
 * `npm run bench`: measures the server as it is used, prints tables and writes bench/results/.
 * Usage: node bench/run.ts [--peers] [--quick] [--large] [--only NAME] [--python PATH]
 *   --peers   also measure `mlflow server`, and print the ratios
 *   --quick   a smoke test of about half a minute; writes no results
 *   --large   also a graph of 10 million nodes and a search of a million runs: half an hour more
 *   --only    one of the measures, may be given several times
 *   --python  a Python that has mlflow and scikit-learn already; otherwise .venv is made
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensurePythonEnv } from '../scripts/python-env.ts';
import {
  type Effort,
  type Figure,
  fullEffort,
  largeEffort,
  type MeasureContext,
  quickEffort,
} from './figures.ts';
import { measureArtifact } from './measures/artifact.ts';
import { measureClient } from './measures/client.ts';
import { measureGraphs } from './measures/graph.ts';
import { measureHistory } from './measures/history.ts';
import { measureImport } from './measures/import.ts';
import { measureOpenLineage } from './measures/openlineage.ts';
import { measurePredictions } from './measures/predictions.ts';
import { fillMlflowRuns } from './measures/run-facts.ts';
import { measureSearch } from './measures/search.ts';
import { measureIdle, measureStart } from './measures/start.ts';
import { measureTracking } from './measures/tracking.ts';
import { describeCircumstances, printResults, writeResults } from './report.ts';
import { type MeasuredServer, startMlflow, startWherefrom, stopAll } from './server.ts';
import { judge } from './targets.ts';

interface BenchContext extends MeasureContext {
  readonly peers: boolean;
  readonly python: () => Promise<string>;
}

/** In this order: `start` uses the graphs that `graph` leaves behind. */
const measures: Readonly<Record<string, (context: BenchContext) => Promise<Figure[]>>> = {
  tracking,
  history,
  openlineage: measureOpenLineage,
  predictions: measurePredictions,
  search,
  graph: measureGraphs,
  start: measureStart,
  client,
  artifact,
  import: measureImport,
};

/** Those that need Python: a smoke test leaves them out unless it is asked for. */
const pythonMeasures = new Set(['client', 'artifact', 'import']);

await main();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      peers: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      large: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      python: { type: 'string' },
    },
  });
  const unknown = values.only.filter((name) => !(name in measures));
  if (unknown.length > 0) {
    console.error(
      `Unknown measure: ${unknown.join(', ')}. There are: ${Object.keys(measures).join(', ')}.`,
    );
    process.exitCode = 2;
    return;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'wherefrom-bench-'));
  const cleanUp = (): void => {
    stopAll();
    rmSync(scratch, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      cleanUp();
      process.exit(1);
    });
  }
  try {
    await measure({ ...values, scratch });
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  } finally {
    cleanUp();
  }
}

interface RunOptions {
  readonly peers: boolean;
  readonly quick: boolean;
  readonly large: boolean;
  readonly only: readonly string[];
  readonly python?: string | undefined;
  readonly scratch: string;
}

async function measure({ peers, quick, large, only, python, scratch }: RunOptions): Promise<void> {
  const log = (line: string): void => console.error(line);
  const effort = quick ? quickEffort : large ? largeEffort : fullEffort;
  const context: BenchContext = {
    effort,
    scratch,
    log,
    peers,
    python: async () => python ?? (await ensurePythonEnv({ log })).python,
  };
  const circumstances = describeCircumstances();
  const figures: Figure[] = [];
  for (const [name, run] of Object.entries(measures)) {
    if (only.length > 0 ? only.includes(name) : !(quick && pythonMeasures.has(name))) {
      figures.push(...(await run(context)));
    }
  }
  const results = { circumstances, effort, figures, targets: judge(figures) };
  printResults(results);
  if (!quick && only.length === 0) console.log(`Written to ${writeResults(results)}`);
  const failed = figures.some(
    (figure) => figure.kind === 'load' && figure.system === 'wherefrom' && figure.errors > 0,
  );
  if (failed) process.exitCode = 1;
}

async function tracking(context: BenchContext): Promise<Figure[]> {
  const start = startOn(context, 'tracking');
  const { effort, log } = context;
  const ours = { system: 'wherefrom', effort, connections: [1, 32], start } as const;
  if (!context.peers) return measureTracking([ours], log);
  const figures: Figure[] = [];
  const python = await context.python();
  const peer = async (): Promise<MeasuredServer> => {
    const server = await startMlflow(python, makeDirectory(context, 'mlflow-tracking'));
    figures.push(await measureIdle('mlflow', server));
    return server;
  };
  const theirs = {
    system: 'mlflow',
    effort: { ...effort, ...peerEffort(effort) },
    connections: [1, 8, 32],
    start: peer,
  } as const;
  const measured = await measureTracking([ours, theirs], log);
  return [...figures, ...measured];
}

async function history(context: BenchContext): Promise<Figure[]> {
  const start = startOn(context, 'history');
  const ours = { ...context, system: 'wherefrom', connections: [1, 8], start } as const;
  const figures = await measureHistory(ours);
  if (!context.peers) return figures;
  const python = await context.python();
  const peer = (): Promise<MeasuredServer> =>
    startMlflow(python, makeDirectory(context, 'mlflow-history'));
  const effort = { ...context.effort, ...peerEffort(context.effort) };
  const theirs = {
    ...context,
    effort,
    system: 'mlflow',
    connections: [1, 8],
    start: peer,
  } as const;
  return [...figures, ...(await measureHistory(theirs))];
}

function search(context: BenchContext): Promise<Figure[]> {
  const peer = async (runs: number): Promise<MeasuredServer> => {
    const python = await context.python();
    const data = makeDirectory(context, 'mlflow-search');
    await fillMlflowRuns(python, join(data, 'mlflow.db'), runs);
    return startMlflow(python, data);
  };
  return measureSearch({ ...context, peer: context.peers ? peer : undefined });
}

/** MLflow answers some requests in seconds, and each of its workers is slow at first. */
function peerEffort({ warmupMs, durationMs }: Effort): Pick<Effort, 'warmupMs' | 'durationMs'> {
  return { warmupMs: Math.max(2_000, warmupMs), durationMs: Math.max(2_000, durationMs) };
}

async function client(context: BenchContext): Promise<Figure[]> {
  const python = await context.python();
  const start = startOn(context, 'client');
  const figures = await measureClient({ ...context, system: 'wherefrom', python, start });
  if (!context.peers) return figures;
  const peer = (): Promise<MeasuredServer> =>
    startMlflow(python, makeDirectory(context, 'mlflow-client'));
  const theirs = await measureClient({ ...context, system: 'mlflow', python, start: peer });
  return [...figures, ...theirs];
}

async function artifact(context: BenchContext): Promise<Figure[]> {
  const python = await context.python();
  const ours = { system: 'wherefrom', start: startOn(context, 'artifact') } as const;
  const peer = (): Promise<MeasuredServer> =>
    startMlflow(python, makeDirectory(context, 'mlflow-artifact'));
  const systems = context.peers ? [ours, { system: 'mlflow', start: peer } as const] : [ours];
  return measureArtifact({ ...context, python, systems });
}

function startOn({ scratch }: BenchContext, name: string): () => Promise<MeasuredServer> {
  return () => startWherefrom({ data: join(scratch, name) });
}

function makeDirectory({ scratch }: BenchContext, name: string): string {
  const directory = join(scratch, name);
  mkdirSync(directory, { recursive: true });
  return directory;
}
