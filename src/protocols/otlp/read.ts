import { WherefromError } from '../../base/errors.ts';
import { isObject, list } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import type {
  OtlpAttribute,
  OtlpEvent,
  OtlpLink,
  OtlpSpan,
  OtlpValue,
} from '../../traces/index.ts';

/** An export request as it is stored: OTLP/JSON, every span checked. */
export interface ExportBody {
  /** Of the header `x-mlflow-experiment-id`; absent for a plain exporter. */
  readonly experiment?: string;
  /** Of the header `x-mlflow-run-id`. */
  readonly run?: string;
  readonly resourceSpans: readonly ResourceSpans[];
}

export interface ResourceSpans {
  readonly resource: { readonly attributes: readonly OtlpAttribute[] };
  readonly scopeSpans: readonly {
    readonly scope?: { readonly name?: string; readonly version?: string };
    readonly spans: readonly OtlpSpan[];
  }[];
}

/** What could be read, and why each of the other spans could not. */
export interface ReadExport {
  readonly resourceSpans: readonly ResourceSpans[];
  readonly spans: number;
  readonly rejected: readonly string[];
}

/** How ids are written: OTLP/JSON has hex digits, protobuf's own JSON base64. */
type IdsIn = 'hex' | 'base64';

class Unreadable extends Error {}

function refuse(what: string): never {
  throw new Unreadable(what);
}

function readId(value: unknown, bytes: 8 | 16, ids: IdsIn, name: string): string {
  const text = typeof value === 'string' ? value : '';
  const hex = ids === 'hex' ? text.toLowerCase() : Buffer.from(text, 'base64').toString('hex');
  if (!/^[0-9a-f]+$/.test(hex) || hex.length !== bytes * 2 || /^0+$/.test(hex)) {
    return refuse(`${name} must be ${bytes} bytes, not all zero`);
  }
  return hex;
}

/** A 64-bit number in text; numbers are taken as far as they are exact. */
function readDigits(value: unknown, name: string): string {
  if (value === undefined || value === null) return '0';
  const digits =
    typeof value === 'number' && Number.isInteger(value) ? String(BigInt(value)) : value;
  if (typeof digits !== 'string' || !/^\d{1,20}$/.test(digits)) return refuse(`${name} is no time`);
  return String(BigInt(digits));
}

function readText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function readCode(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value !== 0 ? value : undefined;
}

function readNumber(value: unknown): number | string {
  if (typeof value === 'number') return value;
  const text = readText(value);
  const known = text === 'NaN' || text === 'Infinity' || text === '-Infinity';
  if (known) return text;
  const number = Number(text);
  return text.trim() === '' || Number.isNaN(number) ? refuse('doubleValue is no number') : number;
}

function readValue(value: unknown, depth: number): OtlpValue {
  if (depth > limits.otlpValueDepthMax) refuse('an attribute is nested too deeply');
  if (!isObject(value)) return {};
  if (typeof value.stringValue === 'string') {
    return { stringValue: value.stringValue.toWellFormed() };
  }
  if (typeof value.boolValue === 'boolean') return { boolValue: value.boolValue };
  if (value.intValue !== undefined && value.intValue !== null) {
    const text = String(value.intValue);
    return /^-?\d{1,19}$/.test(text) ? { intValue: text } : refuse('intValue is no integer');
  }
  if (value.doubleValue !== undefined && value.doubleValue !== null) {
    return { doubleValue: readNumber(value.doubleValue) };
  }
  if (typeof value.bytesValue === 'string') return { bytesValue: value.bytesValue };
  if (isObject(value.arrayValue)) {
    const values = list(value.arrayValue.values).map((each) => readValue(each, depth + 1));
    return { arrayValue: { values } };
  }
  if (isObject(value.kvlistValue)) {
    return { kvlistValue: { values: readAttributes(value.kvlistValue.values, depth + 1) } };
  }
  return {};
}

function readAttributes(value: unknown, depth = 0): OtlpAttribute[] {
  return list(value).flatMap((each) => {
    if (!isObject(each)) return [];
    const key = readText(each.key).toWellFormed();
    return [{ key, value: readValue(each.value, depth) }];
  });
}

