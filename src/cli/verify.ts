import { readFileSync } from 'node:fs';
import { WherefromError } from '../base/errors.ts';
import type { Verification } from '../ledger/index.ts';
import { readDataDirectory } from '../server/data-directory.ts';
import { type ExitCode, exitCodes, type Io, writeJson } from './io.ts';
import { readConfig } from './read-config.ts';
import { readExport } from './read-export.ts';
import { clean, countOf, createStyle } from './style.ts';
import { defineVerb, jsonArg } from './verb.ts';

/** `wherefrom verify [FILE]`: is the record what was committed to, and does it still hold the file? */
export const verb = defineVerb({
  name: 'verify',
  summary: 'Recompute the ledger from what is stored; exit code 3 when anything was changed.',
  examples: [
    'wherefrom verify --data /var/lib/wherefrom',
    'wherefrom verify trace.json   # also: the log still contains what this answer stood on',
  ],
  args: {
    file: {
      type: 'positional',
      required: false,
      description: 'An answer saved with --json, or a signed checkpoint, that was kept.',
    },
    data: { type: 'string', description: 'Data directory; ./wherefrom-data.' },
    ...jsonArg,
  },
  async run(args, io) {
    const { data } = readConfig({ data: args.data }, io).config;
    const verification = await verify(data, args.file);
    if (args.json) writeJson(io, verification);
    return report(verification, args.json === true, io);
  },
});

/** Recomputes the record; what a file claims is checked against it, and against itself. */
async function verify(data: string, file: string | undefined): Promise<Verification> {
  const { verifyDirectory } = await import('../server/offline.ts');
  if (file === undefined) return verifyDirectory(data);
  const { log, signer } = readDataDirectory(data);
  const claims = readExport(readText(file), { origin: log, publicKey: signer.publicKey });
  const found = await verifyDirectory(data, claims.checkpoints);
  const problems = [...found.problems, ...claims.problems];
  return { ...found, verified: problems.length === 0, problems };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new WherefromError('not_found', `The file ${file} cannot be read.`, {
      hint: 'Give an answer saved with --json, or a checkpoint.',
      cause,
    });
  }
}

function report(verification: Verification, json: boolean, io: Io): ExitCode {
  const { verified, entries, messages, root, problems } = verification;
  const style = createStyle(io.color);
  if (!json && verified) {
    io.out(`✓ Verified: ${countOf(entries, 'entry')}, ${countOf(messages, 'message')}.`);
    io.out(style.dim(`  root ${root}`));
  }
  if (!json && !verified) {
    io.out(style.red(`✗ Not verified: ${countOf(problems.length, 'problem')}.`));
    for (const problem of problems) io.out(`  - ${clean(problem)}`);
  }
  return verified ? exitCodes.done : exitCodes.unverified;
}
