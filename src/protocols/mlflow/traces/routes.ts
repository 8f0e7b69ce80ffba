import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { isObject, list } from '../../../base/json.ts';
import { limits } from '../../../base/limits.ts';
import type { StateReader } from '../../../door/index.ts';
import type { TraceStatus } from '../../../facts/trace-facts.ts';
import { exactJson, type TraceRow } from '../../../traces/index.ts';
import type { ProtocolServices } from '../../services.ts';
import { doesNotExist, invalidParameter } from '../errors.ts';
import { type Call, callOf, type RouteHelpers } from '../routes.ts';
import type { Answer } from '../tracking/answers.ts';
import { invalidValue, readMessage } from '../wire.ts';
import {
  type FullTrace,
  fullTraces,
  spansExpected,
  writeAssessment,
  writeSpan,
  writeTraceInfo,
  writeTraceInfoV2,
} from './answers.ts';
import { registerTraceArtifact } from './artifact.ts';
import {
  createAssessment,
  deleteAssessment,
  getAssessment,
  updateAssessment,
} from './assessments.ts';
import { getTrace } from './define.ts';
import { measureTraces } from './metrics.ts';
import {
  deleteTraces,
  deleteTraceTag,
  endTraceV2,
  linkPrompts,
  linkTracesToRun,
  setTraceTag,
  startTrace,
  startTraceV2,
} from './operations.ts';
import { readAssessment, readTraceInfo } from './read.ts';
import { correlateTraces, searchTraces } from './search.ts';
import * as wire from './wire.ts';

const asItIs = <T>(read: T): T => read;
const entries = (
  sent: readonly { readonly key?: string; readonly value?: string }[] | undefined,
): { key: string; value: string }[] =>
  (sent ?? []).map(({ key = '', value = '' }) => ({ key, value }));

/** Statuses of version 2 that are states of version 3. */
const statuses: Readonly<Record<string, TraceStatus>> = {
  OK: 'OK',
  ERROR: 'ERROR',
  IN_PROGRESS: 'IN_PROGRESS',
};

async function oneTrace(id: string, call: Call, services: ProtocolServices): Promise<FullTrace> {
  return services.read(async (state) => {
    const row = await getTrace(id, { state, workspace: call.workspace });
    const [trace] = await fullTraces([row], state.traces);
    if (trace === undefined) throw doesNotExist(`Trace with ID '${id}' not found.`);
    return trace;
  });
}

async function oneAssessment(
  trace: string,
  id: string,
  call: Call,
  services: ProtocolServices,
): Promise<Answer> {
  const found = await services.read((state) =>
    getAssessment(trace, id, { state, workspace: call.workspace }),
  );
  return { assessment: writeAssessment(found, trace) };
}

/** Sends JSON in which nanoseconds keep their digits. */
function sendExact(reply: FastifyReply, services: ProtocolServices, answer: Answer): FastifyReply {
  return reply.type('application/json').send(services.reveal(exactJson(answer)));
}

/** Traces with their spans; those whose last spans have not come yet are left out unless `partial`. */
async function withSpans(
  rows: readonly TraceRow[],
  { traces }: StateReader,
  partial: boolean,
): Promise<Answer[]> {
  const infos = await fullTraces(rows, traces);
  const keys = rows.map(({ key }) => key);
  const spans = Map.groupBy(await traces.contents(keys), ({ owner }) => owner);
  return infos.flatMap((info) => {
    const found = spans.get(info.row.key) ?? [];
    const complete = found.length > 0 && found.length >= spansExpected(info);
    if (!partial && !complete) return [];
    return [
      { trace_info: writeTraceInfo(info), spans: found.flatMap(({ span }) => writeSpan(span)) },
    ];
  });
}

/** The whole trace. Spans come apart from it, so it is waited for them a while. */
async function wholeTrace(
  id: string,
  partial: boolean,
  call: Call,
  services: ProtocolServices,
): Promise<Answer> {
  for (let attempt = 0; attempt <= limits.traceWaits; attempt += 1) {
    if (attempt > 0) await wait(limits.traceWaitMs);
    const [trace] = await services.read(async (state) => {
      const row = await state.traces.find(call.workspace, id);
      if (row === undefined) throw doesNotExist(`Trace with ID ${id} is not found.`);
      return withSpans([row], state, partial);
    });
    if (trace !== undefined) return { trace };
  }
  throw doesNotExist(`Trace with ID ${id} is not fully exported yet, please try again later.`);
}

