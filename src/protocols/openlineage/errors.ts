import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorCodes, toWherefromError, WherefromError } from '../../base/errors.ts';
import { problemMediaType, problemOf } from '../../contract/problem.ts';
import { tooLarge } from './body.ts';

/** Errors of the HTTP server itself, by its codes. Source: Fastify's table of errors. */
function ofServer(thrown: unknown, sent = 'none'): WherefromError {
  if (thrown instanceof WherefromError) return thrown;
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  const status = thrown instanceof Error && 'statusCode' in thrown ? thrown.statusCode : undefined;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return tooLarge(thrown);
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new WherefromError(
      'unsupported_media',
      `The media type ${sent.slice(0, 100)} is not spoken here.`,
      {
        hint: 'Send application/json.',
        cause: thrown,
      },
    );
  }
  if (typeof status === 'number' && status >= 400 && status < 500 && thrown instanceof Error) {
    return new WherefromError('malformed_message', thrown.message, { cause: thrown });
  }
  return toWherefromError(thrown);
}

/**
 * Answers an error as `application/problem+json`. Clients of OpenLineage look at the status alone:
 * they send again after 5xx and drop the event after 4xx.
 * Source: RFC 9457.
 */
export function sendProblem(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const error = ofServer(thrown);
  if (error.status >= 500) request.log.error({ err: thrown }, 'openlineage.failed');
  if (errorCodes[error.code].retryable) reply.header('Retry-After', '1');
  if (error.code === 'unauthenticated') reply.header('WWW-Authenticate', 'Bearer');
  return reply
    .code(error.status)
    .type(problemMediaType)
    .send(JSON.stringify(problemOf(error, request.id)));
}

/** Answers a path or method that this protocol does not have. */
export function sendNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = new WherefromError(
    'not_found',
    `There is no ${request.method} ${pathOf(request.url)}.`,
    {
      hint: 'Producers send POST /api/v1/lineage or POST /api/v1/lineage/batch.',
    },
  );
  return sendProblem(error, request, reply);
}

function pathOf(url: string): string {
  return (url.split('?', 1)[0] ?? '').slice(0, 200);
}
