import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { isCheckout, packagePath } from '../server/package-info.ts';
import { type ExitCode, exitCodes, type Io, UsageError } from './io.ts';
import type { Verb } from './verb.ts';

const helpText = `Runs a real pipeline with unmodified clients, from a CSV to one refused applicant, and traces it back.
It needs Python and a checkout of the repository; what it takes is passed on to scripts/demo.ts.

EXAMPLES

  wherefrom demo                          # and keep serving
  wherefrom demo --exit --json demo.json  # end, and write both answers`;

/** `wherefrom demo`: runs scripts/demo.ts with the same Node. Its options are the script's. */
export const verb: Verb = {
  name: 'demo',
  summary: 'A real pipeline on real data, traced from a refused applicant to the source columns.',
  help: async () => helpText,
  run: runDemo,
};

async function runDemo(rawArgs: readonly string[], io: Io): Promise<ExitCode> {
  if (!isCheckout()) {
    throw new UsageError(
      'The demo is not part of the installed package.',
      'Clone the repository and run `npm run demo` there.',
    );
  }
  io.err('Running scripts/demo.ts …');
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', packagePath('scripts/demo.ts'), ...rawArgs],
    { stdio: 'inherit' },
  );
  // Ctrl-C reaches the child too; it ends itself, and we end with it.
  const ignore = (): void => {};
  process.on('SIGINT', ignore);
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    return code === 0 ? exitCodes.done : exitCodes.failed;
  } finally {
    process.off('SIGINT', ignore);
  }
}