async function manyRows(
  body: { readonly trace_ids: readonly string[]; readonly experiment_ids?: readonly string[] },
  { workspace }: Call,
  { traces }: StateReader,
): Promise<TraceRow[]> {
  if (body.trace_ids.length > limits.tracesPerAnswerMax) {
    throw invalidParameter(
      `At most ${limits.tracesPerAnswerMax} traces can be asked for at once. Got ${body.trace_ids.length}.`,
    );
  }
  const within = body.experiment_ids && new Set(body.experiment_ids);
  const rows = await traces.findMany(workspace, body.trace_ids);
  return rows.filter(({ experiment }) => within?.has(experiment ?? '') ?? true);
}

function registerStart(helpers: RouteHelpers, services: ProtocolServices): void {
  helpers.write('POST', '/mlflow/traces', {
    message: wire.startMessage,
    operation: startTrace,
    body: (read) => readTraceInfo(read.trace),
    answer: async ({ id }, call) => ({
      trace: { trace_info: writeTraceInfo(await oneTrace(id, call, services)) },
    }),
  });
}

function registerV2Trace(helpers: RouteHelpers, services: ProtocolServices): void {
  helpers.write('POST', '/mlflow/traces', {
    message: wire.startV2Message,
    operation: startTraceV2,
    body: (read) => ({
      experiment_id: read.experiment_id ?? '0',
      timestamp_ms: read.timestamp_ms ?? 0,
      metadata: entries(read.request_metadata),
      tags: entries(read.tags),
    }),
    answer: async ({ id }, call) => ({
      trace_info: writeTraceInfoV2(await oneTrace(id, call, services)),
    }),
  });
  helpers.write('PATCH', '/mlflow/traces/:request_id', {
    message: wire.endV2Message,
    operation: endTraceV2,
    body: (read) => ({
      request_id: read.request_id,
      timestamp_ms: read.timestamp_ms ?? 0,
      status: statuses[read.status ?? ''] ?? 'STATE_UNSPECIFIED',
      metadata: entries(read.request_metadata),
      tags: entries(read.tags),
    }),
    answer: async (_answer, call) => ({
      trace_info: writeTraceInfoV2(await oneTrace(idOf(call, 'request_id'), call, services)),
    }),
  });
  helpers.read('GET', '/mlflow/traces/:request_id/info', {
    message: wire.requestMessage,
    answer: async ({ request_id }, call) => ({
      trace_info: writeTraceInfoV2(await oneTrace(request_id, call, services)),
    }),
  });
  helpers.read('GET', '/mlflow/traces', {
    message: wire.searchV2Message,
    answer: (body, call) =>
      searchTraces({ ...body, experiments: body.experiment_ids }, writeTraceInfoV2, call, services),
  });
}

function idOf({ request }: Call, name: string): string {
  const value = isObject(request.params) ? request.params[name] : undefined;
  return typeof value === 'string' ? value : '';
}

/** Endpoints that clients call under either version. */
function registerChanges(helpers: RouteHelpers, variable: 'request_id' | 'trace_id'): void {
  const tags = `/mlflow/traces/:${variable}/tags`;
  helpers.write('PATCH', tags, {
    message: wire.setTagMessage,
    operation: setTraceTag,
    body: ({ key, value = '' }, call) => ({ trace_id: idOf(call, variable), key, value }),
  });
  helpers.write('DELETE', tags, {
    message: wire.deleteTagMessage,
    operation: deleteTraceTag,
    body: ({ key }, call) => ({ trace_id: idOf(call, variable), key }),
  });
  helpers.write('POST', '/mlflow/traces/delete-traces', {
    message: wire.deleteMessage,
    operation: deleteTraces,
    body: (read) => ({ ...read, request_ids: read.request_ids ?? [] }),
    answer: ({ count }) => ({ traces_deleted: count }),
  });
  helpers.write('POST', '/mlflow/traces/link-to-run', {
    message: wire.linkToRunMessage,
    operation: linkTracesToRun,
    body: asItIs,
  });
  helpers.write('POST', '/mlflow/traces/link-prompts', {
    message: wire.linkPromptsMessage,
    operation: linkPrompts,
    body: ({ trace_id, prompt_versions }) => ({
      trace_id,
      prompt_versions: prompt_versions.map(({ name = '', version = '' }) => ({ name, version })),
    }),
  });
}

