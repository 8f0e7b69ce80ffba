import { variableOf } from '../server/config.ts';
import { exitCodes, writeJson } from './io.ts';
import { readConfig } from './read-config.ts';
import { createStyle } from './style.ts';
import { defineVerb, jsonArg } from './verb.ts';

/** `wherefrom config`: every setting, its value and where it came from. */
export const verb = defineVerb({
  name: 'config',
  summary: 'Every setting, its value, and where it came from: flag, environment, file or default.',
  examples: ['wherefrom config', 'WHEREFROM_CONFIG=wherefrom.yaml wherefrom config --json'],
  args: jsonArg,
  async run(args, io) {
    const { entries } = readConfig({}, io);
    if (args.json) {
      writeJson(
        io,
        entries.map((entry) => ({ ...entry, variable: variableOf(entry.key) })),
      );
      return exitCodes.done;
    }
    const style = createStyle(io.color);
    for (const { key, value, source, description } of entries) {
      const text = Array.isArray(value) ? value.join(', ') || '(none)' : String(value) || '(none)';
      io.out(`${style.bold(key)} = ${text}  ${style.dim(`${source}, ${variableOf(key)}`)}`);
      io.out(style.dim(`    ${description}`));
    }
    return exitCodes.done;
  },
});
