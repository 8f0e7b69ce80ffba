import { posix } from 'node:path';
import { invalidParameter } from '../errors.ts';

/** Times that a path is decoded before it is refused: nobody encodes one so often by accident. */
const decodingsMax = 10;

/** Percent-decoding that leaves what is no encoding as it is, as Python's unquote does. */
function unquote(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function decodeAll(path: string): string {
  let current = path;
  for (let round = 0; round < decodingsMax; round += 1) {
    const next = unquote(current);
    if (next === current) return current;
    current = next;
  }
  throw invalidParameter('Invalid path');
}

/**
 * A path below the artifact root, without `..`, however it was encoded.
 * @throws invalid_message `Invalid path`.
 * Source: mlflow/utils/uri.py (validate_path_is_safe).
 */
export function safePath(path: string): string {
  const plain = decodeAll(path);
  const parts = plain.split(/[/\\]/);
  const unsafe =
    plain.includes('#') ||
    plain.includes('\0') ||
    plain.startsWith('/') ||
    plain.startsWith('\\') ||
    /^[A-Za-z]:[/\\]/.test(plain) ||
    /^file:/i.test(plain) ||
    parts.includes('..');
  if (unsafe) throw invalidParameter('Invalid path');
  const normal = posix.normalize(plain).replace(/\/$/, '');
  return normal === '.' ? '' : normal;
}

/**
 * Where our artifact store keeps what a URI names: `mlflow-artifacts:/path`, or an http(s) URI of an
 * artifacts proxy. Undefined for locations elsewhere (s3, a local path): clients go there themselves.
 */
export function artifactPath(uri: string): string | undefined {
  const match = /^([a-zA-Z][\w+.-]*):(?:\/\/[^/]*)?([^?#]*)/.exec(uri);
  const [, scheme = '', path = ''] = match ?? [];
  if (scheme === 'mlflow-artifacts') return path.replace(/^\/+/, '').replace(/\/+$/, '');
  if (scheme !== 'http' && scheme !== 'https') return undefined;
  const marker = '/api/2.0/mlflow-artifacts/artifacts';
  const at = path.indexOf(marker);
  return at < 0 ? undefined : path.slice(at + marker.length).replace(/^\/+/, '');
}

/** Joins paths, leaving out empty ones. */
export const joinPath = (...parts: readonly string[]): string =>
  parts.filter((part) => part !== '').join('/');
