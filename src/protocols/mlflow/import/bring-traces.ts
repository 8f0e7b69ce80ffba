import type { Readable } from 'node:stream';
import { isObject, list } from '../../../base/json.ts';
import { limits } from '../../../base/limits.ts';
import {
  type OtlpSpan,
  readSpanDictionaries,
  spanOfDictionary,
  traceKeys,
  traceOfSpan,
} from '../../../traces/index.ts';
import { accept, acceptPages, cutBySize, inExperiment, tellProgress } from './accept-pages.ts';
import { bringFiles, filesOf, type Owner } from './bring-files.ts';
import type { ImportContext } from './context.ts';
import type { Known } from './known.ts';
import type { ImportTrace } from './messages.ts';
import type { SourceTrace } from './source.ts';
import { otelTraceId } from './trace-ids.ts';
import { spansPlace } from './traces.ts';

/** The file that holds the spans of a trace outside of the database. */
const spansFile = 'traces.json';

/** Brings all traces: files first, then spans, then what the trace says of itself. */
export async function bringTraces(context: ImportContext): Promise<void> {
  const { source, target, tally } = context;
  for await (const page of source.traces()) {
    const found = page.flatMap((each) => {
      const trace = inExperiment(each.trace, `trace ${each.trace.trace_id}`, context);
      return trace === undefined ? [] : [{ trace, spans: each.spans }];
    });
    const known = await target.known({ traces: found.map(({ trace }) => trace.trace_id) });
    const gone = found.filter(({ trace }) => known.traces[trace.trace_id]?.gone === true);
    for (const { trace } of gone)
      tally.note(`Trace ${trace.trace_id} was deleted here since it was brought.`);
    const left = found.filter((each) => !gone.includes(each));
    const moved = new Set([
      ...(await bringTraceFiles(left, known, context)),
      ...(await bringSpans(left, known, context)),
    ]);
    const bodies = left.map(({ trace }) => traceHere(trace, moved, context));
    const results = await acceptPages(context, 'trace', bodies);
    for (const [index, { trace_id }] of bodies.entries())
      tally.result('traces', `trace ${trace_id}`, results[index]);
    tellProgress(context, 'traces', source.totals.traces);
  }
}

/** The trace with the location of its files here; spans that were brought are in the store here. */
function traceHere(
  trace: ImportTrace,
  brought: ReadonlySet<string>,
  { places }: ImportContext,
): ImportTrace {
  const tags = (trace.tags ?? []).map(({ key, value }) => {
    if (key === traceKeys.artifactLocation) return { key, value: places.here(value) };
    const moved = key === traceKeys.spansLocation && brought.has(trace.trace_id);
    return { key, value: moved ? 'TRACKING_STORE' : value };
  });
  return { ...trace, tags };
}

/**
 * The spans that the source tells and that are not all here.
 * @returns ids of the traces whose spans came.
 */
async function bringSpans(
  traces: readonly SourceTrace[],
  known: Known,
  context: ImportContext,
): Promise<ReadonlySet<string>> {
  const { source, tally } = context;
  const brought = new Set<string>();
  const missing = new Map<string, ImportTrace[]>();
  for (const { trace, spans } of traces) {
    const here = known.traces[trace.trace_id]?.spans ?? 0;
    const told = source.tellsAllSpans === true || spansPlace(trace) === 'store';
    if (!told && spansPlace(trace) === 'archive') tally.leave(archived);
    else if (told && here > 0 && spans !== undefined && here >= spans)
      tally.count('spans', 'there', here);
    else if (told) {
      const group = missing.get(trace.experiment_id);
      if (group === undefined) missing.set(trace.experiment_id, [trace]);
      else group.push(trace);
    }
  }
  for (const [experiment, wanted] of missing) {
    const failed = (trace: string, reason: string): void =>
      tally.trouble(`spans of trace ${trace}`, reason);
    for await (const spans of source.spans(wanted, failed)) {
      await bringAttachments(wanted, spans, context);
      for (const trace of await sendSpans(experiment, spans, context)) brought.add(trace);
    }
  }
  return brought;
}

/**
 * The files of traces whose spans name an attachment: before the spans, which are not read again.
 * Source: mlflow/tracing/attachments.py.
 */
