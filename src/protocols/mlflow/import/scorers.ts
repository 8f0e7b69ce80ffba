import { isObject } from '../../../base/json.ts';
import type { DecideContext } from '../../../door/index.ts';
import { invalidParameter, mlflowError } from '../errors.ts';
import { configureScorer, registerScorer, scorerRef } from '../evaluation/scorers.ts';
import { mlflowOperation } from '../operation.ts';
import { getExperiment } from '../operations/define.ts';
import { liveFacts } from './live.ts';
import type { ImportScorer } from './messages.ts';

type Decided = {
  /** Numbers of the versions that are new. */
  readonly versions: readonly number[];
  readonly online: boolean;
};

/** @throws invalid_message. What a scorer holds is not judged: it was registered where it comes from. */
function checkSerialized({ name, versions = [] }: ImportScorer): void {
  for (const { version, serialized_scorer } of versions) {
    try {
      if (isObject(JSON.parse(serialized_scorer))) continue;
    } catch {
      // told below
    }
    throw invalidParameter(`Version ${version} of the scorer ${name} is not a JSON object.`);
  }
}

/** True for a scorer that was brought before, and deleted here since. */
async function wasDeleted(
  { scorer_id, versions = [] }: ImportScorer,
  { state, workspace }: DecideContext,
): Promise<boolean> {
  const [first] = versions;
  if (first === undefined) return false;
  const node = await state.lineage.findNode(scorerRef(workspace, scorer_id, first.version));
  return node !== undefined && node.deletedTime !== null;
}

/** A scorer with all its versions. Numbers that were given here are never filled again. */
export const importScorer = mlflowOperation<ImportScorer, null, Decided>({
  operation: 'import/scorer',
  async decide(body, context) {
    checkSerialized(body);
    const { evaluation } = context.state;
    const { id: experiment } = await getExperiment(body.experiment_id, context);
    const known = await evaluation.findScorer(context.workspace, experiment, body.name);
    if (known !== undefined && known.id !== body.scorer_id)
      throw mlflowError('RESOURCE_CONFLICT', `Another scorer ${body.name} is here.`);
    if (known === undefined && (await wasDeleted(body, context))) return { unchanged: null };
    const rows = known === undefined ? [] : await evaluation.listScorerVersions(known.key);
    const texts = new Map(rows.map(({ version, serialized }) => [version, serialized]));
    for (const { version, serialized_scorer } of body.versions ?? []) {
      if (texts.has(version) && texts.get(version) !== serialized_scorer)
        throw mlflowError(
          'RESOURCE_CONFLICT',
          `Another version ${version} of the scorer ${body.name} is here.`,
        );
    }
    const above = known?.versionCount ?? 0;
    const numbers = (body.versions ?? []).map(({ version }) => version);
    const versions = numbers.filter((version) => version > above).sort((a, b) => a - b);
    const configs = await evaluation.listScorerConfigs(context.workspace, [body.scorer_id]);
    const online = body.online !== undefined && configs.length === 0;
    return versions.length === 0 && !online
      ? { unchanged: null }
      : { decided: { versions, online }, answer: null };
  },
  facts(body, { versions, online }, context) {
    const { experiment_id: experiment, name, scorer_id: scorer } = body;
    const facts = versions.flatMap((version) => {
      const one = body.versions?.find((each) => each.version === version);
      const serialized_scorer = one?.serialized_scorer ?? '{}';
      const message = { experiment_id: experiment, name, serialized_scorer };
      const at = one?.creation_time ?? 0;
      return liveFacts(
        registerScorer,
        { message, decided: { scorer, version, experiment } },
        { ...context, at },
      ).map((fact) =>
        fact.kind === 'scorer.registered' ? { ...fact, createdTime: at || undefined } : fact,
      );
    });
    if (!online || body.online === undefined) return facts;
    const { id: config, sample_rate, filter_string } = body.online;
    const message = {
      ...{ experiment_id: experiment, name, sample_rate },
      ...(filter_string === undefined ? {} : { filter_string }),
    };
    const configured = { message, decided: { scorer, config } };
    return [...facts, ...liveFacts(configureScorer, configured, { ...context, at: 0 })];
  },
});
