import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isObject } from '../../../base/json.ts';
import { limits } from '../../../base/limits.ts';
import type { ProtocolServices } from '../../services.ts';
import { doesNotExist, invalidParameter, mlflowError } from '../errors.ts';
import { baseName, deleteArtifacts, isModelFile, putArtifact } from '../operations/artifacts.ts';
import { type Call, callOf, type RouteHelpers, submit } from '../routes.ts';
import { type Answer, writeFiles } from './answers.ts';
import { artifactPath, joinPath, safePath } from './artifact-path.ts';
import { contentType, disposition } from './content-type.ts';
import * as wire from './wire.ts';

/** Names of one directory that are listed. */
const listedMax = 100_000;

const wildcard = ({ params }: FastifyRequest): string =>
  isObject(params) && typeof params['*'] === 'string' ? params['*'] : '';

/** What the path of a request names. @throws invalid_message when it is unsafe or empty. */
function requestedPath(request: FastifyRequest): string {
  const path = safePath(wildcard(request));
  if (path === '') throw invalidParameter('Invalid path');
  return path;
}

/** The text of a file that describes a model of a 2.x client; logged models are read when finalized. */
export async function modelText(
  path: string,
  stored: { readonly digest: string; readonly bytes: number },
  { blobs }: ProtocolServices,
): Promise<{ text?: string }> {
  const ofModel = /(^|\/)models\/[^/]+\/artifacts\//.test(path);
  if (!isModelFile(path) || ofModel || stored.bytes > limits.modelFileBytesMax) return {};
  const content = await blobs.read(stored.digest, limits.modelFileBytesMax);
  return { text: content.toString('utf8') };
}

async function upload(
  request: FastifyRequest,
  reply: FastifyReply,
  services: ProtocolServices,
): Promise<FastifyReply> {
  const path = requestedPath(request);
  const content = request.body instanceof Readable ? request.body : Readable.from([]);
  // Durable before the entry that names it.
  const stored = await services.blobs.put(content, { bytesMax: limits.artifactBytesMax });
  const body = { path, ...stored, ...(await modelText(path, stored, services)) };
  await submit(services, putArtifact, body, callOf(request, reply));
  return reply.type('application/json').send('');
}

/** Streams a file of the artifact store. */
async function download(
  path: string,
  { workspace, reply }: Call,
  services: ProtocolServices,
): Promise<FastifyReply> {
  const { file, isDirectory } = await services.read(async ({ tracking }) => ({
    file: await tracking.findArtifact(workspace, path),
    isDirectory: (await tracking.artifactsBelow(workspace, path, 1)).length > 0,
  }));
  if (file === undefined) {
    if (isDirectory) {
      throw invalidParameter(`Artifact path refers to a directory, not a file: '${path}'`);
    }
    throw doesNotExist(`No such artifact: '${path}'`);
  }
  const content = await services.blobs.get(file.digest);
  return reply
    .type(contentType(path))
    .header('content-length', file.bytes)
    .header('content-disposition', disposition(baseName(path)))
    .header('x-content-type-options', 'nosniff')
    .send(content);
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

/** The artifact root of a run; `''` with its URI alone when it is not in our store. */
async function runRoot(
  id: string,
  { workspace }: Call,
  services: ProtocolServices,
): Promise<string> {
  const run = await services.read(({ tracking }) => tracking.findRun(workspace, id));
  if (run === undefined) throw doesNotExist(`Run with id=${id} not found`);
  return run.artifactUri;
}

async function modelRoot(
  id: string,
  { workspace }: Call,
  services: ProtocolServices,
): Promise<string> {
  const model = await services.read(({ tracking }) => tracking.findLoggedModel(workspace, id));
  if (model === undefined || model.stage === 'deleted') {
    throw doesNotExist(`Logged model with ID '${id}' not found.`);
  }
  return model.artifactUri;
}

/** The path in our store of something below a root. @throws not_implemented for foreign storage. */
function below(root: string, path: string): string {
  const base = artifactPath(root);
  if (base === undefined) {
    throw mlflowError(
      'NOT_IMPLEMENTED',
      `The artifacts are in ${root}, which this server does not read: ask that storage for them.`,
    );
  }
  return joinPath(base, path);
}

async function listBelow(
  root: string,
  path: string | undefined,
  call: Call,
  services: ProtocolServices,
): Promise<Answer> {
  const shown = path === undefined ? '' : safePath(path);
  return { root_uri: root, ...(await list(below(root, shown), shown, call, services)) };
}

/** Raw bodies: uploads are streamed, whatever their content type. */
function registerUploads(app: FastifyInstance, services: ProtocolServices): void {
  app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload));
    scope.put('/mlflow-artifacts/artifacts/*', (request, reply) =>
      upload(request, reply, services),
    );
    done();
  });
}

/** Listing, downloading and deleting files. */
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
    await submit(
      services,
      deleteArtifacts,
      { path: requestedPath(request) },
      callOf(request, reply),
    );
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
    answer: async (body, call) =>
      listBelow(
        await modelRoot(body.model_id, call, services),
        body.artifact_directory_path,
        call,
        services,
      ),
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
    const root = await modelRoot(String(model_id), call, services);
    return download(below(root, safePath(path)), call, services);
  });
}

function queryText({ query }: FastifyRequest, name: string): string | undefined {
  const value = isObject(query) ? query[name] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** `/get-artifact?run_id=&path=`, as MLflow's UI downloads. */
export function registerGetArtifact(app: FastifyInstance, services: ProtocolServices): void {
  app.get('/get-artifact', async (request, reply) => {
    const call = callOf(request, reply);
    const run = queryText(request, 'run_id') ?? queryText(request, 'run_uuid');
    const path = queryText(request, 'path');
    if (run === undefined || path === undefined) {
      throw invalidParameter('The query must name a run_id and a path.');
    }
    return download(below(await runRoot(run, call, services), safePath(path)), call, services);
  });
}
