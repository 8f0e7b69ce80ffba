import { isObject } from '../../../base/json.ts';
import type { DecideContext } from '../../../door/index.ts';
import type { Fact, FactContext } from '../../../facts/facts.ts';
import type { TraceAssessment, TraceUse } from '../../../facts/trace-facts.ts';
import { type TraceRow, traceKeys } from '../../../traces/index.ts';
import { invalidParameter, mlflowError } from '../errors.ts';
import { mlflowOperation } from '../operation.ts';
import { getExperiment } from '../operations/define.ts';
import { fullTraces } from '../traces/answers.ts';
import { assessmentOf } from '../traces/define.ts';
import { startTrace } from '../traces/operations.ts';
import { tokeniseEntries } from '../traces/persons.ts';
import { decideUses, promptUse, runUse } from '../traces/uses.ts';
import { liveFacts } from './live.ts';
import type { ImportAssessment, ImportTrace } from './messages.ts';
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

type Link = { readonly to: 'run' | 'prompt'; readonly target: string; readonly use: TraceUse };

type Decided = {
  readonly location: string;
  readonly uses: readonly TraceUse[];
  readonly links: readonly Link[];
  /** False when all that the trace's own account says is here. */
  readonly report: boolean;
  /** Keys, and ids of assessments, that are new or changed. */
  readonly tags: readonly string[];
  readonly metadata: readonly string[];
  readonly assessments: readonly string[];
  /** Tags that changed, one after the other; absent in older messages. */
  readonly changed?: readonly Changed[];
  /** Ids of assessments that were deleted; absent in older messages. */
  readonly deleted?: readonly string[];
};

/** A tag of a trace that is here: null takes it away. */
interface Changed {
  readonly key: string;
  readonly value: string | null;
  readonly uses: readonly TraceUse[];
}

/** `gone`: it was brought before, and deleted here since. */
export interface ImportedTrace extends Updated {
  readonly gone: boolean;
}

/** A trace without its spans, which come before it. */
export const importTrace = mlflowOperation<ImportTrace, ImportedTrace, Decided>({
  operation: 'import/trace',
  persons: (body, tokenise) => ({
    ...body,
    tags: tokeniseEntries(body.tags ?? [], tokenise),
    metadata: tokeniseEntries(body.metadata ?? [], tokenise),
    assessments: (body.assessments ?? []).map((each) => {
      const { source_type, source_id, metadata = [] } = each;
      const human = source_type === 'HUMAN' && source_id !== undefined;
      return {
        ...each,
        metadata: tokeniseEntries(metadata, tokenise),
        ...(human ? { source_id: tokenise(source_id) } : {}),
      };
    }),
  }),
  async decide(body, context) {
    for (const each of body.assessments ?? []) assessmentFact(each, context);
    const row = await context.state.traces.findEver(context.workspace, body.trace_id);
    if (row !== undefined && row.deletedTime !== null) return { unchanged: { gone: true } };
    const experiment = await getExperiment(body.experiment_id, context);
    const root = experiment.artifactLocation.replace(/\/+$/, '');
    const news = await newsOf(body, row, context);
    const links = await newLinks(body, row, context);
    const { report, tags, metadata, assessments, weighed } = news;
    const known = row?.reported === true;
    const answer = { gone: false, ...updatedBy(weighed), ...(known ? { changed: true } : {}) };
    const changed = await changedTags(body, weighed, context);
    const deleted = takenMembers('assessment', times(body.assessments), weighed.take).removed;
    const some = report || assessments.length + links.length + changed.length + deleted.length > 0;
    if (!some) return { unchanged: { ...answer, changed: false } };
    const part = restrict(body, news);
    return {
      decided: {
        location: `${root}/traces/${body.trace_id}/artifacts`,
        uses: report ? await decideUses(part.tags, part.metadata, context) : [],
        ...{ links, report, tags, metadata, assessments, changed, deleted },
      },
      answer,
    };
  },
  facts(body, decided, context) {
    const part = restrict(body, decided);
    return [
      ...(decided.report ? reportFacts(body, decided, context) : []),
      ...decided.links.map(
        (link): Fact => ({ kind: 'trace.linked', trace: body.trace_id, ...link }),
      ),
      ...(decided.changed ?? []).map(
        (tag): Fact => ({ kind: 'trace.tagged', trace: body.trace_id, ...tag }),
      ),
      ...(decided.deleted ?? []).map(
        (id): Fact => ({ kind: 'assessment.deleted', trace: body.trace_id, id }),
      ),
      ...part.assessments.map(
        (each): Fact => ({
          kind: 'assessment.recorded',
          trace: body.trace_id,
          assessment: assessmentFact(each, context),
        }),
      ),
      saidFact('trace', body.trace_id, statementsOf(body)),
    ];
  },
});

