import type { ParsedArgs } from 'citty';
import { WherefromError } from '../base/errors.ts';
import type { MomentInput } from '../contract/answer.ts';
import { readAsOf, readTime } from '../contract/moment.ts';
import { UsageError } from './io.ts';

/** Options of every verb that asks about a moment. */
export const momentArgs = {
  'as-of': { type: 'string', description: 'What had been recorded: a position or a time.' },
  at: {
    type: 'string',
    description: 'What was true at this time: 2026-07-31T09:30:00Z, 2026-07-31 or 2026.',
  },
} as const;

/** The moment that the options name. @throws UsageError. */
export function readMoment(args: ParsedArgs<typeof momentArgs>): MomentInput {
  const { 'as-of': asOf, at } = args;
  return {
    asOf: orUsage(() => (asOf === undefined ? undefined : readAsOf(asOf))),
    at: orUsage(() => (at === undefined ? undefined : readTime(at, '--at'))),
  };
}

function orUsage<T>(read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof WherefromError) throw new UsageError(thrown.message, thrown.hint);
    throw thrown;
  }
}
