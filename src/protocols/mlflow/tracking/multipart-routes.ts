import type { FastifyInstance, FastifyRequest } from 'fastify';
import { limits } from '../../../base/limits.ts';
import type { ProtocolServices } from '../../services.ts';
import { invalidParameter } from '../errors.ts';
import { baseName } from '../operations/artifacts.ts';
import type { Call, RouteHelpers } from '../routes.ts';
import { joinPath, safePath } from './artifact-path.ts';
import { requestedPath } from './artifact-roots.ts';
import { bodyOf, useStreamBodies } from './artifact-routes.ts';
import { linkPaths, readGrant, signedLink } from './signed-links.ts';
import { recordFile } from './store-file.ts';
import * as wire from './wire.ts';

/** The file that is uploaded: the client's own file name below the path of the request. */
function targetOf(request: FastifyRequest, localFile: string): string {
  const name = safePath(baseName(localFile.replaceAll('\\', '/')));
  if (name === '') throw invalidParameter('Invalid path');
  return joinPath(requestedPath(request), name);
}

/** What an upload belongs to: nobody completes it for another workspace or path. */
const ownerOf = ({ workspace }: Call, path: string): string => JSON.stringify([workspace, path]);

/**
 * Multipart uploads: the client gets a URL for each part, PUTs the parts to them without credentials
 * and completes with the ETags. The parts come to this server for every kind of storage: the digest
 * needs all bytes anyway (docs/decisions/0012).
 * Source: mlflow/store/artifact/http_artifact_repo.py (_try_multipart_upload).
 */
export function registerMultipartRoutes(
  app: FastifyInstance,
  helpers: RouteHelpers,
  services: ProtocolServices,
): void {
  app.register((scope, _options, done) => {
    useStreamBodies(scope);
    scope.put(linkPaths.part, { config: { access: 'none' } }, async (request, reply) => {
      const { upload, number } = readGrant('part', request, services);
      const etag = await services.uploads.putPart(upload, number, bodyOf(request));
      return reply.header('etag', `"${etag}"`).send('');
    });
    done();
  });
  registerLifecycle(helpers, services);
}

function registerLifecycle(helpers: RouteHelpers, services: ProtocolServices): void {
  helpers.read('POST', '/mlflow-artifacts/mpu/create/*', {
    access: 'write',
    message: wire.createUploadMessage,
    async answer({ path, num_parts: count = 1 }, call) {
      const target = targetOf(call.request, path);
      if (count < 0 || count > limits.uploadPartsMax) {
        throw invalidParameter(
          `The number of parts must be between 1 and ${limits.uploadPartsMax}, got ${count}.`,
        );
      }
      const upload = await services.uploads.begin(ownerOf(call, target));
      const options = { seconds: limits.uploadPartSeconds, request: call.request, services };
      const credentials = Array.from({ length: count }, (_, index) => ({
        url: signedLink('part', { upload, number: index + 1 }, options),
        part_number: index + 1,
      }));
      return { upload_id: upload, ...(count === 0 ? {} : { credentials }) };
    },
  });
  helpers.read('POST', '/mlflow-artifacts/mpu/complete/*', {
    access: 'write',
    message: wire.completeUploadMessage,
    async answer({ path, upload_id: id = '', parts }, call) {
      const target = targetOf(call.request, path);
      const named = parts.map(({ part_number: number = 0, etag = '' }) => ({ number, etag }));
      const stored = await services.uploads.complete(
        { id, target: ownerOf(call, target), parts: named },
        (content) => services.blobs.put(content, { bytesMax: limits.artifactBytesMax }),
      );
      await recordFile(target, stored, { call, services });
      return {};
    },
  });
  helpers.read('POST', '/mlflow-artifacts/mpu/abort/*', {
    access: 'write',
    message: wire.abortUploadMessage,
    async answer({ path, upload_id: id = '' }, call) {
      await services.uploads.abort(id, ownerOf(call, targetOf(call.request, path)));
      return {};
    },
  });
}
