import { limits } from '../../../base/limits.ts';
import { readInSlices, serveOthers } from '../../../base/slices.ts';
import type { DecideContext, StateReader } from '../../../door/index.ts';
import type {
  EvaluationCondition,
  EvaluationDatasetRow,
  EvaluationOrder,
  EvaluationReader,
  EvaluationRecordRow,
  RecordPage,
} from '../../../evaluation/index.ts';
import type { ProtocolServices } from '../../services.ts';
import { doesNotExist, invalidParameter } from '../errors.ts';
import { parseFilter, parseOrders } from '../filter.ts';
import { type Condition, evaluationDatasetGrammar } from '../grammar.ts';
import { longList } from '../long-list.ts';
import { readMaxResults, readPageToken, writePageToken } from '../paging.ts';
import type { Call } from '../routes.ts';
import { mlflowLimits } from '../validate.ts';
import { pythonJson } from './json-text.ts';
import type { DatasetOnly, Records, SearchDatasets } from './wire.ts';

type Reveal = ProtocolServices['reveal'];

/** A dataset with what MLflow shows beside it. */
export interface DatasetView {
  readonly row: EvaluationDatasetRow;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  /** Told when it is made; otherwise asked for by another endpoint. */
  readonly experiments?: readonly string[] | undefined;
}

/** @throws not_found with the text given. */
export async function getDataset(
  id: string,
  { state, workspace }: Pick<DecideContext, 'state' | 'workspace'>,
  missing = `Evaluation dataset with id '${id}' not found`,
): Promise<EvaluationDatasetRow> {
  const row = await state.evaluation.findDataset(workspace, id);
  if (row !== undefined) return row;
  throw doesNotExist(missing);
}

export async function viewDataset(
  row: EvaluationDatasetRow,
  { evaluation }: StateReader,
): Promise<DatasetView> {
  return { row, tags: await evaluation.listDatasetTags([row.key]) };
}

/** Dataset of MLflow's protobuf, in JSON. Tags are JSON in text: persons are put back before it is quoted. */
export function writeDataset(
  { row, tags, experiments = [] }: DatasetView,
  reveal: Reveal,
): Record<string, unknown> {
  const byKey = Object.fromEntries(tags.map(({ key, value }) => [key, value]));
  return {
    dataset_id: row.id,
    name: row.name,
    tags: reveal(pythonJson(byKey)),
    ...(row.schema === null ? {} : { schema: row.schema }),
    ...(row.profile === null ? {} : { profile: row.profile }),
    digest: row.digest,
    created_time: row.createdTime,
    last_update_time: row.updatedTime,
    ...(row.createdBy === null ? {} : { created_by: row.createdBy }),
    ...(row.updatedBy === null ? {} : { last_updated_by: row.updatedBy }),
    ...(experiments.length === 0 ? {} : { experiment_ids: experiments }),
  };
}

/** JSON text of a record, as MLflow's DatasetRecord.to_dict gives it. */
function recordText(row: EvaluationRecordRow, dataset: string): string {
  const member = (name: string, json: string | null): string[] =>
    json === null ? [] : [`"${name}":${json}`];
  const quoted = (name: string, value: string | null): string[] =>
    value === null ? [] : member(name, JSON.stringify(value));
  const members = [
    ...quoted('dataset_record_id', row.id),
    ...quoted('dataset_id', dataset),
    ...member('inputs', row.inputs),
    ...member('expectations', row.expectations),
    ...member('tags', row.tags),
    ...member('source', row.source),
    ...quoted('source_id', row.sourceId),
    ...quoted('source_type', row.sourceType),
    `"created_time":${row.createdTime},"last_update_time":${row.updatedTime}`,
    ...quoted('created_by', row.createdBy),
    ...quoted('last_updated_by', row.updatedBy),
    // MLflow answers no outputs where they are empty.
    ...member('outputs', row.outputs),
  ];
  return `{${members.join(',')}}`;
}

const badToken = (token: string): Error =>
  invalidParameter(`Invalid page token, could not read '${token.slice(0, 200)}'`);

/** A token is `created_time:record_id` in base64; a plain number is an offset. */
function readRecordToken(token: string | undefined): {
  readonly after?: { readonly createdTime: number; readonly id: string };
  readonly offset?: number;
} {
  if (token === undefined || token === '') return {};
  const [, time, id] =
    /^(\d{1,15}):(.+)$/.exec(Buffer.from(token, 'base64').toString('utf8')) ?? [];
  if (time !== undefined && id !== undefined) return { after: { createdTime: Number(time), id } };
  if (!/^\d{1,15}$/.test(token)) throw badToken(token);
  return { offset: Number(token) };
}

