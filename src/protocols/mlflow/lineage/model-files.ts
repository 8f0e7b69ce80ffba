import { sha256Hex } from '../../../base/digest.ts';
import { isObject, type Json, type JsonObject, list, text, texts } from '../../../base/json.ts';
import { loadLater } from '../../load-later.ts';
import { type SchemaField, schemaFields } from './schema.ts';

const yamlPackage = loadLater<typeof import('yaml')>('yaml');

/** Texts of the files that describe a model, as they were read from its artifacts. */
export interface ModelFiles {
  readonly MLmodel?: string;
  readonly 'requirements.txt'?: string;
  readonly 'conda.yaml'?: string;
  readonly 'python_env.yaml'?: string;
}

/** The files that say what a model needs. */
export const modelFileNames = [
  'MLmodel',
  'requirements.txt',
  'conda.yaml',
  'python_env.yaml',
] as const;

/** A locked environment: what `environment:` refs are made of. */
export interface Environment {
  /** First 32 hex digits of the SHA-256 over the sorted packages and the Python version. */
  readonly digest: string;
  readonly attributes: JsonObject;
}

/** Scalars stay text: a Python version `3.10` is no number. */
function yaml(content: string | undefined): Record<string, unknown> {
  if (content === undefined) return {};
  try {
    const options = { schema: 'failsafe', maxAliasCount: 100, logLevel: 'silent' } as const;
    const value: unknown = yamlPackage().parse(content, options);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

const asJson = (fields: readonly SchemaField[]): Json =>
  fields.map(({ name, type }) => ({ name, type }));

/** What an MLmodel file says of a model: flavors, signature, MLflow's version; {} when unreadable. */
export function describeModel(files: ModelFiles): JsonObject {
  const model = yaml(files.MLmodel);
  const flavors = isObject(model.flavors) ? Object.keys(model.flavors).sort() : [];
  const signature = isObject(model.signature) ? model.signature : {};
  const inputs = schemaFields(signature.inputs);
  const outputs = schemaFields(signature.outputs);
  return {
    ...(flavors.length === 0 ? {} : { flavors }),
    ...(inputs.length === 0 ? {} : { inputs: asJson(inputs) }),
    ...(outputs.length === 0 ? {} : { outputs: asJson(outputs) }),
    ...(text(model.mlflow_version) === undefined
      ? {}
      : { mlflowVersion: String(model.mlflow_version) }),
    ...(text(model.model_uuid) === undefined ? {} : { modelUuid: String(model.model_uuid) }),
  };
}

/** The prompts that an MLmodel file says the model uses, as `prompts:/name/version` URIs. */
export function promptUris(files: ModelFiles): string[] {
  if (files.MLmodel?.includes('prompts:/') !== true) return [];
  return texts(yaml(files.MLmodel).prompts);
}

function packagesOf(requirements: string): string[] {
  return requirements
    .split(/\r?\n/)
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}

function condaPackages(conda: Record<string, unknown>): { pip: string[]; conda: string[] } {
  const pip: string[] = [];
  const other: string[] = [];
  for (const item of list(conda.dependencies)) {
    if (typeof item === 'string') other.push(item);
    else if (isObject(item)) pip.push(...texts(item.pip));
  }
  return { pip, conda: other };
}

function pythonVersion(files: ModelFiles, conda: readonly string[]): string | undefined {
  const python = yaml(files['python_env.yaml']).python;
  if (typeof python === 'string' && python !== '') return python;
  const pinned = conda.find((one) => /^python\s*=/.test(one));
  if (pinned !== undefined) return pinned.replace(/^python\s*=+\s*/, '');
  const flavors = yaml(files.MLmodel).flavors;
  const pyfunc = isObject(flavors) ? flavors.python_function : undefined;
  return isObject(pyfunc) ? text(pyfunc.python_version) : undefined;
}

/** The environment that a model's files lock; undefined when they name no package. */
export function environmentOf(files: ModelFiles): Environment | undefined {
  const conda = condaPackages(yaml(files['conda.yaml']));
  const requirements = files['requirements.txt'];
  const named = requirements === undefined ? conda.pip : packagesOf(requirements);
  const packages = [...new Set(named)].sort();
  if (packages.length === 0) return undefined;
  const python = pythonVersion(files, conda.conda);
  const lines = [...packages, ...(python === undefined ? [] : [`python==${python}`])];
  return {
    digest: sha256Hex(lines.join('\n')).slice(0, 32),
    attributes: {
      packages,
      ...(python === undefined ? {} : { python }),
      source: requirements === undefined ? 'conda.yaml' : 'requirements.txt',
    },
  };
}
