import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isObject } from '../../../base/json.ts';
import { limits } from '../../../base/limits.ts';
import type { ProtocolServices } from '../../services.ts';
import { invalidParameter, mlflowError } from '../errors.ts';
import { deleteArtifacts } from '../operations/artifacts.ts';
import { type Call, callOf, type RouteHelpers, submit } from '../routes.ts';
import { type Answer, writeFiles } from './answers.ts';
import { safePath } from './artifact-path.ts';
import {
  below,
  modelRoot,
  queryText,
  requestedPath,
  runRoot,
  versionRoot,
} from './artifact-roots.ts';
import { download } from './send-file.ts';
import { storeFile } from './store-file.ts';
import * as wire from './wire.ts';

/** Names of one directory that are listed. */
const listedMax = 100_000;

/** Raw bodies of a scope: handlers get the stream, whatever its content type. */
export function useStreamBodies(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload));
}

/** The body of a request in such a scope; an empty one has no stream. */
export const bodyOf = ({ body }: FastifyRequest): Readable =>
  body instanceof Readable ? body : Readable.from([]);

async function upload(
  request: FastifyRequest,
  reply: FastifyReply,
  services: ProtocolServices,
): Promise<FastifyReply> {
  const call = callOf(request, reply);
  await storeFile(requestedPath(request), bodyOf(request), { call, services });
  return reply.type('application/json').send('');
}

/** `POST /mlflow/upload-artifact?run_uuid=&path=`, as MLflow's pages upload: small files. */
async function uploadFromPage(
  request: FastifyRequest,
  reply: FastifyReply,
  services: ProtocolServices,
): Promise<FastifyReply> {
  const run = queryText(request, 'run_uuid');
  if (run === undefined) throw invalidParameter('Request must specify run_uuid.');
  const path = queryText(request, 'path');
  if (path === undefined) throw invalidParameter('Request must specify path.');
  const safe = safePath(path);
  if (Number(request.headers['content-length'] ?? 0) > limits.pageUploadBytesMax)
    throw invalidParameter('Artifact size is too large. Max size is 10MB.');
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of bodyOf(request)) {
    bytes += part.length;
    if (bytes > limits.pageUploadBytesMax)
      throw invalidParameter('Artifact size is too large. Max size is 10MB.');
    parts.push(part);
  }
  if (bytes === 0) throw invalidParameter('Request must specify data.');
  const call = callOf(request, reply);
  const target = below(await runRoot(run, call, services), safe);
  await storeFile(target, Readable.from(parts), { call, services });
  return reply.type('application/json').send('');
}

/** A listing; `shown` is put before each name. */
async function list(
  directory: string,
  shown: string,
  { workspace }: Call,
  services: ProtocolServices,
): Promise<Answer> {
  const files = await services.read(({ tracking }) =>
    tracking.listArtifacts(workspace, directory, listedMax),
  );
  return writeFiles(files, shown);
}

/** Lists a directory below a root, as `artifacts/list` answers. */
export async function listBelow(
  root: string,
  path: string | undefined,
  call: Call,
  services: ProtocolServices,
): Promise<Answer> {
  const shown = path === undefined ? '' : safePath(path);
  return { root_uri: root, ...(await list(below(root, shown), shown, call, services)) };
}

function registerUploads(app: FastifyInstance, services: ProtocolServices): void {
  app.register((scope, _options, done) => {
    useStreamBodies(scope);
    scope.put('/mlflow-artifacts/artifacts/*', (request, reply) =>
      upload(request, reply, services),
    );
    scope.post('/mlflow/upload-artifact', (request, reply) =>
      uploadFromPage(request, reply, services),
    );
    done();
  });
}

/** Listing, uploading, downloading and deleting files. */
export function registerArtifactRoutes(
  app: FastifyInstance,
  helpers: RouteHelpers,
  services: ProtocolServices,
): void {
  registerUploads(app, services);
  app.get('/mlflow-artifacts/artifacts/*', (request, reply) =>
    download(requestedPath(request), callOf(request, reply), services),
  );
  app.delete('/mlflow-artifacts/artifacts/*', async (request, reply) => {
    const call = callOf(request, reply);
    await submit(services, deleteArtifacts, { path: requestedPath(request) }, call);
    return reply.type('application/json').send('{}');
  });
  helpers.read('GET', '/mlflow-artifacts/artifacts', {
    message: wire.listFilesMessage,
    answer: ({ path }, call) => list(path === undefined ? '' : safePath(path), '', call, services),
  });
  helpers.read('GET', '/mlflow/artifacts/list', {
    message: wire.listArtifactsMessage,
    answer: async ({ run_id, path }, call) =>
      listBelow(await runRoot(run_id, call, services), path, call, services),
  });
  helpers.read('GET', '/mlflow/logged-models/:model_id/artifacts/directories', {
    message: wire.listLoggedModelFilesMessage,
    answer: async ({ model_id, artifact_directory_path: path }, call) =>
      listBelow(await modelRoot(model_id, call, services), path, call, services),
  });
  app.get('/mlflow/logged-models/:model_id/artifacts/files', async (request, reply) => {
    const call = callOf(request, reply);
    const path = queryText(request, 'artifact_file_path');
    if (path === undefined) {
      throw mlflowError(
        'BAD_REQUEST',
        'Request must include the "artifact_file_path" query parameter.',
      );
    }
    const { model_id } = { ...(isObject(request.params) ? request.params : {}) };
    const safe = safePath(path);
    const root = await modelRoot(String(model_id), call, services);
    return download(below(root, safe), call, services);
  });
}

/** `/get-artifact` and `/model-versions/get-artifact`, as MLflow's pages download. */
export function registerGetArtifact(app: FastifyInstance, services: ProtocolServices): void {
  app.get('/get-artifact', async (request, reply) => {
    const call = callOf(request, reply);
    const run = queryText(request, 'run_id') ?? queryText(request, 'run_uuid');
    const path = queryText(request, 'path');
    if (run === undefined || path === undefined)
      throw invalidParameter('The query must name a run_id and a path.');
    const safe = safePath(path);
    return download(below(await runRoot(run, call, services), safe), call, services);
  });
  app.get('/model-versions/get-artifact', async (request, reply) => {
    const call = callOf(request, reply);
    const [name, version, path] = ['name', 'version', 'path'].map((each) =>
      queryText(request, each),
    );
    if (name === undefined || version === undefined || path === undefined)
      throw invalidParameter('The query must have a name, a version and a path.');
    const safe = safePath(path);
    return download(
      below(await versionRoot({ name, version }, call, services), safe),
      call,
      services,
    );
  });
}
