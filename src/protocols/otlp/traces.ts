import { isObject, type Json, text } from '../../base/json.ts';
import type { TraceSpan, TraceStatus } from '../../facts/trace-facts.ts';
import {
  contentAttributes,
  decodeValue,
  normalizeCost,
  normalizeUsage,
  type OtlpSpan,
  pythonJson,
  spanKeys,
  traceOfSpan,
} from '../../traces/index.ts';
import type { ExportBody } from './read.ts';

/** A span of a request with what it says, in MLflow's names. */
export interface SentSpan {
  readonly summary: TraceSpan;
  readonly attributes: Readonly<Record<string, Json>>;
  readonly resource: Readonly<Record<string, Json>>;
}

/** The spans of one trace in a request. */
export interface SentTrace {
  /** As MLflow calls it. */
  readonly id: string;
  readonly spans: readonly SentSpan[];
  /** Of the first span, microseconds since 1970. */
  readonly startUs: number;
}

/** Characters of a preview of inputs or outputs. Source: mlflow/tracing/constant.py. */
const previewCharactersMax = 1_000;
const modelCharactersMax = 500;
const statuses = ['UNSET', 'OK', 'ERROR'] as const;

/** Nanoseconds in text as microseconds. */
function microseconds(nanoseconds: string): number {
  return Number(BigInt(nanoseconds) / 1000n);
}

function jsonOf(value: Json | undefined): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

function summaryOf(span: OtlpSpan, attributes: Readonly<Record<string, Json>>): TraceSpan {
  const { endTimeUnixNano: end, parentSpanId: parent } = span;
  return {
    id: span.spanId,
    parent,
    name: span.name,
    type: text(attributes[spanKeys.type]),
    status: statuses[span.status?.code ?? 0] ?? 'UNSET',
    startUs: microseconds(span.startTimeUnixNano),
    endUs: end === undefined ? undefined : microseconds(end),
    usage: normalizeUsage(jsonOf(attributes[spanKeys.usage])),
    cost: normalizeCost(jsonOf(attributes[spanKeys.cost])),
    model: text(attributes[spanKeys.model])?.slice(0, modelCharactersMax),
    provider: text(attributes[spanKeys.provider])?.slice(0, modelCharactersMax),
  };
}

/** The spans of a request by trace, in the order in which they came. */
export function tracesOf(body: ExportBody): SentTrace[] {
  const byTrace = new Map<string, SentSpan[]>();
  for (const { resource, scopeSpans } of body.resourceSpans) {
    const resourceAttributes = Object.fromEntries(
      resource.attributes.map(({ key, value }) => [key, decodeValue(value)]),
    );
    for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
      const attributes = contentAttributes(span);
      const sent = {
        summary: summaryOf(span, attributes),
        attributes,
        resource: resourceAttributes,
      };
      const id = traceOfSpan(span);
      const before = byTrace.get(id);
      if (before) before.push(sent);
      else byTrace.set(id, [sent]);
    }
  }
  return [...byTrace].map(([id, spans]) => ({
    id,
    spans,
    startUs: Math.min(...spans.map(({ summary }) => summary.startUs)),
  }));
}

function isMessage(value: unknown): value is { readonly role: unknown; readonly content: unknown } {
  return isObject(value) && 'role' in value && 'content' in value;
}

/** The text of the last message of a role in a chat request or answer. */
function messageText(value: Json, role: 'user' | 'assistant'): string | undefined {
  if (!isObject(value)) return undefined;
  const { messages, choices } = value;
  const [choice] = Array.isArray(choices) ? choices : [];
  const found = Array.isArray(messages)
    ? messages.filter(isMessage)
    : isObject(choice) && isMessage(choice.message)
      ? [choice.message]
      : [];
  const last = found.findLast((message) => message.role === role) ?? found.at(-1);
  if (typeof last?.content === 'string') return text(last.content);
  const parts = Array.isArray(last?.content) ? last.content : [];
  const part = parts.find((each) => isObject(each) && each.type === 'text');
  return isObject(part) ? text(part.text) : undefined;
}

/**
 * The beginning of inputs or outputs, to show in lists.
 * Source: mlflow/tracing/utils/truncation.py (_get_truncated_preview).
 */
function previewOf(value: Json | undefined, role: 'user' | 'assistant'): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const shown = messageText(value, role) ?? pythonJson(value);
  const characters = shown.length > previewCharactersMax ? [...shown] : [];
  if (characters.length <= previewCharactersMax) return shown;
  return `${characters.slice(0, previewCharactersMax - 3).join('')}...`;
}

/** What the root span says of its trace, when it is among these. */
export function rootOf(trace: SentTrace):
  | {
      name: string;
      status: TraceStatus;
      request?: string | undefined;
      response?: string | undefined;
    }
  | undefined {
  const root = trace.spans.findLast(({ summary }) => summary.parent === undefined);
  if (root === undefined) return undefined;
  return {
    name: root.summary.name,
    status: root.summary.status === 'ERROR' ? 'ERROR' : 'OK',
    request: previewOf(root.attributes[spanKeys.inputs], 'user'),
    response: previewOf(root.attributes[spanKeys.outputs], 'assistant'),
  };
}
