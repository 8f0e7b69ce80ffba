import type { DecideContext } from '../../../door/index.ts';
import type { Fact, FactContext } from '../../../facts/facts.ts';
import { type VersionRow, versionRef } from '../../../registry/index.ts';
import { mlflowError } from '../errors.ts';
import { mlflowOperation } from '../operation.ts';
import { uniqueTags } from '../operations/define.ts';
import { type AliasSet, aliasesAfter, deleteAlias, setAlias } from '../registry/aliases.ts';
import { changeTime, described } from '../registry/lineage.ts';
import { tokeniseTags } from '../registry/persons.ts';
import { getModel, getVersion } from '../registry/read.ts';
import { type Copied, copiedOf } from '../registry/source.ts';
import { checkNewAlias } from '../registry/validate.ts';
import {
  createVersion,
  deleteVersion,
  deleteVersionTag,
  setVersionTag,
  transitionStage,
  updateVersion,
} from '../registry/versions.ts';
import { liveFacts } from './live.ts';
import type { ImportAlias, ImportVersion } from './messages.ts';
import {
  findSaid,
  members,
  type Statements,
  saidFact,
  takenMembers,
  type Updated,
  updatedBy,
  type Weighed,
  weigh,
} from './said.ts';

type DecidedVersion = {
  readonly generation: number;
  readonly made: boolean;
  readonly modelId: string | null;
  /** The version that it is a copy of, when that one is here; absent in older messages. */
  readonly copied?: Copied;
  /** Keys of the tags that are set. */
  readonly tags: readonly string[];
  /** Keys of the tags that are taken away, and other fields that change; absent in older messages. */
  readonly removed?: readonly string[];
  readonly take?: readonly string[];
  /** Time of the change in the graph; the recorded one in older messages. */
  readonly time?: number;
};

const thing = 'model-version';
const saidId = ({ name, version, creation_timestamp = 0 }: ImportVersion): string =>
  `${name}/${version}/${creation_timestamp}`;

/** Of a version that was deleted only the number is left. */
const statementsOf = (body: ImportVersion): Statements =>
  body.deleted === true
    ? { deleted: true }
    : {
        deleted: false,
        description: body.description ?? '',
        current_stage: body.current_stage || 'None',
        ...members('tag', uniqueTags(body.tags)),
      };

/** What changed of a version that is here. One that was deleted there goes, unless it was changed here. */
async function weighVersion(
  body: ImportVersion,
  known: VersionRow,
  context: DecideContext,
): Promise<Weighed> {
  const here = {
    deleted: false,
    description: known.description ?? '',
    current_stage: known.stage,
    ...members('tag', await context.state.registry.listVersionTags(known.key)),
  };
  const said = await findSaid(thing, saidId(body), context);
  if (body.deleted !== true) return weigh(statementsOf(body), here, said);
  if (said === undefined) return { take: [], kept: [] };
  const untouched = Object.entries(here).every(([field, value]) => said(field, value));
  return untouched ? { take: ['deleted'], kept: [] } : { take: [], kept: ['deleted'] };
}

/** The version that `models:/name/version` names, which a copy keeps as its source. */
async function copiedFrom(
  { source = '' }: ImportVersion,
  { state, workspace }: DecideContext,
): Promise<{ copied?: Copied }> {
  const [, name, version] = /^models:\/+([^/]+)\/(\d+)$/.exec(source) ?? [];
  if (name === undefined) return {};
  const row = await state.registry.findVersion(workspace, name, Number(version));
  return row === undefined ? {} : { copied: copiedOf(row) };
}

export const importVersion = mlflowOperation<ImportVersion, Updated, DecidedVersion>({
  operation: 'import/model-version',
  persons: tokeniseTags,
  async decide(body, context) {
    const { registry } = context.state;
    const model = await getModel(registry, context.workspace, body.name);
    const { generation } = model;
    const modelId = body.model_id || null;
    const known = await registry.findVersionOfModel(model.key, body.version);
    if (known === undefined) {
      const tags = uniqueTags(body.tags).map(({ key }) => key);
      const copied = await copiedFrom(body, context);
      return { decided: { generation, made: true, tags, modelId, ...copied }, answer: {} };
    }
    if (known.createdTime !== (body.creation_timestamp ?? 0)) {
      throw mlflowError(
        'RESOURCE_CONFLICT',
        `Version ${body.version} of ${body.name} is here, made at another time.`,
      );
    }
    if (known.deletedTime !== null) return { unchanged: {} };
    const weighed = await weighVersion(body, known, context);
    const { take } = weighed;
    if (take.length === 0) return { unchanged: updatedBy(weighed) };
    const { set, removed } = takenMembers('tag', uniqueTags(body.tags), take);
    const tags = set.map(({ key }) => key);
    const time = changeTime(context.time, model, known);
    const news = { made: false, tags, removed, take, time };
    return { decided: { generation, modelId, ...news }, answer: updatedBy(weighed) };
  },
  facts(body, decided, context) {
    const said = saidFact(thing, saidId(body), statementsOf(body));
    return decided.made
      ? [...madeFacts(body, decided, context), said]
      : [...updateFacts(body, decided, context), said];
  },
});

