import type { Awaitable } from '../../base/awaitable.ts';
import { limits } from '../../base/limits.ts';
import type { EvaluationSearch, EvaluationSearches } from '../../evaluation/index.ts';
import type { RegistrySearch, RegistrySearches } from '../../registry/index.ts';
import type {
  MetricGroup,
  MetricQuery,
  TraceOverlap,
  TraceOverlapSearch,
  TraceSearch,
  TraceSearches,
} from '../../traces/index.ts';
import type {
  DatasetSummary,
  DatasetSummarySearch,
  LoggedModelSearch,
  MetricHistorySearch,
  MetricSampleSearch,
  RunPoints,
  RunSearch,
  Search,
  TrackingSearches,
} from '../../tracking/index.ts';
import type { CountedTable, SqliteReadSession } from './read-session.ts';
import { isSlow } from './traces-search.ts';

/** All that rooms search. */
export type SqliteSearches = TrackingSearches &
  TraceSearches &
  RegistrySearches &
  EvaluationSearches;

/** Each sort of search: what is asked, and what is found. Both can be handed over from thread to thread. */
interface SearchSorts {
  experiments: [Search, number[]];
  runs: [RunSearch, number[]];
  loggedModels: [LoggedModelSearch, number[]];
  datasetSummaries: [DatasetSummarySearch, DatasetSummary[]];
  metricHistories: [MetricHistorySearch, RunPoints[]];
  metricSamples: [MetricSampleSearch, RunPoints[]];
  traces: [TraceSearch, number[]];
  traceOverlap: [TraceOverlapSearch, TraceOverlap];
  traceMetrics: [MetricQuery, MetricGroup[]];
  models: [RegistrySearch, number[]];
  versions: [RegistrySearch, number[]];
  evaluationDatasets: [EvaluationSearch, number[]];
}

export type SearchSort = keyof SearchSorts;
type Asked<S extends SearchSort> = SearchSorts[S][0];
export type Found<S extends SearchSort = SearchSort> = SearchSorts[S][1];

/** One search, as data. */
export interface SearchRequest<S extends SearchSort = SearchSort> {
  readonly of: S;
  readonly search: Asked<S>;
}

interface Searcher<S extends SearchSort> {
  /** The whole search, however long it takes. */
  whole(session: SqliteReadSession, search: Asked<S>): Awaitable<Found<S>>;
  /** The same where few rows are looked at; undefined where they may be many. */
  quick(session: SqliteReadSession, search: Asked<S>): Awaitable<Found<S> | undefined>;
}

/** Whether a table has so few rows that all can be looked at. */
function isSmall(session: SqliteReadSession, table: CountedTable): boolean {
  return session.boundOf(table) <= limits.searchedInlineMax;
}

/** A search whose rows are those of a table, or fewer. */
function searcher<S extends SearchSort>(
  table: CountedTable,
  whole: Searcher<S>['whole'],
  quick: Searcher<S>['quick'] = () => undefined,
): Searcher<S> {
  return {
    whole,
    quick: (session, search) =>
      isSmall(session, table) ? whole(session, search) : quick(session, search),
  };
}

/** A search in the points of runs. */
function pointSearcher<S extends 'metricHistories' | 'metricSamples'>(
  whole: Searcher<S>['whole'],
): Searcher<S> {
  return {
    whole,
    async quick(session, search) {
      const most = await session.tracking.boundOfPoints(search.runs);
      return most <= limits.pointsReadInlineMax ? whole(session, search) : undefined;
    },
  };
}

const searchers: { readonly [S in SearchSort]: Searcher<S> } = {
  experiments: searcher('tracking_experiments', ({ tracking }, search) =>
    tracking.searchExperiments(search),
  ),
  runs: searcher(
    'tracking_runs',
    ({ tracking }, search) => tracking.searchRuns(search),
    ({ tracking }, search) => tracking.searchRunsQuickly(search),
  ),
  loggedModels: searcher('tracking_models', ({ tracking }, search) =>
    tracking.searchLoggedModels(search),
  ),
  datasetSummaries: searcher('tracking_runs', ({ tracking }, search) =>
    tracking.datasetSummaries(search),
  ),
  metricHistories: pointSearcher(({ tracking }, search) => tracking.metricHistories(search)),
  metricSamples: pointSearcher(({ tracking }, search) => tracking.metricSamples(search)),
  traces: {
    whole: ({ traces }, search) => traces.search(search),
    quick: (session, search) =>
      isSmall(session, 'traces') && !isSlow(search)
        ? session.traces.search(search)
        : session.traces.searchQuickly(search),
  },
  traceOverlap: {
    whole: ({ traces }, search) => traces.overlap(search),
    quick(session, search) {
      const conditions = [...search.conditions, ...search.first, ...search.second];
      const few = isSmall(session, 'traces') && !isSlow({ conditions });
      return few ? session.traces.overlap(search) : undefined;
    },
  },
  traceMetrics: {
    whole: ({ traces }, query) => traces.measure(query),
    quick: ({ traces }, query) => traces.measureFew(query),
  },
  models: searcher(
    'registry_models',
    ({ registry }, search) => registry.searchModels(search),
    ({ registry }, search) => registry.searchModelsQuickly(search),
  ),
  versions: searcher(
    'registry_versions',
    ({ registry }, search) => registry.searchVersions(search),
    ({ registry }, search) => registry.searchVersionsQuickly(search),
  ),
  evaluationDatasets: searcher('evaluation_datasets', ({ evaluation }, search) =>
    evaluation.searchDatasets(search),
  ),
};

/** The whole search, on whatever thread. @throws what the room's search throws. */
export function searchWhole<S extends SearchSort>(
  session: SqliteReadSession,
  { of, search }: SearchRequest<S>,
): Awaitable<Found<S>> {
  return searchers[of].whole(session, search);
}

/** The search where it takes a few milliseconds; undefined where it needs a thread. */
export function searchQuickly<S extends SearchSort>(
  session: SqliteReadSession,
  { of, search }: SearchRequest<S>,
): Awaitable<Found<S> | undefined> {
  return searchers[of].quick(session, search);
}

/** What rooms search, by one way in. */
export function createSearches(
  find: <S extends SearchSort>(request: SearchRequest<S>) => Promise<Found<S>>,
): SqliteSearches {
  return {
    searchExperiments: (search) => find({ of: 'experiments', search }),
    searchRuns: (search) => find({ of: 'runs', search }),
    searchLoggedModels: (search) => find({ of: 'loggedModels', search }),
    summariseDatasets: (search) => find({ of: 'datasetSummaries', search }),
    metricHistories: (search) => find({ of: 'metricHistories', search }),
    metricSamples: (search) => find({ of: 'metricSamples', search }),
    searchTraces: (search) => find({ of: 'traces', search }),
    overlapOfTraces: (search) => find({ of: 'traceOverlap', search }),
    measureTraces: (search) => find({ of: 'traceMetrics', search }),
    searchModels: (search) => find({ of: 'models', search }),
    searchVersions: (search) => find({ of: 'versions', search }),
    searchEvaluationDatasets: (search) => find({ of: 'evaluationDatasets', search }),
  };
}
