import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, toWherefromError, WherefromError } from '../../base/errors.ts';
import { isObject } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import { problemMediaType, problemOf } from '../../contract/problem.ts';
import type { Accepted, Operation, StateReader } from '../../door/index.ts';
import { formatRef } from '../../facts/ref.ts';
import { formatReceipt, type ProtocolServices } from '../services.ts';
import { recordsOf, useRecordBodies } from './bodies.ts';
import { checkPrediction } from './check.ts';
import { endDeployment, recordDeployment } from './deployments.ts';
import { recordOutcomes } from './outcomes.ts';
import { recordPredictions } from './predictions.ts';
import type { RecordsAnswer } from './results.ts';
import { makeStatements } from './statements.ts';
import { checkDeployment, checkEnd, checkOutcome, checkStatement } from './wire.ts';

const base = '/api/wherefrom/v1';

/** The routes by which predictions, and what is said about them, come in. */
export function registerPredictionRoutes(app: FastifyInstance, services: ProtocolServices): void {
  useRecordBodies(app);
  useProblems(app, services);
  registerRecords(app, services);
  registerDeployments(app, services);
  app.get<{ Params: { id: string } }>(`${base}/predictions/:id`, async (request, reply) => {
    const { workspace } = request.principal;
    const found = await services.read((state) =>
      showPrediction(request.params.id, workspace, state),
    );
    return send(reply, services, 200, found);
  });
}

function registerRecords(app: FastifyInstance, services: ProtocolServices): void {
  app.post(`${base}/predictions`, async (request, reply) => {
    const { records, single, text } = recordsOf(request, {
      name: 'predictions',
      countMax: limits.predictionsPerRequestMax,
    });
    const body = { predictions: records.map(checkPrediction) };
    const accepted = await submit(services, request, { operation: recordPredictions, body, text });
    return sendRecords(reply, services, accepted, single);
  });
  app.post(`${base}/outcomes`, async (request, reply) => {
    const { records, single, text } = recordsOf(request, {
      name: 'outcomes',
      countMax: limits.recordsPerRequestMax,
    });
    const body = { outcomes: records.map(checkOutcome) };
    const accepted = await submit(services, request, { operation: recordOutcomes, body, text });
    return sendRecords(reply, services, accepted, single);
  });
  const operation = makeStatements(services.resolveShort);
  app.post(`${base}/statements`, async (request, reply) => {
    const { records, single, text } = recordsOf(request, {
      name: 'statements',
      countMax: limits.recordsPerRequestMax,
    });
    const body = { statements: records.map(checkStatement) };
    const accepted = await submit(services, request, { operation, body, text });
    return sendRecords(reply, services, accepted, single);
  });
}

function registerDeployments(app: FastifyInstance, services: ProtocolServices): void {
  app.post(`${base}/deployments`, async (request, reply) => {
    const [record] = recordsOf(request, { name: 'deployments', countMax: 1 }).records;
    const body = checkDeployment(record);
    const accepted = await submit(services, request, { operation: recordDeployment, body });
    return sendOne(reply, services, accepted);
  });
  app.post<{ Params: { name: string } }>(
    `${base}/deployments/:name/end`,
    async (request, reply) => {
      const [record = {}] = request.body
        ? recordsOf(request, { name: 'deployments', countMax: 1 }).records
        : [];
      const body = { ...checkEnd(record), deployment: request.params.name };
      const accepted = await submit(services, request, { operation: endDeployment, body });
      return sendOne(reply, services, accepted);
    },
  );
}

function submit<Sent, Answer, Body>(
  services: ProtocolServices,
  { principal }: FastifyRequest,
  what: {
    readonly operation: Operation<Sent, Answer, Body>;
    readonly body: Sent;
    readonly text?: string;
  },
): Promise<Accepted<Answer>> {
  const { id, workspace } = principal;
  return services.door.submit({ ...what, principal: id, workspace });
}

function send(
  reply: FastifyReply,
  services: ProtocolServices,
  status: number,
  body: unknown,
): FastifyReply {
  const json = services.reveal(JSON.stringify(body));
  return reply.code(status).type('application/json; charset=utf-8').send(json);
}

