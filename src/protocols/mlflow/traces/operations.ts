import { limits } from '../../../base/limits.ts';
import type { Tokenise } from '../../../door/index.ts';
import type { TraceStatus, TraceUse } from '../../../facts/trace-facts.ts';
import type { KeyValue } from '../../../facts/tracking-facts.ts';
import { traceKeys } from '../../../traces/index.ts';
import { doesNotExist, invalidParameter } from '../errors.ts';
import { mlflowOperation } from '../operation.ts';
import { getRun } from '../operations/define.ts';
import { newId } from '../operations/names.ts';
import {
  artifactLocation,
  assessmentOf,
  checkAssessment,
  checkEntries,
  checkTraceTag,
  type DecidedAssessment,
  decideAssessment,
  getTrace,
  traceLimits,
} from './define.ts';
import { isPersonKey, tokeniseAssessment, tokeniseEntries } from './persons.ts';
import type { SentTraceInfo } from './read.ts';
import { codeUse, decideUses, type PromptName, promptUse, runUse } from './uses.ts';

type Empty = Record<string, never>;

interface DecidedUses {
  readonly uses: readonly TraceUse[];
}

interface DecidedStart extends DecidedUses {
  readonly location: string;
  readonly assessments: readonly DecidedAssessment[];
}

/** The client's account of a trace: with 3.x clients at its end, spans come by themselves. */
export const startTrace = mlflowOperation<SentTraceInfo, { readonly id: string }, DecidedStart>({
  operation: 'traces/start',
  persons: tokeniseTrace,
  async decide(body, context) {
    checkEntries(body.tags, body.metadata);
    for (const assessment of body.assessments) checkAssessment(assessment);
    const location = await artifactLocation(body.experiment_id, body.trace_id, context);
    const uses = await decideUses(body.tags, body.metadata, context);
    const assessments = body.assessments.map((each) => decideAssessment(each, context));
    return { decided: { location, assessments, uses }, answer: { id: body.trace_id } };
  },
  facts(message, decided, { workspace }) {
    const { trace_id: trace, request_time: time, tags, metadata } = message;
    const code = codeUse(metadata, { workspace, time });
    return [
      ...code.facts,
      {
        kind: 'trace.reported',
        trace,
        experiment: String(BigInt(message.experiment_id.trim())),
        artifactLocation: decided.location,
        time,
        durationMs: message.execution_ms,
        status: message.state,
        clientRequestId: message.client_request_id,
        request: message.request_preview,
        response: message.response_preview,
        tags,
        metadata,
        assessments: message.assessments.map((sent, index) => {
          const one = decided.assessments[index];
          return assessmentOf(sent, one ?? { id: '', time });
        }),
        uses: [...decided.uses, ...code.uses],
      },
    ];
  },
});

function tokeniseTrace(body: SentTraceInfo, tokenise: Tokenise): SentTraceInfo {
  return {
    ...body,
    tags: tokeniseEntries(body.tags, tokenise),
    metadata: tokeniseEntries(body.metadata, tokenise),
    assessments: body.assessments.map((each) => tokeniseAssessment(each, tokenise)),
  };
}

interface StartV2 {
  readonly experiment_id: string;
  readonly timestamp_ms: number;
  readonly metadata: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
}

const tokeniseBoth = <T extends Pick<StartV2, 'metadata' | 'tags'>>(
  body: T,
  tokenise: Tokenise,
): T => ({
  ...body,
  tags: tokeniseEntries(body.tags, tokenise),
  metadata: tokeniseEntries(body.metadata, tokenise),
});

/** The start of a trace of a 2.x client, which has no id yet. */
export const startTraceV2 = mlflowOperation<
  StartV2,
  { readonly id: string },
  DecidedUses & { readonly id: string; readonly location: string }
