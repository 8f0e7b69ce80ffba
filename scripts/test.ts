/**
 * `npm test`: runs every test project that this machine can run, and names those it could not.
 * Usage: node scripts/test.ts [unit] [clients] [web] [--require-all]
 * With --require-all, or when projects are named, one that could not be run or a file that skipped
 * all of its tests is a failure. The totals are left in test-results/summary.json.
 */
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { ensurePythonEnv, findPython } from './python-env.ts';

const root = join(import.meta.dirname, '..');
const results = join(root, 'test-results');

/** Why a project cannot run here and what to install, or what its tests need in the environment. */
type Readiness = { readonly missing: string } | { readonly env: Readonly<Record<string, string>> };

const projects: Readonly<Record<string, () => Promise<Readiness>>> = {
  unit: async () => ({ env: {} }),
  clients: prepareClients,
  web: prepareWeb,
};

/** Environments that tests make anyway, made before their time runs. */
const olderClients = ['mlflow-2', 'mlflow-3.1'];

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  /** Tests and files that were not run, with the reason. */
  readonly notRun: readonly string[];
}

await main();

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'require-all': { type: 'boolean', default: false } },
  });
  const unknown = positionals.filter((name) => !(name in projects));
  if (unknown.length > 0) {
    console.error(
      `Unknown project: ${unknown.join(', ')}. There are: ${Object.keys(projects).join(', ')}.`,
    );
    process.exitCode = 2;
    return;
  }
  rmSync(results, { recursive: true, force: true });
  mkdirSync(results);

  const outcomes: Outcome[] = [];
  for (const [name, prepare] of Object.entries(projects)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    console.log(`\n== ${name}`);
    outcomes.push(await runProject(name, prepare));
  }
  process.exitCode = conclude(outcomes, values['require-all'] || positionals.length > 0);
}

async function runProject(name: string, prepare: () => Promise<Readiness>): Promise<Outcome> {
  let readiness: Readiness;
  try {
    readiness = await prepare();
  } catch (error) {
    console.error(String(error));
    return { passed: 0, failed: 1, notRun: [`${name}: its preparation failed, see above`] };
  }
  if ('missing' in readiness) {
    console.log(`Not run: ${readiness.missing}`);
    return { passed: 0, failed: 0, notRun: [`${name}: ${readiness.missing}`] };
  }
  const report = join(results, `${name}.json`);
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const reporting = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const child = spawnSync(
    process.execPath,
    [vitest, 'run', '--project', name, '--passWithNoTests', ...reporting],
    { cwd: root, stdio: 'inherit', env: { ...process.env, ...readiness.env } },
  );
  return readReport({ name, report, succeeded: child.status === 0 });
}

/** The parts of Vitest's JSON report that are counted. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

function readReport(input: { name: string; report: string; succeeded: boolean }): Outcome {
  const { name, report, succeeded } = input;
  if (!existsSync(report)) {
    return { passed: 0, failed: 1, notRun: [`${name}: Vitest stopped before it wrote a report`] };
  }
  // Vitest wrote this file a moment ago.
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(
    readFileSync(report, 'utf8'),
  ) as VitestReport;
  const files = testResults.map(({ name: path, status, assertionResults }) => ({
    path: relative(root, path),
    failed: status === 'failed',
    has: (wanted: string) => assertionResults.some((one) => one.status === wanted),
  }));
  // A file that cannot be loaded fails without a single failed test in it.
  const broken = files.filter((file) => file.failed && !file.has('failed')).length;
  const failed = numFailedTests + broken;
  const notRun = files
    .filter((file) => !file.failed && !file.has('passed'))
    .map((file) => `${name}: every test of ${file.path} is skipped`);
  if (testResults.length === 0) notRun.push(`${name}: it has no tests`);
  // Unhandled errors fail a run in which every test passed.
  return { passed: numPassedTests, failed: failed === 0 && !succeeded ? 1 : failed, notRun };
}

/** Prints the end of the story and leaves the totals for scripts. @returns the exit code. */
function conclude(outcomes: readonly Outcome[], requireAll: boolean): number {
  const passed = outcomes.reduce((sum, one) => sum + one.passed, 0);
  const failed = outcomes.reduce((sum, one) => sum + one.failed, 0);
  const notRun = outcomes.flatMap((one) => one.notRun);
  writeFileSync(join(results, 'summary.json'), `${JSON.stringify({ passed, failed, notRun })}\n`);

  console.log(`\n${passed} tests passed, ${failed} failed`);
  for (const line of notRun) console.log(`NOT RUN ${line}`);
  if (notRun.length > 0 && requireAll)
    console.log('What was asked for must run: that is a failure.');
  return failed > 0 || (requireAll && notRun.length > 0) ? 1 : 0;
}

async function prepareClients(): Promise<Readiness> {
  const finding = await findPython();
  if (!finding.found) return { missing: finding.reason };
  await ensurePythonEnv({ log: console.log });
  for (const name of olderClients) await ensurePythonEnv({ log: console.log, name });
  return { env: {} };
}

async function prepareWeb(): Promise<Readiness> {
  const chromium = findChromium();
  if (chromium === undefined) {
    return { missing: 'no Chromium: install chromium, or set CHROMIUM_PATH to a browser' };
  }
  if (!existsSync(join(root, 'dist', 'web', 'index.html'))) {
    const npm = spawnSync('npm', ['run', 'build:web'], { cwd: root, stdio: 'inherit' });
    if (npm.status !== 0) throw new Error('`npm run build:web` failed');
  }
  return { env: { CHROMIUM_PATH: chromium } };
}

function findChromium(): string | undefined {
  const { CHROMIUM_PATH: chosen, PATH: path = '' } = process.env;
  if (chosen) return isExecutable(chosen) ? chosen : undefined;
  const directories = ['/usr/bin', ...path.split(delimiter)];
  const names = ['chromium', 'chromium-browser'];
  return directories
    .flatMap((directory) => names.map((name) => join(directory, name)))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
