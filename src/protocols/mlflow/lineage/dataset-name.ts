import { posix } from 'node:path';
import { isObject, text } from '../../../base/json.ts';
import type { DatasetName } from '../../../facts/lineage-facts.ts';

/** The source of an evaluation dataset names its id. */
const evaluationSource = 'mlflow_evaluation_dataset';

/** An evaluation dataset is kept here: its place is its id. */
export function evaluationDatasetName(workspace: string, id: string): DatasetName {
  return { namespace: `mlflow:${workspace}`, name: `datasets/${id}` };
}

/** The id of the evaluation dataset that an input is; undefined when it is another dataset. */
export function evaluationDatasetId({ sourceType, source }: DatasetSource): string | undefined {
  return sourceType === evaluationSource ? text(parse(source).dataset_id) : undefined;
}

/** What of an MLflow dataset names it. */
export interface DatasetSource {
  readonly name: string;
  readonly sourceType: string;
  /** JSON text, as the client wrote it. */
  readonly source: string;
}

function parse(source: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(source);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

const file = (path: string): DatasetName => ({ namespace: 'file', name: posix.normalize(path) });

/** `file:///a`, `file:/a` and `file://localhost/a` name the same path. */
function ofFileUri(uri: string): DatasetName {
  const path = uri.replace(/^file:(\/\/[^/]*)?/, '');
  try {
    return file(decodeURIComponent(path));
  } catch {
    return file(path);
  }
}

/**
 * A URI by the naming rules of OpenLineage: the authority is the namespace, the path the name.
 * Source: openlineage.io/docs/spec/naming.
 */
function ofUri(uri: string): DatasetName | undefined {
  const match = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\/([^/?#]*)([^?#]*)/.exec(uri);
  const [, scheme = '', authority = '', path = ''] = match ?? [];
  if (match === null || authority === '') return undefined;
  const kind = scheme.toLowerCase();
  const bucket = { s3a: 's3', s3n: 's3' }[kind] ?? kind;
  switch (bucket) {
    case 's3':
    case 'gs':
      return { namespace: `${bucket}://${authority}`, name: path.replace(/^\/+/, '') || '/' };
    case 'http':
    case 'https':
    case 'ftp':
    case 'hdfs':
    case 'viewfs':
    case 'dbfs':
    case 'abfs':
    case 'abfss':
    case 'wasb':
    case 'wasbs':
    case 'oss':
    case 'sftp':
      return {
        namespace: `${bucket}://${authority.replace(/^[^@]*@(?=[^@]+$)/, keepContainer(bucket))}`,
        name: path || '/',
      };
    default:
      return undefined;
  }
}

/** `user:password@host` loses the user; Azure's `container@account` is part of the name. */
const keepContainer = (kind: string): string => (/^(abfss?|wasbs?)$/.test(kind) ? '$&' : '');

function ofLocation(location: string): DatasetName | undefined {
  if (/^file:/i.test(location)) return ofFileUri(location);
  if (location.startsWith('/')) return file(location);
  if (/^[A-Za-z]:[\\/]/.test(location))
    return { namespace: 'file', name: location.replaceAll('\\', '/') };
  return ofUri(location);
}

/**
 * How other tools would name the dataset that an MLflow input describes; a name of our own in the
 * experiment when its source says no place (code, or a source we do not know).
 */
export function datasetName(
  { name, sourceType, source }: DatasetSource,
  { workspace, experiment }: { readonly workspace: string; readonly experiment: string },
): DatasetName {
  const said = parse(source);
  const evaluation = evaluationDatasetId({ name, sourceType, source });
  if (evaluation !== undefined) return evaluationDatasetName(workspace, evaluation);
  const own = { namespace: `mlflow:${workspace}`, name: `${experiment}/${name}` };
  const location = text(said.uri) ?? text(said.path) ?? text(said.url) ?? text(said.resolved_uri);
  if (sourceType === 'hf' || sourceType === 'hugging_face') {
    return location === undefined ? own : { namespace: 'hf', name: location };
  }
  const table = text(said.delta_table_name) ?? text(said.table_name);
  if (table !== undefined)
    return { namespace: sourceType.startsWith('delta') ? 'delta' : 'spark', name: table };
  return (location === undefined ? undefined : ofLocation(location)) ?? own;
}

/** Version of a Delta table, when the source tells it. */
export function deltaVersion({ source }: DatasetSource): string | undefined {
  const version = parse(source).delta_table_version;
  return typeof version === 'number' || typeof version === 'string' ? String(version) : undefined;
}

const roles: Readonly<Record<string, string>> = {
  training: 'train',
  train: 'train',
  testing: 'test',
  test: 'test',
  validation: 'validation',
  val: 'validation',
  eval: 'evaluation',
  evaluation: 'evaluation',
};

/** MLflow's `mlflow.data.context` in our words; another word stays as it is. */
export function roleOf(context: string | undefined): string | undefined {
  if (context === undefined || context === '') return undefined;
  const lower = context.toLowerCase();
  return Object.hasOwn(roles, lower) ? roles[lower] : context;
}
