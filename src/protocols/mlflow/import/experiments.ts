import type { DecideContext } from '../../../door/index.ts';
import type { Fact } from '../../../facts/facts.ts';
import type { ExperimentRow } from '../../../tracking/index.ts';
import { mlflowOperation } from '../operation.ts';
import { uniqueTags } from '../operations/define.ts';
import {
  createExperiment,
  deleteExperiment,
  setExperimentTag,
  updateExperiment,
} from '../operations/experiments.ts';
import { below } from '../operations/names.ts';
import { tokeniseTags } from '../registry/persons.ts';
import { liveFacts, missingTags } from './live.ts';
import type { ImportExperiment } from './messages.ts';

/** The experiment here that an imported one became. */
export interface ImportedExperiment {
  readonly experiment_id: string;
  readonly artifact_location: string;
  readonly name: string;
}

type Decided = {
  readonly experiment_id: string;
  readonly artifact_location: string;
  /** `taken over`: experiment 0, which is always there, becomes the one of the source. */
  readonly what: 'made' | 'taken over' | 'known';
  /** Keys of the tags that are new. */
  readonly tags: readonly string[];
};

/**
 * The experiment here that is the same: of that id and made at the same time (it may have been
 * renamed since), or of that name. Experiment 0 is taken over while nothing was done with it.
 */
async function findSame(
  body: ImportExperiment,
  { state, workspace }: DecideContext,
): Promise<{ readonly row: ExperimentRow; readonly takeOver: boolean } | undefined> {
  const { tracking } = state;
  const byId = await tracking.findExperiment(workspace, body.experiment_id);
  if (byId !== undefined && byId.creationTime > 0 && byId.creationTime === body.creation_time)
    return { row: byId, takeOver: false };
  const byName = await tracking.findExperimentByName(workspace, body.name);
  if (byName !== undefined) return { row: byName, takeOver: false };
  if (byId?.id !== '0') return undefined;
  const untouched =
    byId.name === 'Default' && (await tracking.runIdsOfExperiment(byId.key)).length === 0;
  return untouched ? { row: byId, takeOver: true } : undefined;
}

async function freeId(body: ImportExperiment, context: DecideContext): Promise<string> {
  const { state, workspace } = context;
  // Ids of more than 15 digits (file stores invent them) are not exact numbers in JSON.
  const own = /^(0|[1-9]\d{0,14})$/.test(body.experiment_id) ? body.experiment_id : undefined;
  if (own !== undefined && (await state.tracking.findExperiment(workspace, own)) === undefined)
    return own;
  const next = await state.tracking.nextExperimentId(workspace);
  return String(Math.max(next, (body.ids_above ?? 0) + 1));
}

export const importExperiment = mlflowOperation<ImportExperiment, ImportedExperiment, Decided>({
  operation: 'import/experiment',
  persons: tokeniseTags,
  async decide(body, context) {
    const same = await findSame(body, context);
    if (same === undefined) {
      const id = await freeId(body, context);
      const location = body.artifact_location || below('mlflow-artifacts:/', id);
      const answer = { experiment_id: id, artifact_location: location };
      const tags = uniqueTags(body.tags).map(({ key }) => key);
      return {
        decided: { ...answer, what: 'made', tags },
        answer: { ...answer, name: body.name },
      };
    }
    const { row, takeOver } = same;
    const known = await context.state.tracking.experimentTags([row.key]);
    const tags = missingTags(uniqueTags(body.tags), known).map(({ key }) => key);
    const answer = { experiment_id: row.id, artifact_location: row.artifactLocation };
    const name = takeOver ? body.name : row.name;
    if (!takeOver && tags.length === 0) return { unchanged: { ...answer, name } };
    return {
      decided: { ...answer, what: takeOver ? 'taken over' : 'known', tags },
      answer: { ...answer, name },
    };
  },
  facts(body, { what, tags: added, ...made }, context) {
    const id = made.experiment_id;
    const tags = uniqueTags(body.tags).filter(({ key }) => added.includes(key));
    const created = { ...context, at: body.creation_time ?? 0 };
    const updated = { ...context, at: body.last_update_time ?? body.creation_time ?? 0 };
    const tagged = tags.flatMap((tag) =>
      liveFacts(
        setExperimentTag,
        { message: { experiment_id: id, ...tag }, decided: { id } },
        updated,
      ),
    );
    if (what === 'known') return tagged;
    const message = { name: body.name, tags };
    const facts: Fact[] =
      what === 'made'
        ? liveFacts(createExperiment, { message, decided: made }, created).map((fact) =>
            fact.kind === 'experiment.created'
              ? { ...fact, updatedTime: body.last_update_time }
              : fact,
          )
        : [
            ...liveFacts(
              updateExperiment,
              { message: { experiment_id: id, new_name: body.name }, decided: { id } },
              updated,
            ),
            ...tagged,
          ];
    if (body.lifecycle_stage !== 'deleted') return facts;
    const gone = { message: { experiment_id: id }, decided: { id, runs: [] } };
    return [...facts, ...liveFacts(deleteExperiment, gone, updated)];
  },
});
