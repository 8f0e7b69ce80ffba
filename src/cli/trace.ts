import { defineWalk } from './walk.ts';

/** `wherefrom trace REF`: where does it come from? */
export const verb = defineWalk({
  name: 'trace',
  summary: 'Where does it come from? Everything upstream of a prediction, model, run or dataset.',
  examples: [
    'wherefrom trace applicant-0042            # a prediction, by its id',
    'wherefrom trace credit-risk@3 --columns   # a model version, down to the source columns',
    'wherefrom trace credit-risk@champion --at 2026-05-01 --json',
  ],
});