type News = Pick<Decided, 'report' | 'tags' | 'metadata' | 'assessments'> & {
  readonly weighed: Weighed;
};

/** Tags that say where the spans and files are, which is another place here. */
const ownPlaces: readonly string[] = [traceKeys.artifactLocation, traceKeys.spansLocation];

const shared = <T extends { readonly key: string }>(tags: readonly T[] | undefined): T[] =>
  (tags ?? []).filter(({ key }) => !ownPlaces.includes(key));

/** When each assessment was last changed, as a statement. */
const times = (assessments: ImportTrace['assessments']): { key: string; value: string }[] =>
  (assessments ?? []).map(({ id, update_time, create_time = 0 }) => ({
    key: id,
    value: String(update_time ?? create_time),
  }));

const statementsOf = ({ tags, assessments }: ImportTrace): Statements => ({
  ...members('tag', shared(tags)),
  ...members('assessment', times(assessments)),
});

/** Changes of tags of a trace that is here; new ones come with its own account. */
async function changedTags(
  { tags = [] }: ImportTrace,
  { take }: Weighed,
  context: DecideContext,
): Promise<Changed[]> {
  const { set, removed } = takenMembers('tag', tags, take);
  const changed: Changed[] = removed.map((key) => ({ key, value: null, uses: [] }));
  for (const tag of set) changed.push({ ...tag, uses: await decideUses([tag], [], context) });
  return changed;
}

async function newsOf(
  body: ImportTrace,
  row: TraceRow | undefined,
  context: DecideContext,
): Promise<News> {
  const { tags = [], metadata = [], assessments = [] } = body;
  const { state } = context;
  const [full] = row === undefined ? [] : await fullTraces([row], state.traces);
  if (full === undefined || !full.row.reported) {
    const keys = (entries: typeof tags): string[] => entries.map(({ key }) => key);
    const ids = new Set(full?.assessments.map(({ id }) => id));
    const newAssessments = assessments.map(({ id }) => id).filter((id) => !ids.has(id));
    const all = { tags: keys(tags), metadata: keys(metadata), assessments: newAssessments };
    return { report: true, ...all, weighed: { take: [], kept: [] } };
  }
  if (full.row.time !== (body.request_time ?? 0))
    throw mlflowError('RESOURCE_CONFLICT', `Trace ${body.trace_id} is here with another time.`);
  const missing = (entries: typeof tags, known: Readonly<Record<string, string>>): string[] =>
    entries.map(({ key }) => key).filter((key) => !Object.hasOwn(known, key));
  const ended =
    full.row.status === 'IN_PROGRESS' && (body.state ?? full.row.status) !== full.row.status;
  const here = {
    ...members('tag', shared(Object.entries(full.tags).map(([key, value]) => ({ key, value })))),
    ...members(
      'assessment',
      full.assessments.map(({ id, updatedTime }) => ({ key: id, value: String(updatedTime) })),
    ),
  };
  const weighed = weigh(statementsOf(body), here, await findSaid('trace', body.trace_id, context));
  const changed = takenMembers('assessment', times(assessments), weighed.take).set;
  const news = missing(metadata, full.metadata);
  return {
    report: ended || news.length > 0,
    // Tags are set one by one: one that changed may be taken away.
    tags: [],
    metadata: news,
    weighed,
    assessments: changed.map(({ key }) => key),
  };
}

