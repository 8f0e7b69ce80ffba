import { posix } from 'node:path';
import type { StateReader } from '../../../door/index.ts';
import type { VersionRow } from '../../../registry/index.ts';
import { doesNotExist, invalidParameter } from '../errors.ts';
import { checkHost } from '../storage-location.ts';
import { isPrompt, readStage } from './validate.ts';

/**
 * Where the files of a new version come from, checked as MLflow does, so that nobody registers
 * files that they could not name otherwise.
 * Source: mlflow/server/handlers.py (_validate_source_run, _validate_source_model).
 */

export interface SourceBody {
  readonly source: string;
  readonly run_id?: string;
  readonly model_id?: string;
}

export interface ResolvedSource {
  /** `models:/name@alias` and the like with the version they meant. */
  readonly source: string;
  /** Where the files are. */
  readonly storageLocation: string;
  readonly runId: string | null;
  readonly modelId: string | null;
  /** The version that it is a copy of; absent when it is none. */
  readonly copied?: Copied;
}

/** A version that another one was copied from. */
export type Copied = {
  readonly name: string;
  readonly generation: number;
  readonly version: number;
};

interface Uri {
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
}

/** Python's urlparse, as far as it is needed. */
function parseUri(uri: string): Uri {
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(uri)?.[1] ?? '';
  const rest = scheme === '' ? uri : uri.slice(scheme.length + 1);
  const match = /^(?:\/\/([^/?#]*))?([^?#]*)/.exec(rest);
  return { scheme: scheme.toLowerCase(), authority: match?.[1] ?? '', path: match?.[2] ?? '' };
}

function unquoteAll(text: string): string {
  if (!/[%+]/.test(text)) return text;
  let current = text;
  for (let round = 0; round < 100; round += 1) {
    let next = current;
    try {
      next = decodeURIComponent(current.replaceAll('+', ' '));
    } catch {
      next = current.replace(/%([0-7][0-9a-f])/gi, (_, hex) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      );
    }
    if (next === current) return current;
    current = next;
  }
  return current;
}

const notContained = (source: string, parameter: string): Error =>
  invalidParameter(
    `Invalid model version source: '${source}'. The ${parameter} request parameter must identify the resource that contains the source.`,
  );

function checkAbsolute(source: string): void {
  const plain = unquoteAll(source);
  const path = parseUri(plain).path.replace(/\/+$/, '').replace(/\/+/g, '/');
  const parts = plain.split('/');
  const wrong =
    path.includes('\0') || parts.includes('..') || !path.startsWith('/') || /\/\.(\/|$)/.test(path);
  if (wrong) {
    throw invalidParameter(
      `Invalid model version source: '${source}'. If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references present. Please provide an absolute path.`,
    );
  }
}

function isLocal({ scheme }: Uri): boolean {
  return scheme === '' || scheme === 'file';
}

function partsOf(uri: Uri): string[] {
  return uri.path.split('/').filter(Boolean).map(unquoteAll);
}

function isWithin(source: string, root: string): boolean {
  const [inner, outer] = [parseUri(source), parseUri(root)];
  const [innerParts, outerParts] = [partsOf(inner), partsOf(outer)];
  return (
    inner.scheme === outer.scheme &&
    inner.authority.toLowerCase() === outer.authority.toLowerCase() &&
    outerParts.length > 0 &&
    outerParts.every((part, index) => innerParts[index] === part)
  );
}

function isLocalWithin(source: Uri, root: string): boolean {
  const outer = parseUri(root);
  if (!isLocal(outer) || !source.path.startsWith('/')) return false;
  const [path, directory] = [posix.resolve(source.path), posix.resolve(outer.path)];
  return path === directory || path.startsWith(`${directory}/`);
}

function isProxied(uri: Uri): boolean {
  if (uri.scheme === 'mlflow-artifacts') return true;
  return (
    (uri.scheme === 'http' || uri.scheme === 'https') &&
    `/${partsOf(uri).join('/')}/`.includes('/api/2.0/mlflow-artifacts/artifacts/')
  );
}

/** What a `models:/` URI names. @throws invalid_message when it is not of that form. */
function parseModelUri(source: string): {
  id?: string;
  name: string;
  suffix?: string;
  alias?: string;
} {
  const parts = parseUri(source).path.replace(/^\/+/, '').split('/');
  const [name = '', suffix] = parts;
  if (parts.length > 2 || name.trim() === '' || suffix?.trim() === '') {
    throw notContained(source, 'model_id');
  }
  if (suffix !== undefined) return { name, suffix };
  const at = name.lastIndexOf('@');
  if (at < 0) return { id: name, name: '' };
  if (name.slice(at + 1).trim() === '') throw notContained(source, 'model_id');
  return { name: name.slice(0, at), alias: name.slice(at + 1) };
}

async function findSourceVersion(
  uri: ReturnType<typeof parseModelUri>,
  workspace: string,
  state: StateReader,
): Promise<VersionRow> {
  const { name, suffix, alias } = uri;
  const model = await state.registry.findModel(workspace, name);
  if (!model) throw doesNotExist(`Registered Model with name=${name} not found`);
  if (alias !== undefined) {
    const version = await state.registry.findVersionByAlias(workspace, name, alias);
    if (!version) throw invalidParameter(`Registered model alias ${alias} not found.`);
    return version;
  }
  if (suffix !== undefined && /^\d+$/.test(suffix)) {
    const version = await state.registry.findVersion(workspace, name, Number(suffix));
    if (!version) throw doesNotExist(`Model Version (name=${name}, version=${suffix}) not found`);
    return version;
  }
  const stage =
    suffix === undefined || suffix.toLowerCase() === 'latest' ? undefined : readStage(suffix);
  const latest = await state.registry.listLatestVersions(model.key);
  const newest = latest
    .filter((version) => stage === undefined || version.stage === stage)
    .sort((a, b) => b.version - a.version)[0];
  if (newest) return newest;
  const where = stage === undefined ? '' : ` and stage '${stage}'`;
  throw doesNotExist(`No versions of model with name '${name}'${where} found`);
}

async function resolveRegistered(
  body: SourceBody,
  uri: ReturnType<typeof parseModelUri>,
  workspace: string,
  state: StateReader,
): Promise<ResolvedSource> {
  const named = await state.registry.findModel(workspace, uri.name);
  if (named && isPrompt(await state.registry.listModelTags(named.key))) {
    throw invalidParameter(
      `Invalid model version source: '${body.source}'. Prompt versions cannot be used as model version sources.`,
    );
  }
  const version = await findSourceVersion(uri, workspace, state);
  const differs = (sent: string | undefined, known: string | null): boolean =>
    sent !== undefined && sent !== (known ?? '');
  if (differs(body.run_id, version.runId) || differs(body.model_id, version.modelId)) {
    throw invalidParameter(
      `Invalid model version source: '${body.source}'. The run_id and model_id request parameters must match the referenced model version.`,
    );
  }
  return {
    source: `models:/${uri.name}/${version.version}`,
    storageLocation: version.storageLocation,
    runId: version.runId,
    modelId: version.modelId,
    copied: copiedOf(version),
  };
}

/** The version as the origin of a copy. */
export const copiedOf = ({ name, generation, version }: VersionRow): Copied => ({
  name,
  generation,
  version,
});

/** Checks the source of a new version and finds what it stands for. @throws invalid_message, not_found. */
export async function resolveSource(
  body: SourceBody,
  workspace: string,
  state: StateReader,
): Promise<ResolvedSource> {
  const { source } = body;
  checkHost(source, 'source');
  const uri = parseUri(source);
  const runId = body.run_id || null;
  const modelId = body.model_id || null;
  if (uri.scheme === 'models') {
    if (uri.authority !== '') {
      throw invalidParameter(
        `Invalid model version source: '${source}'. Registered model sources must use the active model registry.`,
      );
    }
    const parsed = parseModelUri(source);
    if (parsed.id === undefined) return resolveRegistered(body, parsed, workspace, state);
    if (parsed.id !== modelId) throw notContained(source, 'model_id');
  }
  const found =
    modelId === null ? undefined : await state.tracking.findLoggedModel(workspace, modelId);
  const model = found?.stage === 'deleted' ? undefined : found;
  if (modelId !== null) {
    checkWithin(source, uri, { parameter: 'model_id', root: model?.artifactUri });
    if (!model) throw doesNotExist(`Logged model with ID '${modelId}' not found.`);
  } else {
    const run = runId === null ? undefined : await state.tracking.findRunHead(workspace, runId);
    checkWithin(source, uri, { parameter: 'run_id', root: run?.artifactUri, runId });
  }
  return {
    source,
    storageLocation: uri.scheme === 'models' && model ? model.artifactUri : source,
    runId: runId ?? (model?.sourceRun || null),
    modelId,
  };
}

function checkWithin(
  source: string,
  uri: Uri,
  owner: { parameter: string; root: string | undefined; runId?: string | null },
): void {
  const { parameter, root } = owner;
  if (isLocal(uri)) {
    if (root !== undefined && isLocalWithin(uri, root)) return;
    throw invalidParameter(
      `Invalid model version source: '${source}'. To use a local path as a model version source, the ${parameter} request parameter has to be specified and the local path has to be contained within the artifact directory of the run specified by the ${parameter}.`,
    );
  }
  checkAbsolute(source);
  if (uri.scheme === 'runs') {
    const run = uri.path.split('/')[1];
    if (uri.authority !== '' || parameter !== 'run_id' || !run || run !== owner.runId) {
      throw notContained(source, parameter);
    }
  }
  if (isProxied(uri) && (root === undefined || !isWithin(source, root))) {
    throw notContained(source, parameter);
  }
}
