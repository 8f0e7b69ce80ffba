import { packageVersion } from '../server/package-info.ts';
import { exitCodes, writeJson } from './io.ts';
import { defineVerb, jsonArg } from './verb.ts';

/** `wherefrom version` */
export const verb = defineVerb({
  name: 'version',
  summary: 'The version of this program.',
  examples: ['wherefrom version --json'],
  args: jsonArg,
  async run(args, io) {
    const version = packageVersion();
    if (args.json) writeJson(io, { name: 'wherefrom', version, node: process.versions.node });
    else io.out(`wherefrom ${version}`);
    return exitCodes.done;
  },
});
