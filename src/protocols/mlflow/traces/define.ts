import type { JsonObject } from '../../../base/json.ts';
import type { DecideContext } from '../../../door/index.ts';
import type { TraceAssessment } from '../../../facts/trace-facts.ts';
import type { KeyValue } from '../../../facts/tracking-facts.ts';
import { pythonJson, type TraceRow } from '../../../traces/index.ts';
import { doesNotExist, invalidParameter } from '../errors.ts';
import { checkActiveExperiment, getExperiment } from '../operations/define.ts';
import { newId } from '../operations/names.ts';
import { checkLength, checkName } from '../validate.ts';
import type { SentAssessment } from './read.ts';

/** Source: mlflow/utils/validation.py, mlflow/tracing/constant.py, mlflow/store/tracking/__init__.py. */
export const traceLimits = {
  tagKeyCharactersMax: 250,
  tagValueCharactersMax: 8_000,
  nameCharactersMax: 4_096,
  sessionCharactersMax: 250,
  /** Of what answers show. */
  shownMetadataCharactersMax: 250,
  shownTagCharactersMax: 4_096,
  linksMax: 100,
  searchDefault: 100,
  searchMax: 500,
  stackTraceCharactersMax: 1_000,
} as const;

/** @throws not_found with MLflow's text. */
export async function getTrace(
  id: string,
  { state, workspace }: Pick<DecideContext, 'state' | 'workspace'>,
): Promise<TraceRow> {
  const row = await state.traces.find(workspace, id);
  if (row !== undefined) return row;
  throw doesNotExist(`Trace with ID '${id}' not found.`);
}

/** Where files of a new trace are put. @throws not_found, invalid_message for its experiment. */
export async function artifactLocation(
  experimentId: string,
  trace: string,
  context: DecideContext,
): Promise<string> {
  const experiment = await getExperiment(experimentId, context);
  checkActiveExperiment(experiment);
  return `${experiment.artifactLocation.replace(/\/+$/, '')}/traces/${trace}/artifacts`;
}

/** A tag with its value cut to the limit. @throws invalid_message with MLflow's text. */
export function checkTraceTag({ key, value }: KeyValue): KeyValue {
  checkName(key, 'key');
  checkLength('key', traceLimits.tagKeyCharactersMax, key);
  if (value.length <= traceLimits.tagValueCharactersMax) return { key, value };
  return { key, value: [...value].slice(0, traceLimits.tagValueCharactersMax).join('') };
}

/** @throws invalid_message with MLflow's text for names and sessions that are too long. */
export function checkEntries(tags: readonly KeyValue[], metadata: readonly KeyValue[]): void {
  for (const { key, value } of tags) {
    if (key === 'mlflow.traceName') checkLength('Trace name', traceLimits.nameCharactersMax, value);
  }
  for (const { key, value } of metadata) {
    if (key === 'mlflow.trace.session')
      checkLength('Session ID', traceLimits.sessionCharactersMax, value);
  }
}

/** Ids and times that the door decides for assessments that come without. */
export type DecidedAssessment = { readonly id: string; readonly time: number };

export function decideAssessment(
  { id }: SentAssessment,
  { time, random }: DecideContext,
): DecidedAssessment {
  return { id: id ?? `a-${newId(random(16))}`, time };
}

/** The value as a number. Source: mlflow/store/tracking/utils/trace_analytics.py (assessment_aggregate). */
function aggregate(value: unknown): { readonly number?: number; readonly numeric: boolean } {
  if (typeof value === 'boolean') return { number: value ? 1 : 0, numeric: false };
  if (typeof value === 'number' && Number.isFinite(value)) return { number: value, numeric: true };
  const word = typeof value === 'string' ? value.trim().toLowerCase() : '';
  if (word === 'yes' || word === 'no') return { number: word === 'yes' ? 1 : 0, numeric: false };
  return { numeric: false };
}

function cutError(error: Readonly<Record<string, string>>): JsonObject {
  const { stack_trace: stack, ...rest } = error;
  const limit = traceLimits.stackTraceCharactersMax;
  const prefix = '[Stack trace is truncated]\n...\n';
  if (stack === undefined || stack.length <= limit) return error;
  return { ...rest, stack_trace: prefix + stack.slice(prefix.length - limit) };
}

/** An assessment as it is kept. */
export function assessmentOf(sent: SentAssessment, decided: DecidedAssessment): TraceAssessment {
  const { name, type, value, error, metadata, ...rest } = sent;
  return {
    id: decided.id,
    name,
    type,
    value: pythonJson(value),
    ...aggregate(value),
    sourceType: rest.sourceType,
    sourceId: rest.sourceId,
    spanId: rest.spanId,
    runId: metadata.find(({ key }) => key === 'mlflow.assessment.sourceRunId')?.value,
    rationale: rest.rationale,
    overrides: rest.overrides,
    error: error === undefined ? undefined : JSON.stringify(cutError(error)),
    metadata,
    createdTime: rest.createdTime ?? decided.time,
    updatedTime: rest.updatedTime ?? decided.time,
  };
}

/** The refusal of a value that an expectation may not have. */
export function checkAssessment(sent: SentAssessment): void {
  if (sent.type === 'expectation' && sent.value === null) {
    throw invalidParameter('The `value` field must be specified.');
  }
}
