import { posix } from 'node:path';
import { isObject, text } from '../../../base/json.ts';
import type { DatasetName } from '../../../facts/lineage-facts.ts';
import { hubName, huggingFaceFiles, isHuggingFace } from './hugging-face.ts';

/** Where names of our own are. */
const ownNamespace = (workspace: string): string => `mlflow:${workspace}`;

/** True when the dataset is somewhere that its source tells, false for a name of our own. */
export const hasPlace = ({ namespace }: DatasetName, workspace: string): boolean =>
  namespace !== ownNamespace(workspace);

/** The source of an evaluation dataset names its id. */
const evaluationSource = 'mlflow_evaluation_dataset';

/** An evaluation dataset is kept here: its place is its id. */
export function evaluationDatasetName(workspace: string, id: string): DatasetName {
  return { namespace: ownNamespace(workspace), name: `datasets/${id}` };
}

/** The id of the evaluation dataset that an input is; undefined when it is another dataset. */
export function evaluationDatasetId({ sourceType, source }: DatasetSource): string | undefined {
  return sourceType === evaluationSource ? text(parseSource(source).dataset_id) : undefined;
}

/** What of an MLflow dataset names it. */
export interface DatasetSource {
  readonly name: string;
  readonly sourceType: string;
  /** JSON text, as the client wrote it. */
  readonly source: string;
}

/** What the JSON of a source says; {} when it is not an object. */
export function parseSource(source: string): Record<string, unknown> {
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
  const path = uri.replace(/^file:(\/\/[^/]*)?/i, '');
  try {
    return file(decodeURIComponent(path));
  } catch {
    return file(path);
  }
}

/** Spellings of one scheme. */
const schemes: Readonly<Record<string, string>> = { s3a: 's3', s3n: 's3' };

/** Their names are keys in a bucket, without a leading slash. */
const buckets: ReadonlySet<string> = new Set(['s3', 'gs', 'r2', 'b2']);

/** Here the part before the `@` is a container, not a user. */
const withContainer: ReadonlySet<string> = new Set(['abfs', 'abfss', 'wasb', 'wasbs', 'r2']);

/** Databases: a URI without a table names no dataset. */
const databases: ReadonlySet<string> = new Set(
  'postgres postgresql mysql mariadb mssql sqlserver oracle redshift snowflake trino sqlite'.split(
    ' ',
  ),
);

/** They name files of runs and models here, no datasets. */
const ownSchemes: ReadonlySet<string> = new Set(['runs', 'models', 'mlflow-artifacts']);

/**
 * A URI by the naming rules of OpenLineage: the authority is the namespace, the path the name.
 * Source: openlineage.io/docs/spec/naming.
 */
function ofUri(uri: string, table: string | undefined): DatasetName | undefined {
  const match = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)/i.exec(uri);
  const [, scheme = '', authority = '', path = ''] = match ?? [];
  const lower = scheme.toLowerCase();
  const kind = schemes[lower] ?? lower;
  if (kind === 'dbfs' && authority === '' && path !== '') return ofDbfs(path);
  if (authority === '' || ownSchemes.has(kind)) return undefined;
  const host = withContainer.has(kind) ? authority : authority.replace(/^.*@/, '');
  const namespace = `${kind}://${host}`;
  if (databases.has(kind.replace(/\+.*/, ''))) {
    if (table === undefined) return undefined;
    const database = path.replace(/^\/|\/.*$/g, '');
    return { namespace, name: [database, table].filter((part) => part !== '').join('.') };
  }
  return { namespace, name: (buckets.has(kind) ? path.replace(/^\/+/, '') : path) || '/' };
}

/** Databricks' file system; `/Volumes` is the same place with and without its scheme. */
const ofDbfs = (path: string): DatasetName => ({
  namespace: 'dbfs',
  name: posix.normalize(path.replace(/^\/+/, '/')),
});

function ofLocation(location: string, table?: string): DatasetName | undefined {
  if (/^file:/i.test(location)) return ofFileUri(location);
  if (location.startsWith('/')) return file(location);
  if (/^[A-Za-z]:[\\/]/.test(location))
    return { namespace: 'file', name: location.replaceAll('\\', '/') };
  return ofUri(location, table);
}

/** The dataset that the source names by its place. */
function placeOf(sourceType: string, said: Record<string, unknown>): DatasetName | undefined {
  const location = text(said.uri) ?? text(said.path) ?? text(said.url) ?? text(said.resolved_uri);
  if (sourceType === 'uc_volume') return location === undefined ? undefined : ofDbfs(location);
  const table = text(said.delta_table_name) ?? text(said.table_name) ?? text(said.table);
  const place = location === undefined ? undefined : ofLocation(location, table);
  if (place !== undefined || table === undefined) return place;
  // Tables of Unity Catalog are Delta tables, whoever names them.
  const isDelta = /^(delta|databricks)/.test(sourceType);
  return { namespace: isDelta ? 'delta' : 'spark', name: table };
}

/**
 * How other tools would name the datasets that an MLflow input describes: the first is the one that
 * it is, and was described; those after it are the files that it was put together from. A name of
 * our own in the experiment when its source says no place (code, a query, or a source that we do
 * not know).
 */
export function datasetNames(
  { name, sourceType, source }: DatasetSource,
  { workspace, experiment }: { readonly workspace: string; readonly experiment: string },
): readonly [DatasetName, ...DatasetName[]] {
  const said = parseSource(source);
  const evaluation = evaluationDatasetId({ name, sourceType, source });
  if (evaluation !== undefined) return [evaluationDatasetName(workspace, evaluation)];
  const own = { namespace: ownNamespace(workspace), name: `${experiment}/${name}` };
  if (!isHuggingFace(sourceType)) return [placeOf(sourceType, said) ?? own];
  const hub = hubName(said);
  if (hub !== undefined) return [{ namespace: 'hf', name: hub }];
  const files = huggingFaceFiles(said).flatMap((location) => ofLocation(location) ?? []);
  const [first, ...more] = files;
  return first !== undefined && more.length === 0 ? [first] : [own, ...files];
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