function readEvent(value: unknown): OtlpEvent {
  const event = isObject(value) ? value : {};
  return {
    timeUnixNano: readDigits(event.timeUnixNano, 'timeUnixNano of an event'),
    name: readText(event.name).toWellFormed(),
    attributes: readAttributes(event.attributes),
  };
}

/** Links to ids that OTLP does not allow are left out, as MLflow does. */
function readLinks(value: unknown, ids: IdsIn): OtlpLink[] {
  return list(value).flatMap((each) => {
    if (!isObject(each)) return [];
    try {
      const traceId = readId(each.traceId, 16, ids, 'traceId');
      const spanId = readId(each.spanId, 8, ids, 'spanId');
      return [{ traceId, spanId, attributes: readAttributes(each.attributes) }];
    } catch {
      return [];
    }
  });
}

function readSpan(value: unknown, ids: IdsIn): OtlpSpan {
  const span = isObject(value) ? value : {};
  const parent = readText(span.parentSpanId);
  const end = readDigits(span.endTimeUnixNano, 'endTimeUnixNano');
  const events = list(span.events).map(readEvent);
  const links = readLinks(span.links, ids);
  const { kind, flags } = { kind: readCode(span.kind), flags: readCode(span.flags) };
  const status = isObject(span.status) ? span.status : {};
  const code = readCode(status.code);
  const message = readText(status.message).toWellFormed();
  return {
    traceId: readId(span.traceId, 16, ids, 'traceId'),
    spanId: readId(span.spanId, 8, ids, 'spanId'),
    ...((ids === 'hex' ? /^0*$/ : /^A*=*$/).test(parent)
      ? {}
      : { parentSpanId: readId(parent, 8, ids, 'parentSpanId') }),
    ...(readText(span.traceState) === '' ? {} : { traceState: readText(span.traceState) }),
    ...(flags === undefined ? {} : { flags }),
    name: readText(span.name).toWellFormed(),
    ...(kind === undefined ? {} : { kind }),
    startTimeUnixNano: readDigits(span.startTimeUnixNano, 'startTimeUnixNano'),
    ...(end === '0' ? {} : { endTimeUnixNano: end }),
    attributes: readAttributes(span.attributes),
    ...(events.length === 0 ? {} : { events }),
    ...(links.length === 0 ? {} : { links }),
    ...(code === undefined && message === ''
      ? {}
      : {
          status: {
            ...(code === undefined ? {} : { code }),
            ...(message === '' ? {} : { message }),
          },
        }),
  };
}

/** Reads the spans of an export request one by one. @throws too_large for more spans than are taken. */
export function readExport(value: unknown, ids: IdsIn): ReadExport {
  const rejected: string[] = [];
  let spans = 0;
  const resourceSpans = (isObject(value) ? list(value.resourceSpans) : []).map((each) => {
    const resource = isObject(each) && isObject(each.resource) ? each.resource : {};
    const scopes = isObject(each) ? list(each.scopeSpans) : [];
    return {
      resource: { attributes: readAttributesSafely(resource.attributes, rejected) },
      scopeSpans: scopes.map((one) => {
        const { scope, spans: sent } = isObject(one) ? one : {};
        const read = list(sent).flatMap((span) => {
          try {
            return [readSpan(span, ids)];
          } catch (thrown) {
            if (!(thrown instanceof Unreadable)) throw thrown;
            rejected.push(thrown.message);
            return [];
          }
        });
        spans += read.length;
        return { ...scopeOf(scope), spans: read };
      }),
    };
  });
  if (spans > limits.otlpSpansPerRequestMax) {
    throw new WherefromError(
      'too_large',
      `A request takes at most ${limits.otlpSpansPerRequestMax} spans.`,
      { hint: 'Set a smaller batch size in the exporter.' },
    );
  }
  return { resourceSpans, spans, rejected };
}

function readAttributesSafely(value: unknown, rejected: string[]): OtlpAttribute[] {
  try {
    return readAttributes(value);
  } catch (thrown) {
    if (!(thrown instanceof Unreadable)) throw thrown;
    rejected.push(`${thrown.message} of the resource`);
    return [];
  }
}

function scopeOf(scope: unknown): { scope?: { name?: string; version?: string } } {
  if (!isObject(scope)) return {};
  const { name, version } = { name: readText(scope.name), version: readText(scope.version) };
  return { scope: { ...(name === '' ? {} : { name }), ...(version === '' ? {} : { version }) } };
}