>({
  operation: 'traces/start-v2',
  persons: tokeniseBoth,
  async decide(body, context) {
    checkEntries(body.tags, body.metadata);
    const id = newId(context.random(16));
    const location = await artifactLocation(body.experiment_id, id, context);
    const uses = await decideUses(body.tags, body.metadata, context);
    return { decided: { id, location, uses }, answer: { id } };
  },
  facts(message, decided, { workspace }) {
    const { tags, metadata, timestamp_ms: time } = message;
    // Clients of 2.x say in tags what later ones say in metadata.
    const code = codeUse([...tags, ...metadata], { workspace, time });
    return [
      ...code.facts,
      {
        kind: 'trace.reported',
        trace: decided.id,
        experiment: String(BigInt(message.experiment_id.trim())),
        artifactLocation: decided.location,
        time,
        status: 'IN_PROGRESS',
        tags,
        metadata,
        assessments: [],
        uses: [...decided.uses, ...code.uses],
      },
    ];
  },
});

interface EndV2 {
  readonly request_id: string;
  readonly timestamp_ms: number;
  readonly status: TraceStatus;
  readonly metadata: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
}

/** The end of a trace of a 2.x client. */
export const endTraceV2 = mlflowOperation<EndV2, Empty, DecidedUses>({
  operation: 'traces/end',
  persons: tokeniseBoth,
  async decide(body, context) {
    await getTrace(body.request_id, context);
    checkEntries(body.tags, body.metadata);
    const uses = await decideUses(body.tags, body.metadata, context);
    return { decided: { uses }, answer: {} };
  },
  facts: (message, decided) => [
    {
      kind: 'trace.ended',
      trace: message.request_id,
      time: message.timestamp_ms,
      status: message.status,
      tags: message.tags,
      metadata: message.metadata,
      uses: decided.uses,
    },
  ],
});

interface SetTag {
  readonly trace_id: string;
  readonly key: string;
  readonly value: string;
}

/** Tags that the server alone writes. Source: mlflow/server/handlers.py. */
const ownTags = new Set([
  traceKeys.spansLocation as string,
  'mlflow.trace.archiveLocation',
  'mlflow.trace.archivalFailure',
]);

export const setTraceTag = mlflowOperation<SetTag, Empty, DecidedUses>({
  operation: 'traces/set-tag',
  persons: (body, tokenise) =>
    isPersonKey(body.key) ? { ...body, value: tokenise(body.value) } : body,
  async decide({ trace_id, key, value }, context) {
    if (ownTags.has(key))
      throw invalidParameter(`Tag '${key}' is immutable and cannot be set on a trace.`);
    const trace = await getTrace(trace_id, context);
    checkEntries([{ key, value }], []);
    const tag = checkTraceTag({ key, value });
    const before =
      key === traceKeys.name ? trace.name : await context.state.traces.findTag(trace.key, key);
    if (before === tag.value) return { unchanged: {} };
    const uses = await decideUses([tag], [], context);
    return { decided: { uses }, answer: {} };
  },
  facts: ({ trace_id: trace, ...tag }, { uses }) => [
    { kind: 'trace.tagged', trace, key: tag.key, value: checkTraceTag(tag).value, uses },
  ],
});

export const deleteTraceTag = mlflowOperation<Omit<SetTag, 'value'>, Empty, Empty>({
  operation: 'traces/delete-tag',
  async decide({ trace_id, key }, context) {
    if (ownTags.has(key) && key !== 'mlflow.trace.archivalFailure') {
      throw invalidParameter(`Tag '${key}' is immutable and cannot be deleted on a trace.`);
    }
    const trace = await getTrace(trace_id, context);
    const before =
      key === traceKeys.name
        ? (trace.name ?? undefined)
        : await context.state.traces.findTag(trace.key, key);
    if (before !== undefined) return { decided: {}, answer: {} };
    throw doesNotExist(`No trace tag with key '${key}' for trace with ID '${trace_id}'`);
  },
  facts: ({ trace_id: trace, key }) => [
    { kind: 'trace.tagged', trace, key, value: null, uses: [] },
  ],
});

interface DeleteTraces {
  readonly experiment_id: string;
  readonly max_timestamp_millis?: number | undefined;
  readonly max_traces?: number | undefined;
  readonly request_ids: readonly string[];
}

