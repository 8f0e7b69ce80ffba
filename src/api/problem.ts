import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, toWherefromError, WherefromError } from '../base/errors.ts';
import { type Problem, problemMediaType, problemOf } from '../contract/problem.ts';

/** What Fastify itself refuses with, in our codes. */
const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'malformed_message',
  404: 'not_found',
  413: 'too_large',
  415: 'unsupported_media',
  429: 'rate_limited',
};

/** Any error of a request as ours: Fastify's own refusals keep their meaning, the rest is `internal`. */
function errorOfRequest(thrown: unknown): WherefromError {
  if (thrown instanceof WherefromError) return thrown;
  if (thrown instanceof Error && 'statusCode' in thrown && typeof thrown.statusCode === 'number') {
    const code = codeOfStatus[thrown.statusCode];
    if (code !== undefined) return new WherefromError(code, thrown.message, { cause: thrown });
  }
  return toWherefromError(thrown);
}

/** Answers a request with the problem behind an error, and logs what is a fault of the server. */
export function sendProblem(
  reply: FastifyReply,
  thrown: unknown,
  request: FastifyRequest,
): FastifyReply {
  return send(reply, describe(thrown, request), (text) => text);
}

/** The same for problems that name what is recorded: puts the persons behind tokens back. */
export function createProblemSender(reveal: (text: string) => string): typeof sendProblem {
  return (reply, thrown, request) => send(reply, describe(thrown, request), reveal);
}

function describe(thrown: unknown, request: FastifyRequest): Problem {
  const error = errorOfRequest(thrown);
  if (error.status >= 500) request.log.error({ err: thrown, event: 'request.failed' });
  return problemOf(error, request.id);
}

function send(
  reply: FastifyReply,
  problem: Problem,
  reveal: (text: string) => string,
): FastifyReply {
  if (problem.retryable) reply.header('retry-after', '1');
  return reply
    .code(problem.status)
    .type(problemMediaType)
    .send(reveal(JSON.stringify(problem)));
}