async function newLinks(
  { runs = [], prompts = [] }: ImportTrace,
  row: TraceRow | undefined,
  context: DecideContext,
): Promise<Link[]> {
  const links: Link[] = [];
  const isNew = async (to: Link['to'], target: string): Promise<boolean> =>
    row === undefined || !(await context.state.traces.isLinked(row.key, to, target));
  for (const run of new Set(runs)) {
    if (await isNew('run', run))
      links.push({ to: 'run', target: run, use: runUse(run, context.workspace) });
  }
  for (const target of new Set(prompts)) {
    if (!(await isNew('prompt', target))) continue;
    const cut = target.lastIndexOf('/');
    const prompt = { name: target.slice(0, cut), version: target.slice(cut + 1) };
    const use = await promptUse(prompt, 'mlflow.traces/link-prompts', context);
    links.push({ to: 'prompt', target, use });
  }
  return links;
}

/** The message with what is new of it only. */
function restrict(
  { tags = [], metadata = [], assessments = [] }: ImportTrace,
  news: Pick<News, 'tags' | 'metadata' | 'assessments'>,
): Required<Pick<ImportTrace, 'tags' | 'metadata' | 'assessments'>> {
  const byTime = (a: ImportAssessment, b: ImportAssessment): number =>
    (a.create_time ?? 0) - (b.create_time ?? 0);
  return {
    tags: tags.filter(({ key }) => news.tags.includes(key)),
    metadata: metadata.filter(({ key }) => news.metadata.includes(key)),
    // One that overrides another comes after it.
    assessments: assessments.filter(({ id }) => news.assessments.includes(id)).sort(byTime),
  };
}

function reportFacts(body: ImportTrace, decided: Decided, context: FactContext): readonly Fact[] {
  const { tags, metadata } = restrict(body, decided);
  const message = {
    trace_id: body.trace_id,
    experiment_id: body.experiment_id,
    client_request_id: body.client_request_id,
    request_preview: body.request_preview,
    response_preview: body.response_preview,
    request_time: body.request_time ?? 0,
    execution_ms: body.execution_ms,
    state: body.state ?? 'STATE_UNSPECIFIED',
    ...{ tags, metadata, assessments: [] },
  };
  const { location, uses } = decided;
  const at = body.request_time ?? 0;
  return liveFacts(
    startTrace,
    // Plain data: `decided` was stored by this operation's own `decide`.
    { message, decided: { location, uses, assessments: [] } as never },
    { ...context, at },
  );
}

function readJson({ id }: ImportAssessment, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw invalidParameter(`The assessment ${id} holds what is not valid JSON.`);
  }
}

/** @throws invalid_message for a value that is no JSON. */
function assessmentFact(
  sent: ImportAssessment,
  { time }: Pick<FactContext, 'time'>,
): TraceAssessment {
  const { id, name, type = 'feedback', metadata = [] } = sent;
  const error = sent.error === undefined ? undefined : readJson(sent, sent.error);
  const kept = assessmentOf(
    {
      ...{ id, name, type, metadata, value: readJson(sent, sent.value) },
      // What MLflow wrote: texts by error_code, error_message and stack_trace.
      error: isObject(error) ? (error as Readonly<Record<string, string>>) : undefined,
      sourceType: sent.source_type ?? 'SOURCE_TYPE_UNSPECIFIED',
      sourceId: sent.source_id,
      spanId: sent.span_id,
      rationale: sent.rationale,
      overrides: sent.overrides,
      createdTime: sent.create_time,
      updatedTime: sent.update_time,
    },
    { id, time },
  );
  return { ...kept, value: sent.value };
}

/** Where the spans of a trace are, as its tags say. Source: mlflow/tracing/constant.py (SpansLocation). */
export function spansPlace({ tags = [] }: ImportTrace): 'store' | 'archive' | 'files' {
  const said = tags.find(({ key }) => key === traceKeys.spansLocation)?.value;
  return said === 'TRACKING_STORE' ? 'store' : said === 'ARCHIVE_REPO' ? 'archive' : 'files';
}
