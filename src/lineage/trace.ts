import { WherefromError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Answer, AnswerNode, AnswerStop } from '../contract/answer.ts';
import type { CompletenessCheck } from '../contract/completeness.ts';
import type { EntityKind } from '../facts/kinds.ts';
import { findRef } from '../facts/ref.ts';
import { mergeCounts, type OutsideNode, renderWalk, type TimesOf } from './answer.ts';
import { impactOfColumn, traceColumns } from './columns.ts';
import { checkCompleteness, type Known } from './completeness.ts';
import { renamedAfter } from './identity/former.ts';
import type { GraphMemory } from './memory.ts';
import { type Moment, notYet, type Statement } from './moment.ts';
import { approvalOf, holdsAt, readStatements, withStatements } from './statements.ts';
import type { LineageReader, NodeRow } from './store.ts';
import { GraphView } from './view.ts';
import { Walk, type WalkLimits } from './walk.ts';
import {
  createPredictionWalk,
  joinLedTo,
  joinPredictions,
  type PredictionSource,
  predictionOf,
  throughPredictions,
} from './walk-predictions.ts';

/** The nodes with what other projections know of them: parameters and metrics of runs. In their order. */
export type Enrich = (nodes: readonly AnswerNode[], moment: Moment) => Promise<AnswerNode[]>;

export interface WalkQuery {
  /** A whole ref. */
  readonly ref: string;
  readonly moment: Moment;
  readonly limits: WalkLimits;
  readonly columns: boolean;
  readonly kinds?: readonly EntityKind[] | undefined;
}

export interface LineageSources {
  readonly reader: LineageReader;
  readonly predictions: PredictionSource;
  readonly enrich: Enrich;
  readonly timesOf: TimesOf;
  /** Whether the name of an agent is what tools send for nobody in particular; never when absent. */
  readonly isNobody?: ((name: string) => boolean) | undefined;
  /** What answers before this one read of the moment that is asked about; none when absent. */
  readonly memory?: GraphMemory | undefined;
}

/** An answer without the parts that the ledger adds. */
export type GraphAnswer = Omit<Answer, 'asOf' | 'at' | 'checkpoint'>;

/** An answer with every link that was looked for to judge its completeness. */
export interface JudgedAnswer {
  readonly answer: GraphAnswer;
  /** None of a walk downstream. */
  readonly checks: readonly CompletenessCheck[];
}

/** Where does it come from: everything upstream of the ref. @throws not_found. */
export async function trace(query: WalkQuery, sources: LineageSources): Promise<GraphAnswer> {
  return (await judge(query, sources)).answer;
}

/** A trace, and which links of a full lineage it has and lacks. @throws not_found. */
export async function judge(query: WalkQuery, sources: LineageSources): Promise<JudgedAnswer> {
  const view = new GraphView(sources.reader, query.moment, sources.memory);
  const walk = new Walk(view, 'up', query.limits);
  const met = createPredictionWalk(walk, sources.predictions, query.limits);
  let start: NodeRow | undefined;
  if (findRef(query.ref)?.kind === 'prediction') {
    const prediction = await predictionOf(query.ref, query.moment, sources.predictions);
    const starts = await joinPredictions(met, [prediction]);
    await walk.from(starts);
    [start] = await view.nodes(starts.slice(0, 1));
  } else {
    start = await startNode(view, query.ref);
    if (query.columns && start.kind === 'field') walk.nodes.set(start.key, 0);
    await walk.from(await startsOf(view, walk, start));
  }
  await throughPredictions(met);
  if (start && (query.columns || start.kind === 'field')) await traceColumns(walk, start);
  return finish(walk, shownAs(query, start), sources, met.outside);
}

/** What did it reach: everything downstream of the ref. Predictions are counted. @throws not_found. */
export async function impact(query: WalkQuery, sources: LineageSources): Promise<GraphAnswer> {
  const view = new GraphView(sources.reader, query.moment, sources.memory);
  if (findRef(query.ref)?.kind === 'prediction') {
    const prediction = await predictionOf(query.ref, query.moment, sources.predictions);
    const walk = new Walk(view, 'down', query.limits);
    const met = createPredictionWalk(walk, sources.predictions, query.limits);
    await joinLedTo(met, prediction);
    return (await finish(walk, query, sources, met.outside)).answer;
  }
  const start = await startNode(view, query.ref);
  let walk: Walk;
  if (start.kind === 'field') {
    walk = await impactOfColumn(view, start, query.limits);
  } else {
    walk = new Walk(view, 'down', query.limits);
    await walk.from(start.kind === 'dataset' ? await view.names.of(start.key) : [start.key]);
  }
  return (await finish(walk, shownAs(query, start), sources, [])).answer;
}

/** The question about the ref that the thing had at the moment. */
function shownAs(query: WalkQuery, start: NodeRow | undefined): WalkQuery {
  const isPrediction = findRef(query.ref)?.kind === 'prediction';
  return start === undefined || isPrediction ? query : { ...query, ref: start.ref };
}

