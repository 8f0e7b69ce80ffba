import type { JsonObject } from '../../../base/json.ts';
import type { DecideContext } from '../../../door/index.ts';
import type { EvaluationDatasetRow, EvaluationRecordRow } from '../../../evaluation/index.ts';
import type { EvaluationRecord } from '../../../facts/evaluation-facts.ts';
import type { Fact } from '../../../facts/facts.ts';
import { schemaAttribute, versionFacts } from '../evaluation/lineage.ts';
import { getDataset } from '../evaluation/read.ts';
import { readRecords, type SentRecord, tokeniseRecords } from '../evaluation/record-text.ts';
import { mlflowOperation } from '../operation.ts';
import { person } from './evaluation.ts';
import type { ImportRecord, ImportRecords } from './messages.ts';
import { findSaid, saidFact, type Updated } from './said.ts';

type DecidedRecords = {
  readonly name: string;
  /** Positions of the records that are new or changed. */
  readonly news: readonly number[];
  /** Ids of the records that were deleted; absent in older messages. */
  readonly removed?: readonly string[];
  /** Digest of the version before. */
  readonly before: string;
  readonly digest: string;
  readonly time: number;
  /** How many records there are then. */
  readonly records: number;
};

/** How many records are new, how many were changed or deleted there, and how many stay as they are here. */
export interface ImportedRecords extends Updated {
  readonly brought: number;
  readonly updated: number;
}

/** Records of a dataset: those whose inputs are not here, and those that changed at the source. */
export const importRecords = mlflowOperation<ImportRecords, ImportedRecords, DecidedRecords>({
  operation: 'import/evaluation-records',
  persons: ({ last_updated_by, records = [], ...body }, tokenise) => {
    const changed = person(last_updated_by, tokenise);
    return {
      ...body,
      ...(changed === undefined ? {} : { last_updated_by: changed }),
      records: records.map(({ created_by, last_updated_by: by, ...each }) => {
        const [made, updated] = [person(created_by, tokenise), person(by, tokenise)];
        return {
          ...each,
          record: tokeniseRecords(`[${each.record}]`, tokenise).slice(1, -1),
          ...(made === undefined ? {} : { created_by: made }),
          ...(updated === undefined ? {} : { last_updated_by: updated }),
        };
      }),
    };
  },
  async decide(body, context) {
    const { evaluation } = context.state;
    const dataset = await getDataset(body.dataset_id, context);
    const digests = sentRecords(body).map(({ inputDigest }) => inputDigest);
    const rows = await evaluation.findRecordsByInput(dataset.key, digests);
    const known = new Map(rows.map((row) => [row.inputDigest, row]));
    const news = digests.flatMap((digest, index) => (known.has(digest) ? [] : [index]));
    const { changed, kept } = await changedRecords(body, digests, { known, context });
    const removed = await removedRecords(body, dataset, context);
    const brought = news.length;
    const updated = changed.length + removed.length;
    const answer = { brought, updated, ...(kept.length === 0 ? {} : { kept }) };
    if (brought + updated === 0) return { unchanged: answer };
    const records = (await evaluation.countRecords(dataset.key)) + brought - removed.length;
    const decided = { name: dataset.name, news: [...news, ...changed], removed, records };
    return { decided: { ...decided, before: dataset.digest, ...stateOf(body, dataset) }, answer };
  },
  facts(body, { name, news, removed = [], before, digest, time, records }, context) {
    const { dataset_id: dataset, schema = '{}', profile = null, last_updated_by: user } = body;
    const state = { digest, profile, time };
    const sent = sentRecords(body);
    const fresh = news.flatMap((index) => sent[index] ?? []);
    const attributes = { name, records, ...schemaAttribute(JSON.parse(schema) as JsonObject) };
    const facts = versionFacts({ dataset, before, state, attributes, records: fresh }, context);
    const merged: Fact = {
      kind: 'evaluationRecords.merged',
      dataset,
      records: news.flatMap((index) => {
        const [record, one] = [body.records?.[index], sent[index]];
        return record === undefined || one === undefined ? [] : [recordOf(record, one)];
      }),
      schema,
      user: user ?? null,
      ...state,
    };
    const deleted: Fact[] =
      removed.length === 0
        ? []
        : [{ kind: 'evaluationRecords.deleted', dataset, records: removed, ...state }];
    return [
      ...deleted,
      merged,
      // Made with the digest that it has with all its records: it goes on from no other version.
      ...facts.filter((fact) => !(fact.kind === 'relation.stated' && fact.from === fact.to)),
      ...(body.records ?? []).map((record) =>
        saidFact(thing, saidId(dataset, record.id), { updated: updatedOf(record) }),
      ),
    ];
  },
});

const thing = 'evaluation-record';
const saidId = (dataset: string, record: string): string => `${dataset}/${record}`;
const updatedOf = ({ last_update_time, created_time = 0 }: ImportRecord): number =>
  last_update_time ?? created_time;

/** Positions of the records that changed at the source, and names of those that were changed here. */
async function changedRecords(
  { dataset_id, records = [] }: ImportRecords,
  digests: readonly string[],
  of: {
    readonly known: ReadonlyMap<string, EvaluationRecordRow>;
    readonly context: DecideContext;
  },
): Promise<{ readonly changed: number[]; readonly kept: string[] }> {
  const changed: number[] = [];
  const kept: string[] = [];
  for (const [index, record] of records.entries()) {
    const row = of.known.get(digests[index] ?? '');
    if (row === undefined || row.updatedTime === updatedOf(record)) continue;
    const said = await findSaid(thing, saidId(dataset_id, record.id), of.context);
    // One of the same inputs that was made here has another id: MLflow would merge them, too.
    if (row.id === record.id && said?.('updated', row.updatedTime)) changed.push(index);
    else kept.push(`record ${row.id}`);
  }
  return { changed, kept };
}

/** Those of the deleted records that came from the source and were not changed here. */
async function removedRecords(
  { dataset_id, removed = [] }: ImportRecords,
  dataset: EvaluationDatasetRow,
  context: DecideContext,
): Promise<string[]> {
  const found: string[] = [];
  for (const id of removed) {
    const said = await findSaid(thing, saidId(dataset_id, id), context);
    const row = said && (await context.state.evaluation.findRecord(dataset.key, id));
    if (row !== undefined && said?.('updated', row.updatedTime)) found.push(id);
  }
  return found;
}

const sentRecords = ({ records = [] }: ImportRecords): SentRecord[] =>
  readRecords(`[${records.map(({ record }) => record).join(',')}]`);

/** The state that the source tells, unless the dataset was changed here later. */
function stateOf(
  { digest, last_update_time: time = 0 }: ImportRecords,
  dataset: EvaluationDatasetRow,
): { readonly digest: string; readonly time: number } {
  return { digest: digest || dataset.digest, time: Math.max(time, dataset.createdTime) };
}

function recordOf(record: ImportRecord, sent: SentRecord): EvaluationRecord {
  const { parts: _parts, sourceData: _data, ...kept } = sent;
  const {
    id,
    created_time: createdTime = 0,
    last_update_time,
    created_by,
    last_updated_by,
  } = record;
  const origin = {
    createdTime,
    updatedTime: last_update_time ?? createdTime,
    createdBy: created_by ?? null,
    updatedBy: last_updated_by ?? null,
  };
  return { id, ...kept, origin };
}
