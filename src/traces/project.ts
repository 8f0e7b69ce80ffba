import type { Fact, FactContext } from '../facts/facts.ts';
import type { TraceFact, TraceStatus, TraceUse } from '../facts/trace-facts.ts';
import type { KeyValue } from '../facts/tracking-facts.ts';
import type { TraceChange, TraceRow, TraceStore } from './store.ts';
import { mergeNumbers, normalizeCost, normalizeUsage, sumCost, sumUsage } from './usage.ts';

type FactOf<Kind extends TraceFact['kind']> = Extract<TraceFact, { readonly kind: Kind }>;

/** Names that MLflow gives a meaning. Source: mlflow/tracing/constant.py. */
export const traceKeys = {
  artifactLocation: 'mlflow.artifactLocation',
  spansLocation: 'mlflow.trace.spansLocation',
  name: 'mlflow.traceName',
  linkedPrompts: 'mlflow.linkedPrompts',
  session: 'mlflow.trace.session',
  usage: 'mlflow.trace.tokenUsage',
  cost: 'mlflow.trace.cost',
  user: 'mlflow.trace.user',
  finalized: 'mlflow.trace.infoFinalized',
  sourceRun: 'mlflow.sourceRun',
  modelId: 'mlflow.modelId',
  sizeStats: 'mlflow.trace.sizeStats',
} as const;

/** Writes what facts mean into the tables of traces. Facts of other rooms are passed over. */
export async function projectTraces(
  facts: readonly Fact[],
  context: FactContext,
  store: TraceStore,
): Promise<void> {
  for (const fact of facts) {
    switch (fact.kind) {
      case 'trace.spansLogged':
        await logSpans(fact, context, store);
        break;
      case 'trace.reported':
        await report(fact, context, store);
        break;
      case 'trace.ended':
        await end(fact, context, store);
        break;
      case 'trace.tagged':
        await tag(fact, context, store);
        break;
      case 'trace.linked':
        await link(fact, context, store);
        break;
      case 'traces.deleted':
        for (const id of fact.traces) {
          const row = await store.find(context.workspace, id);
          if (row) await store.deleteTrace(row.key, fact.time);
        }
        break;
      case 'assessment.recorded':
      case 'assessment.deleted':
        await assess(fact, context, store);
        break;
      case 'entity.renamed':
        if (/^(modelVersion|deployment):/.test(fact.from)) {
          await store.renameRef(fact.from, fact.to);
        }
        break;
      default:
    }
  }
}

/** The trace of a fact, made when it is new. */
async function ensureTrace(
  fact: FactOf<'trace.spansLogged'> | FactOf<'trace.reported'>,
  start: { readonly time: number; readonly status: TraceStatus },
  { workspace, position }: FactContext,
  store: TraceStore,
): Promise<{ readonly row: TraceRow | undefined; readonly key: number }> {
  const row = await store.find(workspace, fact.trace);
  if (row !== undefined) return { row, key: row.key };
  const { trace: id, experiment } = fact;
  const key = await store.addTrace({ workspace, id, experiment, ...start, position });
  if (fact.artifactLocation !== '') {
    const tag = { key: traceKeys.artifactLocation, value: fact.artifactLocation };
    await store.putTag(key, tag);
  }
  return { row, key };
}

/** Source: mlflow/store/tracking/sqlalchemy_store.py (_log_spans_once). */
async function logSpans(
  fact: FactOf<'trace.spansLogged'>,
  context: FactContext,
  store: TraceStore,
): Promise<void> {
  const firstMs = Math.floor(Math.min(...fact.spans.map(({ startUs }) => startUs)) / 1000);
  const start = { time: firstMs, status: fact.root?.status ?? 'IN_PROGRESS' } as const;
  const { row, key } = await ensureTrace(fact, start, context, store);
  const { position, index } = context;
  for (const span of fact.spans) await store.putSpan(key, span, { position, index });
  await store.changeTrace(key, {
    ...timesOf(fact, row),
    ...rootOf(fact, row),
    ...(await sumsOf(fact, key, row, store)),
    ...(fact.session !== undefined && (row?.session ?? null) === null
      ? { session: fact.session }
      : {}),
    ...(fact.name === undefined ? {} : { name: fact.name }),
  });
  if (fact.user !== undefined) {
    await store.addMetadata(key, { key: traceKeys.user, value: fact.user });
  }
  await store.putTag(key, { key: traceKeys.spansLocation, value: 'TRACKING_STORE' });
  for (const tag of fact.tags) await store.putTag(key, tag);
  await putUses(key, fact.uses, context, store);
}

function timesOf(fact: FactOf<'trace.spansLogged'>, row: TraceRow | undefined): TraceChange {
  if (row?.reported) return {};
  const first = Math.floor(Math.min(...fact.spans.map(({ startUs }) => startUs)) / 1000);
  const ends = fact.spans.flatMap(({ endUs }) => endUs ?? []);
  const time = Math.min(row?.time ?? first, first);
  if (ends.length === 0) return { time };
  const last = Math.floor(Math.max(...ends) / 1000);
  const before = row === undefined || row.durationMs === null ? last : row.time + row.durationMs;
  return { time, durationMs: Math.max(before, last) - time };
}

function rootOf({ root }: FactOf<'trace.spansLogged'>, row: TraceRow | undefined): TraceChange {
  if (root === undefined) return {};
  const open =
    row === undefined || row.status === 'IN_PROGRESS' || row.status === 'STATE_UNSPECIFIED';
  return {
    rootName: root.name,
    ...(open ? { status: root.status } : {}),
    ...(root.request !== undefined && (row?.request ?? null) === null
      ? { request: root.request }
      : {}),
    ...(root.response !== undefined && (row?.response ?? null) === null
      ? { response: root.response }
      : {}),
  };
}

