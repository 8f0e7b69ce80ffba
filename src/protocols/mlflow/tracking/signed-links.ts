import type { FastifyRequest } from 'fastify';
import type { JsonObject } from '../../../base/json.ts';
import type { Principal, ProtocolServices } from '../../services.ts';
import { invalidParameter } from '../errors.ts';
import { queryText } from './artifact-roots.ts';

/** What a link allows. The client sends no credentials to it: all that is needed is in it, signed. */
export interface Grants {
  /** One part of a multipart upload. */
  readonly part: { readonly upload: string; readonly number: number };
  /** A file at a path, uploaded by the one who asked for the link. */
  readonly put: { readonly path: string; readonly principal: Principal };
  /** The content that was at a path when the link was asked for. */
  readonly get: { readonly path: string; readonly digest: string; readonly bytes: number };
}

const base = '/api/2.0/mlflow-artifacts';

/** Where each kind of link leads, below `/api/2.0`. */
export const linkPaths: Readonly<Record<keyof Grants, string>> = {
  part: '/mlflow-artifacts/signed/part',
  put: '/mlflow-artifacts/signed/put',
  get: '/mlflow-artifacts/signed/get',
};

/** A URL of this server, as the client that asks reaches it. */
export function signedLink<K extends keyof Grants>(
  kind: K,
  grant: Grants[K],
  options: {
    readonly seconds: number;
    readonly request: FastifyRequest;
    readonly services: ProtocolServices;
  },
): string {
  const { tokens, publicUrl, basePath } = options.services.links;
  const { headers, protocol } = options.request;
  // Behind a proxy that ends TLS the request itself came in clear.
  const secure = String(headers['x-forwarded-proto'] ?? protocol).startsWith('https');
  const here = publicUrl || `http${secure ? 's' : ''}://${headers.host ?? 'localhost'}${basePath}`;
  // Grants are plain JSON: texts, numbers and a principal of texts.
  const token = tokens.sign({ [kind]: grant as unknown as JsonObject }, options.seconds);
  return `${here}${base}/signed/${kind}?token=${token}`;
}

/** The grant of a request to a link. @throws invalid_message without a token; forbidden. */
export function readGrant<K extends keyof Grants>(
  kind: K,
  request: FastifyRequest,
  { links }: ProtocolServices,
): Grants[K] {
  const token = queryText(request, 'token');
  if (token === undefined) throw invalidParameter('The link has no token.');
  const grant = links.tokens.read(token)[kind];
  if (grant === undefined) throw invalidParameter('The link is for something else.');
  // Signed by `signedLink`, and JSON gives back what it was given.
  return grant as Grants[K];
}
