import { limits } from '../../../base/limits.ts';
import type { MetricAggregation, MetricGroup, MetricQuery } from '../../../traces/index.ts';
import type { ProtocolServices } from '../../services.ts';
import { invalidParameter } from '../errors.ts';
import type { Call } from '../routes.ts';
import type { Answer } from '../tracking/answers.ts';
import { checkExperimentId } from '../validate.ts';
import type { BodyOf } from '../wire.ts';
import { type MetricView, parseMetricFilter, pythonList } from './metric-filter.ts';
import type { metricsMessage } from './wire.ts';

/** What a metric may be asked for. Source: mlflow/store/tracking/utils/sql_trace_metrics_utils.py. */
interface Metric {
  /** As the store calls it. */
  readonly stored: string;
  readonly aggregations: readonly MetricAggregation['type'][];
  readonly dimensions: readonly string[];
}

type Sent = BodyOf<typeof metricsMessage>;

const counted = ['COUNT'] as const;
const spread = ['AVG', 'MAX', 'MIN', 'PERCENTILE'] as const;
const summed = [...spread, 'SUM'] as const;
const tokens = Object.fromEntries(
  [
    'input_tokens',
    'output_tokens',
    'total_tokens',
    'cache_read_input_tokens',
    'cache_creation_input_tokens',
  ].map((stored) => [stored, { stored, aggregations: summed, dimensions: ['trace_name'] }]),
);
const models = ['span_model_name', 'span_model_provider'];
const costs = Object.fromEntries(
  ['input_cost', 'output_cost', 'total_cost'].map((stored) => [
    stored,
    { stored, aggregations: summed, dimensions: models },
  ]),
);

const metrics: Readonly<Record<MetricView, Readonly<Record<string, Metric>>>> = {
  TRACES: {
    trace_count: {
      stored: 'count',
      aggregations: counted,
      dimensions: ['trace_name', 'trace_status'],
    },
    session_count: { stored: 'sessions', aggregations: counted, dimensions: [] },
    latency: { stored: 'latency', aggregations: spread, dimensions: ['trace_name'] },
    ...tokens,
  },
  SPANS: {
    span_count: {
      stored: 'count',
      aggregations: counted,
      dimensions: [...models, 'span_name', 'span_status', 'span_type'],
    },
    latency: {
      stored: 'latency',
      aggregations: spread,
      dimensions: ['span_name', 'span_status'],
    },
    ...costs,
  },
  ASSESSMENTS: {
    assessment_count: {
      stored: 'count',
      aggregations: counted,
      dimensions: ['assessment_name', 'assessment_value'],
    },
    assessment_value: { stored: 'value', aggregations: spread, dimensions: ['assessment_name'] },
  },
};

/** Columns of the store by the names of dimensions. */
const dimensionColumns: Readonly<Record<string, string>> = {
  trace_name: 'name',
  trace_status: 'status',
  span_name: 'name',
  span_type: 'type',
  span_status: 'status',
  span_model_name: 'model',
  span_model_provider: 'provider',
  assessment_name: 'name',
  assessment_value: 'value',
};

function checkMetric(view: MetricView, { metric_name: name, ...sent }: Sent): Metric {
  const known = metrics[view];
  const metric = Object.hasOwn(known, name) ? known[name] : undefined;
  if (metric === undefined) {
    throw invalidParameter(
      `metric_name must be one of ${pythonList(Object.keys(known))}, got '${name}'`,
    );
  }
  const types = new Set(sent.aggregations.map(({ aggregation_type: type = 'COUNT' }) => type));
  const wrong = [...types].filter((type) => !metric.aggregations.includes(type)).sort();
  if (wrong.length > 0) {
    throw invalidParameter(
      `Found invalid aggregation_type(s): ${pythonList(wrong)}. Supported aggregation types: ${pythonList(metric.aggregations)}`,
    );
  }
  const dimensions = new Set(sent.dimensions);
  const unknown = [...dimensions].filter((each) => !metric.dimensions.includes(each)).sort();
  if (unknown.length > 0) {
    throw invalidParameter(
      `Found invalid dimension(s): ${pythonList(unknown)}. Supported dimensions: ${pythonList(metric.dimensions)}`,
    );
  }
  return metric;
}

function readAggregation(sent: Sent['aggregations'][number]): MetricAggregation {
  const { aggregation_type: type = 'COUNT', percentile_value: percent } = sent;
  if (type !== 'PERCENTILE') {
    if (percent === undefined) return { type };
    throw invalidParameter(
      `Percentile value is only allowed for PERCENTILE aggregation type, got ${type}`,
    );
  }
  if (percent === undefined)
    throw invalidParameter('Percentile value is required for PERCENTILE aggregation');
  if (typeof percent !== 'number' || percent > 100 || percent < 0)
    throw invalidParameter(`Percentile value must be between 0 and 100, got ${percent}`);
  return { type, percent };
}

