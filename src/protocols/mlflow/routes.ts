import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { toWherefromError, WherefromError } from '../../base/errors.ts';
import { isObject } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import type { Operation } from '../../door/index.ts';
import { formatReceipt, type Principal, type ProtocolServices } from '../services.ts';
import { invalidParameter, mlflowError, toMlflowReply } from './errors.ts';
import { encodeAnswer } from './long-list.ts';
import { type BodyOf, type Fields, type Message, readMessage } from './wire.ts';

/** What a handler may want to know besides the body. */
export interface Call {
  readonly principal: Principal;
  readonly workspace: string;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A route whose answer is made without the door, or with more than one thing between. */
export interface ReadRoute<F extends Fields> {
  readonly message: Message<F>;
  /** Role that it needs; `read` when absent. */
  readonly access?: 'read' | 'write';
  /** Returns the answer's JSON; person tokens in it are revealed before it is sent. */
  answer(body: BodyOf<Message<F>>, call: Call): unknown;
}

/** A route whose body is submitted to the door as one operation. */
export interface WriteRoute<F extends Fields, Sent, Answer> {
  readonly message: Message<F>;
  readonly operation: Operation<Sent, Answer>;
  /** Makes the operation's body of what was read; must survive JSON unchanged. */
  body(read: BodyOf<Message<F>>, call: Call): Sent | Promise<Sent>;
  /** Makes the answer's JSON of the door's, after the commit; `{}` when absent. */
  answer?(answer: Answer, call: Call): unknown;
}

/** Registers MLflow routes in one scope, for example `/api/2.0`; paths begin with `/mlflow/`. */
export interface RouteHelpers {
  read<F extends Fields>(method: Method, path: string, route: ReadRoute<F>): void;
  write<F extends Fields, Sent, Answer>(
    method: Method,
    path: string,
    route: WriteRoute<F, Sent, Answer>,
  ): void;
}

/** What a request says: the query of a GET, otherwise the body, and the variables of the path. */
function source(request: FastifyRequest): unknown {
  const said = request.method === 'GET' || request.method === 'HEAD' ? request.query : request.body;
  const inPath = request.params;
  if (!isObject(inPath) || Object.keys(inPath).length === 0) return said;
  if (said !== undefined && said !== null && !isObject(said)) return said;
  return { ...said, ...inPath };
}

/** Sends JSON, with the persons behind tokens put back; as bytes, for a socket takes long texts slowly. */
function sendJson(reply: FastifyReply, services: ProtocolServices, value: unknown): FastifyReply {
  return reply.type('application/json').send(encodeAnswer(value, services.reveal));
}

/** Submits a body and sets the receipt's header. Returns the door's answer. */
export async function submit<Sent, Answer>(
  services: ProtocolServices,
  operation: Operation<Sent, Answer>,
  body: Sent,
  call: Call,
): Promise<Answer> {
  const { workspace, principal, reply } = call;
  const accepted = await services.door.submit({
    operation,
    workspace,
    principal: principal.id,
    body,
  });
  if (accepted.receipt !== undefined)
    reply.header('wherefrom-receipt', formatReceipt(accepted.receipt));
  if (accepted.warnings.length > 0) services.count('warned', 'mlflow');
  return accepted.answer;
}

/** The call of a request. */
export function callOf(request: FastifyRequest, reply: FastifyReply): Call {
  const { principal } = request;
  return { principal, workspace: principal.workspace, request, reply };
}

/** Helpers that register in `app`, whose prefix is for example `/api/2.0`. */
export function createRouteHelpers(app: FastifyInstance, services: ProtocolServices): RouteHelpers {
  return {
    read(method, path, route) {
      app.route({
        method,
        url: path,
        config: { access: route.access ?? 'read' },
        handler: async (request, reply) => {
          const body = readMessage(route.message, source(request), {
            text: request.method === 'GET',
          });
          return sendJson(reply, services, await route.answer(body, callOf(request, reply)));
        },
      });
    },
    write(method, path, route) {
      app.route({
        method,
        url: path,
        config: { access: 'write' },
        handler: async (request, reply) => {
          const call = callOf(request, reply);
          const read = readMessage(route.message, source(request));
          const answer = await submit(
            services,
            route.operation,
            await route.body(read, call),
            call,
          );
          if (route.answer === undefined) return reply.type('application/json').send('{}');
          return sendJson(reply, services, await route.answer(answer, call));
        },
      });
    },
  };
}

function parseJson(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    // Older clients send their JSON encoded twice.
    return typeof value === 'string' ? JSON.parse(value) : value;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.slice(0, 200) : 'unreadable';
    throw invalidParameter(`The request body is not valid JSON: ${reason}`);
  }
}

/** JSON bodies of this scope, and only those: anything else is refused in MLflow's words. */
export function useJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const options = { parseAs: 'string', bodyLimit: limits.mlflowBodyBytesMax } as const;
  app.addContentTypeParser(
    'application/json',
    options,
    async (_request: FastifyRequest, text: string) => parseJson(text),
  );
  app.addContentTypeParser('*', options, async (request: FastifyRequest, text: string) => {
    if (text === '' || request.method === 'DELETE') return parseJson(text);
    if (request.headers['content-type'] === undefined) {
      throw invalidParameter('Bad Request. Content-Type header is missing.');
    }
    throw invalidParameter("Bad Request. Content-Type must be one of ['application/json'].");
  });
}

/** Fastify's own refusals, such as a body beyond the limit, as errors of ours. */
function toError(thrown: FastifyError | Error): WherefromError {
  if (thrown instanceof WherefromError) return thrown;
  const status = 'statusCode' in thrown ? thrown.statusCode : undefined;
  if (status === 413) {
    const limit = limits.mlflowBodyBytesMax;
    return new WherefromError('too_large', `The request body is larger than ${limit} bytes.`);
  }
  if (status === 415) return mlflowError('BAD_REQUEST', thrown.message);
  if (status !== undefined && status >= 400 && status < 500)
    return invalidParameter(thrown.message);
  return toWherefromError(thrown);
}

/** Errors and unknown routes of this scope in MLflow's shape. Never HTML. */
export function useMlflowErrors(app: FastifyInstance, services: ProtocolServices): void {
  app.setErrorHandler((thrown: FastifyError, request, reply) => {
    const error = toError(thrown);
    const { status, headers, body } = toMlflowReply(error);
    if (status >= 500) request.log.error({ err: thrown }, 'mlflow.failed');
    return reply
      .code(status)
      .headers(headers)
      .type('application/json')
      .send(services.reveal(JSON.stringify(body)));
  });
}

/** 404 ENDPOINT_NOT_FOUND for what is not served under this scope's prefix. */
export function useMlflowNotFound(app: FastifyInstance): void {
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0];
    const error = mlflowError(
      'ENDPOINT_NOT_FOUND',
      `No MLflow endpoint ${request.method} ${path} is served here.`,
    );
    const { status, body } = toMlflowReply(error);
    return reply.code(status).type('application/json').send(JSON.stringify(body));
  });
}
