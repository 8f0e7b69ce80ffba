import type { DecideContext, Tokenise } from '../../../door/index.ts';
import type { Fact, FactContext } from '../../../facts/facts.ts';
import { formatRef } from '../../../facts/ref.ts';
import type { KeyValue } from '../../../facts/tracking-facts.ts';
import { mlflowError } from '../errors.ts';
import {
  addDatasetToExperiments,
  createDataset,
  deleteDatasetTag,
  removeDatasetFromExperiments,
  setDatasetTags,
} from '../evaluation/datasets.ts';
import { evaluationDatasetName } from '../lineage/dataset-name.ts';
import { mlflowOperation, tokeniseTags } from '../operation.ts';
import { liveFacts } from './live.ts';
import type { ImportDataset } from './messages.ts';
import {
  findSaid,
  members,
  type Statements,
  saidFact,
  takenMembers,
  type Updated,
  updatedBy,
  weigh,
} from './said.ts';

/** `gone`: it was brought before, and deleted here since. */
export interface ImportedDataset extends Updated {
  readonly gone: boolean;
}

type DecidedDataset = {
  readonly made: boolean;
  /** Keys of the tags that are set. */
  readonly tags: readonly string[];
  /** Keys of the tags that are taken away; absent in older messages. */
  readonly removed?: readonly string[];
  /** Experiments that it is linked to now, and those among them that are new. */
  readonly linked: readonly string[];
  readonly changed: readonly string[];
  /** Experiments that it is no longer linked to; absent in older messages. */
  readonly unlinked?: readonly string[];
};

export const person = (name: string | undefined, tokenise: Tokenise): string | undefined =>
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
    const before = await evaluation.listDatasetExperiments(row.key);
    const here = {
      ...members('tag', await evaluation.listDatasetTags([row.key])),
      ...members('experiment', linkedTo(before)),
    };
    const weighed = weigh(statementsOf(body), here, await findSaid(thing, id, context));
    const { take } = weighed;
    const answer = { gone: false, ...updatedBy(weighed) };
    if (take.length === 0) return { unchanged: answer };
    const { set, removed } = takenMembers('tag', tags, take);
    const links = takenMembers('experiment', linkedTo(experiment_ids), take);
    const changed = links.set.map(({ key }) => key);
    const unlinked = links.removed;
    const left = before.filter((each) => !unlinked.includes(each));
    const decided = { tags: set.map(({ key }) => key), removed, linked: [...left, ...changed] };
    return { decided: { made: false, ...decided, changed, unlinked }, answer };
  },
  facts(body, decided, context) {
    const { made, tags: keys, linked } = decided;
    const { dataset_id, name, digest = '', created_by: user } = body;
    const said = saidFact(thing, dataset_id, statementsOf(body));
    const tags = (body.tags ?? []).filter(({ key }) => keys.includes(key));
    if (made) {
      const at = body.created_time ?? 0;
      const message = { name, tags, experiment_ids: linked };
      const facts = liveFacts(
        createDataset,
        { message, decided: { dataset_id, digest } },
        { ...context, at },
      );
      const withOrigin = facts.map((fact) =>
        fact.kind === 'evaluationDataset.created'
          ? { ...fact, user: user ?? null, origin: originOf(body) }
          : fact,
      );
      return [...withOrigin, said];
    }
    return [...updateFacts(dataset_id, { ...decided, set: tags }, context), said];
  },
});

const thing = 'evaluation-dataset';

const linkedTo = (experiments: readonly string[]): { key: string; value: string }[] =>
  experiments.map((key) => ({ key, value: 'linked' }));

const statementsOf = ({ tags, experiment_ids = [] }: ImportDataset): Statements => ({
  ...members('tag', tags),
  ...members('experiment', linkedTo(experiment_ids)),
});

/** What changed at the source of a dataset that is here. */
function updateFacts(
  dataset_id: string,
  change: Omit<DecidedDataset, 'tags'> & { readonly set: readonly KeyValue[] },
  context: FactContext,
): Fact[] {
  const { set: tags, removed = [], linked, changed, unlinked = [] } = change;
  const experiments = [...linked];
  const at = { ...context, at: 0 };
  return [
    ...(tags.length === 0
      ? []
      : liveFacts(setDatasetTags, { message: { dataset_id, tags }, decided: {} }, at)),
    ...removed.flatMap((key) =>
      liveFacts(deleteDatasetTag, { message: { dataset_id, key }, decided: {} }, at),
    ),
    ...(changed.length === 0
      ? []
      : liveFacts(
          addDatasetToExperiments,
          { message: { dataset_id }, decided: { changed: [...changed], experiments } },
          at,
        )),
    ...(unlinked.length === 0
      ? []
      : liveFacts(
          removeDatasetFromExperiments,
          { message: { dataset_id }, decided: { changed: [...unlinked], experiments } },
          at,
        )),
  ];
}

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
