import type { JsonObject } from '../../../base/json.ts';
import type { DecideContext, Tokenise } from '../../../door/index.ts';
import type { EvaluationDatasetRow } from '../../../evaluation/index.ts';
import type { EvaluationRecord } from '../../../facts/evaluation-facts.ts';
import { formatRef } from '../../../facts/ref.ts';
import { mlflowError } from '../errors.ts';
import { addDatasetToExperiments, createDataset, setDatasetTags } from '../evaluation/datasets.ts';
import { schemaAttribute, versionFacts } from '../evaluation/lineage.ts';
import { getDataset } from '../evaluation/read.ts';
import { readRecords, type SentRecord, tokeniseRecords } from '../evaluation/record-text.ts';
import { evaluationDatasetName } from '../lineage/dataset-name.ts';
import { mlflowOperation, tokeniseTags } from '../operation.ts';
import { liveFacts, missingTags } from './live.ts';
import type { ImportDataset, ImportRecord, ImportRecords } from './messages.ts';

/** `gone`: it was brought before, and deleted here since. */
export interface ImportedDataset {
  readonly gone: boolean;
}

type DecidedDataset = {
  readonly made: boolean;
  /** Keys of the tags that are new. */
  readonly tags: readonly string[];
  /** Experiments that it is linked to now, and those among them that are new. */
  readonly linked: readonly string[];
  readonly changed: readonly string[];
};

const person = (name: string | undefined, tokenise: Tokenise): string | undefined =>
  name === undefined || name === '' ? undefined : tokenise(name);

/** An evaluation dataset without its records. Its digest names the state with all of them. */
export const importDataset = mlflowOperation<ImportDataset, ImportedDataset, DecidedDataset>({
  operation: 'import/evaluation-dataset',
  persons({ created_by, last_updated_by, ...body }, tokenise) {
    const made = person(created_by, tokenise);
    const changed = person(last_updated_by, tokenise);
    const tags = tokeniseTags(body.tags, tokenise);
    return {
      ...body,
      ...(tags === undefined ? {} : { tags }),
      ...(made === undefined ? {} : { created_by: made }),
      ...(changed === undefined ? {} : { last_updated_by: changed }),
    };
  },
  async decide(body, context) {
    const { evaluation } = context.state;
    const { dataset_id: id, tags = [], experiment_ids = [] } = body;
    const row = await evaluation.findDataset(context.workspace, id);
    if (row === undefined) {
      if (await wasDropped(id, context)) return { unchanged: { gone: true } };
      const keys = tags.map(({ key }) => key);
      const experiments = { linked: experiment_ids, changed: [] };
      return { decided: { made: true, tags: keys, ...experiments }, answer: { gone: false } };
    }
    if (row.createdTime !== (body.created_time ?? 0))
      throw mlflowError('RESOURCE_CONFLICT', `Dataset ${id} is here, made at another time.`);
    const news = missingTags(tags, await evaluation.listDatasetTags([row.key]));
    const before = await evaluation.listDatasetExperiments(row.key);
    const changed = experiment_ids.filter((each) => !before.includes(each));
    if (news.length + changed.length === 0) return { unchanged: { gone: false } };
    const decided = { tags: news.map(({ key }) => key), linked: [...before, ...changed], changed };
    return { decided: { made: false, ...decided }, answer: { gone: false } };
  },
  facts(body, { made, tags: keys, linked, changed }, context) {
    const { dataset_id, name, digest = '', created_by: user } = body;
    const tags = (body.tags ?? []).filter(({ key }) => keys.includes(key));
    if (made) {
      const at = body.created_time ?? 0;
      const message = { name, tags, experiment_ids: linked };
      const facts = liveFacts(
        createDataset,
        { message, decided: { dataset_id, digest } },
        { ...context, at },
      );
      return facts.map((fact) =>
        fact.kind === 'evaluationDataset.created'
          ? { ...fact, user: user ?? null, origin: originOf(body) }
          : fact,
      );
    }
    const at = { ...context, at: 0 };
    return [
      ...(tags.length === 0
        ? []
        : liveFacts(setDatasetTags, { message: { dataset_id, tags }, decided: {} }, at)),
      ...(changed.length === 0
        ? []
        : liveFacts(
            addDatasetToExperiments,
            {
              message: { dataset_id },
              decided: { changed: [...changed], experiments: [...linked] },
            },
            at,
          )),
    ];
  },
});

const originOf = (body: ImportDataset) => ({
  createdTime: body.created_time ?? 0,
  updatedTime: body.last_update_time ?? body.created_time ?? 0,
  createdBy: body.created_by ?? null,
  updatedBy: body.last_updated_by ?? null,
  schema: body.schema,
  profile: body.profile ?? null,
});

async function wasDropped(id: string, { state, workspace }: DecideContext): Promise<boolean> {
  const ref = formatRef({ kind: 'dataset', ...evaluationDatasetName(workspace, id) });
  const node = await state.lineage.findNode(ref);
  return node !== undefined && (await state.lineage.drops([node.key])).length > 0;
}

type DecidedRecords = {
  readonly name: string;
  /** Positions of the records that are new. */
  readonly news: readonly number[];
  /** Digest of the version before. */
  readonly before: string;
  readonly digest: string;
  readonly time: number;
  /** How many records there are then. */
  readonly records: number;
};

/** Records of a dataset: those whose inputs are not here. */
export const importRecords = mlflowOperation<ImportRecords, null, DecidedRecords>({
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
    const known = new Set(rows.map(({ inputDigest }) => inputDigest));
    const news = digests.flatMap((digest, index) => (known.has(digest) ? [] : [index]));
    if (news.length === 0) return { unchanged: null };
    const records = (await evaluation.countRecords(dataset.key)) + news.length;
    const state = stateOf(body, dataset);
    return {
      decided: { name: dataset.name, news, before: dataset.digest, records, ...state },
      answer: null,
    };
  },
  facts(body, { name, news, before, digest, time, records }, context) {
    const { dataset_id: dataset, schema = '{}', profile = null, last_updated_by: user } = body;
    const state = { digest, profile, time };
    const sent = sentRecords(body);
    const fresh = news.flatMap((index) => sent[index] ?? []);
    const attributes = { name, records, ...schemaAttribute(JSON.parse(schema) as JsonObject) };
    const facts = versionFacts({ dataset, before, state, attributes, records: fresh }, context);
    return [
      {
        kind: 'evaluationRecords.merged',
        dataset,
        records: news.flatMap((index) => {
          const [record, one] = [body.records?.[index], sent[index]];
          return record === undefined || one === undefined ? [] : [recordOf(record, one)];
        }),
        schema,
        user: user ?? null,
        ...state,
      },
      // Made with the digest that it has with all its records: it goes on from no other version.
      ...facts.filter((fact) => !(fact.kind === 'relation.stated' && fact.from === fact.to)),
    ];
  },
});

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
