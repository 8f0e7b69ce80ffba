import { exitCodes, type Io, writeJson } from './io.ts';
import { readConfig } from './read-config.ts';
import { clean, countOf } from './style.ts';
import { defineVerb, jsonArg } from './verb.ts';

/** `wherefrom rebuild [--check]`: makes every projection again from the record. */
export const verb = defineVerb({
  name: 'rebuild',
  summary: 'Make every projection again from the record. The server must be stopped.',
  examples: [
    'wherefrom rebuild --check   # change nothing; exit code 3 when anything would come out otherwise',
    'wherefrom rebuild --data /var/lib/wherefrom',
  ],
  args: {
    check: { type: 'boolean', description: 'Only compare; change nothing.' },
    data: { type: 'string', description: 'Data directory; ./wherefrom-data.' },
    ...jsonArg,
  },
  async run(args, io) {
    const { data } = readConfig({ data: args.data }, io).config;
    const { rebuildDirectory } = await import('../server/offline.ts');
    const check = args.check === true;
    const progress = createProgress(io);
    const rebuilt = await rebuildDirectory(data, { check, progress });
    const { messages, differences, compared, receipt } = rebuilt;
    if (args.json) writeJson(io, { check, ...rebuilt });
    else {
      io.out(`${check ? 'Replayed' : 'Rebuilt from'} ${countOf(messages, 'message')}.`);
      if (!compared) io.out('They were of another version, so there was nothing to compare.');
      else if (differences.length === 0) io.out('Every projection comes out the same.');
      for (const difference of differences) io.out(`  - ${clean(difference)}`);
      if (receipt) io.out(`The record says so now, in entry ${receipt.position}.`);
    }
    return check && (!compared || differences.length > 0) ? exitCodes.unverified : exitCodes.done;
  },
});

/** A line for every tenth of a long rebuild. */
function createProgress(io: Io): (entries: number, of: number) => void {
  let tenths = 0;
  return (entries, of) => {
    const now = Math.floor((entries * 10) / of);
    if (now <= tenths || now === 10) return;
    tenths = now;
    io.err(`${now * 10} % of ${countOf(of, 'entry')}`);
  };
}
