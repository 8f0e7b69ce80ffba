import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ProtocolServices } from '../../services.ts';
import { doesNotExist, invalidParameter, toMlflowReply } from '../errors.ts';
import { baseName } from '../operations/artifacts.ts';
import type { Call } from '../routes.ts';
import { readRange } from './byte-range.ts';
import { contentType, disposition } from './content-type.ts';

/** A file of the artifact store. */
export interface StoredFile {
  readonly path: string;
  /** SHA-256, hex. */
  readonly digest: string;
  readonly bytes: number;
}

/** What is kept at a path. @throws not_found; invalid_message for a directory. */
export async function findFile(
  path: string,
  workspace: string,
  services: ProtocolServices,
): Promise<StoredFile> {
  const { file, isDirectory } = await services.read(async ({ tracking }) => ({
    file: await tracking.findArtifact(workspace, path),
    isDirectory: (await tracking.artifactsBelow(workspace, path, 1)).length > 0,
  }));
  if (file !== undefined) return { path, digest: file.digest, bytes: file.bytes };
  if (isDirectory) {
    throw invalidParameter(`Artifact path refers to a directory, not a file: '${path}'`);
  }
  throw doesNotExist(`No such artifact: '${path}'`);
}

/** Finds a file and sends it. @throws as `findFile`. */
export async function download(
  path: string,
  { workspace, request, reply }: Call,
  services: ProtocolServices,
): Promise<FastifyReply> {
  return sendFile(await findFile(path, workspace, services), { request, reply }, services);
}

/**
 * Streams a file, or the range of it that was asked for, as an attachment: a browser must not show
 * it as a page of this server. Source: mlflow/server/handlers.py (_create_artifact_file_response).
 */
export async function sendFile(
  { path, digest, bytes }: StoredFile,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  { blobs }: ProtocolServices,
): Promise<FastifyReply> {
  // The content's own name: it never stands for other bytes.
  const etag = `"${digest}"`;
  reply.headers({
    etag,
    'accept-ranges': 'bytes',
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
  });
  const { 'if-none-match': known, 'if-range': unlessChanged, range: asked } = request.headers;
  if (known?.split(',').some((each) => each.trim().replace(/^W\//, '') === etag))
    return reply.code(304).send();
  const heard = unlessChanged === undefined || unlessChanged === etag ? asked : undefined;
  const range = readRange(heard, bytes);
  if (range === 'none') {
    const { body } = toMlflowReply(
      invalidParameter(`The file has ${bytes} bytes: there is nothing in the range '${asked}'.`),
    );
    return reply
      .code(416)
      .header('content-range', `bytes */${bytes}`)
      .type('application/json')
      .send(JSON.stringify(body));
  }
  if (range !== undefined)
    reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${bytes}`);
  reply
    .header('content-type', contentType(path))
    .header('content-length', range === undefined ? bytes : range.end - range.start + 1)
    .header('content-disposition', disposition(baseName(path)));
  // An empty stream, not an empty text: Fastify would send the length of the text.
  if (request.method === 'HEAD') return reply.send(Readable.from([]));
  return reply.send(await blobs.get(digest, range));
}