async function bringAttachments(
  traces: readonly ImportTrace[],
  spans: readonly OtlpSpan[],
  context: ImportContext,
): Promise<void> {
  if (!context.files) return;
  const named = new Set(
    spans.filter((span) => JSON.stringify(span).includes('mlflow-attachment:')).map(traceOfSpan),
  );
  const owners = traces
    .filter((trace) => named.has(trace.trace_id) && spansPlace(trace) !== 'files')
    .flatMap((trace) => ownerOf(trace, context) ?? []);
  await bringFiles(owners, context);
}

/** Whose files: the trace, where it says where they are. */
function ownerOf({ trace_id, tags }: ImportTrace, { places }: ImportContext): Owner | undefined {
  const from = tags?.find(({ key }) => key === traceKeys.artifactLocation)?.value;
  return from === undefined
    ? undefined
    : { what: `trace ${trace_id}`, from, here: places.here(from) };
}

const archived = {
  what: 'spans of archived traces',
  reason: 'they stay in the archive, which the trace names',
  count: 1,
};

/** @returns ids of the traces whose spans were taken. */
async function sendSpans(
  experiment_id: string,
  spans: readonly OtlpSpan[],
  context: ImportContext,
): Promise<ReadonlySet<string>> {
  const taken = new Set<string>();
  for (const some of cutBySize(spans, limits.importSpansPerMessageMax)) {
    const [result] = await accept(context, [
      { import: 'spans', body: { experiment_id, spans: some } },
    ]);
    const traces = Map.groupBy(some, traceOfSpan);
    if (result?.outcome === 'refused' && traces.size > 1) {
      // One span that cannot be kept must not hold back those of other traces.
      for (const own of traces.values())
        for (const trace of await sendSpans(experiment_id, own, context)) taken.add(trace);
      continue;
    }
    const what = `${some.length} spans from trace ${some[0]?.traceId}`;
    const { answer } = result ?? {};
    const fresh = isObject(answer) && typeof answer.spans === 'number' ? answer.spans : some.length;
    if (!context.tally.result('spans', what, result, fresh)) continue;
    context.tally.count('spans', 'there', some.length - fresh);
    for (const trace of traces.keys()) taken.add(trace);
  }
  return taken;
}

/**
 * Files of traces, and the spans in `traces.json` of clients before 3.4.
 * @returns ids of the traces whose spans were in such a file.
 */
async function bringTraceFiles(
  traces: readonly SourceTrace[],
  known: Known,
  context: ImportContext,
): Promise<ReadonlySet<string>> {
  const { tally } = context;
  const read = new Set<string>();
  if (!context.files) return read;
  for (const { trace } of traces) {
    const owner = ownerOf(trace, context);
    const inFile = spansPlace(trace) === 'files';
    // Asking a server for the files of every trace takes a call each; a directory costs nothing.
    if (owner === undefined || !(inFile || context.places.readable(owner.from))) continue;
    await bringFiles([owner], context);
    if (!inFile || context.source.tellsAllSpans === true) continue;
    try {
      const spans = await spansOfFile(trace, owner, context);
      if (spans === undefined) continue;
      read.add(trace.trace_id);
      if (spans.length <= (known.traces[trace.trace_id]?.spans ?? 0))
        tally.count('spans', 'there', spans.length);
      else await sendSpans(trace.experiment_id, spans, context);
    } catch (thrown) {
      tally.trouble(
        `spans of ${owner.what}`,
        thrown instanceof Error ? thrown.message : String(thrown),
      );
    }
  }
  return read;
}

/** The spans of the trace's file; undefined when there is no such file, or its id cannot carry spans. */
async function spansOfFile(
  { trace_id: id }: ImportTrace,
  owner: Owner,
  context: ImportContext,
): Promise<OtlpSpan[] | undefined> {
  const traceId = otelTraceId(id);
  if (traceId === undefined) return undefined;
  for await (const file of filesOf(owner, context) ?? []) {
    if (file.path !== spansFile || file.bytes > limits.importBodyBytesMax) continue;
    const data = readSpanDictionaries(await textOf(await file.open()));
    const dictionaries = isObject(data) ? list(data.spans) : [];
    return dictionaries.flatMap((each) => spanOfDictionary(each, { traceId, id }) ?? []);
  }
  return undefined;
}

async function textOf(content: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8');
}
