import { isObject, type Json } from '../base/json.ts';
import type { OtlpEvent } from './otlp.ts';
import { decodeValue } from './otlp.ts';

/** Attributes of a span by name, values as JSON. */
export type Attributes = Readonly<Record<string, Json>>;

/** How one instrumentation names what all of them tell. */
interface Convention {
  /** The attribute of a span's kind, and which of MLflow's types each means. */
  readonly kind?: { readonly key: string; readonly types: Readonly<Record<string, string>> };
  readonly inputTokens?: string;
  readonly outputTokens?: string;
  readonly totalTokens?: string;
  readonly cacheRead?: string;
  readonly cacheCreation?: readonly string[];
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly model: readonly string[];
  readonly provider: readonly string[];
}

/**
 * In the order in which they are asked. Source: mlflow/tracing/otel/translation (open_inference.py,
 * genai_semconv.py, traceloop.py).
 */
const conventions: readonly Convention[] = [
  {
    kind: {
      key: 'openinference.span.kind',
      types: Object.fromEntries(
        'TOOL CHAIN LLM RETRIEVER EMBEDDING AGENT RERANKER UNKNOWN GUARDRAIL EVALUATOR'
          .split(' ')
          .map((kind) => [kind, kind]),
      ),
    },
    inputTokens: 'llm.token_count.prompt',
    outputTokens: 'llm.token_count.completion',
    totalTokens: 'llm.token_count.total',
    cacheRead: 'llm.token_count.prompt_details.cache_read',
    cacheCreation: ['llm.token_count.prompt_details.cache_write'],
    input: ['input.value'],
    output: ['output.value'],
    model: [
      'llm.response.model_name',
      'llm.model_name',
      'llm.request.model_name',
      'embedding.model_name',
    ],
    provider: ['llm.provider'],
  },
  {
    kind: {
      key: 'gen_ai.operation.name',
      types: {
        chat: 'CHAT_MODEL',
        create_agent: 'AGENT',
        embeddings: 'EMBEDDING',
        execute_tool: 'TOOL',
        generate_content: 'LLM',
        invoke_agent: 'AGENT',
        text_completion: 'LLM',
        response: 'LLM',
      },
    },
    inputTokens: 'gen_ai.usage.input_tokens',
    outputTokens: 'gen_ai.usage.output_tokens',
    cacheRead: 'gen_ai.usage.cache_read.input_tokens',
    cacheCreation: [
      'gen_ai.usage.cache_write.input_tokens',
      'gen_ai.usage.cache_creation.input_tokens',
    ],
    input: ['gen_ai.input.messages', 'gen_ai.tool.call.arguments'],
    output: ['gen_ai.output.messages', 'gen_ai.tool.call.result'],
    model: ['gen_ai.response.model', 'gen_ai.request.model'],
    // The earlier name of the attribute is `gen_ai.system`.
    provider: ['gen_ai.provider.name', 'gen_ai.system'],
  },
  {
    kind: {
      key: 'traceloop.span.kind',
      types: {
        workflow: 'WORKFLOW',
        task: 'TASK',
        agent: 'AGENT',
        tool: 'TOOL',
        unknown: 'UNKNOWN',
      },
    },
    inputTokens: 'gen_ai.usage.prompt_tokens',
    outputTokens: 'gen_ai.usage.completion_tokens',
    totalTokens: 'llm.usage.total_tokens',
    input: ['traceloop.entity.input', 'gen_ai.prompt.0.content'],
    output: ['traceloop.entity.output', 'gen_ai.completion.0.content'],
    model: [],
    provider: [],
  },
];

/** Attributes of MLflow's own spans. Source: mlflow/tracing/constant.py (SpanAttributeKey). */
export const spanKeys = {
  type: 'mlflow.spanType',
  inputs: 'mlflow.spanInputs',
  outputs: 'mlflow.spanOutputs',
  usage: 'mlflow.chat.tokenUsage',
  cost: 'mlflow.llm.cost',
  model: 'mlflow.llm.model',
  provider: 'mlflow.llm.provider',
  requestId: 'mlflow.traceRequestId',
  linkedPrompts: 'mlflow.linkedPrompts',
} as const;

