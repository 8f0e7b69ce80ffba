import { isObject } from '../../../base/json.ts';
import {
  type AssessmentRow,
  base64OfHex,
  contentAttributes,
  encodeValue,
  type OtlpAttribute,
  type OtlpSpan,
  type OtlpValue,
  readSpan,
  statusName,
  type TraceReader,
  type TraceRow,
  traceKeys,
} from '../../../traces/index.ts';
import type { Answer } from '../tracking/answers.ts';
import { traceLimits } from './define.ts';

/** A trace with all that its info shows. */
export interface FullTrace {
  readonly row: TraceRow;
  readonly tags: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly assessments: readonly AssessmentRow[];
}

/** Infos of traces in the order of the rows. */
export async function fullTraces(
  rows: readonly TraceRow[],
  traces: TraceReader,
): Promise<FullTrace[]> {
  const keys = rows.map(({ key }) => key);
  const tags = Map.groupBy(await traces.tags(keys), ({ owner }) => owner);
  const metadata = Map.groupBy(await traces.metadata(keys), ({ owner }) => owner);
  const assessments = Map.groupBy(await traces.assessments(keys), ({ owner }) => owner);
  const byKey = (entries: readonly { key: string; value: string }[] = []) =>
    Object.fromEntries(entries.map(({ key, value }) => [key, value]));
  return rows.map((row) => ({
    row,
    tags: {
      ...byKey(tags.get(row.key)),
      ...(row.name === null ? {} : { [traceKeys.name]: row.name }),
    },
    metadata: {
      ...byKey(metadata.get(row.key)),
      ...(row.session === null ? {} : { [traceKeys.session]: row.session }),
      ...(row.usage === null ? {} : { [traceKeys.usage]: row.usage }),
      ...(row.cost === null ? {} : { [traceKeys.cost]: row.cost }),
    },
    assessments: assessments.get(row.key) ?? [],
  }));
}

/** A Timestamp: no fraction when it is a whole second. */
function timestamp(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}

/** A Duration: 0, 3, 6 or 9 digits of fraction. */
function duration(milliseconds: number): string {
  const sign = milliseconds < 0 ? '-' : '';
  const whole = Math.abs(Math.trunc(milliseconds));
  const fraction = whole % 1000;
  const seconds = (whole - fraction) / 1000;
  return `${sign}${seconds}${fraction === 0 ? '' : `.${String(fraction).padStart(3, '0')}`}s`;
}

function cut(
  entries: Readonly<Record<string, string>>,
  keyMax: number,
  valueMax: number,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(entries).map(([key, value]) => [key.slice(0, keyMax), value.slice(0, valueMax)]),
  );
}

/** Tags and metadata, cut as answers show them. */
function shownEntries({ tags, metadata }: FullTrace): {
  readonly tags: Record<string, string>;
  readonly metadata: Record<string, string>;
} {
  const {
    shownMetadataCharactersMax: entryMax,
    tagKeyCharactersMax,
    shownTagCharactersMax,
  } = traceLimits;
  return {
    tags: cut(tags, tagKeyCharactersMax, shownTagCharactersMax),
    metadata: cut(metadata, entryMax, entryMax),
  };
}

function unlessEmpty<T extends object>(name: string, value: T): Record<string, T> {
  return Object.keys(value).length === 0 ? {} : { [name]: value };
}

/** TraceInfoV3. */
export function writeTraceInfo(trace: FullTrace): Answer {
  const { row } = trace;
  const { tags, metadata } = shownEntries(trace);
  return {
    trace_id: row.id,
    ...(row.clientRequestId === null ? {} : { client_request_id: row.clientRequestId }),
    trace_location: {
      type: 'MLFLOW_EXPERIMENT',
      mlflow_experiment: { experiment_id: row.experiment ?? '' },
    },
    ...(row.request === null ? {} : { request_preview: row.request }),
    ...(row.response === null ? {} : { response_preview: row.response }),
    request_time: timestamp(row.time),
    ...(row.durationMs === null ? {} : { execution_duration: duration(row.durationMs) }),
    state: row.status,
    ...unlessEmpty('trace_metadata', metadata),
    ...unlessEmpty(
      'assessments',
      trace.assessments.map((each) => writeAssessment(each, row.id)),
    ),
    ...unlessEmpty('tags', tags),
  };
}

/** TraceInfo of version 2. */
export function writeTraceInfoV2(trace: FullTrace): Answer {
  const { row } = trace;
  const { tags, metadata } = shownEntries(trace);
  const list = (entries: Record<string, string>): Answer[] =>
    Object.entries(entries).map(([key, value]) => ({ key, value }));
  return {
    request_id: row.id,
    experiment_id: row.experiment ?? '',
    timestamp_ms: row.time,
    execution_time_ms: row.durationMs ?? 0,
    status: row.status === 'STATE_UNSPECIFIED' ? 'TRACE_STATUS_UNSPECIFIED' : row.status,
    ...unlessEmpty('request_metadata', list(metadata)),
    ...unlessEmpty('tags', list(tags)),
  };
}

