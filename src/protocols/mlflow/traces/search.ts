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
  const infos = await services.read(async ({ traces }) => {
    const { experiments } = body;
    const keys = await traces.search({
      workspace,
      experiments,
      conditions,
      orders,
      limit,
      offset,
    });
    return fullTraces(await traces.get(keys), traces);
  });
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

/** All of them: SQLite's LIMIT -1. */
const everything = -1;

/**
 * How often two filters meet the same traces, as normalised pointwise mutual information.
 * Source: mlflow/store/analytics/trace_correlation.py.
 */
export async function correlateTraces(
  body: SentCorrelation,
  { workspace }: Call,
  services: ProtocolServices,
): Promise<Answer> {
  const base = parseTraceFilter(body.base_filter);
  const filters = [
    [],
    parseTraceFilter(body.filter_string1),
    parseTraceFilter(body.filter_string2),
  ];
  const [all = [], first = [], second = []] = await services.read(({ traces }) =>
    Promise.all(
      filters.map((filter) =>
        traces.search({
          workspace,
          experiments: body.experiment_ids,
          conditions: conditionsWithTokens([...base, ...filter], services),
          orders: [],
          limit: everything,
          offset: 0,
        }),
      ),
    ),
  );
  const among = new Set(first);
  const joint = second.filter((key) => among.has(key)).length;
  const counts = { first: first.length, second: second.length, joint, total: all.length };
  return {
    npmi: shown(joint === 0 && first.length * second.length > 0 ? -1 : npmi(counts, 0)),
    npmi_smoothed: shown(npmi(counts, 0.5)),
    filter1_count: first.length,
    filter2_count: second.length,
    joint_count: joint,
    total_count: all.length,
  };
}

function shown(value: number): number | 'NaN' {
  return Number.isNaN(value) ? 'NaN' : value;
}

interface Counts {
  readonly first: number;
  readonly second: number;
  readonly joint: number;
  readonly total: number;
}

/** NaN when one of the filters meets nothing. `smoothing` is added to each of the four cells. */
function npmi({ first, second, joint, total }: Counts, smoothing: number): number {
  if (total === 0 || first === 0 || second === 0) return Number.NaN;
  const both = joint + smoothing;
  const all = total + 4 * smoothing;
  const [one, two] = [first + 2 * smoothing, second + 2 * smoothing];
  if (both <= 0) return Number.NaN;
  if (joint === total) return 1;
  const pmi = Math.log(both) + Math.log(all) - Math.log(one) - Math.log(two);
  return Math.max(-1, Math.min(1, pmi / -Math.log(both / all)));
}
