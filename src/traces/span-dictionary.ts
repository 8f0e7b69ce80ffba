import { isObject, list, text } from '../base/json.ts';
import { encodeValue, type OtlpAttribute, type OtlpSpan, type OtlpValue } from './otlp.ts';

const requestIdKey = 'mlflow.traceRequestId';
const statusCodes = ['UNSET', 'OK', 'ERROR'];

/** Text that a reader would take for JSON: see `attributesOf`. */
const looksLikeJson = /^\s*["[{]/;

/** A value that MLflow wrote as JSON text. Lists and objects stay that text: their digits are kept. */
function valueOfJson(json: unknown): OtlpValue {
  if (typeof json !== 'string') return encodeValue(json);
  if (/^-?\d{1,18}$/.test(json)) return { intValue: json };
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { stringValue: json };
  }
  if (typeof value === 'string')
    return { stringValue: looksLikeJson.test(value) ? json : value.toWellFormed() };
  if (typeof value === 'number') return { doubleValue: value };
  return typeof value === 'boolean'
    ? { boolValue: value }
    : value === null
      ? {}
      : { stringValue: json };
}

const attributesOfJson = (attributes: unknown): OtlpAttribute[] =>
  Object.entries(isObject(attributes) ? attributes : {}).map(([key, json]) => ({
    key,
    value: valueOfJson(json),
  }));

const plainAttributes = (attributes: unknown): OtlpAttribute[] =>
  Object.entries(isObject(attributes) ? attributes : {}).map(([key, value]) => ({
    key,
    value: encodeValue(value),
  }));

/** An id in hex digits: MLflow wrote them as base64, as hex, and as Python's `0x…`. */
function idOf(value: unknown, digits: 16 | 32): string | undefined {
  const said = text(value);
  if (said === undefined) return undefined;
  const plain = said.replace(/^0x/i, '').replace(/^tr-/, '').toLowerCase();
  if (said.startsWith('0x')) return plain.padStart(digits, '0');
  if (plain.length === digits && /^[0-9a-f]+$/.test(plain)) return plain;
  const hex = Buffer.from(said, 'base64').toString('hex');
  return hex.length === digits ? hex : undefined;
}

/** Nanoseconds in text; a number that JSON.parse rounded keeps what is left of it. */
function nanoseconds(value: unknown): string | undefined {
  if (typeof value === 'bigint' || (typeof value === 'number' && value > 0))
    return String(BigInt(value));
  return typeof value === 'string' && /^\d+$/.test(value) ? value : undefined;
}

function statusOf(span: Readonly<Record<string, unknown>>): NonNullable<OtlpSpan['status']> {
  const status = isObject(span.status) ? span.status : {};
  const name = String(status.code ?? span.status_code ?? '').replace(/^STATUS_CODE_/, '');
  const message = text(status.message ?? span.status_message);
  return {
    code: Math.max(0, statusCodes.indexOf(name)),
    ...(message === undefined ? {} : { message }),
  };
}

/**
 * A span out of the dictionary that MLflow keeps in its database and in `traces.json`, in the forms
 * of 2.14 to 3.17; undefined for what is none. `traceId` is that of the whole trace, 32 hex digits.
 * Nanoseconds should be text: `readSpanDictionaries` makes them so.
 * Source: mlflow/entities/span.py (to_dict, from_dict, from_dict_v2).
 */
export function spanOfDictionary(
  span: unknown,
  trace: { readonly traceId: string; readonly id: string },
): OtlpSpan | undefined {
  if (!isObject(span)) return undefined;
  const context = isObject(span.context) ? span.context : span;
  const spanId = idOf(context.span_id, 16);
  const start = nanoseconds(span.start_time_unix_nano ?? span.start_time);
  if (spanId === undefined || start === undefined) return undefined;
  const parent = idOf(span.parent_span_id ?? span.parent_id, 16);
  const end = nanoseconds(span.end_time_unix_nano ?? span.end_time);
  const own = attributesOfJson(span.attributes).filter(({ key }) => key !== requestIdKey);
  const events = list(span.events).filter(isObject);
  const links = list(span.links).filter(isObject);
  return {
    traceId: trace.traceId,
    spanId,
    ...(parent === undefined ? {} : { parentSpanId: parent }),
    name: String(span.name ?? ''),
    startTimeUnixNano: start,
    ...(end === undefined ? {} : { endTimeUnixNano: end }),
    attributes: [...own, { key: requestIdKey, value: { stringValue: trace.id } }],
    events: events.map((event) => ({
      timeUnixNano: nanoseconds(event.time_unix_nano ?? event.timestamp) ?? '0',
      name: String(event.name ?? ''),
      attributes: plainAttributes(event.attributes),
    })),
    links: links.map((link) => ({
      traceId: idOf(link.trace_id, 32) ?? '',
      spanId: idOf(link.span_id, 16) ?? '',
      attributes: plainAttributes(link.attributes),
    })),
    status: statusOf(span),
  };
}

/** Nanoseconds since 1970, outside of texts: beyond 2^53 a JSON number would be rounded. */
const textOrLongNumber = /"(?:[^"\\]|\\.)*"|-?\d{17,}/gs;

/**
 * Reads JSON of span dictionaries: integers of 17 digits and more become text.
 * @throws SyntaxError as JSON.parse does.
 */
export function readSpanDictionaries(json: string): unknown {
  return JSON.parse(
    json.replace(textOrLongNumber, (part) => (/^[-\d]/.test(part) ? `"${part}"` : part)),
  );
}
