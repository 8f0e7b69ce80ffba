import { readInSlices } from '../../../base/slices.ts';
import type { TraceCondition, TraceOverlap } from '../../../traces/index.ts';
import type { ProtocolServices } from '../../services.ts';
import { readMaxResults, readPageToken, writePageToken } from '../paging.ts';
import type { Call } from '../routes.ts';
import type { Answer } from '../tracking/answers.ts';
import { checkExperimentId } from '../validate.ts';
import { type FullTrace, fullTraces } from './answers.ts';
import { traceLimits } from './define.ts';
import { parseTraceFilter, parseTraceOrders } from './filter.ts';
import { conditionsWithTokens } from './persons.ts';

/** A search as either version of the API asks it. */
interface SentSearch {
  readonly experiments: readonly string[];
  readonly filter?: string;
  readonly max_results?: number;
  readonly order_by?: readonly string[];
  readonly page_token?: string;
}

/** A page of infos. @throws invalid_message with MLflow's texts. */
export async function searchTraces(
  body: SentSearch,
  write: (trace: FullTrace) => Answer,
  { workspace }: Call,
  services: ProtocolServices,
): Promise<Answer> {
  const { searchDefault, searchMax } = traceLimits;
  const limit = readMaxResults(body.max_results, searchDefault, searchMax);
  const offset = readPageToken(body.page_token);
  for (const id of body.experiments) checkExperimentId(id);
  const conditions = conditionsWithTokens(parseTraceFilter(body.filter), services);
  const orders = parseTraceOrders(body.order_by);
  const { experiments } = body;
  const search = { workspace, experiments, conditions, orders, limit, offset };
  const keys = await services.searches.searchTraces(search);
  const infos = await services.read(({ traces }) =>
    readInSlices(keys, async (some) => fullTraces(await traces.get(some), traces)),
  );
  return {
    ...(infos.length === 0 ? {} : { traces: infos.map(write) }),
    // As MLflow does it: a full page may be followed by an empty one.
    ...(infos.length === limit ? { next_page_token: writePageToken(offset + limit) } : {}),
  };
}

interface SentCorrelation {
  readonly experiment_ids: readonly string[];
  readonly filter_string1: string;
  readonly filter_string2: string;
  readonly base_filter?: string;
}

/**
 * How often two filters meet the same traces, as normalised pointwise mutual information.
 * Source: mlflow/store/analytics/trace_correlation.py.
 */
export async function correlateTraces(
  body: SentCorrelation,
  { workspace }: Call,
  services: ProtocolServices,
): Promise<Answer> {
  const read = (filter: string | undefined): TraceCondition[] =>
    conditionsWithTokens(parseTraceFilter(filter), services);
  const counts = await services.searches.overlapOfTraces({
    workspace,
    experiments: body.experiment_ids,
    conditions: read(body.base_filter),
    first: read(body.filter_string1),
    second: read(body.filter_string2),
  });
  const { first, second, joint, total } = counts;
  return {
    npmi: shown(joint === 0 && first * second > 0 ? -1 : npmi(counts, 0)),
    npmi_smoothed: shown(npmi(counts, 0.5)),
    filter1_count: first,
    filter2_count: second,
    joint_count: joint,
    total_count: total,
  };
}

function shown(value: number): number | 'NaN' {
  return Number.isNaN(value) ? 'NaN' : value;
}

/** NaN when one of the filters meets nothing. `smoothing` is added to each of the four cells. */
function npmi({ first, second, joint, total }: TraceOverlap, smoothing: number): number {
  if (total === 0 || first === 0 || second === 0) return Number.NaN;
  const both = joint + smoothing;
  const all = total + 4 * smoothing;
  const [one, two] = [first + 2 * smoothing, second + 2 * smoothing];
  if (both <= 0) return Number.NaN;
  if (joint === total) return 1;
  const pmi = Math.log(both) + Math.log(all) - Math.log(one) - Math.log(two);
  return Math.max(-1, Math.min(1, pmi / -Math.log(both / all)));
}
