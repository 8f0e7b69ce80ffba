import type { Fact } from '../../../facts/facts.ts';
import { mlflowError } from '../errors.ts';
import { mlflowOperation } from '../operation.ts';
import { getExperiment, uniqueTags } from '../operations/define.ts';
import {
  createLoggedModel,
  deleteLoggedModel,
  finalizeLoggedModel,
  logLoggedModelParams,
  type ModelRead,
  setLoggedModelTags,
} from '../operations/logged-models.ts';
import { tokeniseTags } from '../registry/persons.ts';
import { liveFacts, missingTags } from './live.ts';
import type { ImportLoggedModel } from './messages.ts';

/** With what was read of its files, when they are here. */
export type ImportReadModel = ImportLoggedModel & { readonly read?: ModelRead };

type Decided = {
  readonly made: boolean;
  readonly tags: readonly string[];
  readonly params: readonly string[];
  /** Its status or files are new. */
  readonly finalized: boolean;
};

const finalStatus = ({ status }: ImportLoggedModel) => status ?? 'LOGGED_MODEL_STATUS_UNSPECIFIED';

export const importLoggedModel = mlflowOperation<ImportReadModel, null, Decided>({
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
      return { decided: all, answer: null };
    }
    if (model.creationTime !== (body.creation_timestamp_ms ?? 0)) {
      throw mlflowError(
        'RESOURCE_CONFLICT',
        `Logged model ${model.id} is here, made at another time.`,
      );
    }
    const tags = missingTags(uniqueTags(body.tags), await tracking.loggedModelTags([model.key]));
    const params = missingTags(
      uniqueTags(body.params),
      await tracking.loggedModelParams([model.key]),
    );
    const ended = model.status === 'LOGGED_MODEL_PENDING' && finalStatus(body) !== model.status;
    const finalized = ended || (body.read !== undefined && body.read.digest !== model.digest);
    if (tags.length + params.length === 0 && !finalized) return { unchanged: null };
    return {
      decided: { made: false, tags: keys(tags), params: keys(params), finalized },
      answer: null,
    };
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
    if (decided.made && body.lifecycle_stage === 'deleted')
      facts.push(...liveFacts(deleteLoggedModel, { message: { model_id }, decided: {} }, updated));
    return facts;
  },
});