/** Kinds of things that come to be by what is recorded of them. Data and code may be older than that. */
const madeKinds: ReadonlySet<EntityKind> = new Set([
  'run',
  'experiment',
  'artifact',
  'model',
  'modelVersion',
  'deployment',
]);

async function startNode(view: GraphView, ref: string): Promise<NodeRow> {
  const { renamed } = await view.rareRows();
  const asOf = renamedAfter(view.moment, renamed) ? view.moment : undefined;
  const node = await view.reader.findNode(ref, asOf);
  const [named] = node ? await view.nodes([node.key]) : [];
  if (named && named.position <= view.moment.position) {
    const { at, position } = view.moment;
    const isMade = at !== undefined && madeKinds.has(named.kind);
    if (isMade && (await view.reader.toldOnlyAfter(named.key, { at, position })))
      throw notYet(named.ref, at);
    return named;
  }
  throw new WherefromError(
    'not_found',
    `There is no ${ref} in the record${node ? ' at that moment' : ''}.`,
    {
      hint: 'Ask for a name or an id as your tools know it; "wherefrom trace NAME" lists what it could mean.',
    },
  );
}

/** A dataset stands for its current content, a column for its dataset, a model for its newest version. */
async function startsOf(view: GraphView, walk: Walk, start: NodeRow): Promise<number[]> {
  if (start.kind === 'model') return [start.key, ...(await newestVersion(view, walk, start))];
  const dataset =
    start.kind === 'dataset' ? start.key : start.kind === 'field' ? start.parent : null;
  if (dataset === null) return [start.key];
  const members = await view.names.of(dataset);
  const current = await view.currentAt(dataset, view.moment.at ?? Number.MAX_SAFE_INTEGER);
  for (const member of members) walk.nodes.set(member, 0);
  return current ? [...members, current.version] : [...members];
}

async function newestVersion(view: GraphView, walk: Walk, model: NodeRow): Promise<number[]> {
  const edges = (await view.edges('down', [model.key])).rows.filter(
    (edge) => edge.relation === 'has-version',
  );
  const versions = await view.nodes(edges.map((edge) => edge.to));
  const newest = versions
    .filter((version) => version.deletedTime === null)
    .sort((a, b) => b.position - a.position)[0];
  if (!newest) return [];
  walk.nodes.set(newest.key, 0);
  return [newest.key];
}

async function finish(
  walk: Walk,
  query: WalkQuery,
  sources: LineageSources,
  outside: readonly OutsideNode[],
): Promise<JudgedAnswer> {
  await walk.conceal();
  const rendered = await renderWalk(walk, outside, sources.timesOf);
  const enriched = await enrichFresh(rendered.nodes, walk.view, sources);
  const statements = await statementsOf(walk.view, rendered.refs);
  const nodes = enriched.map((node) =>
    withStatements(node, statements.get(node.ref) ?? [], query.moment),
  );
  const counted = walk.direction === 'down' ? await countPredictions(nodes, query, sources) : {};
  const kinds = query.kinds === undefined ? undefined : new Set<EntityKind>(query.kinds);
  const shown =
    kinds === undefined
      ? nodes
      : nodes.filter((node) => kinds.has(node.kind) || node.ref === query.ref);
  const shownRefs = new Set(shown.map((node) => node.ref));
  const graph = {
    ref: query.ref,
    direction: walk.direction === 'up' ? ('upstream' as const) : ('downstream' as const),
  };
  const whole = { ref: query.ref, nodes, edges: rendered.edges };
  const judged = walk.direction === 'up' && !isCut(rendered.stopped);
  const checks = judged
    ? checkCompleteness(whole, await knownOf(walk.view, { query, sources, rendered, statements }))
    : [];
  const answer = {
    ...graph,
    nodes: shown,
    edges: rendered.edges.filter((edge) => shownRefs.has(edge.from) && shownRefs.has(edge.to)),
    counts: [],
    ...counted,
    stopped: rendered.stopped,
    completeness: summaryOf(walk.direction, rendered.stopped, checks),
  };
  return { answer, checks };
}

/** How many predictions the nodes reached: each of the log at one of them, a trace at several. */
async function countPredictions(
  nodes: readonly AnswerNode[],
  { moment }: WalkQuery,
  { predictions }: LineageSources,
): Promise<Pick<Answer, 'counts' | 'totals'>> {
  const refs = (kind: EntityKind): string[] =>
    nodes.filter((node) => node.kind === kind).map((node) => node.ref);
  const logged = await predictions.count(refs('modelVersion'), refs('deployment'), moment);
  const all = nodes.map(({ ref }) => ref);
  const traces = (await predictions.countTraces?.(all, moment)) ?? { counts: [], total: 0 };
  const counts = mergeCounts([...logged, ...traces.counts]);
  const total = logged.reduce((sum, { count }) => sum + count, traces.total);
  return { counts, ...(total > 0 && { totals: [{ kind: 'prediction', count: total }] }) };
}

