import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { limits } from '../../base/limits.ts';
import type { Accepted } from '../../door/index.ts';
import { formatReceipt, type ProtocolServices } from '../services.ts';
import { readBatch, submitBatch } from './batch.ts';
import { parseJson, readText } from './body.ts';
import type { LineageAnswer } from './decide.ts';
import { sendNotFound, sendProblem } from './errors.ts';
import { lineageOperation } from './operation.ts';

/** Prefix of OpenLineage and, later, of Marquez' read API. */
const prefix = '/api/v1';
/** Warnings told in headers of one answer, and their length: servers between us limit headers. */
const headerWarningsMax = 5;
const headerWarningCharactersMax = 200;

/** Adds the routes in a scope of their own: body parser, errors and unknown paths are OpenLineage's. */
export function registerRoutes(app: FastifyInstance, services: ProtocolServices): void {
  app.register(
    async (scope) => {
      scope.removeAllContentTypeParsers();
      const options = { parseAs: 'buffer', bodyLimit: limits.openLineageBodyBytesMax } as const;
      // Bytes as they come: they may be compressed, and the media type is checked with our own message.
      scope.addContentTypeParser(
        '*',
        options,
        async (_request: FastifyRequest, body: Buffer) => body,
      );
      // The server counts refused requests; refused events of a batch are counted below.
      scope.setErrorHandler(sendProblem);
      scope.setNotFoundHandler(sendNotFound);
      scope.post('/lineage', async (request, reply) => postLineage(request, reply, services));
      scope.post('/lineage/batch', async (request, reply) => postBatch(request, reply, services));
    },
    { prefix },
  );
}

/** One event: 201 with an empty body, as Marquez answers. A list is taken as a batch, as Feast does. */
async function postLineage(
  request: FastifyRequest,
  reply: FastifyReply,
  services: ProtocolServices,
): Promise<FastifyReply> {
  const text = await readText(request.body, request.headers);
  const body = parseJson(text);
  if (Array.isArray(body)) return answerBatch(text, { request, reply, services });
  const accepted = await submitter(request, services)(body, text);
  if (accepted.receipt) reply.header('Wherefrom-Receipt', formatReceipt(accepted.receipt));
  const warnings = accepted.warnings.slice(0, headerWarningsMax).map(headerText);
  if (warnings.length > 0) reply.header('Wherefrom-Warning', warnings);
  return reply.code(201).send();
}

async function postBatch(
  request: FastifyRequest,
  reply: FastifyReply,
  services: ProtocolServices,
): Promise<FastifyReply> {
  const text = await readText(request.body, request.headers);
  return answerBatch(text, { request, reply, services });
}

interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly services: ProtocolServices;
}

async function answerBatch(
  text: string,
  { request, reply, services }: Exchange,
): Promise<FastifyReply> {
  const items = readBatch(text, request.headers['content-type']);
  const answer = await submitBatch(items, submitter(request, services));
  for (const _ of answer.failed_events) services.count('refused', 'openlineage');
  const [first] = answer.receipts.filter((receipt) => receipt !== null);
  if (first !== undefined) reply.header('Wherefrom-Receipt', first);
  return reply.code(200).send(answer);
}

function submitter(
  request: FastifyRequest,
  services: ProtocolServices,
): (body: unknown, text?: string) => Promise<Accepted<LineageAnswer>> {
  const { id, workspace } = request.principal;
  return async (body, text) => {
    const accepted = await services.door.submit({
      operation: lineageOperation,
      workspace,
      principal: id,
      body,
      text,
    });
    if (accepted.warnings.length > 0) services.count('warned', 'openlineage');
    return accepted;
  };
}

/** Headers hold visible ASCII. */
function headerText(warning: string): string {
  return warning.replace(/[^\x20-\x7e]/g, '?').slice(0, headerWarningCharactersMax);
}
