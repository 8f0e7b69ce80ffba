import type { Json } from '../base/json.ts';
import { spanKeys, translateAttributes } from './conventions.ts';
import { attributesOf, decodeValue, type OtlpSpan, traceIdOf } from './otlp.ts';
import { pythonJson } from './usage.ts';

const statusNames = ['STATUS_CODE_UNSET', 'STATUS_CODE_OK', 'STATUS_CODE_ERROR'] as const;

/** The status of a span as OTLP names it. */
export function statusName(span: OtlpSpan): string {
  return statusNames[span.status?.code ?? 0] ?? 'STATUS_CODE_UNSET';
}

/** Hex digits as base64: protobuf's JSON writes bytes so. */
export function base64OfHex(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}

/** All attributes of a span in MLflow's names, values as JSON. */
export function contentAttributes(span: OtlpSpan): Record<string, Json> {
  return {
    ...translateAttributes(attributesOf(span), span.events),
    [spanKeys.requestId]: traceIdOf(span.traceId),
  };
}

/** Nanoseconds as a number of the JSON text: digits beyond 2^53 must not be lost. */
type RawNumber = { readonly raw: string };

/** The dictionary that MLflow keeps of a span; times are digits, attribute values JSON texts. */
export function spanDictionary(span: OtlpSpan): Record<string, unknown> {
  const nanoseconds = (digits: string): RawNumber => ({ raw: digits });
  const attributes = Object.entries(contentAttributes(span));
  return {
    trace_id: base64OfHex(span.traceId),
    span_id: base64OfHex(span.spanId),
    parent_span_id: span.parentSpanId === undefined ? null : base64OfHex(span.parentSpanId),
    name: span.name,
    start_time_unix_nano: nanoseconds(span.startTimeUnixNano),
    end_time_unix_nano:
      span.endTimeUnixNano === undefined ? null : nanoseconds(span.endTimeUnixNano),
    events: (span.events ?? []).map((event) => ({
      name: event.name,
      time_unix_nano: nanoseconds(event.timeUnixNano),
      attributes: Object.fromEntries(
        (event.attributes ?? []).map(({ key, value }) => [key, decodeValue(value)]),
      ),
    })),
    status: { code: statusName(span), message: span.status?.message ?? '' },
    attributes: Object.fromEntries(attributes.map(([key, value]) => [key, pythonJson(value)])),
    links: (span.links ?? []).map((link) => ({
      trace_id: traceIdOf(link.traceId),
      span_id: link.spanId,
      attributes: Object.fromEntries(
        (link.attributes ?? []).map(({ key, value }) => [key, decodeValue(value)]),
      ),
    })),
  };
}

/** The text that MLflow keeps of a span, which text searches look at. */
export function contentText(span: OtlpSpan): string {
  return writeRaw(spanDictionary(span));
}

/** JSON text in which `{raw: digits}` stands as a number. */
function writeRaw(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(writeRaw).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return pythonJson(value);
  if ('raw' in value && typeof value.raw === 'string' && /^\d+$/.test(value.raw)) return value.raw;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}: ${writeRaw(member)}`).join(', ')}}`;
}