function registerReads(
  scope: FastifyInstance,
  helpers: RouteHelpers,
  services: ProtocolServices,
): void {
  helpers.read('GET', '/mlflow/traces/:trace_id', {
    message: wire.traceMessage,
    answer: async ({ trace_id }, call) => ({
      trace: { trace_info: writeTraceInfo(await oneTrace(trace_id, call, services)) },
    }),
  });
  scope.get('/mlflow/traces/get', async (request, reply) => {
    const body = readMessage(wire.getTraceMessage, request.query, { text: true });
    const call = callOf(request, reply);
    const { trace_id, allow_partial: partial = false } = body;
    return sendExact(reply, services, await wholeTrace(trace_id, partial, call, services));
  });
  scope.get('/mlflow/traces/batchGet', async (request, reply) => {
    const body = readMessage(wire.batchMessage, request.query, { text: true });
    const call = callOf(request, reply);
    const traces = await services.read(async (state) =>
      withSpans(await manyRows(body, call, state), state, false),
    );
    return sendExact(reply, services, traces.length === 0 ? {} : { traces });
  });
  helpers.read('POST', '/mlflow/traces/batchGetInfos', {
    message: wire.batchMessage,
    async answer(body, call) {
      const infos = await services.read(async (state) =>
        fullTraces(await manyRows(body, call, state), state.traces),
      );
      return infos.length === 0 ? {} : { trace_infos: infos.map(writeTraceInfo) };
    },
  });
  helpers.read('POST', '/mlflow/traces/search', {
    message: wire.searchMessage,
    answer: (body, call) =>
      searchTraces(
        {
          ...body,
          experiments: body.locations.flatMap(
            (each) => each.mlflow_experiment?.experiment_id ?? [],
          ),
        },
        writeTraceInfo,
        call,
        services,
      ),
  });
  helpers.read('POST', '/mlflow/traces/calculate-filter-correlation', {
    message: wire.correlationMessage,
    answer: (body, call) => correlateTraces(body, call, services),
  });
  helpers.read('POST', '/mlflow/traces/metrics', {
    message: wire.metricsMessage,
    answer: (body, call) => measureTraces(body, call, services),
  });
}

function registerAssessments(helpers: RouteHelpers, services: ProtocolServices): void {
  const path = '/mlflow/traces/:trace_id/assessments';
  helpers.write('POST', path, {
    message: wire.createAssessmentMessage,
    operation: createAssessment,
    body: (read) => ({ trace_id: read.trace_id, assessment: readAssessment(read.assessment) }),
    answer: ({ id }, call) => oneAssessment(idOf(call, 'trace_id'), id, call, services),
  });
  helpers.read('GET', `${path}/:assessment_id`, {
    message: wire.assessmentMessage,
    answer: ({ trace_id, assessment_id }, call) =>
      oneAssessment(trace_id, assessment_id, call, services),
  });
  helpers.write('PATCH', `${path}/:assessment_id`, {
    message: wire.updateAssessmentMessage,
    operation: updateAssessment,
    body: ({ trace_id, assessment_id, assessment, update_mask: mask }) => ({
      trace_id,
      assessment_id,
      assessment: isObject(assessment) ? assessment : {},
      paths: readMask(mask),
    }),
    answer: (_answer, call) =>
      oneAssessment(idOf(call, 'trace_id'), idOf(call, 'assessment_id'), call, services),
  });
  helpers.write('DELETE', `${path}/:assessment_id`, {
    message: wire.assessmentMessage,
    operation: deleteAssessment,
    body: asItIs,
  });
}

/** A FieldMask: `"a,bC"` in protobuf's JSON, `{"paths": […]}` from others. */
function readMask(mask: unknown): string[] {
  const paths =
    typeof mask === 'string' ? mask.split(',') : list(isObject(mask) ? mask.paths : mask);
  return paths.map((path) => {
    if (typeof path !== 'string') throw invalidValue('update_mask', mask);
    return path.trim().replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  });
}

/** Traces as clients of 2.x call them, and what 3.x still calls under `/api/2.0`. */
export function registerTraceRoutesV2(
  scope: FastifyInstance,
  helpers: RouteHelpers,
  services: ProtocolServices,
): void {
  registerV2Trace(helpers, services);
  registerChanges(helpers, 'request_id');
  registerTraceArtifact(scope, services);
}

/** Traces, their spans and assessments under `/api/3.0`. */
export function registerTraceRoutesV3(
  scope: FastifyInstance,
  helpers: RouteHelpers,
  services: ProtocolServices,
): void {
  registerStart(helpers, services);
  registerReads(scope, helpers, services);
  registerChanges(helpers, 'trace_id');
  registerAssessments(helpers, services);
  registerTraceArtifact(scope, services);
}
