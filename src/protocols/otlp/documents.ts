import { isObject, type Json, list, text } from '../../base/json.ts';

/** A document that a retriever found, as far as its source told what it is. */
export interface RetrievedDocument {
  readonly namespace: string;
  readonly name: string;
  /** Of its content, or as its source calls it. */
  readonly version?: string | undefined;
  /** How it is known which document it is. */
  readonly known: 'observed' | 'inferred';
  readonly rule: string;
}

const uriKeys = ['doc_uri', 'source', 'uri', 'url', 'file_path', 'path'];
const digestKeys = ['sha256', 'content_hash', 'digest', 'checksum', 'md5'];
const versionKeys = ['version', 'doc_version', 'etag', 'version_id'];

function firstText(
  from: Readonly<Record<string, unknown>>,
  keys: readonly string[],
): string | undefined {
  for (const key of keys) {
    const found = text(from[key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Namespace and name of a place, as OpenLineage names datasets. */
function placeOf(uri: string): { readonly namespace: string; readonly name: string } | undefined {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(\/?[^?#]*)/i.exec(uri);
  if (match === null) return /[/\\.]/.test(uri) ? { namespace: 'file', name: uri } : undefined;
  const [, scheme = '', host = '', path = ''] = match;
  if (scheme.toLowerCase() === 'file') return { namespace: 'file', name: path };
  const name = path.replace(/^\//, '');
  return name === '' ? undefined : { namespace: `${scheme.toLowerCase()}://${host}`, name };
}

function versionOf(metadata: Readonly<Record<string, unknown>>): string | undefined {
  for (const key of digestKeys) {
    const value = text(metadata[key])?.toLowerCase();
    const digest = value?.replace(/^(sha256|md5):/, '');
    if (digest === undefined) continue;
    if (/^[0-9a-f]{64}$/.test(digest)) return `sha256:${digest}`;
    if (/^[0-9a-f]{32}$/.test(digest)) return `md5:${digest}`;
  }
  return firstText(metadata, versionKeys);
}

/** One document of LangChain's, MLflow's or OpenInference's form. */
function documentOf(value: unknown, collection: string): RetrievedDocument | undefined {
  if (!isObject(value)) return undefined;
  const metadata = { ...value, ...(isObject(value.metadata) ? value.metadata : {}) };
  const version = versionOf(metadata);
  const uri = firstText(metadata, uriKeys);
  const place = uri === undefined ? undefined : placeOf(uri);
  if (place !== undefined) return { ...place, version, known: 'observed', rule: 'retriever.uri' };
  const id = firstText(metadata, ['id', 'doc_id', 'document_id', 'chunk_id']) ?? uri;
  if (id === undefined) return undefined;
  // An id is only known to mean something within the collection that it was found in.
  return {
    namespace: `retriever://${collection}`,
    name: id,
    version,
    known: 'inferred',
    rule: 'retriever.id',
  };
}

/** `retrieval.documents.0.document.id` and so on, as OpenInference spreads documents over attributes. */
function spread(attributes: Readonly<Record<string, Json>>): unknown[] {
  const documents: Record<string, unknown>[] = [];
  for (const [key, value] of Object.entries(attributes)) {
    const match = /^retrieval\.documents\.(\d{1,4})\.document\.(.+)$/.exec(key);
    if (match === null) continue;
    const index = Number(match[1]);
    documents[index] = { ...documents[index], [match[2] ?? '']: value };
  }
  return documents.filter((each) => each !== undefined);
}

/** The documents that a span of a retriever found. `collection` names what it searched. */
export function documentsOf(
  attributes: Readonly<Record<string, Json>>,
  outputs: Json | undefined,
  collection: string,
): RetrievedDocument[] {
  const nested = isObject(outputs) ? list(outputs.documents ?? outputs.results) : [];
  const found = [...list(outputs), ...nested, ...spread(attributes)];
  return found.flatMap((each) => documentOf(each, collection) ?? []);
}
