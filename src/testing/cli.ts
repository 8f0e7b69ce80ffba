import { runCli } from '../cli/cli.ts';
import type { Environment } from '../server/config.ts';

/** What one call of the command line came to. */
interface CliRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Calls the command line as a pipe would, in this process. */
export async function captureCli(
  argv: readonly string[],
  environment: Environment,
): Promise<CliRun> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCli(argv, {
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    color: false,
    errorColor: false,
    width: undefined,
    environment,
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}
