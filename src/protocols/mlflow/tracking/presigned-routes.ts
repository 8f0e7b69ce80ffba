import type { FastifyInstance, FastifyRequest } from 'fastify';
import { limits } from '../../../base/limits.ts';
import type { ProtocolServices } from '../../services.ts';
import { invalidParameter, mlflowError } from '../errors.ts';
import { baseName } from '../operations/artifacts.ts';
import { callOf, type RouteHelpers } from '../routes.ts';
import { artifactPath, joinPath, safePath } from './artifact-path.ts';
import { modelRoot, requestedPath, runRoot } from './artifact-roots.ts';
import { bodyOf, useStreamBodies } from './artifact-routes.ts';
import { contentType, disposition } from './content-type.ts';
import { findFile, type StoredFile, sendFile } from './send-file.ts';
import { linkPaths, readGrant, signedLink } from './signed-links.ts';
import { storeFile } from './store-file.ts';
import * as wire from './wire.ts';

/** A link to a file: of the store itself where clients reach it, otherwise of this server. */
async function downloadLink(
  file: StoredFile,
  seconds: number,
  { request, services }: { request: FastifyRequest; services: ProtocolServices },
): Promise<string> {
  const { link } = services.blobs;
  if (link === undefined) return signedLink('get', file, { seconds, request, services });
  return link(file.digest, {
    seconds,
    disposition: disposition(baseName(file.path)),
    type: contentType(file.path),
  });
}

function checkSeconds(seconds: number): void {
  if (seconds >= 1 && seconds <= limits.linkSecondsMax) return;
  throw invalidParameter(
    `expiration must be between 1 and ${limits.linkSecondsMax} seconds (got ${seconds}).`,
  );
}

/** A path below a root. @throws not_implemented where only the clients themselves can go. */
function within(root: string, path: string, what: 'upload' | 'download'): string {
  const base = artifactPath(root);
  if (base !== undefined) return joinPath(base, path);
  throw mlflowError(
    'NOT_IMPLEMENTED',
    `Presigned ${what} is not supported for the current artifact repository`,
  );
}

/** What is PUT to a link goes to its path in the name of the one who asked for the link. */
function registerLinks(app: FastifyInstance, services: ProtocolServices): void {
  const open = { config: { access: 'none' } } as const;
  app.register((scope, _options, done) => {
    useStreamBodies(scope);
    scope.put(linkPaths.put, open, async (request, reply) => {
      const { path, principal } = readGrant('put', request, services);
      const call = { ...callOf(request, reply), principal, workspace: principal.workspace };
      await storeFile(path, bodyOf(request), { call, services });
      return reply.type('application/json').send('');
    });
    done();
  });
  app.get(linkPaths.get, open, async (request, reply) =>
    sendFile(readGrant('get', request, services), { request, reply }, services),
  );
}

/**
 * Links for those who fetch or send a file without credentials.
 * Source: mlflow/server/handlers.py (_get_presigned_download_url, _create_presigned_upload_url,
 * _create_presigned_download_url).
 */
export function registerPresignedRoutes(
  app: FastifyInstance,
  helpers: RouteHelpers,
  services: ProtocolServices,
): void {
  registerLinks(app, services);
  app.get('/mlflow-artifacts/presigned/*', async (request, reply) => {
    const file = await findFile(requestedPath(request), callOf(request, reply).workspace, services);
    const url = await downloadLink(file, limits.downloadLinkSeconds, { request, services });
    return reply.send({ url, headers: {}, file_size: file.bytes });
  });
  helpers.read('POST', '/mlflow/artifacts/presigned-download-url', {
    message: wire.presignDownloadMessage,
    async answer({ run_id, path, expiration: seconds = limits.downloadLinkSeconds }, call) {
      const safe = safePath(path);
      checkSeconds(seconds);
      const target = within(await runRoot(run_id, call, services), safe, 'download');
      const file = await findFile(target, call.workspace, services);
      const { request } = call;
      const url = await downloadLink(file, seconds, { request, services });
      return { presigned_url: url, file_size: file.bytes };
    },
  });
  helpers.read('POST', '/mlflow/artifacts/presigned-upload-url', {
    access: 'write',
    message: wire.presignUploadMessage,
    async answer(body, call) {
      const { run_id: run = '', model_id: model = '' } = body;
      if ((run === '') === (model === ''))
        throw invalidParameter('Exactly one of run_id and model_id must be provided.');
      const safe = safePath(body.path);
      const seconds = body.expiration ?? limits.uploadLinkSeconds;
      checkSeconds(seconds);
      const root = run === '' ? modelRoot(model, call, services) : runRoot(run, call, services);
      const target = within(await root, safe, 'upload');
      const { principal, request } = call;
      const { id, role, workspace } = principal;
      const grant = { path: target, principal: { id, role, workspace, reach: [workspace] } };
      const url = signedLink('put', grant, { seconds, request, services });
      return { presigned_url: url, headers: { 'Content-Type': contentType(target) } };
    },
  });
}
