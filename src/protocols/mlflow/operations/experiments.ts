import type { Fact, FactContext } from '../../../facts/facts.ts';
import { doesNotExist, invalidParameter, mlflowError } from '../errors.ts';
import { experimentRef, runRef } from '../lineage/refs.ts';
import { mlflowOperation, tokeniseTags, userTag } from '../operation.ts';
import type {
  CreateExperiment,
  DeleteExperimentTag,
  ExperimentOnly,
  ExperimentTag,
  UpdateExperiment,
} from '../tracking/wire.ts';
import { checkActiveExperiment, getExperiment, uniqueTags } from './define.ts';
import { below } from './names.ts';

const described = (id: string, name: string, { workspace, time }: FactContext): Fact => ({
  kind: 'entity.described',
  ref: experimentRef(workspace, id),
  time,
  attributes: { name },
});

type Created = { readonly experiment_id: string; readonly artifact_location: string };

export const createExperiment = mlflowOperation<
  CreateExperiment,
  { experiment_id: string },
  Created
>({
  operation: 'experiments/create',
  persons: (body, tokenise) => {
    const tags = tokeniseTags(body.tags, tokenise);
    return tags === body.tags || tags === undefined ? body : { ...body, tags };
  },
  async decide(body, { state, workspace }) {
    if ((await state.tracking.findExperimentByName(workspace, body.name)) !== undefined) {
      throw mlflowError('RESOURCE_ALREADY_EXISTS', `Experiment(name=${body.name}) already exists.`);
    }
    const id = String(await state.tracking.nextExperimentId(workspace));
    const root = (await state.workspaces.findWorkspace(workspace))?.artifactRoot;
    const location = body.artifact_location || below(root ?? 'mlflow-artifacts:/', id);
    return {
      decided: { experiment_id: id, artifact_location: location },
      answer: { experiment_id: id },
    };
  },
  facts: (message, decided, context) => [
    {
      kind: 'experiment.created',
      id: decided.experiment_id,
      name: message.name,
      artifactLocation: decided.artifact_location,
      tags: uniqueTags(message.tags),
      time: context.time,
    },
    described(decided.experiment_id, message.name, context),
  ],
});

export const updateExperiment = mlflowOperation<
  UpdateExperiment,
  Record<string, never>,
  { id: string }
>({
  operation: 'experiments/update',
  async decide(body, context) {
    const experiment = await getExperiment(body.experiment_id, context);
    if (experiment.stage !== 'active') {
      throw invalidParameter('Cannot rename a non-active experiment.');
    }
    if (experiment.name === body.new_name) return { unchanged: {} };
    const { state, workspace } = context;
    if ((await state.tracking.findExperimentByName(workspace, body.new_name)) !== undefined) {
      throw mlflowError(
        'RESOURCE_ALREADY_EXISTS',
        `Experiment(name=${body.new_name}) already exists.`,
      );
    }
    return { decided: { id: experiment.id }, answer: {} };
  },
  facts: (message, { id }, context) => [
    { kind: 'experiment.renamed', id, name: message.new_name, time: context.time },
    described(id, message.new_name, context),
  ],
});

/** The runs that go with the experiment are listed: those that the graph must be told of. */
type Staged = { readonly id: string; readonly runs: readonly string[] };

function stagedFacts(
  { id, runs }: Staged,
  what: 'deleted' | 'restored',
  { workspace, time }: FactContext,
): Fact[] {
  return [
    { kind: `experiment.${what}`, id, time },
    { kind: `entity.${what}`, ref: experimentRef(workspace, id), time },
    ...runs.map((run): Fact => ({ kind: `entity.${what}`, ref: runRef(workspace, run), time })),
  ];
}

export const deleteExperiment = mlflowOperation<ExperimentOnly, Record<string, never>, Staged>({
  operation: 'experiments/delete',
  async decide(body, context) {
    const { id, key, stage } = await getExperiment(body.experiment_id, context);
    if (stage !== 'active') throw doesNotExist(`No Experiment with id=${id} exists`);
    return {
      decided: { id, runs: await context.state.tracking.runIdsOfExperiment(key) },
      answer: {},
    };
  },
  facts: (_message, decided, context) => stagedFacts(decided, 'deleted', context),
});

export const restoreExperiment = mlflowOperation<ExperimentOnly, Record<string, never>, Staged>({
  operation: 'experiments/restore',
  async decide(body, context) {
    const { id, key, stage } = await getExperiment(body.experiment_id, context);
    if (stage !== 'deleted') throw doesNotExist(`No Experiment with id=${id} exists`);
    return {
      decided: { id, runs: await context.state.tracking.runIdsOfExperiment(key) },
      answer: {},
    };
  },
  facts: (_message, decided, context) => stagedFacts(decided, 'restored', context),
});

export const setExperimentTag = mlflowOperation<
  ExperimentTag,
  Record<string, never>,
  { id: string }
>({
  operation: 'experiments/set-experiment-tag',
  persons: (body, tokenise) =>
    body.key === userTag && body.value !== undefined
      ? { ...body, value: tokenise(body.value) }
      : body,
  async decide(body, context) {
    const experiment = await getExperiment(body.experiment_id, context);
    checkActiveExperiment(experiment);
    const tags = await context.state.tracking.experimentTags([experiment.key]);
    if (tags.some(({ key, value }) => key === body.key && value === (body.value ?? ''))) {
      return { unchanged: {} };
    }
    return { decided: { id: experiment.id }, answer: {} };
  },
  facts: ({ key, value }, { id }, { time }) => [
    { kind: 'experiment.tagged', id, key, value: value ?? '', time },
  ],
});

export const deleteExperimentTag = mlflowOperation<
  DeleteExperimentTag,
  Record<string, never>,
  { id: string }
>({
  operation: 'experiments/delete-experiment-tag',
  async decide(body, context) {
    const experiment = await getExperiment(body.experiment_id, context);
    checkActiveExperiment(experiment);
    const tags = await context.state.tracking.experimentTags([experiment.key]);
    if (!tags.some(({ key }) => key === body.key)) {
      throw doesNotExist(`No tag with name: ${body.key} in experiment with id ${experiment.id}`);
    }
    return { decided: { id: experiment.id }, answer: {} };
  },
  facts: ({ key }, { id }, { time }) => [{ kind: 'experiment.tagged', id, key, value: null, time }],
});