/** Answers with what became of each record. A single record that was refused is a problem. */
function sendRecords(
  reply: FastifyReply,
  services: ProtocolServices,
  { answer, receipt }: Accepted<RecordsAnswer>,
  single: boolean,
): FastifyReply {
  const [refused] = single && answer.refused > 0 ? answer.results : [];
  if (refused) {
    const message = refused.message ?? 'It contradicts what is recorded.';
    const { code = 'conflict', id } = refused;
    throw new WherefromError(code, message, id === undefined ? {} : { detail: { id } });
  }
  if (answer.refused > 0) services.count('refused', 'wherefrom');
  if (answer.flagged > 0) services.count('warned', 'wherefrom');
  if (receipt) reply.header('wherefrom-receipt', formatReceipt(receipt));
  const body = { ...answer, ...(receipt ? { receipt } : {}) };
  return send(reply, services, answer.accepted > 0 ? 201 : 200, body);
}

function sendOne(
  reply: FastifyReply,
  services: ProtocolServices,
  { answer, receipt }: Accepted<object>,
): FastifyReply {
  if (receipt) reply.header('wherefrom-receipt', formatReceipt(receipt));
  return send(reply, services, receipt ? 201 : 200, { ...answer, ...(receipt ? { receipt } : {}) });
}

/** A stored prediction with what became known about it. @throws not_found. */
async function showPrediction(
  id: string,
  workspace: string,
  { predictions, lineage }: StateReader,
): Promise<unknown> {
  const row = await predictions.find(workspace, id);
  if (!row) {
    throw new WherefromError('not_found', `There is no prediction "${id.slice(0, 200)}".`, {
      hint: 'Ask for it by its whole id, in the workspace that it was recorded in.',
    });
  }
  const message = await predictions.readMessage(row.position, row.index);
  const rows = await predictions.outcomesOf(workspace, [id]);
  const said = await predictions.readMessages(rows);
  const outcomes = rows.map(({ time, ...rest }, at) => {
    const told = said[at];
    return { ...(isObject(told) ? told : {}), ...rest, time: new Date(time).toISOString() };
  });
  const { modelVersion, deployment, unknown, position, index } = row;
  // The row has the ref that it was recorded with: the model may have been renamed since.
  const node = modelVersion === null ? undefined : await lineage.findNode(modelVersion);
  return {
    ref: formatRef({ kind: 'prediction', namespace: workspace, name: id }),
    id,
    time: new Date(row.time).toISOString(),
    modelVersion: node?.ref ?? modelVersion,
    deployment,
    flagged: unknown,
    position,
    index,
    /** Null when it was erased. */
    prediction: message ?? null,
    outcomes,
  };
}

/** What Fastify itself refuses with, in our codes. */
const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'malformed_message',
  413: 'too_large',
  415: 'unsupported_media',
};

function errorOf(thrown: unknown, sent = 'none'): WherefromError {
  if (!(thrown instanceof WherefromError) && thrown instanceof Error && 'statusCode' in thrown) {
    const code = codeOfStatus[Number(thrown.statusCode)];
    const hint =
      code === 'unsupported_media'
        ? { hint: 'Send application/json, or application/x-ndjson.' }
        : {};
    const message =
      code === 'unsupported_media'
        ? `The media type ${sent.slice(0, 100)} is not spoken here.`
        : thrown.message;
    if (code !== undefined) return new WherefromError(code, message, { ...hint, cause: thrown });
  }
  return toWherefromError(thrown);
}

/** Errors of this scope as application/problem+json. Source: RFC 9457. */
function useProblems(app: FastifyInstance, services: ProtocolServices): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = errorOf(thrown, request.headers['content-type']);
    if (error.status >= 500) request.log.error({ err: thrown }, 'predictions.failed');
    const problem = problemOf(error, request.id);
    if (problem.retryable) reply.header('retry-after', '1');
    if (error.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer');
    const body = services.reveal(JSON.stringify(problem));
    return reply.code(problem.status).type(problemMediaType).send(body);
  });
}
