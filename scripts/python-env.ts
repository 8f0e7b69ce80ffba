/** The Python environments that real clients run in: each made once from its pins under e2e/. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');

/** The pins have wheels for these; older Pythons are refused by numpy, newer ones by dbt. */
const pythonRange = { from: [3, 11], to: [3, 13], text: 'Python 3.11 to 3.13' } as const;

/** pip may write many lines of progress. */
const outputBytesMax = 64 * 1024 * 1024;

export interface PythonEnvOptions {
  readonly log: (line: string) => void;
  /** Of an environment beside the usual one: its pins are `e2e/requirements-NAME.txt`. */
  readonly name?: string;
  /** Where the environment goes; `.venv`, or `.venv-NAME`, in the checkout when left out. */
  readonly directory?: string;
}

/** A way to make the environment, or the reason why there is none, with what to install. */
export type PythonFinding =
  | { readonly found: true; readonly python: string; readonly uv: boolean; readonly venv: boolean }
  | { readonly found: false; readonly reason: string };

/**
 * Makes the environment unless it is there already with the same pins.
 * Not safe to call from two processes at once for the first time.
 * @throws Error naming the command that failed, with the end of its output.
 */
export async function ensurePythonEnv(
  options: PythonEnvOptions,
): Promise<{ readonly python: string }> {
  const { log, name } = options;
  const suffix = name === undefined ? '' : `-${name}`;
  const requirements = join(root, 'e2e', `requirements${suffix}.txt`);
  const { directory = join(root, `.venv${suffix}`) } = options;
  const python = join(directory, 'bin', 'python');
  const stamp = join(directory, 'wherefrom-requirements.sha256');
  const digest = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex');
  if (existsSync(python) && (await readIfThere(stamp)) === digest) return { python };

  const finding = await findPython();
  if (!finding.found) throw new Error(finding.reason);
  log(`Making the Python environment in ${directory} (once; about 1 GB with its packages)`);
  await install({ finding, requirements, directory, python, log });
  await writeFile(stamp, digest);
  log('The Python environment is ready');
  return { python };
}

/** Finds out how this machine can make the environment; installs and changes nothing. */
export async function findPython(): Promise<PythonFinding> {
  const uv = await succeeds('uv', ['--version']);
  for (const python of ['python3', 'python3.13', 'python3.12', 'python3.11']) {
    if (!(await isInRange(python))) continue;
    const venv = await succeeds(python, ['-c', 'import ensurepip, venv']);
    if (uv || venv) return { found: true, python, uv, venv };
    return {
      found: false,
      reason: `${python} has no venv module: install python3-venv (Debian) or uv`,
    };
  }
  // uv knows Pythons that are not on PATH, and installs one if it must.
  if (uv) return { found: true, python: '3.11', uv, venv: false };
  return {
    found: false,
    reason: `no ${pythonRange.text} on PATH: install one of them, or uv, which brings its own`,
  };
}

async function install(input: {
  readonly finding: PythonFinding & { found: true };
  readonly requirements: string;
  readonly directory: string;
  readonly python: string;
  readonly log: (line: string) => void;
}): Promise<void> {
  const { finding, requirements, directory, python, log } = input;
  await rm(directory, { recursive: true, force: true });
  if (finding.uv) {
    try {
      await command('uv', ['venv', '--quiet', '--python', finding.python, directory]);
      const target = ['--quiet', '--python', python];
      await command('uv', ['pip', 'install', ...target, '--no-deps', '-r', requirements]);
      return;
    } catch (error) {
      // uv does not read pip's settings: where only pip knows a private registry, pip must do it.
      if (!finding.venv) throw error;
      log('uv could not install the packages; trying pip');
      await rm(directory, { recursive: true, force: true });
    }
  }
  await command(finding.python, ['-m', 'venv', directory]);
  const quiet = ['--quiet', '--disable-pip-version-check'];
  await command(python, ['-m', 'pip', 'install', ...quiet, '--no-deps', '-r', requirements]);
}

async function isInRange(python: string): Promise<boolean> {
  try {
    const { stdout } = await run(python, ['-c', 'import sys; print(*sys.version_info[:2])']);
    const [major = 0, minor = 0] = stdout.trim().split(' ').map(Number);
    const { from, to } = pythonRange;
    return major === from[0] && minor >= from[1] && minor <= to[1];
  } catch {
    return false;
  }
}

async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  return run(program, [...args]).then(
    () => true,
    () => false,
  );
}

async function command(program: string, args: readonly string[]): Promise<void> {
  try {
    await run(program, [...args], { maxBuffer: outputBytesMax });
  } catch (error) {
    // execFile's own message holds the command and all that it wrote to stderr.
    const end = String(error).split('\n').slice(-15).join('\n');
    throw new Error(`${program} ${args.join(' ')} failed:\n${end}`, { cause: error });
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
