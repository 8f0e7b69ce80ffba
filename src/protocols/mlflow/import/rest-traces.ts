import { WherefromError } from '../../../base/errors.ts';
import { isObject, list, text, withoutUndefined } from '../../../base/json.ts';
import { limits } from '../../../base/limits.ts';
import { type OtlpSpan, readSpanDictionaries, spanOfDictionary } from '../../../traces/index.ts';
import { readTraceInfo, type SentAssessment } from '../traces/read.ts';
import type { ImportAssessment, ImportTrace } from './messages.ts';
import { isRefused, type RestClient } from './rest-client.ts';
import { searchPages } from './rest-search.ts';
import type { SourceTrace } from './source.ts';
import { otelTraceId } from './trace-ids.ts';

type Json = Record<string, unknown>;

const pageMax = 200;
const v3 = '/api/3.0/mlflow';

/** What traces may be linked to: MLflow tells their links only by a search for the other end. */
export interface LinkEnds {
  /** Ids by experiment; all experiments are there. */
  readonly runs: ReadonlyMap<string, readonly string[]>;
  /** As `name/version`. */
  readonly prompts: readonly string[];
}

/** All traces of the experiments. Servers of 2.x tell less of them; those before 2.14 have none. */
export async function* readRestTraces(
  client: RestClient,
  ends: LinkEnds,
): AsyncIterable<readonly SourceTrace[]> {
  for (const [experiment, runs] of ends.runs) {
    let links: Links | undefined;
    for await (const page of tracePages(client, experiment)) {
      links ??= await readLinks(client, experiment, { runs, prompts: ends.prompts });
      const known = links;
      yield page.map((trace) => ({
        trace: {
          ...trace,
          runs: linkedRuns(trace, known.runs),
          prompts: known.prompts.get(trace.trace_id) ?? [],
        },
        spans: spansTold(trace),
      }));
    }
  }
}

/** A trace that is only of its source run is not linked to it. */
const linkedRuns = (
  { trace_id, metadata = [] }: ImportTrace,
  links: ReadonlyMap<string, readonly string[]>,
): string[] => {
  const source = metadata.find(({ key }) => key === 'mlflow.sourceRun')?.value;
  return (links.get(trace_id) ?? []).filter((run) => run !== source);
};

function spansTold({ metadata = [] }: ImportTrace): number | undefined {
  const stats = metadata.find(({ key }) => key === 'mlflow.trace.sizeStats')?.value;
  const told = /"num_spans": ?(\d+)/.exec(stats ?? '')?.[1];
  return told === undefined ? undefined : Number(told);
}

const locations = (experiment: string): unknown[] => [
  { type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id: experiment } },
];

async function* tracePages(
  client: RestClient,
  experiment: string,
): AsyncIterable<readonly ImportTrace[]> {
  const body = { locations: locations(experiment), max_results: pageMax };
  const search = { body, items: 'traces', api: v3 };
  let answered = false;
  try {
    for await (const page of searchPages(client, 'traces/search', search)) {
      answered = true;
      yield page.map(traceOfV3);
    }
  } catch (thrown) {
    if (answered || !isUnknown(thrown)) throw thrown;
    yield* tracePagesV2(client, experiment);
  }
}

/** Servers before 3.0. */
async function* tracePagesV2(
  client: RestClient,
  experiment: string,
): AsyncIterable<readonly ImportTrace[]> {
  const body = { experiment_ids: experiment, max_results: 100 };
  try {
    const search = { body, items: 'traces', get: true };
    for await (const page of searchPages(client, 'traces', search)) yield page.map(traceOfV2);
  } catch (thrown) {
    // MLflow before 2.14 has no traces.
    if (!isUnknown(thrown)) throw thrown;
  }
}

/** A server that does not know the question: it is older. All else is no reason to bring less. */
function isUnknown(thrown: unknown): boolean {
  return thrown instanceof WherefromError && thrown.code === 'not_found';
}

function traceOfV3(info: Json): ImportTrace {
  const { assessments, request_time, execution_ms, state, ...read } = readTraceInfo({
    trace_info: info,
  });
  const { client_request_id, request_preview, response_preview, ...rest } = read;
  const optional = { client_request_id, request_preview, response_preview, execution_ms };
  return {
    ...rest,
    ...withoutUndefined(optional),
    ...{ request_time, state },
    assessments: assessments.map(assessmentOf),
  };
}

