import { invalidParameter } from './errors.ts';
import { mlflowLimits } from './validate.ts';

/** Schemes whose repositories connect to the host that the URI names. */
const hostSchemes: ReadonlySet<string> = new Set([
  'ftp',
  'sftp',
  'hdfs',
  'viewfs',
  'http',
  'https',
  'mlflow-artifacts',
  'r2',
  'b2',
  'abfss',
]);

/** As Python's urlparse reads a URI: without white space before it, and without line ends inside. */
function asParsed(uri: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: urlparse drops them
  return uri.replace(/^[\x00-\x20]+/, '').replace(/[\t\r\n]/g, '');
}

/** The scheme in small letters; empty when there is none. */
function schemeOf(uri: string): string {
  return /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase() ?? '';
}

/**
 * Refuses a URI that would have the server connect to a host that a client named. No artifact store of
 * this server is addressed by such a URI, so there is no host that is trusted.
 * @throws invalid_message with MLflow's text.
 * Source: mlflow/store/artifact/host_policy.py (GHSA-mr9f-g8qf-4w4j).
 */
export function checkHost(uri: string, field: string): void {
  const parsed = asParsed(uri);
  const scheme = schemeOf(parsed);
  if (!hostSchemes.has(scheme)) return;
  // Without an authority it is the server's own store.
  if (scheme === 'mlflow-artifacts' && !/^[^:]+:\/\/[^/?#]/.test(parsed)) return;
  throw invalidParameter(
    `'${field}' cannot use the '${scheme}' scheme: the '${scheme}' scheme addresses a host other than the tracking server's configured artifact storage, so the server would connect to the host named in the URI. Set the MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES environment variable on the server to allow it.`,
  );
}

/** Schemes whose URLs have parameters. Source: urllib.parse (uses_params). */
const withParameters = /^(?:ftp|hdl|prospero|https?|shttp|rtspu?|sips?|mms|sftp|tel)?$/;

/** Which hosts a place may name: `any` for what an import brings, which says where its files were. */
export type Hosts = 'own' | 'any';

/**
 * Checks a place for artifacts that a client names. `field` is the parameter that messages name.
 * @throws invalid_message with MLflow's text.
 * Source: mlflow/server/handlers.py (_validate_storage_location_uri).
 */
export function checkStorageLocation(location: string, field: string, hosts: Hosts = 'own'): void {
  const scheme = schemeOf(asParsed(location));
  const parameters = /;[^/]*$/.test(location) && withParameters.test(scheme);
  if (location.includes('#') || parameters) {
    throw invalidParameter(`'${field}' URL can't include fragments or params.`);
  }
  if (location.split('?').slice(1).join('?').includes('..')) {
    throw invalidParameter('Invalid query string');
  }
  if (hosts === 'own') checkHost(location, field);
  if (location.startsWith('runs:')) {
    throw invalidParameter(`Artifact location cannot be a runs:/ URI. Given: '${location}'`);
  }
  const { artifactLocationCharactersMax } = mlflowLimits;
  if ([...location].length > artifactLocationCharactersMax) {
    throw invalidParameter(
      `Invalid artifact path length. The length of the artifact path cannot be greater than ${artifactLocationCharactersMax} characters. To configure this limit, please set the MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH environment variable.`,
    );
  }
  // Files of ours have no other way up than their own path.
  if (scheme === 'mlflow-artifacts' && location.split(/[/\\]/).includes('..')) {
    throw invalidParameter(`Invalid artifact location: '${location}'`);
  }
}