/** Not null, not empty. */
function said(value: Json | undefined): value is Exclude<Json, null> {
  if (value === undefined || value === null || value === '' || value === false || value === 0)
    return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

function first(attributes: Attributes, keys: readonly string[]): Json | undefined {
  for (const key of keys) if (said(attributes[key])) return attributes[key];
  return undefined;
}

function integer(value: Json | undefined): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) ? number : undefined;
}

function typeOf(attributes: Attributes): string | undefined {
  for (const { kind } of conventions) {
    const value = kind === undefined ? undefined : attributes[kind.key];
    if (kind === undefined || typeof value !== 'string') continue;
    if (Object.hasOwn(kind.types, value)) return kind.types[value];
  }
  return undefined;
}

function usageOf(attributes: Attributes): Json | undefined {
  for (const each of conventions) {
    const read = (key: string | undefined): number | undefined =>
      key === undefined ? undefined : integer(attributes[key]);
    const [input, output] = [read(each.inputTokens), read(each.outputTokens)];
    const sum = input !== undefined && output !== undefined ? input + output : undefined;
    const total = read(each.totalTokens) ?? sum;
    if (input === undefined && output === undefined && total === undefined) continue;
    const creation = (each.cacheCreation ?? []).map(read).find((count) => count !== undefined);
    const cached = read(each.cacheRead);
    return {
      ...(input === undefined ? {} : { input_tokens: input }),
      ...(output === undefined ? {} : { output_tokens: output }),
      ...(total === undefined ? {} : { total_tokens: total }),
      ...(cached === undefined ? {} : { cache_read_input_tokens: cached }),
      ...(creation === undefined ? {} : { cache_creation_input_tokens: creation }),
    };
  }
  return undefined;
}

/** Messages that came as events of the span, an earlier form of the GenAI conventions. */
function messagesOf(events: readonly OtlpEvent[], direction: 'input' | 'output'): Json | undefined {
  const messages: Json[] = [];
  for (const { name, attributes } of events) {
    const role = /^gen_ai\.(system|user|assistant)\.message$/.exec(name)?.[1];
    const content = (attributes ?? []).find(({ key }) => key === 'content');
    if (content === undefined) continue;
    if (direction === 'input' && role !== undefined) {
      messages.push({ role, content: decodeValue(content.value) });
    } else if (direction === 'output' && name === 'gen_ai.choice') {
      messages.push({ role: 'assistant', content: decodeValue(content.value) });
    }
  }
  return messages.length === 0 ? undefined : messages;
}

/** The model that inputs or outputs name, as APIs of providers do. */
function modelOf(attributes: Attributes): Json | undefined {
  for (const { model } of conventions) {
    const named = first(attributes, model);
    if (named !== undefined) return named;
  }
  for (const key of [spanKeys.inputs, spanKeys.outputs]) {
    const value = attributes[key];
    if (isObject(value) && typeof value.model === 'string' && value.model !== '')
      return value.model;
  }
  return undefined;
}

/**
 * The attributes of a span in MLflow's names, whatever instrumentation made it: type, inputs, outputs,
 * tokens, model and provider are added where it does not have them.
 * Source: mlflow/tracing/otel/translation/__init__.py (translate_span_when_storing).
 */
export function translateAttributes(
  sent: Attributes,
  events: readonly OtlpEvent[] = [],
): Record<string, Json> {
  const attributes: Record<string, Json> = { ...sent };
  const add = (key: string, value: Json | undefined): void => {
    if (attributes[key] === undefined && said(value)) attributes[key] = value;
  };
  const type = typeOf(sent);
  if (type !== undefined && (attributes[spanKeys.type] ?? 'UNKNOWN') === 'UNKNOWN')
    attributes[spanKeys.type] = type;
  const value = (keys: 'input' | 'output'): Json | undefined => {
    for (const each of conventions) {
      const found = first(sent, each[keys]);
      if (found !== undefined) return found;
    }
    return messagesOf(events, keys);
  };
  add(spanKeys.inputs, value('input'));
  add(spanKeys.outputs, value('output'));
  add(spanKeys.usage, usageOf(sent));
  add(spanKeys.model, modelOf(attributes));
  const providers = conventions.flatMap(({ provider }) => provider);
  add(spanKeys.provider, first(sent, providers));
  return attributes;
}