function writeWhat(assessment: AssessmentRow): Answer {
  const value: unknown = JSON.parse(assessment.value);
  if (assessment.type === 'feedback') {
    const error: unknown =
      assessment.error === undefined ? undefined : JSON.parse(assessment.error);
    return { feedback: { value, ...(error === undefined ? {} : { error }) } };
  }
  if (assessment.type === 'issue') return { issue: value };
  const plain = value === null || typeof value !== 'object';
  return {
    expectation: plain
      ? { value }
      : {
          serialized_value: {
            serialization_format: 'JSON_FORMAT',
            value: assessment.value,
          },
        },
  };
}

/** Assessment of assessments.proto. */
export function writeAssessment(assessment: AssessmentRow, trace: string): Answer {
  const { spanId, rationale, overrides, metadata, sourceId, valid } = assessment;
  return {
    assessment_id: assessment.id,
    assessment_name: assessment.name,
    trace_id: trace,
    ...(spanId === undefined ? {} : { span_id: spanId }),
    source: {
      source_type: assessment.sourceType,
      ...(sourceId === undefined ? {} : { source_id: sourceId }),
    },
    create_time: timestamp(assessment.createdTime),
    last_update_time: timestamp(assessment.updatedTime),
    ...writeWhat(assessment),
    ...(rationale === undefined ? {} : { rationale }),
    ...unlessEmpty('metadata', Object.fromEntries(metadata.map(({ key, value }) => [key, value]))),
    ...(overrides === undefined ? {} : { overrides }),
    valid,
  };
}

/** AnyValue in protobuf's names; integers keep their digits. */
function writeValue(value: OtlpValue | undefined): Answer {
  if (value === undefined) return {};
  if (value.intValue !== undefined) return { int_value: BigInt(value.intValue) };
  if (value.arrayValue !== undefined)
    return { array_value: { values: (value.arrayValue.values ?? []).map(writeValue) } };
  if (value.kvlistValue !== undefined)
    return { kvlist_value: { values: writeAttributes(value.kvlistValue.values) } };
  const { stringValue, boolValue, doubleValue, bytesValue } = value;
  return {
    string_value: stringValue,
    bool_value: boolValue,
    double_value: doubleValue,
    bytes_value: bytesValue,
  };
}

function writeAttributes(attributes: readonly OtlpAttribute[] | undefined): Answer[] {
  return (attributes ?? []).map(({ key, value }) => ({ key, value: writeValue(value) }));
}

/** A span of OTLP in protobuf's names, with the attributes that MLflow adds; times are BigInts. */
export function writeSpan(sent: unknown): Answer[] {
  const span = readSpan(sent);
  if (span === undefined) return [];
  const attributes = Object.entries(contentAttributes(span, 'number')).map(([key, value]) => ({
    key,
    value: encodeValue(value),
  }));
  return [
    {
      trace_id: base64OfHex(span.traceId),
      span_id: base64OfHex(span.spanId),
      ...(span.parentSpanId === undefined
        ? {}
        : { parent_span_id: base64OfHex(span.parentSpanId) }),
      name: span.name,
      start_time_unix_nano: BigInt(span.startTimeUnixNano),
      ...(span.endTimeUnixNano === undefined
        ? {}
        : { end_time_unix_nano: BigInt(span.endTimeUnixNano) }),
      attributes: writeAttributes(attributes),
      ...unlessEmpty('events', (span.events ?? []).map(writeEvent)),
      ...unlessEmpty('links', (span.links ?? []).map(writeLink)),
      status: writeStatus(span),
    },
  ];
}

function writeStatus(span: OtlpSpan): Answer {
  const code = statusName(span);
  const message = span.status?.message;
  return {
    ...(code === 'STATUS_CODE_UNSET' ? {} : { code }),
    ...(message === undefined ? {} : { message }),
  };
}

function writeEvent({
  timeUnixNano,
  name,
  attributes,
}: NonNullable<OtlpSpan['events']>[number]): Answer {
  return {
    time_unix_nano: BigInt(timeUnixNano),
    name,
    ...unlessEmpty('attributes', writeAttributes(attributes)),
  };
}

function writeLink({
  traceId,
  spanId,
  attributes,
}: NonNullable<OtlpSpan['links']>[number]): Answer {
  return {
    trace_id: base64OfHex(traceId),
    span_id: base64OfHex(spanId),
    ...unlessEmpty('attributes', writeAttributes(attributes)),
  };
}

/** How many spans the client says that a trace has; 0 when it does not say. */
export function spansExpected({ metadata }: FullTrace): number {
  try {
    const stats: unknown = JSON.parse(metadata[traceKeys.sizeStats] ?? '{}');
    return isObject(stats) && typeof stats.num_spans === 'number' ? stats.num_spans : 0;
  } catch {
    return 0;
  }
}
