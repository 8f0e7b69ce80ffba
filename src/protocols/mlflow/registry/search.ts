import { readInSlices } from '../../../base/slices.ts';
import type { RegistryCondition, RegistryOrder, RegistrySearch } from '../../../registry/index.ts';
import type { ProtocolServices } from '../../services.ts';
import { invalidParameter } from '../errors.ts';
import { parseFilter, parseOrders } from '../filter.ts';
import { type Condition, type Grammar, modelGrammar, modelVersionGrammar } from '../grammar.ts';
import { longList } from '../long-list.ts';
import { readMaxResults, readPageToken, writePageToken } from '../paging.ts';
import type { Call } from '../routes.ts';
import type { Answer } from '../tracking/answers.ts';
import { type ModelView, type VersionView, viewModel, writeModel, writeVersion } from './read.ts';
import { promptTag } from './validate.ts';
import type { SearchBody } from './wire.ts';

/** MLflow's registry calls the time of the last update `timestamp` when ordering models. */
const modelSearchGrammar: Grammar = {
  ...modelGrammar,
  orderAttributes: [...modelGrammar.orderAttributes, 'timestamp'],
  shownOrderKeys: "{'name', 'timestamp'}",
  attributeAliases: { timestamp: 'last_updated_timestamp' },
};
const modelsPage = { fallback: 100, cap: 1_000 };
const versionsPage = { fallback: 10_000, cap: 200_000 };

function toCondition({ entity, key, operator, value }: Condition): RegistryCondition {
  if (
    value === null ||
    operator === 'IS NULL' ||
    operator === 'IS NOT NULL' ||
    (entity !== 'attribute' && entity !== 'tag')
  ) {
    throw invalidParameter(`Invalid comparator for ${entity}: ${operator}`);
  }
  if (key === 'version_number' && !Number.isInteger(value)) {
    throw invalidParameter(`Invalid value for numeric attribute '${key}': ${value}`);
  }
  return { entity, key, operator, value };
}

/** Prompts are hidden unless the filter asks for them by their tag, and then only they are shown. */
function readPrompts(conditions: readonly RegistryCondition[]): {
  conditions: readonly RegistryCondition[];
  prompts: boolean;
} {
  const asked = conditions.find(({ entity, key }) => entity === 'tag' && key === promptTag);
  const wanted = String(asked?.value).toLowerCase();
  const prompts =
    (asked?.operator === '=' && wanted === 'true') ||
    (asked?.operator === '!=' && wanted === 'false');
  if (prompts) return { conditions, prompts };
  return { conditions: conditions.filter(({ key }) => key !== promptTag), prompts };
}

function readSearch(
  body: SearchBody,
  workspace: string,
  options: { readonly grammar: Grammar; readonly page: { fallback: number; cap: number } },
): RegistrySearch {
  const conditions = parseFilter(body.filter, options.grammar).map(toCondition);
  const orders = parseOrders(body.order_by, options.grammar).map(
    // The grammar allows these keys only.
    ({ key, ascending }) => ({ key: key as RegistryOrder['key'], ascending }),
  );
  const limit = readMaxResults(body.max_results, options.page.fallback, options.page.cap);
  const offset = readPageToken(body.page_token);
  return { workspace, ...readPrompts(conditions), orders, limit, offset };
}

/** One key more than the page tells whether there is a next one. */
async function page(
  search: RegistrySearch,
  query: (search: RegistrySearch) => Promise<number[]>,
): Promise<{ keys: number[]; token: { next_page_token?: string } }> {
  const keys = await query({ ...search, limit: search.limit + 1 });
  if (keys.length <= search.limit) return { keys, token: {} };
  const next = writePageToken(search.offset + search.limit);
  return { keys: keys.slice(0, search.limit), token: { next_page_token: next } };
}

/** `registered-models/search`. */
export async function searchModels(
  body: SearchBody,
  { workspace }: Pick<Call, 'workspace'>,
  { read, searches }: Pick<ProtocolServices, 'read' | 'searches'>,
): Promise<Answer> {
  const search = readSearch(body, workspace, { grammar: modelSearchGrammar, page: modelsPage });
  const { keys, token } = await page(search, searches.searchModels);
  const views = await read(({ registry }) =>
    readInSlices(keys, async (some) => {
      const models: ModelView[] = [];
      for (const row of await registry.getModels(some)) models.push(await viewModel(registry, row));
      return models;
    }),
  );
  const models = longList(views, views.length, writeModel);
  return { ...(views.length === 0 ? {} : { registered_models: models }), ...token };
}

/** `model-versions/search`. Like MLflow's, it leaves the aliases out. */
export async function searchVersions(
  body: SearchBody,
  { workspace }: Pick<Call, 'workspace'>,
  { read, searches }: Pick<ProtocolServices, 'read' | 'searches'>,
): Promise<Answer> {
  if (body.max_results !== undefined && body.max_results < 1) {
    throw invalidParameter(
      `Invalid value for max_results. It must be a positive integer, but got ${body.max_results}`,
    );
  }
  const search = readSearch(body, workspace, { grammar: modelVersionGrammar, page: versionsPage });
  const newestFirst: RegistryOrder[] = [{ key: 'last_updated_timestamp', ascending: false }];
  const orders = search.orders.length === 0 ? newestFirst : search.orders;
  const { keys, token } = await page({ ...search, orders }, searches.searchVersions);
  const views = await read(({ registry }) =>
    readInSlices(keys, async (some): Promise<VersionView[]> => {
      const tags = Map.groupBy(await registry.listTagsOfVersions(some), ({ owner }) => owner);
      const rows = await registry.getVersions(some);
      return rows.map((row) => {
        const own = (tags.get(row.key) ?? []).map(({ key, value }) => ({ key, value }));
        return { row, tags: own, aliases: [] };
      });
    }),
  );
  const versions = longList(views, views.length, writeVersion);
  return { ...(views.length === 0 ? {} : { model_versions: versions }), ...token };
}
