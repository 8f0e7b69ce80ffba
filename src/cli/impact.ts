import { defineWalk } from './walk.ts';

/** `wherefrom impact REF`: what did it reach? */
export const verb = defineWalk({
  name: 'impact',
  summary:
    'What did it reach? Everything downstream of a source, column, dataset, commit or model.',
  examples: [
    'wherefrom impact german_credit.csv#age   # models and predictions that a column reached',
    'wherefrom impact credit-risk@3 --json',
  ],
});
