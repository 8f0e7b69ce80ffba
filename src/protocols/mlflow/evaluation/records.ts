import { type EvaluationRecordRow, mergeRecord } from '../../../evaluation/index.ts';
import type { EvaluationRecord } from '../../../facts/evaluation-facts.ts';
import { mlflowOperation } from '../operation.ts';
import { newId } from '../operations/names.ts';
import { datasetDigest } from './datasets.ts';
import { pythonJson } from './json-text.ts';
import { didFact, schemaAttribute, versionFacts } from './lineage.ts';
import { getDataset } from './read.ts';
import { extendSchema, readRecords, type SentRecord, tokeniseRecords } from './record-text.ts';
import type { DeleteRecords, UpsertRecords } from './wire.ts';

/** What becomes of a dataset when its records change. */
type Changed = {
  readonly digest: string;
  /** Digest of the version before. */
  readonly before: string;
  readonly name: string;
  /** How many records there are then. */
  readonly records: number;
  readonly profile: string | null;
  readonly time: number;
};

type Upserted = Changed & {
  /** Ids of the records as they stand in the message. */
  readonly ids: readonly string[];
  /** JSON text. */
  readonly schema: string;
};

interface Counts {
  readonly inserted_count: number;
  readonly updated_count: number;
}

/** The record with its id, without what only deciding needs. */
function withId(id: string, sent: SentRecord): EvaluationRecord {
  const { parts: _parts, sourceData: _data, ...record } = sent;
  return { id, ...record };
}

/** True when the record is there already with all that was sent. */
function isKnown(row: EvaluationRecordRow | undefined, sent: SentRecord): boolean {
  if (row === undefined) return false;
  const merged = mergeRecord(row, withId(row.id, sent), row.updatedTime);
  return (['outputs', 'expectations', 'tags', 'updatedBy'] as const).every(
    (part) => merged[part] === row[part],
  );
}

/** The last person who is named, as MLflow takes it. */
const userOf = (records: readonly SentRecord[]): string | null =>
  records.findLast(({ user }) => user !== undefined)?.user ?? null;

/** A name for each input: that of the record which has it, or a new one. */
function nameRecords(
  sent: readonly SentRecord[],
  known: ReadonlyMap<string, EvaluationRecordRow>,
  invent: () => string,
): { readonly ids: string[]; readonly inserted: number } {
  const ids = new Map([...known].map(([input, { id }]) => [input, id]));
  const named = sent.map(({ inputDigest }) => {
    const id = ids.get(inputDigest) ?? invent();
    ids.set(inputDigest, id);
    return id;
  });
  return { ids: named, inserted: ids.size - known.size };
}

/**
 * POST `datasets/{id}/records`: a record with inputs that are there already is merged into that one.
 * What changes no record makes no new version.
 */
export const upsertRecords = mlflowOperation<UpsertRecords, Counts, Upserted>({
  operation: 'datasets/upsert-records',
  persons(body, tokenise) {
    const records = tokeniseRecords(body.records, tokenise);
    return records === body.records ? body : { ...body, records };
  },
  async decide(body, context) {
    const sent = readRecords(body.records);
    const dataset = await getDataset(body.dataset_id, context);
    const { evaluation } = context.state;
    const inputs = sent.map(({ inputDigest }) => inputDigest);
    const rows = await evaluation.findRecordsByInput(dataset.key, inputs);
    const known = new Map(rows.map((row) => [row.inputDigest, row]));
    const { ids, inserted } = nameRecords(sent, known, () => `dr-${newId(context.random(16))}`);
    const counts = { inserted_count: inserted, updated_count: sent.length - inserted };
    if (sent.every((record) => isKnown(known.get(record.inputDigest), record))) {
      return { unchanged: counts };
    }
    const time = Math.max(context.time, dataset.updatedTime + 1);
    const records = (await evaluation.countRecords(dataset.key)) + inserted;
    const decided = {
      ids,
      schema: pythonJson(extendSchema(dataset.schema, sent)),
      name: dataset.name,
      before: dataset.digest,
      digest: datasetDigest(dataset.name, time),
      records,
      profile: pythonJson({ num_records: records }),
      time,
    };
    return { decided, answer: counts };
  },
  facts({ dataset_id: dataset, records: text }, decided, context) {
    const { ids, schema, name, before, digest, records, profile, time } = decided;
    const sent = readRecords(text);
    const user = userOf(sent);
    const state = { digest, profile, time };
    const fields = schemaAttribute(JSON.parse(schema));
    const attributes = { name, records, ...fields };
    return [
      {
        kind: 'evaluationRecords.merged',
        dataset,
        records: sent.map((record, index) => withId(ids[index] ?? '', record)),
        schema,
        user,
        ...state,
      },
      ...versionFacts({ dataset, before, state, attributes, records: sent }, context),
      ...didFact(dataset, user, context),
    ];
  },
});

/**
 * DELETE `datasets/{id}/records`. Unlike MLflow, which keeps the digest, the dataset gets a new one:
 * a digest names one content.
 */
export const deleteRecords = mlflowOperation<
  DeleteRecords,
  { readonly deleted_count: number },
  Changed & { readonly ids: readonly string[] }
>({
  operation: 'datasets/delete-records',
  async decide(body, context) {
    const { evaluation } = context.state;
    const dataset = await evaluation.findDataset(context.workspace, body.dataset_id);
    if (dataset === undefined) return { unchanged: { deleted_count: 0 } };
    const ids = await evaluation.findRecordIds(dataset.key, body.dataset_record_ids ?? []);
    if (ids.length === 0) return { unchanged: { deleted_count: 0 } };
    const time = Math.max(context.time, dataset.updatedTime + 1);
    const records = (await evaluation.countRecords(dataset.key)) - ids.length;
    const decided = {
      ids,
      name: dataset.name,
      before: dataset.digest,
      digest: datasetDigest(dataset.name, time),
      records,
      profile: pythonJson(records === 0 ? null : { num_records: records }),
      time,
    };
    return { decided, answer: { deleted_count: ids.length } };
  },
  facts({ dataset_id: dataset }, { ids, name, before, digest, records, profile, time }, context) {
    const state = { digest, profile, time };
    const attributes = { name, records };
    return [
      { kind: 'evaluationRecords.deleted', dataset, records: ids, ...state },
      ...versionFacts({ dataset, before, state, attributes, records: [] }, context),
    ];
  },
});
