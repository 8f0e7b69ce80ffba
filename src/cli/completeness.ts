import { exitCodes, writeJson } from './io.ts';
import { momentArgs, readMoment } from './moment.ts';
import { notJudgedWords, renderCompleteness } from './render-completeness.ts';
import { sourceArgs, withSource } from './source.ts';
import { defineVerb, readNumber } from './verb.ts';

/** `wherefrom completeness REF`: which links of a full lineage are missing? */
export const verb = defineVerb({
  name: 'completeness',
  summary: 'Which links of a full lineage are there, and which are missing?',
  examples: [
    'wherefrom completeness credit-risk@3',
    'wherefrom completeness credit-risk@3 --min 90   # a gate: exit code 1 below 90 %',
  ],
  args: {
    ref: {
      type: 'positional',
      required: true,
      description: 'What to judge: a model version, run, prediction …',
    },
    min: { type: 'string', description: 'Fail (exit code 1) below this score, in percent.' },
    ...momentArgs,
    ...sourceArgs,
  },
  async run(args, io) {
    const min = readNumber(args.min, 'min', { min: 0, max: 100 });
    const moment = readMoment(args);
    const answer = await withSource(args, io, (questions) =>
      questions.completeness(args.ref, moment),
    );
    if (args.json) writeJson(io, answer);
    else io.out(renderCompleteness(answer, io).join('\n'));
    if (min === undefined) return exitCodes.done;
    if (answer.notJudged !== undefined) {
      io.err(`Not judged, so not ${min} % complete: ${notJudgedWords[answer.notJudged]}.`);
      return exitCodes.failed;
    }
    if (answer.score * 100 >= min) return exitCodes.done;
    io.err(`The score is below ${min} %.`);
    return exitCodes.failed;
  },
});