/** A page of records, read some at a time. */
async function readRecords(
  evaluation: EvaluationReader,
  dataset: number,
  page: RecordPage,
): Promise<EvaluationRecordRow[]> {
  const rows: EvaluationRecordRow[] = [];
  for (let next = page; rows.length < page.limit; await serveOthers()) {
    const limit = Math.min(limits.rowsReadAtOnce, page.limit - rows.length);
    const some = await evaluation.listRecords(dataset, { ...next, limit });
    const after = some.at(-1);
    rows.push(...some);
    if (after === undefined || some.length < limit) break;
    next = { after, limit };
  }
  return rows;
}

/** GET `datasets/{id}/records`. A dataset that is not there has none, as in MLflow. */
export async function listRecords(
  body: Records,
  workspace: string,
  { state, reveal }: { readonly state: StateReader; readonly reveal: Reveal },
): Promise<unknown> {
  const asked = body.max_results || mlflowLimits.evaluationRecordsDefault;
  if (asked < 0)
    throw invalidParameter(`Invalid value ${asked} for parameter 'max_results' supplied.`);
  const limit = Math.min(asked, limits.evaluationRecordsPageMax);
  const page = readRecordToken(body.page_token);
  const dataset = await state.evaluation.findDataset(workspace, body.dataset_id);
  if (dataset === undefined) return { records: '[]' };
  const rows = await readRecords(state.evaluation, dataset.key, { ...page, limit: limit + 1 });
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const texts = await readInSlices(shown, (some) => some.map((row) => recordText(row, dataset.id)));
  const records = `[${texts.join(',')}]`;
  if (rows.length <= limit || last === undefined) return { records: reveal(records) };
  const token = Buffer.from(`${last.createdTime}:${last.id}`).toString('base64');
  return { records: reveal(records), next_page_token: token };
}

/** GET `datasets/{id}/experiment-ids`. */
export async function listExperiments(
  { dataset_id }: DatasetOnly,
  workspace: string,
  { evaluation }: StateReader,
): Promise<unknown> {
  const dataset = await evaluation.findDataset(workspace, dataset_id);
  const ids = dataset === undefined ? [] : await evaluation.listDatasetExperiments(dataset.key);
  return ids.length === 0 ? {} : { experiment_ids: ids };
}

const personKeys = ['created_by', 'last_updated_by', 'mlflow.user'];

function toCondition(
  { entity, key, operator, value }: Condition,
  findToken: ProtocolServices['findToken'],
): EvaluationCondition {
  if (entity !== 'attribute' && entity !== 'tag') {
    throw invalidParameter(`Invalid token type: ${entity}`);
  }
  if (value === null || operator === 'IS NULL' || operator === 'IS NOT NULL') {
    throw invalidParameter(`Invalid comparator for ${entity}: ${operator}`);
  }
  if (operator === 'NOT IN') {
    throw invalidParameter(`Invalid comparator for string attribute: ${operator}`);
  }
  if (typeof value === 'number' && !Number.isInteger(value)) {
    throw invalidParameter(`Invalid value for numeric attribute '${key}': '${value}'`);
  }
  // Persons are stored as tokens: a name that this server never heard is equal to none.
  const named = typeof value === 'string' && personKeys.includes(key);
  return { entity, key, operator, value: named ? (findToken(value) ?? value) : value };
}

/** GET and POST `datasets/search`. */
export async function searchDatasets(
  body: SearchDatasets,
  { workspace }: Call,
  services: ProtocolServices,
): Promise<unknown> {
  const conditions = parseFilter(body.filter_string, evaluationDatasetGrammar).map((condition) =>
    toCondition(condition, services.findToken),
  );
  const orders = parseOrders(body.order_by, evaluationDatasetGrammar).map(
    // The grammar allows these keys only.
    ({ key, ascending }) => ({ key: key as EvaluationOrder['key'], ascending }),
  );
  const { pageMax, evaluationDatasetsDefault } = mlflowLimits;
  const limit = readMaxResults(body.max_results, evaluationDatasetsDefault, pageMax);
  const offset = readPageToken(body.page_token);
  const ids = body.experiment_ids ?? [];
  const keys = await services.searches.searchEvaluationDatasets({
    workspace,
    experiments: ids.length === 0 ? undefined : ids,
    conditions,
    orders,
    limit: limit + 1,
    offset,
  });
  const views = await services.read(({ evaluation }) =>
    readInSlices(keys.slice(0, limit), async (some): Promise<DatasetView[]> => {
      const tags = Map.groupBy(await evaluation.listDatasetTags(some), ({ owner }) => owner);
      const rows = await evaluation.getDatasets(some);
      return rows.map((row) => ({ row, tags: tags.get(row.key) ?? [] }));
    }),
  );
  const datasets = longList(views, views.length, (view) => writeDataset(view, services.reveal));
  return {
    ...(views.length === 0 ? {} : { datasets }),
    ...(keys.length > limit ? { next_page_token: writePageToken(offset + limit) } : {}),
  };
}
