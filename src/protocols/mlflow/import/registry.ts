import type { DecideContext } from '../../../door/index.ts';
import type { Fact, FactContext } from '../../../facts/facts.ts';
import type { ModelRow } from '../../../registry/index.ts';
import { mlflowError } from '../errors.ts';
import { mlflowOperation } from '../operation.ts';
import { uniqueTags } from '../operations/define.ts';
import { changeTime } from '../registry/lineage.ts';
import { createModel, deleteModelTag, setModelTag, updateModel } from '../registry/models.ts';
import { tokeniseTags } from '../registry/persons.ts';
import { liveFacts } from './live.ts';
import type { ImportModel } from './messages.ts';
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

type DecidedModel = {
  readonly generation: number;
  readonly made: boolean;
  /** Keys of the tags that are set. */
  readonly tags: readonly string[];
  /** Keys of the tags that are taken away, and other fields that change; absent in older messages. */
  readonly removed?: readonly string[];
  readonly take?: readonly string[];
  /** Time of the change in the graph; the recorded one in older messages. */
  readonly time?: number;
};

/** The model that was imported before: of that name, or one that had it, made at the same time. */
async function findSame(
  { name, creation_timestamp = 0 }: ImportModel,
  { state, workspace }: DecideContext,
): Promise<ModelRow | undefined> {
  const { registry } = state;
  for (const use of await registry.listNameUses(workspace, name)) {
    const model = await registry.findModelByKey(use.model);
    if (model !== undefined && model.createdTime === creation_timestamp) return model;
  }
  if ((await registry.findModel(workspace, name)) === undefined) return undefined;
  throw mlflowError('RESOURCE_CONFLICT', `Registered Model ${name} is here, made at another time.`);
}

/** `gone`: it was brought before, and deleted or renamed here since; its versions are left too. */
export interface ImportedModel extends Updated {
  readonly gone: boolean;
}

export const importModel = mlflowOperation<ImportModel, ImportedModel, DecidedModel>({
  operation: 'import/registered-model',
  persons: tokeniseTags,
  async decide(body, context) {
    const { registry } = context.state;
    const same = await findSame(body, context);
    if (same === undefined) {
      const generation = (await registry.countNameUses(context.workspace, body.name)) + 1;
      const tags = uniqueTags(body.tags).map(({ key }) => key);
      return { decided: { generation, made: true, tags }, answer: { gone: false } };
    }
    const { generation, deletedTime } = same;
    // Deleted or renamed here since: nothing of it is brought back.
    if (deletedTime !== null || same.name !== body.name) return { unchanged: { gone: true } };
    const here = {
      description: same.description ?? '',
      ...members('tag', await registry.listModelTags(same.key)),
    };
    const weighed = weigh(statementsOf(body), here, await findSaid(thing, saidId(body), context));
    const answer = { gone: false, ...updatedBy(weighed) };
    const { take } = weighed;
    if (take.length === 0) return { unchanged: answer };
    const { set, removed } = takenMembers('tag', uniqueTags(body.tags), take);
    const tags = set.map(({ key }) => key);
    const time = changeTime(context.time, same);
    return { decided: { generation, made: false, tags, removed, take, time }, answer };
  },
  facts(body, decided, context) {
    const { generation, made, tags: keys } = decided;
    const { name, description, creation_timestamp: createdTime } = body;
    const tags = uniqueTags(body.tags).filter(({ key }) => keys.includes(key));
    const updatedTime = body.last_updated_timestamp || createdTime;
    const said = saidFact(thing, saidId(body), statementsOf(body));
    if (!made) return [...updateFacts(body, decided, context), said];
    const message = { name, tags, ...(description === undefined ? {} : { description }) };
    const at = createdTime ?? 0;
    const created = { ...context, at };
    const facts = liveFacts(createModel, { message, decided: { generation } }, created).map(
      (fact) => (fact.kind === 'model.created' ? { ...fact, createdTime, updatedTime } : fact),
    );
    return [...facts, said];
  },
});

const thing = 'registered-model';
const saidId = ({ name, creation_timestamp = 0 }: ImportModel): string =>
  `${name}/${creation_timestamp}`;

const statementsOf = ({ description = '', tags }: ImportModel): Statements => ({
  description,
  ...members('tag', uniqueTags(tags)),
});

/** What changed at the source of a model that is here. */
function updateFacts(
  { name, description = '', tags }: ImportModel,
  decision: DecidedModel,
  context: FactContext,
): Fact[] {
  const { generation, tags: keys, removed = [], take = [], time = context.time } = decision;
  const decided = { generation, time };
  const at = { ...context, at: 0 };
  return [
    ...uniqueTags(tags)
      .filter(({ key }) => keys.includes(key))
      .flatMap((tag) => liveFacts(setModelTag, { message: { name, ...tag }, decided }, at)),
    ...removed.flatMap((key) => liveFacts(deleteModelTag, { message: { name, key }, decided }, at)),
    ...(take.includes('description')
      ? liveFacts(updateModel, { message: { name, description }, decided }, at)
      : []),
  ];
}
