import { toWherefromError, WherefromError } from '../base/errors.ts';
import { isObject, list, text } from '../base/json.ts';
import { ClientError } from '../client/index.ts';
import { errorOfProblem, type Problem, problemOf } from '../contract/problem.ts';
import { type ExitCode, exitCodes, type Io, UsageError } from './io.ts';
import { clean, createStyle } from './style.ts';

/** Says on stderr what went wrong and what to do next, or as a problem when JSON was asked for. */
export function reportError(thrown: unknown, io: Io, json: boolean): ExitCode {
  if (thrown instanceof UsageError) {
    if (json) io.err(JSON.stringify(problemOfUsage(thrown)));
    else writeLines(io, thrown.message, [], thrown.hint);
    return exitCodes.usage;
  }
  const error = errorOf(thrown);
  if (json) io.err(JSON.stringify(problemOfError(error)));
  else writeLines(io, error.message, choicesOf(error), error.hint);
  return error.code === 'integrity_broken' ? exitCodes.unverified : exitCodes.failed;
}

/** A command line that is wrong, in the form of all other problems. */
function problemOfUsage({ message, hint }: UsageError): Problem {
  const options = hint === undefined ? {} : { hint };
  const problem = problemOf(new WherefromError('invalid_message', message, options));
  return { ...problem, title: 'The command line is wrong' };
}

/** No server answered: that is nothing about a store, which the code alone would say. */
function problemOfError(error: WherefromError): Problem {
  const problem = problemOf(error);
  return error.detail.isUnreached === true
    ? { ...problem, title: 'The server cannot be reached' }
    : problem;
}

function errorOf(thrown: unknown): WherefromError {
  if (!(thrown instanceof ClientError)) return toWherefromError(thrown);
  if (thrown.problem !== undefined) return errorOfProblem(thrown.problem);
  const unreached = thrown.status === undefined;
  return new WherefromError(unreached ? 'storage_unavailable' : 'internal', thrown.message, {
    hint: unreached
      ? 'Start one with `wherefrom serve`, give its address with --url, or read a directory with --data DIR.'
      : 'Check the address given with --url.',
    detail: { isUnreached: unreached },
    cause: thrown,
  });
}

/** The whole refs to copy when a short one was ambiguous. */
function choicesOf(error: WherefromError): string[] {
  const candidates = list(error.detail.candidates).filter(isObject);
  const width = Math.max(0, ...candidates.map(({ ref }) => (text(ref) ?? '').length));
  return candidates.map(({ ref, why }) => `${(text(ref) ?? '').padEnd(width)}  ${text(why) ?? ''}`);
}

function writeLines(
  io: Io,
  message: string,
  choices: readonly string[],
  hint: string | undefined,
): void {
  const style = createStyle(io.errorColor);
  io.err(`${style.red('wherefrom:')} ${clean(message)}`);
  for (const choice of choices) io.err(`  ${clean(choice)}`);
  if (hint !== undefined)
    io.err(style.dim(`  ${clean(hint.replace('`candidates`', 'this list'))}`));
}