/** Sums over all spans of the trace, unless the client gave its own. */
async function sumsOf(
  fact: FactOf<'trace.spansLogged'>,
  key: number,
  row: TraceRow | undefined,
  store: TraceStore,
): Promise<TraceChange> {
  const usage = fact.spans.some((span) => span.usage) && !(row?.reported && row.usage !== null);
  const cost = fact.spans.some((span) => span.cost) && !(row?.reported && row.cost !== null);
  if (!usage && !cost) return {};
  const spans = row === undefined ? fact.spans : await store.spans([key]);
  return {
    ...(usage ? { usage: sumUsage(spans) ?? null } : {}),
    ...(cost ? { cost: sumCost(spans) ?? null } : {}),
  };
}

/** Source: mlflow/store/tracking/sqlalchemy_store.py (_start_trace_once). */
async function report(
  fact: FactOf<'trace.reported'>,
  context: FactContext,
  store: TraceStore,
): Promise<void> {
  const { row, key } = await ensureTrace(fact, fact, context, store);
  const { experiment, time, status, name, clientRequestId, request, response } = fact;
  await store.changeTrace(key, {
    experiment,
    time,
    durationMs: fact.durationMs ?? null,
    status,
    clientRequestId: clientRequestId ?? null,
    reported: true,
    ...(name === undefined ? {} : { name }),
    ...(request === undefined ? {} : { request }),
    ...(response === undefined ? {} : { response }),
  });
  if (row !== undefined && row.experiment !== experiment) {
    await store.putTag(key, { key: traceKeys.artifactLocation, value: fact.artifactLocation });
  }
  await putEntries(key, fact, row, store);
  await store.putMetadata(key, { key: traceKeys.finalized, value: 'true' });
  for (const assessment of fact.assessments) await store.putAssessment(key, assessment);
  await putUses(key, fact.uses, context, store);
}

async function end(
  fact: FactOf<'trace.ended'>,
  context: FactContext,
  store: TraceStore,
): Promise<void> {
  const row = await store.find(context.workspace, fact.trace);
  if (row === undefined) return;
  await store.changeTrace(row.key, {
    durationMs: fact.time - row.time,
    status: fact.status,
  });
  await putEntries(row.key, fact, row, store);
  await putUses(row.key, fact.uses, context, store);
}

/** Tags and metadata; some of them are columns. */
async function putEntries(
  key: number,
  fact: { readonly tags: readonly KeyValue[]; readonly metadata: readonly KeyValue[] },
  row: TraceRow | undefined,
  store: TraceStore,
): Promise<void> {
  for (const tag of fact.tags) {
    if (tag.key === traceKeys.name) await store.changeTrace(key, { name: tag.value });
    else await store.putTag(key, tag);
  }
  for (const entry of fact.metadata) {
    const change = promoted(entry, row);
    if (change === undefined) await store.putMetadata(key, entry);
    else await store.changeTrace(key, change);
  }
}

/** Metadata that MLflow keeps as columns, merged with what is there. */
function promoted({ key, value }: KeyValue, row: TraceRow | undefined): TraceChange | undefined {
  if (key === traceKeys.session) return { session: value };
  if (key === traceKeys.usage) {
    const usage = normalizeUsage(value);
    return usage === undefined ? {} : { usage: mergeNumbers(row?.usage ?? null, usage) };
  }
  if (key === traceKeys.cost) {
    const cost = normalizeCost(value);
    return cost === undefined ? {} : { cost: mergeNumbers(row?.cost ?? null, cost) };
  }
  return undefined;
}

async function tag(
  { trace, key, value, uses }: FactOf<'trace.tagged'>,
  context: FactContext,
  store: TraceStore,
): Promise<void> {
  const row = await store.find(context.workspace, trace);
  if (row === undefined) return;
  if (key === traceKeys.name) await store.changeTrace(row.key, { name: value });
  else if (value === null) await store.removeTag(row.key, key);
  else await store.putTag(row.key, { key, value });
  await putUses(row.key, uses, context, store);
}

async function link(
  fact: FactOf<'trace.linked'>,
  context: FactContext,
  store: TraceStore,
): Promise<void> {
  const row = await store.find(context.workspace, fact.trace);
  if (row === undefined) return;
  await store.putLink(row.key, fact.to, fact.target);
  await putUses(row.key, [fact.use], context, store);
}

async function assess(
  fact: FactOf<'assessment.recorded'> | FactOf<'assessment.deleted'>,
  context: FactContext,
  store: TraceStore,
): Promise<void> {
  const row = await store.find(context.workspace, fact.trace);
  if (row === undefined) return;
  if (fact.kind === 'assessment.recorded') {
    const { assessment } = fact;
    if (assessment.overrides !== undefined)
      await store.setValid(row.key, assessment.overrides, false);
    await store.putAssessment(row.key, assessment);
    return;
  }
  const before = await store.findAssessment(row.key, fact.id);
  if (before?.overrides !== undefined) await store.setValid(row.key, before.overrides, true);
  await store.removeAssessment(row.key, fact.id);
}

async function putUses(
  key: number,
  uses: readonly TraceUse[],
  { position }: FactContext,
  store: TraceStore,
): Promise<void> {
  for (const { unknown, ...use } of uses) {
    await store.putUse(key, { ...use, unknown: unknown === true, position });
  }
}
