import { isObject, type Json, list, text } from '../base/json.ts';

/**
 * Spans as payloads keep them: OTLP/JSON with hex ids, 64-bit numbers as text and numeric enums.
 * Source: opentelemetry/proto/trace/v1/trace.proto, and the specification of OTLP, "JSON Protobuf
 * Encoding".
 */
export interface OtlpSpan {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly flags?: number;
  readonly name: string;
  readonly kind?: number;
  /** Nanoseconds since 1970, in text. */
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano?: string;
  readonly attributes?: readonly OtlpAttribute[];
  readonly events?: readonly OtlpEvent[];
  readonly links?: readonly OtlpLink[];
  readonly status?: { readonly code?: number; readonly message?: string };
}

export interface OtlpAttribute {
  readonly key: string;
  readonly value?: OtlpValue;
}

/** AnyValue: one member is set, or none for null. */
export interface OtlpValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string;
  readonly doubleValue?: number | string;
  /** Base64. */
  readonly bytesValue?: string;
  readonly arrayValue?: { readonly values?: readonly OtlpValue[] };
  readonly kvlistValue?: { readonly values?: readonly OtlpAttribute[] };
}

export interface OtlpEvent {
  readonly timeUnixNano: string;
  readonly name: string;
  readonly attributes?: readonly OtlpAttribute[];
}

export interface OtlpLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes?: readonly OtlpAttribute[];
}

/**
 * How NaN and infinities are read, which payloads keep as text: as that text, which facts and answers
 * of JSON take, or as numbers, for answers that tell them from text.
 */
export type OddNumbers = 'text' | 'number';

/** An AnyValue as JSON. Integers beyond 2^53 stay text: a JSON number would change them. */
export function decodeValue(value: OtlpValue | undefined, odd: OddNumbers = 'text'): Json {
  if (value === undefined) return null;
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.boolValue !== undefined) return value.boolValue;
  if (value.intValue !== undefined) {
    const number = Number(value.intValue);
    return Number.isSafeInteger(number) ? number : value.intValue;
  }
  if (value.doubleValue !== undefined) {
    return odd === 'number' ? Number(value.doubleValue) : value.doubleValue;
  }
  if (value.bytesValue !== undefined) return value.bytesValue;
  if (value.arrayValue !== undefined)
    return (value.arrayValue.values ?? []).map((each) => decodeValue(each, odd));
  if (value.kvlistValue !== undefined) {
    return Object.fromEntries(
      (value.kvlistValue.values ?? []).map((each) => [each.key, decodeValue(each.value, odd)]),
    );
  }
  return null;
}

/** JSON as an AnyValue; NaN and infinities, as numbers, too. */
export function encodeValue(value: unknown): OtlpValue {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return { intValue: String(value) };
    return { doubleValue: Number.isFinite(value) ? value : String(value) };
  }
  if (Array.isArray(value)) return { arrayValue: { values: value.map(encodeValue) } };
  if (!isObject(value)) return {};
  const values = Object.entries(value).map(([key, each]) => ({ key, value: encodeValue(each) }));
  return { kvlistValue: { values } };
}

/** JSON text of text, a list or an object inside a text: instrumentation often encodes twice. */
function unwrap(value: Json): Json {
  if (typeof value !== 'string' || !/^\s*["[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/**
 * The attributes of a span by name, values as JSON. Text that is itself JSON of a text, list or object
 * is taken for that.
 * Source: mlflow/tracing/otel/translation/__init__.py (sanitize_attributes).
 */
export function attributesOf(
  span: Pick<OtlpSpan, 'attributes'>,
  odd: OddNumbers = 'text',
): Record<string, Json> {
  return Object.fromEntries(
    (span.attributes ?? []).map(({ key, value }) => [key, unwrap(decodeValue(value, odd))]),
  );
}

/** A stored span, where the payload still has it. */
export function readSpan(value: unknown): OtlpSpan | undefined {
  // Written by the protocol that checked it, and JSON gives back what it was given.
  return isObject(value) && text(value.spanId) !== undefined
    ? (value as unknown as OtlpSpan)
    : undefined;
}

/** The spans of a stored export message with the ids `traceId` and `spanId`, in no order. */
export function findSpans(
  message: unknown,
  traceId: string,
  spanIds: ReadonlySet<string>,
): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const resources = isObject(message) ? list(message.resourceSpans) : [];
  for (const resource of resources) {
    for (const scope of isObject(resource) ? list(resource.scopeSpans) : []) {
      for (const span of isObject(scope) ? list(scope.spans) : []) {
        if (!isObject(span) || span.traceId !== traceId) continue;
        if (typeof span.spanId === 'string' && spanIds.has(span.spanId)) {
          found.set(span.spanId, span);
        }
      }
    }
  }
  return found;
}

/** The id by which MLflow calls the trace. Source: mlflow/tracing/utils (generate_mlflow_trace_id_from_otel_trace_id). */
export function traceIdOf(otelTraceId: string): string {
  return `tr-${otelTraceId}`;
}

/** The attribute by which MLflow's own spans name their trace. */
const requestIdKey = 'mlflow.traceRequestId';

/**
 * The id of the trace of a span, as MLflow calls it. Ids of MLflow before 3 are no ids of OpenTelemetry:
 * such a span carries the id itself, and says so.
 */
export function traceOfSpan({ traceId, attributes }: OtlpSpan): string {
  const named = attributes?.find(({ key }) => key === requestIdKey)?.value?.stringValue;
  return named === traceId ? traceId : traceIdOf(traceId);
}