/** As Python shows a double. */
function shownNumber(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

function labelOf(aggregation: MetricAggregation): string {
  return aggregation.type === 'PERCENTILE'
    ? `P${shownNumber(aggregation.percent)}`
    : aggregation.type;
}

/** The latest and earliest time that both MLflow and a date of ours can tell, ms. */
const timeMax = 8.64e15;

/** A time as Python's isoformat shows it: whole seconds of UTC. */
function shownBucket(time: number): string {
  if (Math.abs(time) > timeMax) throw invalidParameter(`A time of ${time} ms cannot be shown.`);
  return `${new Date(time).toISOString().slice(0, 19)}+00:00`;
}

/** A value of an assessment that is a number is a double. */
function shownDimension(name: string, value = ''): string {
  return name === 'assessment_value' && /^-?\d+$/.test(value) ? `${value}.0` : value;
}

function writeGroup(
  group: MetricGroup,
  { metric_name }: Sent,
  dimensions: readonly string[],
  labels: readonly string[],
): Answer[] {
  const values = Object.fromEntries(
    labels.flatMap((label, index) => {
      const value = group.values[index] ?? null;
      return value === null ? [] : [[label, value]];
    }),
  );
  if (Object.keys(values).length === 0) return [];
  const shown = {
    ...(group.bucket === undefined ? {} : { time_bucket: shownBucket(group.bucket) }),
    ...Object.fromEntries(
      dimensions.map((name, index) => [name, shownDimension(name, group.dimensions[index])]),
    ),
  };
  return [
    { metric_name, ...(Object.keys(shown).length === 0 ? {} : { dimensions: shown }), values },
  ];
}

function readLimit(sent: number | undefined): number {
  const { traceMetricGroupsMax: most } = limits;
  const limit = sent ?? defaultGroups;
  if (limit < 0 || limit > most) {
    throw invalidParameter(
      `Invalid value for parameter 'max_results' supplied: It must be from 0 to ${most}, but got value ${limit}`,
    );
  }
  return limit;
}

/** Source: mlflow/store/tracking/__init__.py (MAX_RESULTS_QUERY_TRACE_METRICS). */
const defaultGroups = 1_000;
/** Aggregations and filters of one question: bounds the SQL that is made of them. */
const partsMax = 50;

/**
 * `traces/metrics`: counts, latencies, tokens, costs and assessments of many traces, in groups. There is
 * one page, as in MLflow.
 * @throws invalid_message with MLflow's texts.
 */
export async function measureTraces(
  sent: Sent,
  { workspace }: Call,
  services: ProtocolServices,
): Promise<Answer> {
  const view: MetricView = sent.view_type;
  const aggregations = sent.aggregations.map(readAggregation);
  const metric = checkMetric(view, sent);
  const { time_interval_seconds: interval = 0, start_time_ms: from, end_time_ms: until } = sent;
  if (interval !== 0 && (from === undefined || until === undefined)) {
    throw invalidParameter(
      'start_time_ms and end_time_ms are required if time_interval_seconds is set',
    );
  }
  if (aggregations.length === 0 && interval === 0 && (sent.dimensions ?? []).length === 0)
    throw invalidParameter('Query contains no columns with which to SELECT from.');
  if (aggregations.length + (sent.filters?.length ?? 0) > partsMax)
    throw invalidParameter(`At most ${partsMax} aggregations and filters can be asked for.`);
  for (const id of sent.experiment_ids) checkExperimentId(id);
  const dimensions = [...new Set(sent.dimensions)];
  const query: MetricQuery = {
    workspace,
    experiments: sent.experiment_ids,
    view: view === 'TRACES' ? 'traces' : view === 'SPANS' ? 'spans' : 'assessments',
    metric: metric.stored,
    aggregations,
    dimensions: dimensions.map((name) => dimensionColumns[name] ?? name),
    filters: (sent.filters ?? []).map((filter) => parseMetricFilter(filter, view, services)),
    bucketMs: interval === 0 ? undefined : interval * 1_000,
    from,
    until,
    limit: readLimit(sent.max_results),
  };
  const groups = await services.searches.measureTraces(query);
  const labels = aggregations.map(labelOf);
  const points = groups.flatMap((group) => writeGroup(group, sent, dimensions, labels));
  return points.length === 0 ? {} : { data_points: points };
}
