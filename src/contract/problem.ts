import { z } from 'zod';
import { type ErrorCode, errorCodes, WherefromError } from '../base/errors.ts';

/**
 * What every refusal of our own API looks like: `application/problem+json`, with members of our own.
 * Source: RFC 9457.
 */
export const problemSchema = z
  .looseObject({
    type: z.string().describe('Relative link to what this code means: /problems/<code>.'),
    title: z.string().describe('The code in words; the same for every problem of this type.'),
    status: z.int(),
    code: z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]),
    detail: z.string().describe('What happened, to what.'),
    hint: z.string().optional().describe('What to do next.'),
    retryable: z.boolean().describe('True when the same request may succeed later.'),
    instance: z.string().optional().describe('Id of the request, as in the server log.'),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof problemSchema>;

/** Media type of a problem. */
export const problemMediaType = 'application/problem+json; charset=utf-8';

const internalDetail = 'The server failed on this request; nothing was recorded.';

/**
 * The body for an error. What an `internal` error says stays in the log: it may hold paths or data.
 * Structured detail becomes extension members; it cannot replace the members of the standard.
 * Source: RFC 9457 section 3.
 */
export function problemOf(error: WherefromError, requestId?: string): Problem {
  const { status, title, retryable } = errorCodes[error.code];
  const hidden = error.code === 'internal';
  const hint = hidden
    ? requestId === undefined
      ? 'Look for the cause in the log of the server.'
      : `Look for request ${requestId} in the log of the server.`
    : error.hint;
  return {
    ...(hidden ? {} : error.detail),
    type: `/problems/${error.code}`,
    title,
    status,
    code: error.code,
    detail: hidden ? internalDetail : error.message,
    ...(hint === undefined ? {} : { hint }),
    retryable,
    ...(requestId === undefined ? {} : { instance: requestId }),
  };
}

const standardMembers = new Set(Object.keys(problemSchema.shape));

/** The error that a problem was made of, with its extension members as detail. */
export function errorOfProblem(problem: Problem): WherefromError {
  const members = Object.entries(problem).filter(([name]) => !standardMembers.has(name));
  return new WherefromError(problem.code, problem.detail, {
    ...(problem.hint === undefined ? {} : { hint: problem.hint }),
    detail: Object.fromEntries(members),
  });
}
