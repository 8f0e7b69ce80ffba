import type { DecideContext } from '../../../door/index.ts';
import type { Fact, FactContext } from '../../../facts/facts.ts';
import type { KeyValue } from '../../../facts/tracking-facts.ts';
import type { RunHead } from '../../../tracking/index.ts';
import { doesNotExist, invalidParameter } from '../errors.ts';
import { datasetsTag, findJudged, type Judged, judgedFacts } from '../lineage/evaluated-on.ts';
import { runRef } from '../lineage/refs.ts';
import { startOr, tagFacts } from '../lineage/run-facts.ts';
import { isSourceTag, type SourceTags, sourceTags } from '../lineage/source-code.ts';
import { mlflowOperation, userTag } from '../operation.ts';
import { linkedPrompts, type PromptLink, promptFacts } from '../prompts.ts';
import type { DeleteTag, LogModel, LogParam, SetTag } from '../tracking/wire.ts';
import { mlflowLimits } from '../validate.ts';
import { getActiveRunHead, tagMap } from './define.ts';

const runNameTag = 'mlflow.runName';

/** The tags that are set: MLflow keeps a run's name rather than taking it away. */
const named = (tags: readonly KeyValue[]): readonly KeyValue[] =>
  tags.filter(({ key, value }) => key !== runNameTag || value !== '');

/** The tags of a message that the run does not have with that value. */
export async function changedTags(
  run: RunHead,
  tags: readonly KeyValue[],
  { state }: DecideContext,
): Promise<KeyValue[]> {
  const changed: KeyValue[] = [];
  for (const tag of named(tags)) {
    if ((await state.tracking.findTag(run.key, tag.key)) !== tag.value) changed.push(tag);
  }
  return changed;
}

type TagDecision = {
  readonly source: SourceTags | null;
  readonly start_time: number;
  /** Prompts that the tags link to the run; absent when they link none. */
  readonly prompts?: readonly PromptLink[];
  /** Models that the tags say were evaluated; absent when there are none. */
  readonly judged?: Judged;
};

/** What translating tags needs of the run: its start, and its other source tags. */
export async function decideSource(
  id: string,
  run: RunHead,
  tags: readonly KeyValue[],
  context: DecideContext,
): Promise<TagDecision> {
  if (tags.length === 0) return { source: null, start_time: 0 };
  const { state, workspace } = context;
  const row = await state.tracking.findRun(workspace, id);
  const start_time = row?.startTime ?? 0;
  const linked = await linkedPrompts(tags, { state, workspace });
  const datasets = tags.find(({ key }) => key === datasetsTag)?.value;
  const judged =
    datasets === undefined ? undefined : await findJudged({ ...run, id }, datasets, context);
  const more = {
    ...(linked.length === 0 ? {} : { prompts: linked }),
    ...(judged === undefined ? {} : { judged }),
  };
  if (!tags.some(({ key }) => isSourceTag(key))) return { source: null, start_time, ...more };
  const source: Record<string, string> = {};
  for (const key of sourceTags) {
    const value = await state.tracking.findTag(run.key, key);
    if (value !== undefined) source[key] = value;
  }
  for (const { key, value } of tags) if (isSourceTag(key)) source[key] = value;
  return { source, start_time, ...more };
}

/** What set tags mean: the tags, the run's name, its parent, its user and its code. */
export function settledTagFacts(
  run: string,
  sent: readonly KeyValue[],
  decided: TagDecision,
  context: FactContext,
): Fact[] {
  const { workspace, time } = context;
  const tags = named(sent);
  if (tags.length === 0) return [];
  const byKey = tagMap(tags);
  const name = byKey[runNameTag];
  const ref = runRef(workspace, run);
  const facts: Fact[] = [{ kind: 'run.tagged', run, tags }];
  if (name !== undefined && name !== '') {
    facts.push(
      { kind: 'run.updated', run, name },
      { kind: 'entity.described', ref, time, attributes: { name } },
    );
  }
  const user = byKey[userTag];
  if (user !== undefined && user !== '') {
    facts.push({ kind: 'entity.described', ref, time, attributes: { user } });
  }
  const started = startOr(decided.start_time, context);
  facts.push(...tagFacts(run, byKey, decided.source, { workspace, time: started }));
  facts.push(...promptFacts(ref, decided.prompts, { workspace, time }));
  facts.push(...judgedFacts(run, decided.judged, { ...context, started }));
  return facts;
}

export const setTag = mlflowOperation<SetTag, Record<string, never>, TagDecision>({
  operation: 'runs/set-tag',
  persons: (body, tokenise) =>
    body.key === userTag && body.value !== undefined
      ? { ...body, value: tokenise(body.value) }
      : body,
  async decide(body, context) {
    const run = await getActiveRunHead(body.run_id, context);
    const tags = await changedTags(run, [{ key: body.key, value: body.value ?? '' }], context);
    if (tags.length === 0) return { unchanged: {} };
    return { decided: await decideSource(body.run_id, run, tags, context), answer: {} };
  },
  facts: ({ run_id, key, value }, decided, context) =>
    settledTagFacts(run_id, [{ key, value: value ?? '' }], decided, context),
});

export const deleteTag = mlflowOperation<DeleteTag, Record<string, never>, Record<string, never>>({
  operation: 'runs/delete-tag',
  async decide(body, context) {
    const run = await getActiveRunHead(body.run_id, context);
    if ((await context.state.tracking.findTag(run.key, body.key)) === undefined) {
      throw doesNotExist(`No tag with name: ${body.key} in run with id ${body.run_id}`);
    }
    return { decided: {}, answer: {} };
  },
  facts: ({ run_id, key }) => [{ kind: 'run.untagged', run: run_id, key }],
});

export const logParam = mlflowOperation<LogParam, Record<string, never>, Record<string, never>>({
  operation: 'runs/log-parameter',
  async decide(body, context) {
    const run = await getActiveRunHead(body.run_id, context);
    const value = body.value ?? '';
    const known = await context.state.tracking.findParam(run.key, body.key);
    if (known === value) return { unchanged: {} };
    if (known === undefined) return { decided: {}, answer: {} };
    throw invalidParameter(
      `Changing param values is not allowed. Param with key='${body.key}' was already logged with value='${known}' for run ID='${body.run_id}'. Attempted logging new value '${value}'.`,
    );
  },
  facts: ({ run_id, key, value }) => [
    { kind: 'params.logged', run: run_id, params: [{ key, value: value ?? '' }] },
  ],
});

const historyTag = 'mlflow.log-model.history';

/** The models that a 2.x client says it logged, as the run's tag keeps them. */
export const logModel = mlflowOperation<LogModel, Record<string, never>, { tag: string }>({
  operation: 'runs/log-model',
  async decide(body, context) {
    const run = await getActiveRunHead(body.run_id, context);
    const before = await context.state.tracking.findTag(run.key, historyTag);
    const inner = before === undefined ? '' : before.trim().replace(/^\[|\]$/g, '');
    const tag = inner === '' ? `[${body.model_json}]` : `[${inner}, ${body.model_json}]`;
    // A list that was cut would not be JSON any more: the newest alone then.
    const fits = tag.length <= mlflowLimits.tagCharactersMax;
    return { decided: { tag: fits ? tag : `[${body.model_json}]` }, answer: {} };
  },
  facts: ({ run_id }, { tag }) => [
    { kind: 'run.tagged', run: run_id, tags: [{ key: historyTag, value: tag }] },
  ],
});
