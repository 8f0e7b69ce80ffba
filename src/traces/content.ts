import { isObject, type Json } from '../base/json.ts';
import { spanKeys, translateAttributes } from './conventions.ts';
import {
  attributesOf,
  decodeValue,
  type OddNumbers,
  type OtlpSpan,
  traceIdOf,
  traceOfSpan,
} from './otlp.ts';
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
export function contentAttributes(span: OtlpSpan, odd: OddNumbers = 'text'): Record<string, Json> {
  return {
    ...translateAttributes(attributesOf(span, odd), span.events),
    [spanKeys.requestId]: traceOfSpan(span),
  };
}

/** The dictionary that MLflow keeps of a span: attribute values are JSON texts. */
function spanDictionary(span: OtlpSpan): Record<string, unknown> {
  const attributes = Object.entries(contentAttributes(span, 'number'));
  return {
    trace_id: base64OfHex(span.traceId),
    span_id: base64OfHex(span.spanId),
    parent_span_id: span.parentSpanId === undefined ? null : base64OfHex(span.parentSpanId),
    name: span.name,
    start_time_unix_nano: BigInt(span.startTimeUnixNano),
    end_time_unix_nano: span.endTimeUnixNano === undefined ? null : BigInt(span.endTimeUnixNano),
    events: (span.events ?? []).map((event) => ({
      name: event.name,
      time_unix_nano: BigInt(event.timeUnixNano),
      attributes: Object.fromEntries(
        (event.attributes ?? []).map(({ key, value }) => [key, decodeValue(value)]),
      ),
    })),
    status: { code: statusName(span), message: span.status?.message ?? '' },
    attributes: Object.fromEntries(
      attributes.map(([key, value]) => [key, pythonJson(value, 'bare')]),
    ),
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
  return exactJson(spanDictionary(span));
}

/** JSON text in which a BigInt stands with all its digits: nanoseconds do not fit a number. */
export function exactJson(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(exactJson).join(', ')}]`;
  if (!isObject(value)) return pythonJson(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}: ${exactJson(member)}`).join(', ')}}`;
}
