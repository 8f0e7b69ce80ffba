import { posix } from 'node:path';
import { invalidParameter, pythonText } from './errors.ts';
import { invalidValue } from './wire.ts';

/**
 * MLflow's limits and texts. Lengths in characters (code points, as Python counts them).
 * Source: mlflow/utils/validation.py.
 */
export const mlflowLimits = {
  keyCharactersMax: 250,
  paramCharactersMax: 6_000,
  tagCharactersMax: 8_000,
  experimentNameCharactersMax: 500,
  experimentTagCharactersMax: 20_000,
  artifactLocationCharactersMax: 2_048,
  batchMetricsMax: 1_000,
  batchParamsMax: 100,
  batchTagsMax: 100,
  batchEntitiesMax: 1_000,
  datasetsMax: 1_000,
  datasetNameCharactersMax: 500,
  datasetDigestCharactersMax: 36,
  datasetSourceCharactersMax: 65_535,
  datasetSchemaCharactersMax: 1_048_575,
  datasetProfileCharactersMax: 16_777_215,
  inputTagKeyCharactersMax: 255,
  inputTagCharactersMax: 500,
  /** Pages. */
  runsDefault: 1_000,
  pageMax: 50_000,
  historyMax: 25_000,
  historyRunsMax: 100,
  historyPointsOfRunMax: 2_500,
  datasetExperimentsMax: 20,
  datasetSummariesMax: 1_000,
  loggedModelsDefault: 100,
  evaluationDatasetsDefault: 1_000,
  evaluationRecordsDefault: 1_000,
} as const;

const nameCharacters = /^[/\p{L}\p{N}_.\- :]*$/u;
/** Most names: right without a closer look. */
const plainName = /^[\w\- :]+$/;
const badCharacters =
  'Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).';

function badPath(name: string): string {
  const resolved = posix.normalize(name).replace(/(.)\/$/, '$1');
  return `Names may be treated as files in certain cases, and must not resolve to other names when treated as such. This name would resolve to '${resolved}'`;
}

/** A name that, taken as a path, would be another one: `a//b`, `./a`, `../a`, `/a`, `a/`. */
function isOtherPath(name: string): boolean {
  if (!/[./]/.test(name)) return name === '';
  if (name === '.' || name.startsWith('/') || name.startsWith('..')) return true;
  return name.split('/').some((part) => part === '' || part === '.' || part === '..');
}

/** Checks the key of a metric, parameter or tag. @throws invalid_message with MLflow's text. */
export function checkName(name: string, path: string): void {
  if (!nameCharacters.test(name)) throw invalidValue(path, name, badCharacters);
  if (isOtherPath(name)) throw invalidValue(path, name, badPath(name));
}

/** Longer than `limit` characters; UTF-16 length decides unless it is in doubt. */
function isLonger(text: string, limit: number): boolean {
  if (text.length <= limit) return false;
  return text.length > limit * 2 || [...text].length > limit;
}

/** Checks a length. @throws invalid_message `'X' exceeds the maximum length of N characters`. */
export function checkLength(what: string, limit: number, text: string | undefined): void {
  if (text !== undefined && isLonger(text, limit)) {
    throw invalidParameter(`'${what}' exceeds the maximum length of ${limit} characters`);
  }
}

function truncate(text: string, limit: number): string {
  return isLonger(text, limit) ? [...text].slice(0, limit).join('') : text;
}

/** A parameter with its value cut to the limit, as MLflow does by default. */
export function checkParam(
  { key, value }: { readonly key: string; readonly value?: string },
  path: string,
): { key: string; value: string } {
  checkName(key, path);
  checkLength('Param key', mlflowLimits.keyCharactersMax, key);
  return { key, value: truncate(value ?? '', mlflowLimits.paramCharactersMax) };
}

/** A run tag with its value cut to the limit. */
export function checkTag(
  { key, value }: { readonly key: string; readonly value?: string },
  path: string,
): { key: string; value: string } {
  checkName(key, path);
  checkLength(path, mlflowLimits.keyCharactersMax, key);
  return { key, value: truncate(value ?? '', mlflowLimits.tagCharactersMax) };
}

