import { exitCodes, writeJson } from './io.ts';
import { momentArgs, readMoment } from './moment.ts';
import { renderDiff } from './render-diff.ts';
import { sourceArgs, withSource } from './source.ts';
import { defineVerb } from './verb.ts';

/** `wherefrom diff A B`: how do two runs, versions or predictions differ? */
export const verb = defineVerb({
  name: 'diff',
  summary: 'How do two runs, versions or predictions differ? The likeliest causes come first.',
  examples: [
    'wherefrom diff credit-risk@1 credit-risk@2',
    'wherefrom diff 4f0c9d 77aa01 --json   # two runs, by the beginning of their ids',
  ],
  args: {
    a: { type: 'positional', required: true, description: 'One side.' },
    b: { type: 'positional', required: true, description: 'The other side.' },
    ...momentArgs,
    ...sourceArgs,
  },
  async run(args, io) {
    const moment = readMoment(args);
    const answer = await withSource(args, io, (questions) =>
      questions.diff(args.a, args.b, moment),
    );
    if (args.json) writeJson(io, answer);
    else io.out(renderDiff(answer, io).join('\n'));
    return exitCodes.done;
  },
});
