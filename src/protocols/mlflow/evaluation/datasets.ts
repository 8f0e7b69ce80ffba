import { sha256Hex } from '../../../base/digest.ts';
import type { JsonObject } from '../../../base/json.ts';
import type { Tokenise } from '../../../door/index.ts';
import type { EvaluationTag } from '../../../facts/evaluation-facts.ts';
import { doesNotExist } from '../errors.ts';
import { evaluationDatasetName } from '../lineage/dataset-name.ts';
import { experimentRef } from '../lineage/refs.ts';
import { mlflowOperation, userTag } from '../operation.ts';
import { newId } from '../operations/names.ts';
import { didFact, versionRef } from './lineage.ts';
import { type DatasetView, getDataset, viewDataset } from './read.ts';
import type { DatasetExperiments, DatasetOnly, DatasetTag } from './wire.ts';

/** A new dataset, its tags read out of their JSON. */
export interface NewDataset {
  readonly name: string;
  readonly experiment_ids: readonly string[];
  readonly tags: readonly EvaluationTag[];
}

/** Tags that are set, read out of their JSON. */
export interface SetDatasetTags {
  readonly dataset_id: string;
  readonly tags: readonly EvaluationTag[];
}

type Nothing = Record<string, never>;

/**
 * The digest that names a state of a dataset, 8 hex digits.
 * Source: mlflow/store/tracking/sqlalchemy_store.py (_compute_dataset_digest).
 */
export function datasetDigest(name: string, time: number): string {
  return sha256Hex(`${name}:${time}`).slice(0, 8);
}

function tokeniseTags<Body extends { readonly tags: readonly EvaluationTag[] }>(
  body: Body,
  tokenise: Tokenise,
): Body {
  if (!body.tags.some(({ key, value }) => key === userTag && value !== null)) return body;
  const tags = body.tags.map((tag) =>
    tag.key === userTag && tag.value !== null ? { ...tag, value: tokenise(tag.value) } : tag,
  );
  return { ...body, tags };
}

const userOf = (tags: readonly EvaluationTag[]): string | null =>
  tags.find(({ key }) => key === userTag)?.value || null;

const tagAttributes = (tags: readonly EvaluationTag[]): JsonObject =>
  Object.fromEntries(
    tags.filter(({ key }) => key !== userTag).map(({ key, value }) => [`tag.${key}`, value]),
  );

const set = (tags: readonly EvaluationTag[]): { key: string; value: string }[] =>
  tags.flatMap(({ key, value }) => (value === null ? [] : [{ key, value }]));

/** POST `datasets/create`. Names need not be unique: the id tells datasets apart. */
export const createDataset = mlflowOperation<
  NewDataset,
  DatasetView,
  { readonly dataset_id: string; readonly digest: string }
>({
  operation: 'datasets/create',
  persons: tokeniseTags,
  async decide(body, { random, time }) {
    const id = `d-${newId(random(16))}`;
    const digest = datasetDigest(body.name, time);
    const user = userOf(body.tags);
    const row = {
      key: 0,
      id,
      name: body.name,
      schema: null,
      profile: null,
      digest,
      createdTime: time,
      updatedTime: time,
      createdBy: user,
      updatedBy: user,
    };
    const view = { row, tags: set(body.tags), experiments: body.experiment_ids };
    return { decided: { dataset_id: id, digest }, answer: view };
  },
  facts({ name, tags, experiment_ids: experiments }, { dataset_id: id, digest }, context) {
    const { workspace, time } = context;
    const attributes = {
      name,
      type: 'evaluation',
      ...experimentsAttribute(experiments, workspace),
      ...tagAttributes(tags),
    };
    return [
      {
        kind: 'evaluationDataset.created',
        id,
        name,
        digest,
        tags,
        experiments,
        user: userOf(tags),
      },
      {
        kind: 'dataset.described',
        dataset: evaluationDatasetName(workspace, id),
        time,
        attributes,
      },
      {
        kind: 'entity.described',
        ref: versionRef(workspace, id, digest),
        time,
        attributes: { name, digest, records: 0 },
      },
      ...didFact(id, userOf(tags), context),
    ];
  },
});

const experimentsAttribute = (ids: readonly string[], workspace: string): JsonObject => ({
  experiments: ids.map((id) => experimentRef(workspace, id)),
});

/** PATCH `datasets/{id}/tags`. */
export const setDatasetTags = mlflowOperation<SetDatasetTags, Nothing, Nothing>({
  operation: 'datasets/set-tags',
  persons: tokeniseTags,
  async decide(body, context) {
    const { dataset_id: id } = body;
    const missing = `Could not find evaluation dataset with ID ${id}`;
    const { tags } = await viewDataset(await getDataset(id, context, missing), context.state);
    const has = new Map(tags.map(({ key, value }) => [key, value]));
    const news = body.tags.some(({ key, value }) => has.get(key) !== value);
    return news ? { decided: {}, answer: {} } : { unchanged: {} };
  },
  facts: ({ dataset_id: id, tags }, _decided, { workspace, time }) => [
    { kind: 'evaluationDataset.tagged', id, tags },
    {
      kind: 'dataset.described',
      dataset: evaluationDatasetName(workspace, id),
      time,
      attributes: tagAttributes(tags),
    },
  ],
});

