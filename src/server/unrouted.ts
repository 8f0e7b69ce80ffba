import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { sendProblem } from '../api/index.ts';
import { WherefromError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { problemMediaType, problemOf } from '../contract/problem.ts';
import { protocols } from '../protocols/index.ts';

/** Answers what the framework refuses before it knows a route: in the form of the path's protocol. */
export function sendUnrouted(
  thrown: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const path = request.raw.url?.split('?', 1)[0] ?? '/';
  const error =
    thrown.code === 'FST_ERR_BAD_URL'
      ? new WherefromError('malformed_message', 'The path of the request cannot be decoded.', {
          hint: 'Write other than plain characters as %XX of their UTF-8 bytes.',
        })
      : new WherefromError('malformed_message', 'A part of the path is too long.', {
          hint: `It can have at most ${limits.refCharactersMax} characters.`,
        });
  if (!protocols.some(({ refuse }) => refuse?.(path, error, reply)))
    sendProblem(reply, error, request);
}

/** Statuses of what Node's parser gives up on. Source: nodejs.org/api/http.html, 'clientError'. */
const statuses: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** Answers bytes that are no HTTP request. There is no path: the form is that of our own API. */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const status = statuses[error.code ?? ''] ?? '400 Bad Request';
  const unread = new WherefromError(
    'malformed_message',
    'This is no HTTP request that can be read.',
    {
      hint: 'Look at its first line and its headers.',
    },
  );
  const body = JSON.stringify({ ...problemOf(unread), status: Number.parseInt(status, 10) });
  const head = [
    `HTTP/1.1 ${status}`,
    `Content-Type: ${problemMediaType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroy(error);
}