function assessmentOf(sent: SentAssessment): ImportAssessment {
  const { id = '', name, type, metadata, value, error } = sent;
  const optional = {
    error: error === undefined ? undefined : JSON.stringify(error),
    source_id: sent.sourceId,
    span_id: sent.spanId,
    rationale: sent.rationale,
    overrides: sent.overrides,
    create_time: sent.createdTime,
    update_time: sent.updatedTime,
  };
  const said = { value: JSON.stringify(value), source_type: sent.sourceType };
  return { id, name, type, metadata, ...said, ...withoutUndefined(optional) };
}

function traceOfV2(info: Json): ImportTrace {
  const pairs = (value: unknown): { key: string; value: string }[] =>
    list(value)
      .filter(isObject)
      .map((each) => ({ key: String(each.key), value: text(each.value) ?? '' }));
  const state = text(info.status) ?? '';
  return {
    trace_id: String(info.request_id),
    experiment_id: String(info.experiment_id),
    request_time: Number(info.timestamp_ms ?? 0),
    execution_ms: Number(info.execution_time_ms ?? 0),
    state:
      state === 'OK' || state === 'ERROR' || state === 'IN_PROGRESS' ? state : 'STATE_UNSPECIFIED',
    tags: pairs(info.tags),
    metadata: pairs(info.request_metadata),
  };
}

/** Ids of runs, and prompt versions, by trace. */
interface Links {
  readonly runs: ReadonlyMap<string, readonly string[]>;
  readonly prompts: ReadonlyMap<string, readonly string[]>;
}

async function readLinks(
  client: RestClient,
  experiment: string,
  { runs, prompts }: { readonly runs: readonly string[]; readonly prompts: readonly string[] },
): Promise<Links> {
  const found = async (key: string, ends: readonly string[]): Promise<Map<string, string[]>> => {
    const links = new Map<string, string[]>();
    const look = async (end: string): Promise<void> => {
      const body = { locations: locations(experiment), filter: `${key} = '${end}'` };
      const search = { body: { ...body, max_results: pageMax }, items: 'traces', api: v3 };
      for await (const page of searchPages(client, 'traces/search', search))
        for (const { trace_id } of page)
          links.set(String(trace_id), [...(links.get(String(trace_id)) ?? []), end]);
    };
    try {
      for (let from = 0; from < ends.length; from += limits.importFetchesMax)
        await Promise.all(ends.slice(from, from + limits.importFetchesMax).map(look));
    } catch (thrown) {
      // Older servers link nothing, and refuse the filter.
      if (!isRefused(thrown)) throw thrown;
    }
    return links;
  };
  return { runs: await found('attributes.run_id', runs), prompts: await found('prompt', prompts) };
}

/** The spans of traces, wherever the server keeps them. */
export async function* readRestSpans(
  client: RestClient,
  traces: readonly ImportTrace[],
  failed: (trace: string, reason: string) => void,
): AsyncIterable<readonly OtlpSpan[]> {
  for (let from = 0; from < traces.length; from += limits.importFetchesMax) {
    const some = traces.slice(from, from + limits.importFetchesMax);
    const read = some.map(async ({ trace_id: id }) => {
      try {
        return await spansOf(client, id);
      } catch (thrown) {
        failed(id, thrown instanceof Error ? thrown.message : String(thrown));
        return [];
      }
    });
    yield (await Promise.all(read)).flat();
  }
}

async function spansOf(client: RestClient, id: string): Promise<OtlpSpan[]> {
  const traceId = otelTraceId(id);
  if (traceId === undefined) throw new Error('The id of the trace is none that spans can carry.');
  const path = `/ajax-api/2.0/mlflow/get-trace-artifact?request_id=${encodeURIComponent(id)}`;
  const data = readSpanDictionaries(await (await client.fetch(path)).text());
  const dictionaries = isObject(data) ? list(data.spans) : [];
  return dictionaries.flatMap((each) => spanOfDictionary(each, { traceId, id }) ?? []);
}
