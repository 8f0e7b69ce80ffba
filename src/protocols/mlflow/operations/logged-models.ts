import type { JsonObject } from '../../../base/json.ts';
import type { DecideContext } from '../../../door/index.ts';
import type { Fact, FactContext } from '../../../facts/facts.ts';
import type { LoggedModelRow } from '../../../tracking/index.ts';
import { doesNotExist, mlflowError } from '../errors.ts';
import {
  describeModel,
  environmentOf,
  type ModelFiles,
  promptUris,
} from '../lineage/model-files.ts';
import { environmentRef, experimentRef, modelRef, runRef } from '../lineage/refs.ts';
import { mlflowOperation, tokeniseTags } from '../operation.ts';
import { linkedPrompts, type PromptLink, promptFacts, promptsOfUris } from '../prompts.ts';
import { type Answer, writeLoggedModel } from '../tracking/answers.ts';
import type {
  CreateLoggedModel,
  DeleteLoggedModelTag,
  FinalizeLoggedModel,
  LoggedModelOnly,
  LoggedModelParams,
  LoggedModelTags,
} from '../tracking/wire.ts';
import { checkActiveExperiment, getExperiment, uniqueTags } from './define.ts';
import { below, inventName, newId } from './names.ts';

async function getLoggedModel(
  id: string,
  { state, workspace }: DecideContext,
): Promise<LoggedModelRow> {
  const model = await state.tracking.findLoggedModel(workspace, id);
  if (model !== undefined) return model;
  throw doesNotExist(`Logged model with ID '${id}' not found.`);
}

type Created = {
  readonly model_id: string;
  readonly name: string;
  readonly experiment_id: string;
  readonly artifact_uri: string;
};

export const createLoggedModel = mlflowOperation<CreateLoggedModel, Answer, Created>({
  operation: 'logged-models/create',
  persons(body, tokenise) {
    const tags = tokeniseTags(body.tags, tokenise);
    return tags === body.tags || tags === undefined ? body : { ...body, tags };
  },
  async decide(body, context) {
    const experiment = await getExperiment(body.experiment_id, context);
    checkActiveExperiment(experiment);
    const random = context.random(22);
    const id = `m-${newId(random.subarray(0, 16))}`;
    const name = body.name || inventName(random.subarray(16));
    const artifactUri = below(experiment.artifactLocation, 'models', id, 'artifacts');
    const model = {
      id,
      name,
      experimentId: experiment.id,
      modelType: body.model_type ?? '',
      sourceRun: body.source_run_id ?? '',
      artifactUri,
      status: 'LOGGED_MODEL_PENDING' as const,
      digest: null,
      stage: 'active' as const,
      creationTime: context.time,
      lastUpdateTime: context.time,
    };
    const own = (tags: LoggedModelTags['tags']): { owner: number; key: string; value: string }[] =>
      uniqueTags(tags).map((tag) => ({ owner: 0, ...tag }));
    const full = { model, params: own(body.params), tags: own(body.tags), metrics: [] };
    return {
      decided: { model_id: id, name, experiment_id: experiment.id, artifact_uri: artifactUri },
      answer: { model: writeLoggedModel(full) },
    };
  },
  facts(message, decided, context) {
    const { workspace, time } = context;
    const sourceRun = message.source_run_id ?? '';
    const ref = modelRef(workspace, decided.model_id);
    const facts: Fact[] = [
      {
        kind: 'loggedModel.created',
        model: decided.model_id,
        experiment: decided.experiment_id,
        name: decided.name,
        modelType: message.model_type ?? '',
        sourceRun,
        artifactUri: decided.artifact_uri,
        params: uniqueTags(message.params),
        tags: uniqueTags(message.tags),
        time,
      },
      {
        kind: 'entity.described',
        ref,
        time,
        attributes: {
          name: decided.name,
          experiment: experimentRef(workspace, decided.experiment_id),
          ...(message.model_type ? { modelType: message.model_type } : {}),
        },
      },
    ];
    if (sourceRun !== '') facts.push(producedFact(sourceRun, decided.model_id, context));
    return facts;
  },
});

function producedFact(run: string, model: string, { workspace, time }: FactContext): Fact {
  return {
    kind: 'relation.stated',
    relation: 'produced',
    from: runRef(workspace, run),
    to: modelRef(workspace, model),
    known: 'observed',
    rule: 'mlflow.logged-models/source_run_id',
    time,
  };
}

/** What the route read of a model's files when it was finalized. */
export type ModelRead = {
  readonly files: number;
  readonly bytes: number;
  /** SHA-256, hex, over the sorted lines `path sha256` of the files. */
  readonly digest: string;
  readonly texts: { readonly [K in keyof ModelFiles]: string };
};

export type Finalize = FinalizeLoggedModel & { readonly read?: ModelRead };
type Finalized = {
  readonly source_run: string;
  readonly name: string;
  readonly model_type: string;
  /** Prompts that its MLmodel names; absent when there are none. */
  readonly prompts?: readonly PromptLink[];
};

/** What a finished model is: its digest, flavors, signature, and the environment it locks. */
function readFacts(message: Finalize, decided: Finalized, context: FactContext): Fact[] {
  const { read } = message;
  if (read === undefined || read.files === 0) return [];
  const { workspace, time } = context;
  const ref = modelRef(workspace, message.model_id);
  const attributes: JsonObject = {
    name: decided.name,
    ...(decided.model_type === '' ? {} : { modelType: decided.model_type }),
    digest: `sha256:${read.digest}`,
    files: read.files,
    bytes: read.bytes,
    ...describeModel(read.texts),
  };
  return [
    { kind: 'entity.described', ref, time, attributes },
    ...environmentFacts(
      read.texts,
      [ref, ...(decided.source_run === '' ? [] : [runRef(workspace, decided.source_run)])],
      context,
    ),
    ...promptFacts(ref, decided.prompts, { workspace, time, rule: 'MLmodel.prompts' }),
  ];
}

