import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { toWherefromError, type WherefromError } from '../../base/errors.ts';
import { isObject } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import { formatReceipt, type ProtocolServices } from '../services.ts';
import { decompress, encodingOf, parseBody, tooLarge } from './bodies.ts';
import { encodeAnswer } from './descriptor.ts';
import { detailError, type Encoding, toOtlpError } from './errors.ts';
import { exportTraces } from './export.ts';
import { type ExportBody, readExport } from './read.ts';

const mediaTypes = { protobuf: 'application/x-protobuf', json: 'application/json' } as const;
const experimentHeader = 'x-mlflow-experiment-id';
const runHeader = 'x-mlflow-run-id';

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** An answer in the encoding of the request. */
function sendAnswer(
  reply: FastifyReply,
  encoding: Encoding,
  rejected: readonly string[],
): FastifyReply {
  const answer =
    rejected.length === 0
      ? {}
      : {
          partialSuccess: {
            rejectedSpans: String(rejected.length),
            errorMessage: rejected.slice(0, 3).join('; '),
          },
        };
  reply.type(mediaTypes[encoding]);
  return encoding === 'json'
    ? reply.send(JSON.stringify(answer))
    : reply.send(encodeAnswer('ExportTraceServiceResponse', answer));
}

/** Reads the body of a request. @throws what `bodies.ts` refuses. */
async function read(request: FastifyRequest): Promise<{ encoding: Encoding; value: unknown }> {
  const contentType = headerOf(request, 'content-type');
  const encoding = encodingOf(contentType);
  if (encoding === undefined) {
    throw detailError(
      400,
      `Invalid Content-Type: ${contentType?.slice(0, 100) ?? 'None'}. Expected: application/x-protobuf or application/json`,
    );
  }
  const sent = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const body = await decompress(headerOf(request, 'content-encoding'), sent);
  return { encoding, value: parseBody(encoding, body) };
}

async function receive(
  request: FastifyRequest,
  reply: FastifyReply,
  services: ProtocolServices,
): Promise<FastifyReply> {
  const { encoding, value } = await read(request);
  const experiment = headerOf(request, experimentHeader);
  const run = headerOf(request, runHeader);
  const ofMlflow = experiment !== undefined;
  const { resourceSpans, spans, rejected } = readExport(
    value,
    encoding === 'json' ? 'hex' : 'base64',
  );
  if (
    ofMlflow &&
    !(isObject(value) && Array.isArray(value.resourceSpans) && resourceSpans.length > 0)
  ) {
    throw detailError(400, 'Invalid OpenTelemetry format - no spans found');
  }
  // MLflow takes all spans of a request or none; others are told how many were not taken.
  if (ofMlflow && rejected.length > 0) {
    throw detailError(422, 'Cannot convert OpenTelemetry span to MLflow span');
  }
  if (spans === 0) return sendAnswer(reply, encoding, rejected);
  const body: ExportBody = {
    ...(experiment === undefined ? {} : { experiment }),
    ...(run === undefined ? {} : { run }),
    resourceSpans,
  };
  const { principal } = request;
  const accepted = await services.door.submit({
    operation: exportTraces,
    workspace: principal.workspace,
    principal: principal.id,
    body,
  });
  if (accepted.receipt) reply.header('wherefrom-receipt', formatReceipt(accepted.receipt));
  if (accepted.warnings.length + rejected.length > 0) services.count('warned', 'otlp');
  return sendAnswer(reply, encoding, rejected);
}

/** Fastify's own refusals as ours. */
function errorOf(thrown: unknown): WherefromError {
  if (thrown instanceof Error && 'statusCode' in thrown && thrown.statusCode === 413) {
    return tooLarge();
  }
  return toWherefromError(thrown);
}

function sendError(
  thrown: FastifyError | Error,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const error = errorOf(thrown);
  const rendered = toOtlpError(error, headerOf(request, experimentHeader) !== undefined);
  const { status } = rendered;
  if (status >= 500) request.log.error({ err: thrown }, 'otlp.failed');
  if (status === 503) reply.header('retry-after', '1');
  if (error.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer');
  reply.code(status);
  if ('json' in rendered) {
    return reply.type('application/json').send(JSON.stringify(rendered.json));
  }
  const encoding = encodingOf(headerOf(request, 'content-type')) ?? 'json';
  reply.type(mediaTypes[encoding]);
  return encoding === 'json'
    ? reply.send(JSON.stringify(rendered.rpc))
    : reply.send(encodeAnswer('Status', rendered.rpc));
}

/** `POST /v1/traces`, for MLflow's client (with its header) and any other OpenTelemetry exporter. */
export function registerOtlpRoutes(app: FastifyInstance, services: ProtocolServices): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: limits.otlpBodyBytesMax },
    async (_request: FastifyRequest, body: Buffer) => body,
  );
  app.setErrorHandler(sendError);
  app.post('/v1/traces', (request, reply) => receive(request, reply, services));
}
