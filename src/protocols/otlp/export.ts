import { WherefromError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import { text } from '../../base/json.ts';
import type { DecideContext, Operation } from '../../door/index.ts';
import type { Fact, FactContext, Translation } from '../../facts/facts.ts';
import { formatRef } from '../../facts/ref.ts';
import type { TraceUse } from '../../facts/trace-facts.ts';
import type { KeyValue } from '../../facts/tracking-facts.ts';
import { pythonJson, traceKeys } from '../../traces/index.ts';
import { tokenisePersons } from './persons.ts';
import type { ExportBody } from './read.ts';
import { rootOf, type SentSpan, type SentTrace, tracesOf } from './traces.ts';
import { decideUses, toldBySpans } from './uses.ts';

/** What the door decided for an export request, once and for all. */
type Decided = {
  /** Of the experiment; '' without one. */
  readonly artifactRoot: string;
  /** What names in the traces mean, by trace. */
  readonly uses: Readonly<Record<string, readonly TraceUse[]>>;
  /** Traces that the run of the header is linked to now. */
  readonly linked: readonly string[];
};

const tagPrefix = 'mlflow.traceTag.';
/** Source: mlflow/utils/validation.py. */
const tagKeyCharactersMax = 250;
const tagValueCharactersMax = 8_000;

/** `v1/traces`: the spans of one request of an OpenTelemetry exporter. */
export const exportTraces: Operation<ExportBody, Record<string, never>> = {
  protocol: 'otlp',
  operation: 'v1/traces',
  persons: tokenisePersons,
  async decide(body, context) {
    const artifactRoot = await artifactRootOf(body, context);
    const traces = tracesOf(body);
    if (traces.length === 0) return { outcome: 'unchanged', answer: {} };
    const uses: Record<string, readonly TraceUse[]> = {};
    for (const trace of traces) {
      const found = await decideUses(trace, context);
      if (found.length > 0) uses[trace.id] = found;
    }
    const linked = await linkedTo(body, traces, context);
    const decided: Decided = { artifactRoot, uses, linked };
    // Type literals of JSON alone: JSON gives back what it was given.
    return { outcome: 'accepted', decided: decided as unknown as JsonObject, answer: {} };
  },
  translate({ message, decided }, context) {
    return translateExport(message, decided as unknown as Decided, context); // stored by `decide`
  },
};

/** @throws not_found, invalid_message in MLflow's words, when the request names an experiment. */
async function artifactRootOf(
  { experiment }: ExportBody,
  { state, workspace }: DecideContext,
): Promise<string> {
  if (experiment === undefined) return '';
  if (!/^\d{1,18}$/.test(experiment)) {
    throw new WherefromError(
      'invalid_message',
      `Invalid experiment ID '${experiment.slice(0, 100)}'. Experiment ID must be a valid integer.`,
    );
  }
  const row = await state.tracking.findExperiment(workspace, String(BigInt(experiment)));
  if (row !== undefined) return row.artifactLocation;
  throw new WherefromError('not_found', `No Experiment with id=${experiment} exists`);
}

/** The finished traces, when the header names a run that is there. */
async function linkedTo(
  { run }: ExportBody,
  traces: readonly SentTrace[],
  { state, workspace }: DecideContext,
): Promise<string[]> {
  if (run === undefined) return [];
  if ((await state.tracking.findRunHead(workspace, run)) === undefined) return [];
  return traces.filter((trace) => rootOf(trace) !== undefined).map(({ id }) => id);
}

function translateExport(body: ExportBody, decided: Decided, context: FactContext): Translation {
  const facts: Fact[] = [];
  const warnings: string[] = [];
  const experiment = body.experiment === undefined ? null : String(BigInt(body.experiment));
  for (const trace of tracesOf(body)) {
    const told = toldBySpans(trace, context);
    warnings.push(...told.warnings);
    const tags = tagsOf(trace);
    facts.push(...told.facts, {
      kind: 'trace.spansLogged',
      trace: trace.id,
      experiment,
      artifactLocation: locationOf(decided.artifactRoot, trace.id),
      spans: trace.spans.map(({ summary }) => summary),
      root: rootOf(trace),
      name: tags.find(({ key }) => key === traceKeys.name)?.value,
      session: firstOf(trace, ['session.id', 'gen_ai.conversation.id']),
      user: firstOf(trace, ['user.id']),
      tags: tags.filter(({ key }) => key !== traceKeys.name),
      uses: [...told.uses, ...(decided.uses[trace.id] ?? [])],
    });
  }
  for (const trace of decided.linked) facts.push(linkFact(trace, body.run ?? '', context));
  return { facts, warnings };
}

function linkFact(trace: string, run: string, { workspace }: FactContext): Fact {
  return {
    kind: 'trace.linked',
    trace,
    to: 'run',
    target: run,
    use: {
      ref: formatRef({ kind: 'run', namespace: workspace, name: run }),
      relation: 'produced',
      role: 'linked',
      known: 'observed',
      rule: 'x-mlflow-run-id',
    },
  };
}

/** Where files of a trace are put. Source: sqlalchemy_store.py (_get_trace_artifact_location_tag). */
function locationOf(root: string, trace: string): string {
  return root === '' ? '' : `${root.replace(/\/+$/, '')}/traces/${trace}/artifacts`;
}

function firstOf({ spans }: SentTrace, keys: readonly string[]): string | undefined {
  for (const { attributes } of spans) {
    for (const key of keys) {
      const found = text(attributes[key]);
      if (found !== undefined) return found.slice(0, tagKeyCharactersMax);
    }
  }
  return undefined;
}

function tag(key: string, value: unknown): KeyValue[] {
  const shown = typeof value === 'string' ? value : pythonJson(value);
  if (key === '' || key.length > tagKeyCharactersMax) return [];
  return [{ key, value: shown.slice(0, tagValueCharactersMax) }];
}

/** Attributes of the resource, and over them the user's own tags that the root span carries. */
function tagsOf({ spans }: SentTrace): KeyValue[] {
  const resource = spans.find((span) => Object.keys(span.resource).length > 0)?.resource ?? {};
  const root: SentSpan | undefined = spans.findLast(({ summary }) => summary.parent === undefined);
  const ofResource = Object.entries(resource).flatMap(([key, value]) =>
    /^(telemetry\.sdk\.|mlflow\.)/.test(key) ? [] : tag(key, value),
  );
  const own = Object.entries(root?.attributes ?? {}).flatMap(([key, value]) =>
    key.startsWith(tagPrefix) ? tag(key.slice(tagPrefix.length), value) : [],
  );
  return [...ofResource, ...own];
}
