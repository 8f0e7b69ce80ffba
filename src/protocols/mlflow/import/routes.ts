import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { toWherefromError, WherefromError } from '../../../base/errors.ts';
import { isObject, texts } from '../../../base/json.ts';
import { limits } from '../../../base/limits.ts';
import { problemMediaType, problemOf } from '../../../contract/problem.ts';
import type { ProtocolServices } from '../../services.ts';
import { type Fields, type Message, readMessage } from '../wire.ts';
import type { KnownQuestion } from './known.ts';
import { type ImportKind, importMessages } from './messages.ts';
import {
  createImportTarget,
  type ImportMessage,
  type ImportResult,
  type ImportTarget,
} from './target.ts';

/** Where an import is sent to; `known` and `files` are below. */
export const importPath = '/api/wherefrom/v1/import/mlflow';

const isKind = (kind: unknown): kind is ImportKind =>
  typeof kind === 'string' && Object.hasOwn(importMessages, kind);

/** One message of an import. @throws invalid_message, saying which line. */
function readLine(line: string, number: number): ImportMessage {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new WherefromError('malformed_message', `Line ${number} is not valid JSON.`, { cause });
  }
  const kind = isObject(value) ? value.import : undefined;
  if (!isObject(value) || !isKind(kind)) {
    throw new WherefromError('invalid_message', `Line ${number} is no message of an import.`, {
      hint: `A line is {"import": KIND, "body": {…}}; kinds are ${Object.keys(importMessages).join(', ')}.`,
    });
  }
  const descriptor: Message<Fields> = importMessages[kind];
  // The body was read by the message of the kind that it stands beside.
  return { import: kind, body: readMessage(descriptor, value.body) } as unknown as ImportMessage;
}

function readQuestion(body: unknown): KnownQuestion {
  const said = typeof body === 'string' && body !== '' ? (JSON.parse(body) as unknown) : {};
  if (!isObject(said)) return {};
  return {
    runs: texts(said.runs),
    models: texts(said.models),
    roots: texts(said.roots),
    traces: texts(said.traces),
    registered: texts(said.registered),
    datasets: texts(said.datasets),
  };
}

function targetOf({ principal }: FastifyRequest, services: ProtocolServices): ImportTarget {
  const { id, workspace } = principal;
  return createImportTarget(services, { principal: id, workspace });
}

const sendJson = (reply: FastifyReply, services: ProtocolServices, value: unknown): FastifyReply =>
  reply.type('application/json').send(services.reveal(JSON.stringify(value)));

/** Imports write with other times and ids than those of this server: for admins only. */
const config = { access: 'admin' } as const;

/** The routes by which `wherefrom import mlflow` reaches a server. Errors are those of our own API. */
export function registerImportRoutes(app: FastifyInstance, services: ProtocolServices): void {
  app.register((scope, _options, done) => {
    useTextBodies(scope);
    useProblems(scope, services);
    scope.post(importPath, { config }, async (request, reply) => {
      const lines = String(request.body ?? '').split('\n');
      const messages = lines.flatMap((line, index) =>
        line.trim() === '' ? [] : [readLine(line, index + 1)],
      );
      const results: readonly ImportResult[] = await targetOf(request, services).accept(messages);
      return sendJson(reply, services, { results });
    });
    scope.post(`${importPath}/known`, { config }, async (request, reply) => {
      const known = await targetOf(request, services).known(readQuestion(request.body));
      return sendJson(reply, services, known);
    });
    done();
  });
  app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload));
    useProblems(scope, services);
    scope.put<{ Params: { '*': string }; Querystring: { time?: string } }>(
      `${importPath}/files/*`,
      { config },
      async (request, reply) => {
        const content = request.body instanceof Readable ? request.body : Readable.from([]);
        const file = { path: request.params['*'], time: Number(request.query.time ?? 0) || 0 };
        return sendJson(reply, services, await targetOf(request, services).putFile(file, content));
      },
    );
    done();
  });
}

function useTextBodies(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  const options = { parseAs: 'string', bodyLimit: limits.importBodyBytesMax } as const;
  scope.addContentTypeParser('*', options, async (_request: FastifyRequest, text: string) => text);
}

/** Errors of this scope as application/problem+json. Source: RFC 9457. */
function useProblems(scope: FastifyInstance, services: ProtocolServices): void {
  scope.setErrorHandler((thrown, request, reply) => {
    const tooLarge = isObject(thrown) && thrown.statusCode === 413;
    const error = tooLarge
      ? new WherefromError('too_large', 'The import sent too much at once.')
      : toWherefromError(thrown);
    if (error.status >= 500) request.log.error({ err: thrown }, 'import.failed');
    const problem = problemOf(error, request.id);
    return reply
      .code(problem.status)
      .type(problemMediaType)
      .send(services.reveal(JSON.stringify(problem)));
  });
}