/** The environment that files lock, used by the entities with `refs`. */
export function environmentFacts(
  files: ModelFiles,
  refs: readonly string[],
  { workspace, time }: FactContext,
): Fact[] {
  const environment = environmentOf(files);
  if (environment === undefined) return [];
  const from = environmentRef(workspace, environment.digest);
  return [
    { kind: 'entity.described', ref: from, time, attributes: environment.attributes },
    ...refs.map(
      (to): Fact => ({
        kind: 'relation.stated',
        relation: 'used-by',
        from,
        to,
        known: 'observed',
        rule: 'mlflow.model.requirements',
        time,
      }),
    ),
  ];
}

export const finalizeLoggedModel = mlflowOperation<Finalize, undefined, Finalized>({
  operation: 'logged-models/finalize',
  async decide(body, context) {
    const model = await getLoggedModel(body.model_id, context);
    const digest = body.read?.digest ?? null;
    if (model.status === body.status && model.digest === digest) return { unchanged: undefined };
    const decided = { source_run: model.sourceRun, name: model.name, model_type: model.modelType };
    const prompts = await promptsOfUris(promptUris(body.read?.texts ?? {}), context);
    return {
      decided: prompts.length === 0 ? decided : { ...decided, prompts },
      answer: undefined,
    };
  },
  facts(message, decided, context) {
    const { time } = context;
    const facts: Fact[] = [
      {
        kind: 'loggedModel.finalized',
        model: message.model_id,
        status: message.status,
        digest: message.read?.digest,
        time,
      },
    ];
    if (decided.source_run !== '') {
      facts.push(producedFact(decided.source_run, message.model_id, context));
    }
    facts.push(...readFacts(message, decided, context));
    return facts;
  },
});

export const setLoggedModelTags = mlflowOperation<
  LoggedModelTags,
  Record<string, never>,
  { readonly prompts?: readonly PromptLink[] }
>({
  operation: 'logged-models/set-tags',
  persons(body, tokenise) {
    const tags = tokeniseTags(body.tags, tokenise);
    return tags === body.tags || tags === undefined ? body : { ...body, tags };
  },
  async decide(body, context) {
    const model = await getLoggedModel(body.model_id, context);
    const known = await context.state.tracking.loggedModelTags([model.key]);
    const has = new Map(known.map(({ key, value }) => [key, value]));
    const tags = uniqueTags(body.tags).filter(({ key, value }) => has.get(key) !== value);
    if (tags.length === 0) return { unchanged: {} };
    const prompts = await linkedPrompts(tags, context);
    return { decided: prompts.length === 0 ? {} : { prompts }, answer: {} };
  },
  facts: (message, { prompts }, { workspace, time }) => [
    { kind: 'loggedModel.tagged', model: message.model_id, tags: uniqueTags(message.tags) },
    ...promptFacts(modelRef(workspace, message.model_id), prompts, { workspace, time }),
  ],
});

export const deleteLoggedModelTag = mlflowOperation<
  DeleteLoggedModelTag,
  Record<string, never>,
  Record<string, never>
>({
  operation: 'logged-models/delete-tag',
  async decide(body, context) {
    const model = await getLoggedModel(body.model_id, context);
    const known = await context.state.tracking.loggedModelTags([model.key]);
    if (!known.some(({ key }) => key === body.tag_key)) {
      throw doesNotExist(
        `No tag with key '${body.tag_key}' found for model with ID '${body.model_id}'.`,
      );
    }
    return { decided: {}, answer: {} };
  },
  facts: (message) => [
    { kind: 'loggedModel.untagged', model: message.model_id, key: message.tag_key },
  ],
});

export const logLoggedModelParams = mlflowOperation<
  LoggedModelParams,
  Record<string, never>,
  Record<string, never>
>({
  operation: 'logged-models/log-params',
  async decide(body, context) {
    const model = await getLoggedModel(body.model_id, context);
    const known = await context.state.tracking.loggedModelParams([model.key]);
    const has = new Map(known.map(({ key, value }) => [key, value]));
    const params = uniqueTags(body.params);
    for (const { key, value } of params) {
      if (!has.has(key) || has.get(key) === value) continue;
      throw mlflowError(
        'BAD_REQUEST',
        `Changing param values is not allowed. Param with key='${key}' was already logged for model ID='${body.model_id}'.`,
      );
    }
    const news = params.some(({ key }) => !has.has(key));
    return news ? { decided: {}, answer: {} } : { unchanged: {} };
  },
  facts: (message) => [
    {
      kind: 'loggedModel.parametrized',
      model: message.model_id,
      params: uniqueTags(message.params),
    },
  ],
});

export const deleteLoggedModel = mlflowOperation<
  LoggedModelOnly,
  Record<string, never>,
  Record<string, never>
>({
  operation: 'logged-models/delete',
  async decide(body, context) {
    const model = await getLoggedModel(body.model_id, context);
    return model.stage === 'deleted' ? { unchanged: {} } : { decided: {}, answer: {} };
  },
  facts: (message, _decided, { workspace, time }) => [
    { kind: 'loggedModel.deleted', model: message.model_id, time },
    { kind: 'entity.deleted', ref: modelRef(workspace, message.model_id), time },
  ],
});
