import type { FastifyInstance, FastifyReply } from 'fastify';
import { isObject } from '../../../base/json.ts';
import { contentText, readSpan, type TraceRow, traceKeys } from '../../../traces/index.ts';
import type { ProtocolServices } from '../../services.ts';
import { doesNotExist, mlflowError } from '../errors.ts';
import { type Call, callOf } from '../routes.ts';
import { artifactPath, joinPath, safePath } from '../tracking/artifact-path.ts';
import { getTrace } from './define.ts';

/** Sends a file that a client put below the trace's artifact location. */
async function sendFile(
  trace: TraceRow,
  path: string,
  { workspace, reply }: Call,
  services: ProtocolServices,
): Promise<FastifyReply> {
  const file = await services.read(async ({ traces, tracking }) => {
    const location = await traces.findTag(trace.key, traceKeys.artifactLocation);
    const root = location === undefined ? undefined : artifactPath(location);
    return root === undefined ? undefined : tracking.findArtifact(workspace, joinPath(root, path));
  });
  if (file === undefined) {
    throw doesNotExist(`Trace data of ${trace.id} is not found: there is no ${path} in its place.`);
  }
  return asFile(reply, path).send(await services.blobs.get(file.digest));
}

/** As a download: what a client stored is never shown as a page. */
function asFile(reply: FastifyReply, path: string): FastifyReply {
  const name =
    path
      .split('/')
      .at(-1)
      ?.replace(/[^\w.-]/g, '_') ?? 'file';
  return reply
    .type('application/octet-stream')
    .header('content-disposition', `attachment; filename=${name}`)
    .header('x-content-type-options', 'nosniff');
}

/**
 * `get-trace-artifact`: the spans of a trace as MLflow's pages load them, from the record or from the
 * file that an older client uploaded; with `path` an attachment.
 */
export function registerTraceArtifact(scope: FastifyInstance, services: ProtocolServices): void {
  scope.get('/mlflow/get-trace-artifact', async (request, reply) => {
    const { request_id: id, path } = isObject(request.query) ? request.query : {};
    if (typeof id !== 'string' || id === '') {
      throw mlflowError('BAD_REQUEST', 'Request must include the "request_id" query parameter.');
    }
    const call = callOf(request, reply);
    const { row, contents } = await services.read(async (state) => {
      const found = await getTrace(id, { state, workspace: call.workspace });
      return { row: found, contents: await state.traces.contents([found.key]) };
    });
    if (typeof path === 'string' && path !== '')
      return sendFile(row, joinPath('attachments', safePath(path)), call, services);
    const spans = contents.flatMap(({ span }) => {
      const read = readSpan(span);
      return read === undefined ? [] : [contentText(read)];
    });
    if (spans.length === 0) return sendFile(row, 'traces.json', call, services);
    return asFile(reply, 'traces.json').send(services.reveal(`{"spans":[${spans.join(',')}]}`));
  });
}
