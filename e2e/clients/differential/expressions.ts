/** Filter and order expressions for every search, valid and not. */
import type { Step } from './compared.ts';
import { api } from './endpoints.ts';
import {
  experimentFilters,
  experimentOrders,
  loggedFilters,
  loggedOrders,
  modelFilters,
  modelOrders,
  versionFilters,
  versionOrders,
} from './other-expressions.ts';
import { populated } from './population.ts';
import { runFilters, runOrders } from './run-expressions.ts';

const post = (path: string, body: Step['body']): Step => ({
  method: 'POST',
  path: api + path,
  ...(body === undefined ? {} : { body }),
});

function registrySearch(what: string, filter: string | undefined, orders: readonly string[]): Step {
  const query = [
    ...(filter === undefined ? [] : [`filter=${quoted(filter)}`]),
    ...orders.map((order) => `order_by=${quoted(order)}`),
  ];
  return { method: 'GET', path: `${api}/${what}/search?${query.join('&')}` };
}

/** Percent-encoded, but for the symbols, which the pair replaces. */
function quoted(text: string): string {
  return text
    .split(/(‹[^›]*›)/)
    .map((part) => (part.startsWith('‹') ? part : encodeURIComponent(part)))
    .join('');
}

const searchRuns = (more: Readonly<Record<string, string | readonly string[] | number>>): Step =>
  post('/runs/search', { experiment_ids: [populated], ...more });
const searchExperiments = (more: Readonly<Record<string, string | readonly string[]>>): Step =>
  post('/experiments/search', { max_results: 100, ...more });
const searchLogged = (more: Step['body'] & object): Step =>
  post('/logged-models/search', { experiment_ids: [populated], ...more });

/** Every search, one request an expression. */
export function searchSteps(): Step[] {
  const datasets = [
    [],
    [{ dataset_name: 'wine' }],
    [{ dataset_name: 'wine', dataset_digest: 'wine-1' }, { dataset_name: 'beer' }],
    [{ dataset_name: 'x' }],
  ];
  return [
    ...runFilters().map((filter) => searchRuns({ filter })),
    ...runOrders().map((order_by) => searchRuns({ order_by })),
    ...['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL'].flatMap((run_view_type) =>
      ['', "tags.team = 'a'", 'metrics.loss < 1'].map((filter) =>
        searchRuns({ run_view_type, filter, order_by: ['metrics.loss DESC'] }),
      ),
    ),
    ...experimentFilters.map((filter) =>
      searchExperiments({ filter, order_by: ['experiment_id'] }),
    ),
    ...experimentOrders.map((order_by) => searchExperiments({ order_by })),
    ...['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL'].map((view_type) =>
      searchExperiments({ view_type, order_by: ['name'] }),
    ),
    ...modelFilters.map((filter) => registrySearch('registered-models', filter, [])),
    ...modelOrders.map((orders) => registrySearch('registered-models', undefined, orders)),
    ...versionFilters.map((filter) =>
      registrySearch('model-versions', filter, ['name', 'version_number']),
    ),
    ...versionOrders.map((orders) => registrySearch('model-versions', undefined, orders)),
    ...loggedFilters.map((filter) => searchLogged({ filter, order_by: [{ field_name: 'name' }] })),
    ...loggedOrders.flatMap((field_name) =>
      [true, false].map((ascending) => searchLogged({ order_by: [{ field_name, ascending }] })),
    ),
    ...datasets.flatMap((of) =>
      ['', 'metrics.acc > 0.6', 'metrics.loss > 0'].map((filter) =>
        searchLogged({
          filter,
          datasets: of,
          order_by: [{ field_name: 'metrics.acc', ascending: true, ...of[0] }],
        }),
      ),
    ),
  ];
}
