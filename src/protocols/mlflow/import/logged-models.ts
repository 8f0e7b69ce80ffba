import type { Fact } from '../../../facts/facts.ts';
import { mlflowError } from '../errors.ts';
import { mlflowOperation } from '../operation.ts';
import { getExperiment, uniqueTags } from '../operations/define.ts';
import {
  createLoggedModel,
  deleteLoggedModel,
  deleteLoggedModelTag,
  finalizeLoggedModel,
  logLoggedModelParams,
  type ModelRead,
  setLoggedModelTags,
} from '../operations/logged-models.ts';
import { tokeniseTags } from '../registry/persons.ts';
import { liveFacts, missingTags } from './live.ts';
import type { ImportLoggedModel } from './messages.ts';
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

/** With what was read of its files, when they are here. */
export type ImportReadModel = ImportLoggedModel & { readonly read?: ModelRead };

type Decided = {
  readonly made: boolean;
  readonly tags: readonly string[];
  readonly params: readonly string[];
  /** Its status or files are new. */
  readonly finalized: boolean;
  /** Keys of the tags that are taken away; absent in older messages. */
  readonly removed?: readonly string[];
  /** It was deleted there; absent in older messages. */
  readonly deleted?: boolean;
};

const statementsOf = (body: ImportLoggedModel): Statements => ({
  status: body.status,
  lifecycle_stage: body.lifecycle_stage ?? 'active',
  ...members('tag', uniqueTags(body.tags)),
});

const finalStatus = ({ status }: ImportLoggedModel) => status ?? 'LOGGED_MODEL_STATUS_UNSPECIFIED';

export const importLoggedModel = mlflowOperation<ImportReadModel, Updated, Decided>({
  operation: 'import/logged-model',
  persons: tokeniseTags,
  async decide(body, context) {
    const { tracking } = context.state;
    const keys = (list: ImportLoggedModel['tags']): string[] =>
      uniqueTags(list).map(({ key }) => key);
    const model = await tracking.findLoggedModel(context.workspace, body.model_id);
    if (model === undefined) {
      if (await tracking.hasId('model', body.model_id)) {
        throw mlflowError(
          'RESOURCE_CONFLICT',
          `Logged model ${body.model_id} is in another workspace here.`,
        );
      }
      await getExperiment(body.experiment_id, context);
      const all = { made: true, tags: keys(body.tags), params: keys(body.params), finalized: true };
      return { decided: all, answer: {} };
    }
    if (model.creationTime !== (body.creation_timestamp_ms ?? 0)) {
      throw mlflowError(
        'RESOURCE_CONFLICT',
        `Logged model ${model.id} is here, made at another time.`,
      );
    }
    const here = {
      status: model.status,
      lifecycle_stage: model.stage,
      ...members('tag', await tracking.loggedModelTags([model.key])),
    };
    const weighed = weigh(
      statementsOf(body),
      here,
      await findSaid('logged-model', model.id, context),
    );
    const { take } = weighed;
    const { set: tags, removed } = takenMembers('tag', uniqueTags(body.tags), take);
    const params = missingTags(
      uniqueTags(body.params),
      await tracking.loggedModelParams([model.key]),
    );
    const finalized =
      take.includes('status') || (body.read !== undefined && body.read.digest !== model.digest);
    // MLflow has no way back from a deletion.
    const deleted = take.includes('lifecycle_stage') && body.lifecycle_stage === 'deleted';
    const some = tags.length + removed.length + params.length > 0 || finalized || deleted;
    const answer = { ...updatedBy(weighed), ...(some ? { changed: true } : { changed: false }) };
    if (!some) return { unchanged: answer };
    const news = { tags: keys(tags), params: keys(params), removed, finalized, deleted };
    return { decided: { made: false, ...news }, answer };
  },
  facts(body, decided, context) {
    const { model_id, experiment_id, name = '', model_type = '', source_run_id = '' } = body;
    const tags = uniqueTags(body.tags).filter(({ key }) => decided.tags.includes(key));
    const params = uniqueTags(body.params).filter(({ key }) => decided.params.includes(key));
    const created = { ...context, at: body.creation_timestamp_ms ?? 0 };
    const updated = { ...context, at: body.last_updated_timestamp_ms ?? created.at };
    const facts: Fact[] = [];
    if (decided.made) {
      const message = { experiment_id, name, model_type, source_run_id, tags, params };
      const ids = { model_id, name, experiment_id, artifact_uri: body.artifact_uri };
      facts.push(...liveFacts(createLoggedModel, { message, decided: ids }, created));
    } else {
      for (const tag_key of decided.removed ?? []) {
        const payload = { message: { model_id, tag_key }, decided: {} };
        facts.push(...liveFacts(deleteLoggedModelTag, payload, { ...context, at: 0 }));
      }
      if (tags.length > 0)
        facts.push(
          ...liveFacts(setLoggedModelTags, { message: { model_id, tags }, decided: {} }, updated),
        );
      if (params.length > 0)
        facts.push(
          ...liveFacts(
            logLoggedModelParams,
            { message: { model_id, params }, decided: {} },
            updated,
          ),
        );
    }
    if (decided.finalized) {
      const { read } = body;
      const message = {
        model_id,
        status: finalStatus(body),
        ...(read === undefined ? {} : { read }),
      };
      const of = { source_run: source_run_id, name, model_type };
      facts.push(...liveFacts(finalizeLoggedModel, { message, decided: of }, updated));
    }
    if (decided.made ? body.lifecycle_stage === 'deleted' : decided.deleted === true)
      facts.push(...liveFacts(deleteLoggedModel, { message: { model_id }, decided: {} }, updated));
    return [...facts, saidFact('logged-model', model_id, statementsOf(body))];
  },
});
