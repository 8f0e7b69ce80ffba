/** What DESIGN.md section 11 asks for, and whether the figures of this run reach it. */
import type { Figure, LoadFigure } from './figures.ts';

export interface TargetResult {
  readonly target: string;
  readonly value: number;
  readonly unit: string;
  /** MLflow's own figure, for ratios. */
  readonly peer?: number;
  readonly reached: boolean;
}

/** Rates that must be so many times MLflow's best. */
const ratios: readonly { readonly measure: string; readonly times: number }[] = [
  { measure: 'create-run', times: 100 },
  { measure: 'log-metric', times: 100 },
  { measure: 'log-batch of 100', times: 40 },
  { measure: 'create model version', times: 100 },
  { measure: 'get-history of 10,000', times: 20 },
];

/** Marquez is not part of the run: its best rates as DESIGN.md section 11 has them, on a like machine. */
const marquez: readonly {
  readonly start: string;
  readonly best: number;
  readonly times: number;
}[] = [
  { start: 'OpenLineage, plain', best: 69, times: 100 },
  { start: 'OpenLineage, full', best: 30, times: 60 },
];

/** Values that must not be above (or, with `least`, not below) a limit. */
const bounds: readonly {
  readonly pattern: RegExp;
  readonly limit: number;
  readonly unit: string;
}[] = [
  { pattern: /^search of 10000 runs by metric, p50$/, limit: 5, unit: 'ms' },
  { pattern: /^search of 1000000 runs by metric, p50$/, limit: 20, unit: 'ms' },
  { pattern: /^trace( after a write)?, 1 thousand nodes, p50$/, limit: 5, unit: 'ms' },
  {
    pattern: /^trace( after a write)?, .* (million|9\d\d thousand) nodes, p99$/,
    limit: 20,
    unit: 'ms',
  },
  { pattern: /^bytes kept for a prediction$/, limit: 250, unit: 'bytes' },
  { pattern: /^import into a directory, whole$/, limit: 20, unit: 's' },
  { pattern: /^cold start/, limit: 1_000, unit: 'ms' },
  { pattern: /^memory, idle/, limit: 150, unit: 'MiB' },
];

/** As 5 ms are to the 2,038 that MLflow took on the machine of DESIGN.md section 11. */
const searchTimesFaster = 2_038 / 5;
const predictionsPerSecond = 30_000;
const logMetricP99Ms = 20;

/** Every target that the figures say something about. */
export function judge(figures: readonly Figure[]): TargetResult[] {
  const loads = figures.filter((figure) => figure.kind === 'load');
  return [
    ...ratios.flatMap(({ measure, times }) => ratioToMlflow(loads, measure, times)),
    ...marquez.flatMap(({ start, best, times }) => {
      const ours = bestOf(loads.filter(({ measure }) => measure.startsWith(start)));
      if (ours === undefined) return [];
      return [
        {
          ...ratio(`${start}: ${times} times Marquez (recorded: ${best}/s)`, ours, best),
          reached: ours >= best * times,
        },
      ];
    }),
    ...absolute(loads),
    ...artifacts(figures),
    ...searches(figures),
    ...bounds.flatMap(({ pattern, limit, unit }) =>
      figures.flatMap((figure) =>
        figure.kind === 'value' && figure.system === 'wherefrom' && pattern.test(figure.measure)
          ? [
              {
                target: `${figure.measure}: at most ${limit} ${unit}`,
                value: figure.value,
                unit,
                reached: figure.value <= limit,
              },
            ]
          : [],
      ),
    ),
  ];
}

function absolute(loads: readonly LoadFigure[]): TargetResult[] {
  const results: TargetResult[] = [];
  for (const { measure, connections, p99Ms } of loads.filter(
    ({ system }) => system === 'wherefrom',
  )) {
    const beside = measure.startsWith('log-metric, while ');
    if (!(beside || (measure === 'log-metric' && connections === 32))) continue;
    const target = `${measure} at ${connections} connections: p99 at most ${logMetricP99Ms} ms`;
    results.push({ target, value: p99Ms, unit: 'ms', reached: p99Ms <= logMetricP99Ms });
  }
  const predictions = loads.filter(({ measure }) => measure.startsWith('predictions'));
  const rate = bestOf(predictions, true);
  if (rate !== undefined) {
    const target = `predictions: at least ${predictionsPerSecond} a second`;
    results.push({ target, value: rate, unit: '/s', reached: rate >= predictionsPerSecond });
  }
  return results;
}

/** An artifact must come and go no slower than with MLflow, although ours waits for the disk. */
function artifacts(figures: readonly Figure[]): TargetResult[] {
  const values = figures.filter((figure) => figure.kind === 'value' && figure.unit === 'MB/s');
  return values.flatMap(({ system, measure, ...figure }) => {
    const peer = values.find((one) => one.system === 'mlflow' && one.measure === measure);
    if (system !== 'wherefrom' || figure.kind !== 'value' || peer?.kind !== 'value') return [];
    const target = `${measure}: no slower than MLflow`;
    return [{ ...ratio(target, figure.value, peer.value), reached: figure.value >= peer.value }];
  });
}

/** Times of one machine in one run: a slower machine is slower for both. */
function searches(figures: readonly Figure[]): TargetResult[] {
  const measure = 'search of 10000 runs by metric, p50';
  const of = (system: string): number | undefined =>
    figures.flatMap((each) =>
      each.kind === 'value' && each.system === system && each.measure === measure ? each.value : [],
    )[0];
  const ours = of('wherefrom');
  const theirs = of('mlflow');
  if (ours === undefined || theirs === undefined) return [];
  const times = theirs / ours;
  const target = `${measure}: ${searchTimesFaster.toFixed(0)} times faster than MLflow`;
  const reached = times >= searchTimesFaster;
  return [{ target, value: times, unit: 'times', peer: theirs, reached }];
}

function ratioToMlflow(
  loads: readonly LoadFigure[],
  measure: string,
  times: number,
): TargetResult[] {
  const of = (system: string): number | undefined =>
    bestOf(loads.filter((load) => load.system === system && load.measure === measure));
  const ours = of('wherefrom');
  const best = of('mlflow');
  // A rate of 0 is that of a peer that was not measured long enough.
  if (ours === undefined || best === undefined || best === 0) return [];
  return [
    {
      ...ratio(`${measure}: ${times} times MLflow's best`, ours, best),
      reached: ours >= best * times,
    },
  ];
}

function ratio(target: string, ours: number, best: number): Omit<TargetResult, 'reached'> {
  return { target, value: ours / best, unit: 'times', peer: best };
}

/** The best rate over all numbers of connections; requests that failed do not count. */
function bestOf(loads: readonly LoadFigure[], items = false): number | undefined {
  if (loads.length === 0) return undefined;
  return Math.max(
    ...loads.map((load) => load.requestsPerSecond * (items ? load.itemsPerRequest : 1)),
  );
}
