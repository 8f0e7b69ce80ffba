/** The figures as tables for people and as JSON for programs. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Effort, Figure, LoadFigure, ValueFigure } from './figures.ts';
import type { TargetResult } from './targets.ts';

/** The machine and the commit, without names of hosts, users or directories. */
export interface Circumstances {
  readonly time: string;
  readonly commit: string;
  /** True when files differed from the commit. */
  readonly changed: boolean;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
}

export interface Results {
  readonly circumstances: Circumstances;
  readonly effort: Effort;
  readonly figures: readonly Figure[];
  readonly targets: readonly TargetResult[];
}

export function describeCircumstances(): Circumstances {
  const [cpu] = cpus();
  return {
    time: new Date().toISOString(),
    commit: git('rev-parse', '--short=12', 'HEAD') || 'none',
    changed: git('status', '--porcelain') !== '',
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  };
}

function git(...args: string[]): string {
  try {
    const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
    return execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8', stdio }).trim();
  } catch {
    return ''; // no git, or no commit yet
  }
}

/** Writes the results. @returns the file's path below the checkout. */
export function writeResults(results: Results): string {
  const { time, commit } = results.circumstances;
  const name = `${time.slice(0, 10)}-${commit}.json`;
  const directory = join(import.meta.dirname, 'results');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name), `${JSON.stringify(results, rounded, 2)}\n`);
  return join('bench', 'results', name);
}

/** Four digits say all that a benchmark can know. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value)
    ? Number(value.toPrecision(4))
    : value;
}

export function printResults({ figures, targets, circumstances }: Results): void {
  const { commit, changed, node, cpu, cores, memoryGiB } = circumstances;
  console.log(
    `\ncommit ${commit}${changed ? ' with changes' : ''}, Node ${node}, ${cpu}, ${cores} cores, ${memoryGiB} GiB\n`,
  );
  printLoads(figures.filter((figure) => figure.kind === 'load'));
  printValues(figures.filter((figure) => figure.kind === 'value'));
  printTargets(targets);
}

function printLoads(loads: readonly LoadFigure[]): void {
  if (loads.length === 0) return;
  const head = [
    'load',
    'system',
    'connections',
    'requests/s',
    'items/s',
    'p50 ms',
    'p99 ms',
    'server CPU µs',
    'memory MiB',
    'others cores',
    'errors',
  ];
  const rows = loads.map((load) => [
    load.measure,
    load.system,
    String(load.connections),
    amount(load.requestsPerSecond),
    load.itemsPerRequest === 1 ? '' : amount(load.requestsPerSecond * load.itemsPerRequest),
    amount(load.p50Ms),
    amount(load.p99Ms),
    amount(load.cpuMicrosPerRequest),
    amount(load.memoryMiB),
    amount(load.othersCores),
    load.errors === 0 ? '' : String(load.errors),
  ]);
  printTable([head, ...rows], 2);
  for (const { measure, system, firstError } of loads) {
    if (firstError !== undefined) console.log(`  ${system} ${measure}: ${firstError}`);
  }
  console.log();
}

function printValues(values: readonly ValueFigure[]): void {
  if (values.length === 0) return;
  const rows = values.map(({ measure, system, value, unit, note = '' }) => [
    measure,
    system,
    amount(value),
    unit,
    note,
  ]);
  printTable([['measure', 'system', 'value', 'unit', ''], ...rows], 2, 3);
  console.log();
}

function printTargets(targets: readonly TargetResult[]): void {
  if (targets.length === 0) return;
  const rows = targets.map(({ target, value, unit, reached }) => [
    target,
    amount(value),
    unit,
    reached ? 'reached' : 'MISSED',
  ]);
  printTable([['target', 'value', 'unit', ''], ...rows], 1, 2);
  console.log();
}

function amount(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

/** Columns from `rightFrom` up to `rightTo` hold numbers. */
function printTable(
  rows: readonly (readonly string[])[],
  rightFrom: number,
  rightTo = Number.POSITIVE_INFINITY,
): void {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  for (const row of rows) {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column >= rightFrom && column < rightTo ? cell.padStart(width) : cell.padEnd(width);
    });
    console.log(cells.join('  ').trimEnd());
  }
}
