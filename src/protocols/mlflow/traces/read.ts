import { isObject, list, text } from '../../../base/json.ts';
import type { TraceStatus } from '../../../facts/trace-facts.ts';
import type { KeyValue } from '../../../facts/tracking-facts.ts';
import { invalidParameter } from '../errors.ts';
import { invalidValue } from '../wire.ts';

/**
 * Reads the parts of MLflow's trace messages that are maps, times and values of any type.
 * Source: mlflow/protos/service.proto (TraceInfoV3), assessments.proto, google.protobuf.json_format.
 */

const states = ['STATE_UNSPECIFIED', 'OK', 'ERROR', 'IN_PROGRESS'] as const;

/** A state by its name or number. */
function readState(value: unknown, path: string): TraceStatus {
  if (value === undefined || value === null) return 'STATE_UNSPECIFIED';
  const found = states.find((state, index) => state === value || index === value);
  if (found === undefined) throw invalidValue(path, value);
  return found;
}

/** A text; absent when it is not there. @throws invalid_message for any other type. */
function readText(value: unknown, path: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  throw invalidValue(path, value);
}

/** A Timestamp, RFC 3339, as ms since 1970. */
function readTime(value: unknown, path: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  const time = typeof value === 'string' && /^\d{4}-/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(time)) throw invalidValue(path, value);
  return time;
}

/** A Duration, such as `1.5s`, in ms. */
function readDuration(value: unknown, path: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  const match = typeof value === 'string' ? /^(-?\d{1,12}(?:\.\d{1,9})?)s$/.exec(value) : null;
  if (match === null) throw invalidValue(path, value);
  return Math.trunc(Math.round(Number(match[1]) * 1e6) / 1e3);
}

/** A map of texts. */
function readMap(value: unknown, path: string): KeyValue[] {
  if (value === undefined || value === null) return [];
  if (!isObject(value)) throw invalidValue(path, value);
  return Object.entries(value).map(([key, each]) => {
    if (typeof each !== 'string') throw invalidValue(`${path}.${key}`, each);
    return { key, value: each };
  });
}

/** An assessment as a client sends it. */
export interface SentAssessment {
  readonly id?: string | undefined;
  readonly name: string;
  readonly type: 'feedback' | 'expectation' | 'issue';
  /** As JSON knows it. */
  readonly value: unknown;
  readonly error?: Readonly<Record<string, string>> | undefined;
  readonly sourceType: string;
  readonly sourceId?: string | undefined;
  readonly spanId?: string | undefined;
  readonly rationale?: string | undefined;
  readonly overrides?: string | undefined;
  readonly metadata: readonly KeyValue[];
  readonly createdTime?: number | undefined;
  readonly updatedTime?: number | undefined;
}

const sourceTypes = ['SOURCE_TYPE_UNSPECIFIED', 'HUMAN', 'LLM_JUDGE', 'CODE'] as const;

function readSource(value: unknown): { sourceType: string; sourceId?: string | undefined } {
  const source = isObject(value) ? value : {};
  const { source_type: type = 'SOURCE_TYPE_UNSPECIFIED' } = source;
  // The earlier name of a judge.
  const named = type === 'AI_JUDGE' ? 'LLM_JUDGE' : type;
  const sourceType = sourceTypes.find((each, index) => each === named || index === named);
  if (sourceType === undefined) throw invalidValue('assessment.source.source_type', type);
  return { sourceType, sourceId: text(source.source_id) };
}

function readError(value: unknown): Readonly<Record<string, string>> | undefined {
  if (!isObject(value)) return undefined;
  const { error_code, error_message, stack_trace } = value;
  const entries = Object.entries({ error_code, error_message, stack_trace });
  return Object.fromEntries(
    entries.flatMap(([key, each]) =>
      typeof each === 'string' && each !== '' ? [[key, each]] : [],
    ),
  );
}

function readExpectation(expectation: Record<string, unknown>): unknown {
  const { value, serialized_value: serialized } = expectation;
  if (!isObject(serialized)) return value ?? null;
  if (serialized.serialization_format !== 'JSON_FORMAT') {
    throw invalidParameter(
      `Unknown serialization format: ${String(serialized.serialization_format)}. Only JSON_FORMAT is supported.`,
    );
  }
  try {
    return JSON.parse(String(serialized.value));
  } catch {
    throw invalidValue('assessment.expectation.serialized_value', serialized.value);
  }
}

function readWhat(
  assessment: Record<string, unknown>,
): Pick<SentAssessment, 'type' | 'value' | 'error'> {
  const { feedback, expectation, issue } = assessment;
  if (isObject(feedback)) {
    const error = readError(feedback.error ?? assessment.error);
    return { type: 'feedback', value: feedback.value ?? null, error };
  }
  if (isObject(expectation)) return { type: 'expectation', value: readExpectation(expectation) };
  if (isObject(issue)) {
    return { type: 'issue', value: { issue_name: readText(issue.issue_name, 'issue_name') ?? '' } };
  }
  throw invalidParameter('Unknown assessment type: None');
}

/** @throws invalid_message when it is none of the three sorts. */
export function readAssessment(value: unknown): SentAssessment {
  if (!isObject(value)) throw invalidValue('assessment', value);
  const path = (name: string): string => `assessment.${name}`;
  const name = readText(value.assessment_name, path('assessment_name')) ?? '';
  return {
    id: text(value.assessment_id),
    name,
    ...readWhat(value),
    ...readSource(value.source),
    spanId: text(value.span_id),
    rationale: text(value.rationale),
    overrides: text(value.overrides),
    metadata: readMap(value.metadata, path('metadata')),
    createdTime: readTime(value.create_time, path('create_time')),
    updatedTime: readTime(value.last_update_time, path('last_update_time')),
  };
}

/** A trace as its client reports it. */
export interface SentTraceInfo {
  readonly trace_id: string;
  readonly experiment_id: string;
  readonly client_request_id?: string | undefined;
  readonly request_preview?: string | undefined;
  readonly response_preview?: string | undefined;
  /** ms since 1970. */
  readonly request_time: number;
  readonly execution_ms?: number | undefined;
  readonly state: TraceStatus;
  readonly metadata: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
  readonly assessments: readonly SentAssessment[];
}

/** @throws invalid_message naming what is missing or of another type. */
export function readTraceInfo(trace: unknown): SentTraceInfo {
  const info = isObject(trace) && isObject(trace.trace_info) ? trace.trace_info : {};
  const location = isObject(info.trace_location) ? info.trace_location : {};
  const experiment = isObject(location.mlflow_experiment) ? location.mlflow_experiment : {};
  const id = readText(info.trace_id, 'trace_id');
  if (id === undefined || id === '') {
    throw invalidParameter(
      "Missing value for required parameter 'trace.trace_info.trace_id'. See the API docs for more information about request parameters.",
    );
  }
  return {
    trace_id: id,
    experiment_id: readText(experiment.experiment_id, 'experiment_id') ?? '',
    client_request_id: readText(info.client_request_id, 'client_request_id'),
    request_preview: readText(info.request_preview, 'request_preview'),
    response_preview: readText(info.response_preview, 'response_preview'),
    request_time: readTime(info.request_time, 'request_time') ?? 0,
    execution_ms: readDuration(info.execution_duration, 'execution_duration'),
    state: readState(info.state, 'state'),
    metadata: readMap(info.trace_metadata, 'trace_metadata'),
    tags: readMap(info.tags, 'tags'),
    assessments: list(info.assessments).map(readAssessment),
  };
}