function madeFacts(
  body: ImportVersion,
  { generation, tags: keys, modelId, copied }: DecidedVersion,
  context: FactContext,
): Fact[] {
  const { name, version, source = '', creation_timestamp: createdTime = 0 } = body;
  const tags = uniqueTags(body.tags).filter(({ key }) => keys.includes(key));
  const { description, run_link } = body;
  const message = {
    ...{ name, source, tags },
    ...(description === undefined ? {} : { description }),
    ...(run_link === undefined ? {} : { run_link }),
  };
  const decided = {
    ...{ generation, version, source, modelId, modelVersions: null },
    storageLocation: body.storage_location || source,
    runId: body.run_id || null,
    ...(copied === undefined ? {} : { copied }),
  };
  const created = { ...context, at: createdTime };
  const facts = liveFacts(createVersion, { message, decided }, created);
  return [...facts.map((fact) => withOrigin(fact, body)), ...laterFacts(body, generation, context)];
}

/** What changed at the source of a version that is here. */
function updateFacts(
  body: ImportVersion,
  decision: DecidedVersion,
  context: FactContext,
): readonly Fact[] {
  const { generation, tags: keys, removed = [], take = [], time = context.time } = decision;
  const decided = { generation, time };
  const named = { name: body.name, version: String(body.version) };
  const at = { ...context, at: 0 };
  if (take.includes('deleted')) return liveFacts(deleteVersion, { message: named, decided }, at);
  const { description = '', current_stage: stage = 'None' } = body;
  const staged = { ...decided, stage: stage || 'None', archived: [] };
  return [
    ...uniqueTags(body.tags)
      .filter(({ key }) => keys.includes(key))
      .flatMap((tag) => liveFacts(setVersionTag, { message: { ...named, ...tag }, decided }, at)),
    ...removed.flatMap((key) =>
      liveFacts(deleteVersionTag, { message: { ...named, key }, decided }, at),
    ),
    ...(take.includes('description')
      ? liveFacts(updateVersion, { message: { ...named, description }, decided }, at)
      : []),
    ...(take.includes('current_stage')
      ? liveFacts(transitionStage, { message: { ...named, stage }, decided: staged }, at)
      : []),
  ];
}

/** Times and stage of the source, in the fact that makes the version. */
function withOrigin(fact: Fact, body: ImportVersion): Fact {
  if (fact.kind !== 'modelVersion.created') return fact;
  const createdTime = body.creation_timestamp;
  const updatedTime = body.last_updated_timestamp || createdTime;
  return {
    ...fact,
    description: body.description,
    stage: body.current_stage || 'None',
    createdTime,
    updatedTime,
    deletedTime: body.deleted === true ? updatedTime : undefined,
  };
}

/** What became of the version later: its stage, or its end. */
function laterFacts(
  body: ImportVersion,
  generation: number,
  { workspace, time: now }: { readonly workspace: string; readonly time: number },
): Fact[] {
  const { name, version, current_stage: stage } = body;
  const ref = versionRef(workspace, { name, generation }, version);
  const time = body.last_updated_timestamp || body.creation_timestamp || now;
  if (body.deleted === true) return [{ kind: 'entity.deleted', ref, time }];
  return stage && stage !== 'None' ? [described(ref, { stage }, { time: time + 1 })] : [];
}

/** An alias is said on its own: the message of its model does not hold it. */
const aliasId = ({ name, alias }: ImportAlias): string => `${name}/${alias}`;
const aliasStatement = ({ version, removed }: ImportAlias): Statements =>
  removed === true ? {} : { version: String(Number(version)) };

/**
 * An alias, or that the source has none of that name any more; one that was moved here stays where
 * it is.
 */
export const importAlias = mlflowOperation<ImportAlias, Updated, AliasSet>({
  operation: 'import/alias',
  async decide(body, context) {
    const { registry } = context.state;
    const { name, alias, removed } = body;
    const model = await getModel(registry, context.workspace, name);
    const known = (await registry.listAliases(model.key)).find((each) => each.alias === alias);
    const said = await findSaid('alias', aliasId(body), context);
    const target = removed ? undefined : await getVersion(registry, context.workspace, body);
    const here = known && String(known.version);
    if (target === undefined) {
      if (here === undefined || !said?.('version', here)) return { unchanged: {} };
    } else {
      if (known === undefined) checkNewAlias(alias);
      const weighed = weigh(aliasStatement(body), { version: here }, said);
      if (weighed.take.length === 0) return { unchanged: updatedBy(weighed) };
    }
    const change = { alias, target: target?.version };
    const changed = await aliasesAfter(registry, model.key, change);
    const time = target ? changeTime(context.time, model, target) : changeTime(context.time, model);
    const answer = known === undefined ? {} : { changed: true };
    return { decided: { generation: model.generation, changed, time }, answer };
  },
  facts(body, decided, context) {
    const { name, alias, version } = body;
    const at = { ...context, at: 0 };
    const facts = body.removed
      ? liveFacts(deleteAlias, { message: { name, alias }, decided }, at)
      : liveFacts(setAlias, { message: { name, alias, version }, decided }, at);
    return [...facts, saidFact('alias', aliasId(body), aliasStatement(body))];
  },
});
