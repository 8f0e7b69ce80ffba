import type { FastifyRequest } from 'fastify';
import { isObject } from '../../../base/json.ts';
import type { ProtocolServices } from '../../services.ts';
import { doesNotExist, invalidParameter, mlflowError } from '../errors.ts';
import { getVersion } from '../registry/read.ts';
import type { Call } from '../routes.ts';
import { artifactPath, joinPath, safePath } from './artifact-path.ts';

/** The variable part at the end of a route `…/*`. */
const wildcard = ({ params }: FastifyRequest): string =>
  isObject(params) && typeof params['*'] === 'string' ? params['*'] : '';

/** What the path of a request names. @throws invalid_message when it is unsafe or empty. */
export function requestedPath(request: FastifyRequest): string {
  const path = safePath(wildcard(request));
  if (path === '') throw invalidParameter('Invalid path');
  return path;
}

/** A text of the query; undefined when it is missing or empty. */
export function queryText({ query }: FastifyRequest, name: string): string | undefined {
  const value = isObject(query) ? query[name] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The artifact root of a run, a URI. @throws not_found. */
export async function runRoot(
  id: string,
  { workspace }: Pick<Call, 'workspace'>,
  services: ProtocolServices,
): Promise<string> {
  const run = await services.read(({ tracking }) => tracking.findRun(workspace, id));
  if (run === undefined) throw doesNotExist(`Run with id=${id} not found`);
  return run.artifactUri;
}

/** The artifact root of a logged model, a URI. @throws not_found. */
export async function modelRoot(
  id: string,
  { workspace }: Pick<Call, 'workspace'>,
  services: ProtocolServices,
): Promise<string> {
  const model = await services.read(({ tracking }) => tracking.findLoggedModel(workspace, id));
  if (model === undefined || model.stage === 'deleted') {
    throw doesNotExist(`Logged model with ID '${id}' not found.`);
  }
  return model.artifactUri;
}

/** Where the files of a model version are, a URI. @throws not_found; invalid_message. */
export async function versionRoot(
  named: { readonly name: string; readonly version: string },
  call: Pick<Call, 'workspace'>,
  services: ProtocolServices,
): Promise<string> {
  const found = await services.read(({ registry }) => getVersion(registry, call.workspace, named));
  const ofRun = /^runs:\/*([^/]+)\/?(.*)$/.exec(found.storageLocation);
  const [, run, path = ''] = ofRun ?? [];
  if (run === undefined) return found.storageLocation;
  const root = await runRoot(run, call, services);
  return path === '' ? root : `${root}/${path}`;
}

/** The path in our store of something below a root. @throws not_implemented for foreign storage. */
export function below(root: string, path: string): string {
  const base = artifactPath(root);
  if (base === undefined) {
    throw mlflowError(
      'NOT_IMPLEMENTED',
      `The artifacts are in ${root}, which this server does not read: ask that storage for them.`,
    );
  }
  return joinPath(base, path);
}