/** Experiment tags are refused when too long, not cut. */
export function checkExperimentTag(tag: { readonly key: string; readonly value?: string }): {
  key: string;
  value: string;
} {
  checkName(tag.key, 'key');
  checkLength('key', mlflowLimits.keyCharactersMax, tag.key);
  checkLength('value', mlflowLimits.experimentTagCharactersMax, tag.value);
  return { key: tag.key, value: tag.value ?? '' };
}

/** A double as Python prints it. */
function asPythonFloat(value: unknown): string {
  if (value === 'NaN') return 'nan';
  // Infinities are kept as the largest doubles.
  if (value === Number.MAX_VALUE) return 'inf';
  if (value === -Number.MAX_VALUE) return '-inf';
  return Number.isInteger(value) && Math.abs(Number(value)) < 1e16 ? `${value}.0` : String(value);
}

interface CheckedMetric {
  readonly key: string;
  readonly value: unknown;
  readonly timestamp: number;
  readonly dataset_name?: string;
  readonly dataset_digest?: string;
}

/** Checks what a metric's types do not: its dataset, its name, and that its time is not negative. */
export function checkMetric(
  metric: CheckedMetric,
  /** What stands before its fields' names in messages. */
  before: () => string,
): void {
  if (Boolean(metric.dataset_name) !== Boolean(metric.dataset_digest)) {
    throw invalidParameter(
      'Both dataset_name and dataset_digest must be provided if one is provided',
    );
  }
  if (!plainName.test(metric.key)) checkName(metric.key, `${before()}name`);
  if (metric.timestamp < 0) {
    throw invalidValue(
      `${before()}timestamp`,
      metric.timestamp,
      `metric '${metric.key}' (value=${asPythonFloat(metric.value)}). Timestamp must be a nonnegative long (64-bit integer) `,
    );
  }
  checkLength('Metric name', mlflowLimits.keyCharactersMax, metric.key);
}

/** Run ids of a batch. */
export function checkRunId(id: string): void {
  if (!/^[a-zA-Z0-9][\w-]{0,255}$/.test(id)) throw invalidValue('run_id', id);
}

export function checkExperimentName(name: string): void {
  if (name === '') throw invalidParameter(`Invalid experiment name: '${name}'`);
  checkLength('name', mlflowLimits.experimentNameCharactersMax, name);
}

/** An experiment id is a number in text. */
export function checkExperimentId(id: string): void {
  if (!/^\s*[+-]?\d+\s*$/.test(id)) {
    throw invalidParameter(`Invalid experiment ID '${id}'. Experiment ID must be a valid integer.`);
  }
}

/** Names of logged models may not hold characters that their URIs use. */
export function checkLoggedModelName(name: string | undefined): void {
  if (name === undefined || name === '') return;
  if (/[/:.%"']/.test(name)) {
    throw invalidParameter(
      `Invalid model name (${pythonText(name)}) provided. Model name must be a non-empty string and cannot contain the following characters: ('/', ':', '.', '%', '"', "'")`,
    );
  }
}

function refuseBatch(what: string, limit: number, count: number): never {
  throw invalidParameter(
    `A batch logging request can contain at most ${limit} ${what}. Got ${count} ${what}. Please split up ${what} across multiple requests and try again.`,
  );
}

/** The counts of one log-batch. */
export function checkBatchCounts(metrics: number, params: number, tags: number): void {
  const { batchMetricsMax, batchParamsMax, batchTagsMax, batchEntitiesMax } = mlflowLimits;
  if (metrics > batchMetricsMax) refuseBatch('metrics', batchMetricsMax, metrics);
  if (params > batchParamsMax) refuseBatch('params', batchParamsMax, params);
  if (tags > batchTagsMax) refuseBatch('tags', batchTagsMax, tags);
  const all = metrics + params + tags;
  if (all > batchEntitiesMax) refuseBatch('metrics, params, and tags', batchEntitiesMax, all);
}

/** A parameter may stand in a batch once. */
export function checkParamsUnique(params: readonly { readonly key: string }[]): void {
  const seen = new Set<string>();
  const twice: string[] = [];
  for (const { key } of params) {
    if (seen.has(key)) twice.push(`'${key}'`);
    seen.add(key);
  }
  if (twice.length > 0) {
    throw invalidParameter(
      `Duplicate parameter keys have been submitted: [${twice.join(', ')}]. Please ensure the request contains only one param value per param key.`,
    );
  }
}
