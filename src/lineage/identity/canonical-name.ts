import type { DatasetName } from '../../facts/lineage-facts.ts';

/** A dataset's name in the one form that all its spellings share, and the rule that led there. */
export interface CanonicalName extends DatasetName {
  /** Absent when the name was canonical as sent. */
  readonly rule?: string;
}

/** Ports that tools leave out or write, as they please. */
const defaultPorts: Readonly<Record<string, string>> = {
  postgres: '5432',
  mysql: '3306',
  redshift: '5439',
  mssql: '1433',
  oracle: '1521',
  trino: '8080',
  kafka: '9092',
  hdfs: '8020',
};

/** Schemes that mean the same storage. */
const schemeAliases: Readonly<Record<string, string>> = {
  postgresql: 'postgres',
  'postgresql+psycopg2': 'postgres',
  s3a: 's3',
  s3n: 's3',
  gcs: 'gs',
  abfs: 'abfss',
  sqlserver: 'mssql',
};

const objectStores = new Set(['s3', 'gs', 'abfss', 'wasbs', 'oss', 'hdfs']);

/**
 * The canonical form of a dataset's name: one spelling for `file:///x`, `/x` and `file` + `/x`, for
 * `s3a://` and `s3://`, for a port that is the default one. Names that follow no known rule stay.
 * Source: OpenLineage naming conventions; DESIGN.md section 3.
 */
export function canonicalName(sent: DatasetName): CanonicalName {
  const found = canonicalFile(sent) ?? canonicalUrl(sent) ?? canonicalCase(sent) ?? sent;
  if (found.namespace === sent.namespace && found.name === sent.name)
    return { namespace: sent.namespace, name: sent.name };
  return { namespace: found.namespace, name: found.name, rule: ruleOf(found.namespace) };
}

function ruleOf(namespace: string): string {
  return `canonical-name:${/^[a-z0-9+.-]+/i.exec(namespace)?.[0] ?? 'other'}`;
}

/** Local files: namespace `file`, name the absolute path. */
function canonicalFile({ namespace, name }: DatasetName): DatasetName | undefined {
  const uri = /^file:(?:\/\/(?:localhost)?)?(\/.*)$/i.exec(name)?.[1];
  if (uri !== undefined && (isLocalFile(namespace) || namespace === ''))
    return { namespace: 'file', name: cleanPath(decodeUri(uri)) };
  if (isLocalFile(namespace) && name.startsWith('/'))
    return { namespace: 'file', name: cleanPath(name) };
  return undefined;
}

function isLocalFile(namespace: string): boolean {
  return /^file(?::\/{0,3}(?:localhost)?\/?)?$/i.test(namespace);
}

function decodeUri(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a file name may hold a bare percent sign
  }
}

/** Removes `.`, `..`, double and trailing slashes. */
function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function canonicalUrl({ namespace, name }: DatasetName): DatasetName | undefined {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/]*)(\/.*)?$/i.exec(namespace);
  if (!match) return undefined;
  const written = (match[1] ?? '').toLowerCase();
  const scheme = schemeAliases[written] ?? written;
  const rest = match[3] ?? '';
  let authority = match[2] ?? '';
  if (scheme === 'snowflake')
    return { namespace, name: name.includes('"') ? name : name.toUpperCase() };
  if (scheme !== 'abfss' && scheme !== 'wasbs') authority = authority.toLowerCase();
  const port = defaultPorts[scheme];
  if (port !== undefined && authority !== '' && !/:\d+$/.test(authority))
    authority = `${authority}:${port}`;
  if (
    (scheme === 'http' && authority.endsWith(':80')) ||
    (scheme === 'https' && authority.endsWith(':443'))
  ) {
    authority = authority.slice(0, authority.lastIndexOf(':'));
  }
  const base = `${scheme}://${authority}${rest === '/' ? '' : rest}`;
  if (!objectStores.has(scheme)) return { namespace: base, name };
  const key = name.startsWith(`${written}://`)
    ? name.slice(name.indexOf('/', written.length + 3) + 1)
    : name;
  return {
    namespace: base,
    name: scheme === 'hdfs' ? cleanPath(key) : key.replace(/^\/+|\/+$/g, ''),
  };
}

/** Stores whose unquoted names have no case. Quoted names keep theirs. */
function canonicalCase({ namespace, name }: DatasetName): DatasetName | undefined {
  if (namespace.toLowerCase() === 'bigquery' && namespace !== 'bigquery')
    return { namespace: 'bigquery', name };
  return undefined;
}

const emptyDigests = new Set([
  'd41d8cd98f00b204e9800998ecf8427e',
  'da39a3ee5e6b4b0d3255bfef95601890afd80709',
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
]);

const fullContentAlgorithms = new Set(['md5', 'sha1', 'sha256', 'sha512', 'blake3']);

/**
 * The digest as a key that joins versions, or undefined when it is too weak: under 128 bits, not
 * over the full content (MLflow hashes the first 10,000 rows), or of empty content.
 */
export function strongDigest(
  digest: { readonly algorithm: string; readonly value: string } | undefined,
): string | undefined {
  if (!digest) return undefined;
  const algorithm = digest.algorithm.toLowerCase().replace('-', '');
  const value = digest.value.toLowerCase();
  if (
    !fullContentAlgorithms.has(algorithm) ||
    !/^[0-9a-f]{32,128}$/.test(value) ||
    emptyDigests.has(value)
  )
    return undefined;
  return `${algorithm}:${value}`;
}
