import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { WherefromError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { openApiDocument } from './openapi.ts';
import { docsPage, pagePolicy, problemMeaning, problemPage } from './pages.ts';
import { createProblemSender, sendProblem } from './problem.ts';
import {
  completenessQuerySchema,
  diffQuerySchema,
  inputOf,
  readQuery,
  receiptParamsSchema,
  refQuerySchema,
  searchQuerySchema,
  walkQuerySchema,
} from './query.ts';
import type { ApiServices, Scope } from './services.ts';

/** Where our own API is served. */
export const apiPrefix = '/api/wherefrom/v1';

/**
 * Serves our own API below its prefix, and the meaning of error codes at /problems/{code}.
 * Routes that record (predictions, outcomes …) are those of a protocol.
 */
export function registerApi(app: FastifyInstance, services: ApiServices): void {
  app.register(
    (scope, _options, done) => {
      const send = createProblemSender(services.reveal);
      scope.setErrorHandler((error, request, reply) => send(reply, error, request));
      scope.setNotFoundHandler((request, reply) => send(reply, noRoute(request), request));
      registerQuestions(scope, services);
      registerRecords(scope, services);
      registerDescriptions(scope, services);
      done();
    },
    { prefix: apiPrefix },
  );
  app.register((scope, _options, done) => {
    scope.setErrorHandler((error, request, reply) => sendProblem(reply, error, request));
    registerProblems(scope);
    done();
  });
}

function noRoute(request: FastifyRequest): WherefromError {
  const path = request.url.split('?', 1)[0] ?? '';
  return new WherefromError('not_found', `There is no ${request.method} ${path}.`, {
    hint: `${apiPrefix}/docs lists what there is.`,
  });
}

function scopeOf(request: FastifyRequest): Scope {
  const { workspace, reach } = request.principal;
  return { workspace, reach };
}

function registerQuestions(app: FastifyInstance, services: ApiServices): void {
  const { answers } = services;
  const answer = (reply: FastifyReply, value: object): FastifyReply =>
    sendJson(reply, services.reveal(JSON.stringify(value)));

  app.get('/trace', async (request, reply) => {
    const input = inputOf(readQuery(walkQuerySchema, request.query));
    return answer(reply, await answers.trace(input, scopeOf(request)));
  });
  app.get('/impact', async (request, reply) => {
    const input = inputOf(readQuery(walkQuerySchema, request.query));
    return answer(reply, await answers.impact(input, scopeOf(request)));
  });
  app.get('/completeness', async (request, reply) => {
    const input = inputOf(readQuery(completenessQuerySchema, request.query));
    return answer(reply, await answers.completeness(input, scopeOf(request)));
  });
  app.get('/statements', async (request, reply) => {
    const input = inputOf(readQuery(completenessQuerySchema, request.query));
    return answer(reply, await answers.statements(input, scopeOf(request)));
  });
  app.get('/diff', async (request, reply) => {
    const input = inputOf(readQuery(diffQuerySchema, request.query));
    return answer(reply, await answers.diff(input, scopeOf(request)));
  });
  app.get('/resolve', async (request, reply) => {
    const { ref } = readQuery(refQuerySchema, request.query);
    return answer(reply, await answers.resolve(ref, scopeOf(request)));
  });
  app.get('/search', async (request, reply) => {
    const { q, limit } = readQuery(searchQuerySchema, request.query);
    const found = await answers.search(q, limit ?? limits.candidatesMax, scopeOf(request));
    return answer(reply, found);
  });
}

function registerRecords(app: FastifyInstance, services: ApiServices): void {
  app.get('/status', async (_request, reply) => {
    return sendJson(reply, JSON.stringify(await services.status()));
  });
  app.get('/checkpoint', async (_request, reply) => {
    return reply.type('text/plain; charset=utf-8').send(await services.checkpoint());
  });
  app.get('/receipts/:position/:index', async (request, reply) => {
    const { position, index } = readQuery(receiptParamsSchema, request.params);
    const message = await services.receipt(position, index, scopeOf(request));
    return sendJson(reply, services.reveal(JSON.stringify(message)));
  });
}

function registerDescriptions(app: FastifyInstance, services: ApiServices): void {
  const open = { config: { access: 'none' as const } };
  let described: { json: string; html: string } | undefined;
  const describe = async (): Promise<{ json: string; html: string }> => {
    if (described === undefined) {
      const document = openApiDocument((await services.status()).version);
      described = { json: JSON.stringify(document), html: docsPage(document) };
    }
    return described;
  };
  app.get('/openapi.json', open, async (_request, reply) =>
    sendJson(reply, (await describe()).json),
  );
  app.get('/docs', open, async (_request, reply) => sendPage(reply, (await describe()).html));
}

function registerProblems(app: FastifyInstance): void {
  app.get('/problems/:code', { config: { access: 'none' } }, async (request, reply) => {
    const { code } = request.params as { code: string };
    const meaning = problemMeaning(code);
    if (meaning === undefined) {
      throw new WherefromError('not_found', `There is no error code "${code.slice(0, 60)}".`, {
        hint: `The codes are listed in ${apiPrefix}/openapi.json.`,
      });
    }
    const wantsPage = (request.headers.accept ?? '').includes('text/html');
    return wantsPage
      ? sendPage(reply, problemPage(meaning))
      : sendJson(reply, JSON.stringify(meaning));
  });
}

/** As bytes: a socket takes a long text character by character. */
function sendJson(reply: FastifyReply, json: string): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(Buffer.from(json));
}

function sendPage(reply: FastifyReply, html: string): FastifyReply {
  return reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', pagePolicy)
    .send(html);
}