/** DELETE `datasets/{id}/tags/{key}`: a tag or dataset that is not there is no error. */
export const deleteDatasetTag = mlflowOperation<DatasetTag, Nothing, Nothing>({
  operation: 'datasets/delete-tag',
  async decide(body, { state, workspace }) {
    const row = await state.evaluation.findDataset(workspace, body.dataset_id);
    const tags = row === undefined ? [] : await state.evaluation.listDatasetTags([row.key]);
    const known = tags.some(({ key }) => key === body.key);
    return known ? { decided: {}, answer: {} } : { unchanged: {} };
  },
  facts: ({ dataset_id: id, key }, _decided, { workspace, time }) => [
    { kind: 'evaluationDataset.tagged', id, tags: [{ key, value: null }] },
    {
      kind: 'dataset.described',
      dataset: evaluationDatasetName(workspace, id),
      time,
      attributes: tagAttributes([{ key, value: null }]),
    },
  ],
});

/** DELETE `datasets/{id}`: one that is not there is no error. In the graph it stays, as a tombstone. */
export const deleteDataset = mlflowOperation<DatasetOnly, Nothing, Nothing>({
  operation: 'datasets/delete',
  async decide(body, { state, workspace }) {
    const row = await state.evaluation.findDataset(workspace, body.dataset_id);
    return row === undefined ? { unchanged: {} } : { decided: {}, answer: {} };
  },
  facts: ({ dataset_id: id }, _decided, { workspace, time }) => [
    { kind: 'evaluationDataset.deleted', id },
    { kind: 'dataset.dropped', dataset: evaluationDatasetName(workspace, id), time },
  ],
});

type Linked = { readonly changed: readonly string[]; readonly experiments: readonly string[] };

/** POST `datasets/{id}/add-experiments`. */
export const addDatasetToExperiments = mlflowOperation<DatasetExperiments, DatasetView, Linked>({
  operation: 'datasets/add-experiments',
  async decide(body, context) {
    const { state, workspace, time } = context;
    const { dataset_id: id, experiment_ids: asked = [] } = body;
    const row = await getDataset(id, context, `Dataset '${id}' not found`);
    for (const experiment of asked) {
      if ((await state.tracking.findExperiment(workspace, experiment)) === undefined) {
        throw doesNotExist(`No Experiment with id=${experiment}`);
      }
    }
    const before = await state.evaluation.listDatasetExperiments(row.key);
    const changed = [...new Set(asked)].filter((experiment) => !before.includes(experiment));
    const view = await viewDataset(row, state);
    if (changed.length === 0) return { unchanged: view };
    return {
      decided: { changed, experiments: [...before, ...changed] },
      answer: { ...view, row: { ...row, updatedTime: Math.max(time, row.updatedTime) } },
    };
  },
  facts: ({ dataset_id: id }, { changed, experiments }, { workspace, time }) => [
    { kind: 'evaluationDataset.linked', id, experiments: changed },
    {
      kind: 'dataset.described',
      dataset: evaluationDatasetName(workspace, id),
      time,
      attributes: experimentsAttribute(experiments, workspace),
    },
  ],
});

/** POST `datasets/{id}/remove-experiments`: one that is not linked is no error. */
export const removeDatasetFromExperiments = mlflowOperation<
  DatasetExperiments,
  DatasetView,
  Linked
>({
  operation: 'datasets/remove-experiments',
  async decide(body, context) {
    const { state, time } = context;
    const { dataset_id: id, experiment_ids: asked = [] } = body;
    const row = await getDataset(id, context, `Dataset '${id}' not found`);
    const before = await state.evaluation.listDatasetExperiments(row.key);
    const changed = before.filter((experiment) => asked.includes(experiment));
    const view = await viewDataset(row, state);
    if (changed.length === 0) return { unchanged: view };
    const experiments = before.filter((experiment) => !changed.includes(experiment));
    return {
      decided: { changed, experiments },
      answer: { ...view, row: { ...row, updatedTime: Math.max(time, row.updatedTime) } },
    };
  },
  facts: ({ dataset_id: id }, { changed, experiments }, { workspace, time }) => [
    { kind: 'evaluationDataset.unlinked', id, experiments: changed },
    {
      kind: 'dataset.described',
      dataset: evaluationDatasetName(workspace, id),
      time,
      attributes: experimentsAttribute(experiments, workspace),
    },
  ],
});