/** The walk left out what it would have met: what is not there may be missing or just not reached. */
function isCut(stopped: readonly AnswerStop[]): boolean {
  return stopped.some(({ reason }) => reason === 'depth' || reason === 'nodes');
}

/** Of a walk that was cut off nothing is claimed; where nothing was looked for, nothing is complete. */
function summaryOf(
  direction: Walk['direction'],
  stopped: readonly AnswerStop[],
  checks: readonly CompletenessCheck[],
): Answer['completeness'] {
  if (direction === 'down') return { score: 1, missing: [] };
  if (isCut(stopped)) return { score: 0, missing: [], notJudged: 'stopped' };
  if (checks.length === 0) return { score: 0, missing: [], notJudged: 'nothing' };
  const missing = checks.filter((check) => !check.found).map(({ ref, what }) => ({ ref, what }));
  return { score: round((checks.length - missing.length) / checks.length), missing };
}

interface KnownOf {
  readonly query: WalkQuery;
  readonly sources: LineageSources;
  readonly rendered: Awaited<ReturnType<typeof renderWalk>>;
  readonly statements: ReadonlyMap<string, readonly Statement[]>;
}

async function knownOf(
  view: GraphView,
  { query, sources, rendered, statements }: KnownOf,
): Promise<Known> {
  const { moment } = query;
  const said = (ref: string): readonly Statement[] => statements.get(ref) ?? [];
  const stops = new Set(rendered.stopped.map(({ ref }) => ref));
  const withColumns = await datasetsWithColumns(view, rendered.refs);
  return {
    approvalOf: (ref) => approvalOf(said(ref), moment),
    hasStatedOwner: (ref) =>
      said(ref).some((each) => each.type === 'owner' && holdsAt(each, moment)),
    hasColumns: (ref) => withColumns.has(ref),
    isNobody: (agent) => sources.isNobody?.(findRef(agent)?.name ?? '') ?? false,
    isStopped: (ref) => stops.has(ref),
  };
}

/** Refs of datasets that are known to have columns, under any of their names. */
async function datasetsWithColumns(
  view: GraphView,
  refs: ReadonlyMap<number, string>,
): Promise<ReadonlySet<string>> {
  const rows = await view.nodes([...refs.keys()].filter((key) => key > 0));
  const datasets = rows.filter(({ kind }) => kind === 'dataset').map(({ key }) => key);
  if (datasets.length === 0) return new Set();
  await view.names.load(datasets);
  const shownAs = new Map<number, string>();
  for (const key of datasets)
    for (const name of view.names.loaded(key)) shownAs.set(name, refs.get(key) ?? '');
  const { columns } = view.memory;
  const unknown = [...shownAs.keys()].filter((key) => !columns.has(key));
  const found =
    unknown.length === 0
      ? new Set()
      : new Set(await view.reader.withFields(unknown, view.moment.position));
  for (const key of unknown) columns.set(key, found.has(key));
  return new Set([...shownAs].flatMap(([key, ref]) => (columns.get(key) ? ref : [])));
}

/** The nodes in their order, each with what other projections know of it. */
async function enrichFresh(
  nodes: readonly AnswerNode[],
  { memory, moment }: GraphView,
  { enrich }: LineageSources,
): Promise<AnswerNode[]> {
  const fresh = nodes.filter((node) => !memory.enriched.has(node));
  const enriched = fresh.length === 0 ? [] : await enrich(fresh, moment);
  for (const [index, node] of fresh.entries()) memory.enriched.set(node, enriched[index] ?? node);
  return nodes.map((node) => memory.enriched.get(node) ?? node);
}

/** Statements about the nodes of an answer, by the ref under which each is shown. */
async function statementsOf(
  view: GraphView,
  refs: ReadonlyMap<number, string>,
): Promise<ReadonlyMap<string, readonly Statement[]>> {
  const shownAs = new Map(refs);
  for (const [key, ref] of refs) {
    if (key > 0) continue;
    // A prediction is a node of the graph only where something was said of it.
    shownAs.delete(key);
    const node = await view.reader.findNode(ref);
    if (node !== undefined) shownAs.set(node.key, ref);
  }
  const found = new Map<string, readonly Statement[]>();
  for (const [key, statements] of await readStatements(view, [...shownAs.keys()])) {
    const ref = shownAs.get(key) ?? '';
    found.set(ref, [...(found.get(ref) ?? []), ...statements]);
  }
  return found;
}

function round(score: number): number {
  return Math.round(score * 1000) / 1000;
}

/** Limits of a walk: what was asked, never more than the server allows. `sees` as in WalkLimits. */
export function walkLimits(
  depth: number | undefined,
  nodes: number | undefined,
  sees?: WalkLimits['sees'],
): WalkLimits {
  return {
    depth: Math.min(depth ?? limits.depthDefault, limits.depthMax),
    nodes: Math.min(nodes ?? limits.nodesDefault, limits.nodesMax),
    sees,
  };
}
