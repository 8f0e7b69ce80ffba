import { readFileSync } from 'node:fs';
import { WherefromError } from '../base/errors.ts';
import type { Verification } from '../ledger/index.ts';
import type { Config } from '../server/config.ts';
import { readDataDirectory } from '../server/data-directory.ts';
import type { Recomputed } from '../server/recompute.ts';
import type { ArtifactsVerification } from '../server/verify-artifacts.ts';
import { exitCodes, type Io, writeJson } from './io.ts';
import { readConfig } from './read-config.ts';
import { readExport } from './read-export.ts';
import { clean, countOf, createStyle, shorten } from './style.ts';
import { defineVerb, jsonArg } from './verb.ts';

/** `wherefrom verify [FILE]`: is the record what was committed to, and does it still hold the file? */
export const verb = defineVerb({
  name: 'verify',
  summary:
    'Recompute the ledger from what is stored and read every artifact: exit code 3 when anything was changed, 1 when a kept answer is not what the record says.',
  examples: [
    'wherefrom verify --data /var/lib/wherefrom',
    'wherefrom verify --no-artifacts   # the record alone, where there are very many files',
    'wherefrom verify trace.json   # also: asked again, the record answers the same',
  ],
  args: {
    file: {
      type: 'positional',
      required: false,
      description: 'An answer saved with --json, or a signed checkpoint, that was kept.',
    },
    data: { type: 'string', description: 'Data directory; ./wherefrom-data.' },
    artifacts: {
      type: 'string',
      description: 'Where artifacts are kept, when not with the data; those in S3 are not checked.',
    },
    'no-artifacts': { type: 'boolean', description: 'Do not read the artifacts.' },
    ...jsonArg,
  },
  async run(args, io) {
    // The parser reads `--no-artifacts` as `artifacts: false`, which its types do not say.
    const artifacts: unknown = args.artifacts;
    const flags = { data: args.data, ...(typeof artifacts === 'string' && { artifacts }) };
    const { config } = readConfig(flags, io);
    const { data } = config;
    const record = await verify(data, args.file);
    const verification =
      artifacts === false ? record : await withArtifacts(record, config, createProgress(io));
    if (args.json) writeJson(io, verification);
    else report(verification, io);
    if (!verification.verified) return exitCodes.unverified;
    const { answers } = verification;
    return answers.some(({ outcome }) => outcome === 'different')
      ? exitCodes.failed
      : exitCodes.done;
  },
});

/** `verified` is about the record, checkpoints and artifacts; `answers` about what the file says of it. */
interface FileVerification extends Verification {
  readonly answers: readonly Recomputed[];
  /** What was read of the artifacts; absent with `--no-artifacts`. */
  readonly artifacts?: Omit<ArtifactsVerification, 'problems'>;
}

async function withArtifacts(
  record: FileVerification,
  config: Config,
  progress: (bytes: number) => void,
): Promise<FileVerification> {
  const { verifyArtifacts } = await import('../server/verify-artifacts.ts');
  const { problems: found, ...artifacts } = await verifyArtifacts(config, progress);
  const problems = [...record.problems, ...found];
  return { ...record, verified: problems.length === 0, problems, artifacts };
}

/** Bytes of artifacts after each of which a line tells how far it is: about a minute of a disk. */
const progressBytes = 10 * 1024 ** 3;

function createProgress(io: Io): (bytes: number) => void {
  let told = 0;
  return (bytes) => {
    const now = Math.floor(bytes / progressBytes);
    if (now > told) io.err(`${now * 10} GiB of artifacts read`);
    told = now;
  };
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
  const { verified, entries, messages, root, problems, artifacts } = verification;
  const style = createStyle(io.color);
  if (!verified) {
    io.out(style.red(`✗ Not verified: ${countOf(problems.length, 'problem')}.`));
    for (const problem of problems) io.out(`  - ${clean(problem)}`);
    for (const note of artifacts?.notes ?? []) io.out(`  ${clean(note)}`);
    return;
  }
  const differ = answers.some(({ outcome }) => outcome === 'different');
  const record = `${countOf(entries, 'entry')}, ${countOf(messages, 'message')}`;
  io.out(differ ? `The record is as it was: ${record}.` : `✓ Verified: ${record}.`);
  io.out(style.dim(`  root ${root}`));
  if (artifacts !== undefined && artifacts.blobs > 0) {
    const { blobs, bytes } = artifacts;
    io.out(style.dim(`  ${countOf(blobs, 'artifact')}, ${countOf(bytes, 'byte')}`));
  }
  for (const note of artifacts?.notes ?? []) io.out(`  ${clean(note)}`);
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
