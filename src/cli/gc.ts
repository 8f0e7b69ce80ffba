import { limits } from '../base/limits.ts';
import type { BlobCount } from '../server/gc.ts';
import { artifactArgs, artifactFlags } from './artifact-args.ts';
import { exitCodes, UsageError, writeJson } from './io.ts';
import { readConfig } from './read-config.ts';
import { countOf } from './style.ts';
import { defineVerb, jsonArg } from './verb.ts';

const days = limits.unnamedBlobMsMin / (24 * 60 * 60 * 1_000);

/** `wherefrom gc [--dry-run]`: removes the bytes of artifacts that nothing names any more. */
export const verb = defineVerb({
  name: 'gc',
  summary: 'Remove the bytes of deleted and replaced artifacts. The server must be stopped.',
  examples: [
    'wherefrom gc --dry-run     # change nothing; how much would go?',
    'wherefrom gc --artifacts s3://bucket/prefix --exclusive   # as the server was started',
  ],
  args: {
    'dry-run': { type: 'boolean', description: 'Only count; remove nothing.' },
    data: { type: 'string', description: 'Data directory; ./wherefrom-data.' },
    ...artifactArgs,
    exclusive: {
      type: 'boolean',
      description: 'With artifacts elsewhere: no other data directory keeps artifacts there.',
    },
    ...jsonArg,
  },
  async run(args, io) {
    const { config } = readConfig({ data: args.data, ...artifactFlags(args) }, io);
    const dryRun = args['dry-run'] === true;
    if (config.artifacts !== '' && !dryRun && args.exclusive !== true) {
      throw new UsageError(
        `Artifacts are in ${config.artifacts}: what another data directory keeps there would be removed.`,
        'Say --exclusive when no other one does, nor a copy of this one; --dry-run removes nothing.',
      );
    }
    const { collectBlobs } = await import('../server/gc.ts');
    const collected = await collectBlobs(config, { now: Date.now(), dryRun });
    if (args.json) {
      writeJson(io, { dryRun, ...collected });
      return exitCodes.done;
    }
    const { removed, young } = collected;
    io.out(`${dryRun ? 'Would remove' : 'Removed'} ${said(removed)} that nothing names any more.`);
    if (young.blobs > 0) io.out(`${said(young)} more came within ${days} days and stay for now.`);
    return exitCodes.done;
  },
});

const said = ({ blobs, bytes }: BlobCount): string =>
  `${countOf(blobs, 'blob')} of ${countOf(bytes, 'byte')}`;
