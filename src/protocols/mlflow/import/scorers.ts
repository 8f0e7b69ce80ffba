import { isObject } from '../../../base/json.ts';
import type { DecideContext } from '../../../door/index.ts';
import { invalidParameter, mlflowError } from '../errors.ts';
import { configureScorer, deleteScorer, registerScorer, scorerRef } from '../evaluation/scorers.ts';
import { mlflowOperation } from '../operation.ts';
import { getExperiment } from '../operations/define.ts';
import { liveFacts } from './live.ts';
import type { ImportScorer } from './messages.ts';
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

type Decided = {
  /** Numbers of the versions that are new. */
  readonly versions: readonly number[];
  readonly online: boolean;
  /** Numbers of the versions that were deleted there; absent in older messages. */
  readonly removed?: readonly number[];
};

/** How the scorer is to run, as one statement. */
const onlineText = (rate: unknown, filter: string | null | undefined): string =>
  JSON.stringify([rate, filter || null]);

const numbered = (versions: readonly { readonly version: number }[]) =>
  versions.map(({ version }) => ({ key: String(version), value: 'registered' }));

const statementsOf = ({ online, versions = [] }: ImportScorer): Statements => ({
  online: online && onlineText(online.sample_rate, online.filter_string),
  ...members('version', numbered(versions)),
});

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

/** How many versions are new, and how many were deleted there. */
export interface ImportedScorer extends Updated {
  readonly brought?: number;
  readonly updated?: number;
}

/** A scorer with all its versions. Numbers that were given here are never filled again. */
export const importScorer = mlflowOperation<ImportScorer, ImportedScorer, Decided>({
  operation: 'import/scorer',
  async decide(body, context) {
    checkSerialized(body);
    const { evaluation } = context.state;
    const { id: experiment } = await getExperiment(body.experiment_id, context);
    const known = await evaluation.findScorer(context.workspace, experiment, body.name);
    if (known !== undefined && known.id !== body.scorer_id)
      throw mlflowError('RESOURCE_CONFLICT', `Another scorer ${body.name} is here.`);
    if (known === undefined && (await wasDeleted(body, context))) return { unchanged: {} };
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
    const [config] = await evaluation.listScorerConfigs(context.workspace, [body.scorer_id]);
    const here = {
      online: config && onlineText(config.sampleRate, config.filter),
      ...members('version', numbered(rows)),
    };
    const said = await findSaid('scorer', body.scorer_id, context);
    const weighed = weigh(statementsOf(body), here, said);
    const { take } = weighed;
    const removed = takenMembers('version', numbered(body.versions ?? []), take).removed.map(
      Number,
    );
    const online = take.includes('online');
    const updated = removed.length + (online && known !== undefined ? 1 : 0);
    const { kept } = updatedBy(weighed);
    const counted = { brought: versions.length, updated };
    const answer = { ...counted, ...(kept === undefined ? {} : { kept }) };
    return versions.length + removed.length === 0 && !online
      ? { unchanged: answer }
      : { decided: { versions, online, removed }, answer };
  },
  facts(body, { versions, online, removed = [] }, context) {
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
    const deleted = removed.flatMap((version) => {
      const named = { experiment_id: experiment, name, version };
      const payload = { message: named, decided: { scorer, versions: [version] } };
      return liveFacts(deleteScorer, payload, { ...context, at: 0 });
    });
    const stated = [...facts, ...deleted, saidFact('scorer', scorer, statementsOf(body))];
    if (!online || body.online === undefined) return stated;
    const { id: config, sample_rate, filter_string } = body.online;
    const message = {
      ...{ experiment_id: experiment, name, sample_rate },
      ...(filter_string === undefined ? {} : { filter_string }),
    };
    const configured = { message, decided: { scorer, config } };
    return [...stated, ...liveFacts(configureScorer, configured, { ...context, at: 0 })];
  },
});