function checkDeletion({ max_timestamp_millis, max_traces, request_ids }: DeleteTraces): void {
  const byIds = request_ids.length > 0;
  if (max_timestamp_millis === undefined && !byIds) {
    throw invalidParameter('Either `max_timestamp_millis` or `trace_ids` must be specified.');
  }
  if (max_timestamp_millis !== undefined && byIds) {
    throw invalidParameter('Only one of `max_timestamp_millis` and `trace_ids` can be specified.');
  }
  if (byIds && max_traces !== undefined)
    throw invalidParameter("`max_traces` can't be specified if `trace_ids` is specified.");
  if (max_traces !== undefined && max_traces <= 0) {
    throw invalidParameter(`\`max_traces\` must be a positive integer, received ${max_traces}.`);
  }
}

/** Which traces go is decided here; they leave a tombstone. */
export const deleteTraces = mlflowOperation<
  DeleteTraces,
  { readonly count: number },
  { readonly traces: readonly string[] }
>({
  operation: 'traces/delete',
  async decide(body, { state, workspace }) {
    checkDeletion(body);
    const { request_ids: ids, max_traces: most = limits.tracesPerDeleteMax } = body;
    const traces = await state.traces.select(workspace, {
      experiment: body.experiment_id,
      ids: ids.length > 0 ? ids : undefined,
      until: body.max_timestamp_millis,
      limit: Math.min(most, limits.tracesPerDeleteMax),
    });
    if (traces.length === 0) return { unchanged: { count: 0 } };
    return { decided: { traces }, answer: { count: traces.length } };
  },
  facts: (_message, { traces }, { time }) => [{ kind: 'traces.deleted', traces, time }],
});

interface LinkToRun {
  readonly trace_ids: readonly string[];
  readonly run_id: string;
}

export const linkTracesToRun = mlflowOperation<
  LinkToRun,
  Empty,
  { readonly traces: readonly string[] }
>({
  operation: 'traces/link-to-run',
  async decide({ trace_ids, run_id }, context) {
    if (trace_ids.length > traceLimits.linksMax) {
      throw invalidParameter(
        `Cannot link more than ${traceLimits.linksMax} traces to a run in a single request. Provided ${trace_ids.length} traces.`,
      );
    }
    if (trace_ids.length === 0) return { unchanged: {} };
    await getRun(run_id, context);
    const traces: string[] = [];
    for (const id of new Set(trace_ids)) {
      const { key } = await getTrace(id, context);
      if (!(await context.state.traces.isLinked(key, 'run', run_id))) traces.push(id);
    }
    return traces.length === 0 ? { unchanged: {} } : { decided: { traces }, answer: {} };
  },
  facts: ({ run_id: target }, { traces }, { workspace }) =>
    traces.map((trace) => ({
      kind: 'trace.linked',
      trace,
      to: 'run',
      target,
      use: runUse(target, workspace),
    })),
});

interface LinkPrompts {
  readonly trace_id: string;
  readonly prompt_versions: readonly PromptName[];
}

interface PromptLink {
  readonly target: string;
  readonly use: TraceUse;
}

export const linkPrompts = mlflowOperation<
  LinkPrompts,
  Empty,
  { readonly links: readonly PromptLink[] }
>({
  operation: 'traces/link-prompts',
  async decide({ trace_id, prompt_versions }, context) {
    const { key } = await getTrace(trace_id, context);
    const links: PromptLink[] = [];
    for (const prompt of prompt_versions) {
      const target = `${prompt.name}/${prompt.version}`;
      if (await context.state.traces.isLinked(key, 'prompt', target)) continue;
      const use = await promptUse(prompt, 'mlflow.traces/link-prompts', context);
      links.push({ target, use });
    }
    return links.length === 0 ? { unchanged: {} } : { decided: { links }, answer: {} };
  },
  facts: ({ trace_id: trace }, { links }) =>
    links.map(({ target, use }) => ({ kind: 'trace.linked', trace, to: 'prompt', target, use })),
});

/** Every operation on traces that this folder defines. */
export const traceInfoOperations = [
  startTrace,
  startTraceV2,
  endTraceV2,
  setTraceTag,
  deleteTraceTag,
  deleteTraces,
  linkTracesToRun,
  linkPrompts,
] as readonly unknown[];
