import { type ExitCode, exitCodes, type Io, UsageError } from './io.ts';
import { reportError } from './report-error.ts';
import { createStyle } from './style.ts';
import type { Verb } from './verb.ts';

/** Every verb, loaded when it is used: asking a server must not load one. */
const verbs: Readonly<Record<string, () => Promise<{ readonly verb: Verb }>>> = {
  serve: () => import('./serve.ts'),
  trace: () => import('./trace.ts'),
  impact: () => import('./impact.ts'),
  diff: () => import('./diff.ts'),
  completeness: () => import('./completeness.ts'),
  verify: () => import('./verify.ts'),
  rebuild: () => import('./rebuild.ts'),
  gc: () => import('./gc.ts'),
  import: () => import('./import.ts'),
  key: () => import('./key.ts'),
  workspace: () => import('./workspace.ts'),
  webhook: () => import('./webhook.ts'),
  config: () => import('./config.ts'),
  doctor: () => import('./doctor.ts'),
  demo: () => import('./demo.ts'),
  version: () => import('./version.ts'),
};

/**
 * Runs one command line. A first word that is no verb is a ref, and is traced.
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage, 3 verification failed.
 */
export async function runCli(argv: readonly string[], io: Io): Promise<ExitCode> {
  const json = argv.includes('--json');
  try {
    return await dispatch(argv, io);
  } catch (thrown) {
    const code = reportError(thrown, io, json);
    const near = nearVerb(argv[0] ?? '');
    if (near !== undefined && !json) io.err(`  If a command was meant: wherefrom ${near}`);
    return code;
  }
}

async function dispatch(argv: readonly string[], io: Io): Promise<ExitCode> {
  const [first, ...rest] = argv;
  if (first === undefined || first === 'help' || first === '--help' || first === '-h') {
    return help(rest[0], io);
  }
  if (first === '--version' || first === '-v') return (await load('version')).run(rest, io);
  const isVerb = Object.hasOwn(verbs, first);
  const verb = await load(isVerb ? first : 'trace');
  const rawArgs = isVerb ? rest : argv;
  const end = rawArgs.indexOf('--');
  const options = end === -1 ? rawArgs : rawArgs.slice(0, end);
  if (options.includes('--help') || options.includes('-h')) {
    io.out(await verb.help(io));
    return exitCodes.done;
  }
  return verb.run(rawArgs, io);
}

async function load(name: string): Promise<Verb> {
  const loader = verbs[name];
  if (loader === undefined) throw new UsageError(`There is no command "${name}".`);
  return (await loader()).verb;
}

async function help(name: string | undefined, io: Io): Promise<ExitCode> {
  if (name !== undefined) {
    if (!Object.hasOwn(verbs, name)) {
      throw new UsageError(`There is no command "${name}".`, 'wherefrom --help lists them.');
    }
    io.out(await (await load(name)).help(io));
    return exitCodes.done;
  }
  const style = createStyle(io.color);
  const all = await Promise.all(Object.keys(verbs).map(load));
  const width = Math.max(...all.map((verb) => verb.name.length));
  io.out(
    [
      'Where did this prediction come from?',
      '',
      `  wherefrom ${style.dim('REF')}            trace a prediction, model, run, dataset or column`,
      `  wherefrom ${style.dim('COMMAND …')}`,
      '',
      ...all.map((verb) => `  ${style.bold(verb.name.padEnd(width))}  ${verb.summary}`),
      '',
      'wherefrom COMMAND --help shows what it takes, with examples.',
      `Exit codes: 0 done, 1 failed, 2 wrong usage, 3 verification failed.`,
    ].join('\n'),
  );
  return exitCodes.done;
}

/** The verb that a first word misspells by one or two characters. */
function nearVerb(word: string): string | undefined {
  if (Object.hasOwn(verbs, word) || word.length < 3) return undefined;
  return Object.keys(verbs).find((verb) => differsLittle(word, verb));
}

function differsLittle(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  return Math.max(a.length, b.length) - start - end <= 2;
}
