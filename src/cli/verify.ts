import { readFileSync } from 'node:fs';
import { WherefromError } from '../base/errors.ts';
import type { Verification } from '../ledger/index.ts';
import { readDataDirectory } from '../server/data-directory.ts';
import type { Recomputed } from '../server/recompute.ts';
import { exitCodes, type Io, writeJson } from './io.ts';
import { readConfig } from './read-config.ts';
import { readExport } from './read-export.ts';
import { clean, countOf, createStyle, shorten } from './style.ts';
import { defineVerb, jsonArg } from './verb.ts';

/** `wherefrom verify [FILE]`: is the record what was committed to, and does it still hold the file? */
export const verb = defineVerb({
  name: 'verify',
  summary:
    'Recompute the ledger from what is stored: exit code 3 when anything was changed, 1 when a kept answer is not what the record says.',
  examples: [
    'wherefrom verify --data /var/lib/wherefrom',
    'wherefrom verify trace.json   # also: asked again, the record answers the same',
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
    else report(verification, io);
    if (!verification.verified) return exitCodes.unverified;
    const { answers } = verification;
    return answers.some(({ outcome }) => outcome === 'different')
      ? exitCodes.failed
      : exitCodes.done;
  },
});

/** `verified` is about the record and checkpoints; `answers` about what the file says of it. */
interface FileVerification extends Verification {
  readonly answers: readonly Recomputed[];
}

/** Recomputes the record; what a file claims is checked against it, and against itself. */
async function verify(data: string, file: string | undefined): Promise<FileVerification> {
  const { openReadOnly, verifyDirectory } = await import('../server/offline.ts');
  if (file === undefined) return { ...(await verifyDirectory(data)), answers: [] };
  const { log, signer } = readDataDirectory(data);
  const claims = readExport(readText(file), { origin: log, publicKey: signer.publicKey });
  const found = await verifyDirectory(data, claims.checkpoints);
  const problems = [...found.problems, ...claims.problems];
  const verified = problems.length === 0;
  const { recompute } = await import('../server/recompute.ts');
  const answers: Recomputed[] = [];
  // Out of a record that was changed nothing can be told.
  for (const answer of verified ? claims.answers : [])
    answers.push(await recompute(answer, (askedTime) => openReadOnly(data, askedTime)));
  return { ...found, verified, problems, answers };
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

function report({ answers, ...verification }: FileVerification, io: Io): void {
  const { verified, entries, messages, root, problems } = verification;
  const style = createStyle(io.color);
  if (!verified) {
    io.out(style.red(`✗ Not verified: ${countOf(problems.length, 'problem')}.`));
    for (const problem of problems) io.out(`  - ${clean(problem)}`);
    return;
  }
  const differ = answers.some(({ outcome }) => outcome === 'different');
  const record = `${countOf(entries, 'entry')}, ${countOf(messages, 'message')}`;
  io.out(differ ? `The record is as it was: ${record}.` : `✓ Verified: ${record}.`);
  io.out(style.dim(`  root ${root}`));
  for (const { what, outcome, differences } of answers) {
    const line = `${outcomeWords[outcome]}: ${clean(what)}`;
    io.out(outcome === 'different' ? style.red(line) : line);
    for (const each of differences) io.out(`  - ${clean(shorten(each, differenceWidthMax))}`);
  }
}

const outcomeWords = {
  same: '✓ Asked again at its own moment, the record answers the same',
  different: '✗ Not what the record answers at that moment',
  unknown: 'Checked was only its checkpoint, not what it says (it does not hold its question)',
} as const;

/** Characters of a difference that are shown; --json has all. */
const differenceWidthMax = 240;
