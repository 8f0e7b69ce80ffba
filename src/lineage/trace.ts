import { WherefromError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Answer, AnswerCount, AnswerNode } from '../contract/answer.ts';
import type { CompletenessCheck } from '../contract/completeness.ts';
import type { EntityKind } from '../facts/kinds.ts';
import { findRef } from '../facts/ref.ts';
import type { Known, Relation } from '../facts/relations.ts';
import { mergeCounts, type OutsideNode, outsideNode, renderWalk, type TimesOf } from './answer.ts';
import { impactOfColumn, traceColumns } from './columns.ts';
import { checkCompleteness } from './completeness.ts';
import type { GraphMemory } from './memory.ts';
import type { Moment } from './moment.ts';
import type { LineageReader, NodeRow } from './store.ts';
import { GraphView } from './view.ts';
import { Walk, type WalkLimits } from './walk.ts';
import type { WalkEdge } from './walk-edge.ts';

/** Something else that a prediction came out of: a prompt version, a document, a tool, a run. */
export interface PredictionUse {
  /** Whole ref. */
  readonly ref: string;
  readonly relation: Relation;
  readonly role: string;
  readonly known: Known;
  readonly rule: string;
  readonly position: number;
}

/** One prediction as lineage needs it. */
export interface PredictionNode {
  readonly ref: string;
  readonly modelVersion: string | undefined;
  readonly deployment: string | undefined;
  readonly time: number;
  readonly recordedTime: number;
  readonly position: number;
  readonly attributes: AnswerNode['attributes'];
  /** Whole refs of predictions that led to it. */
  readonly parents: readonly string[];
  /** Of a trace: all that it came out of. */
  readonly uses?: readonly PredictionUse[] | undefined;
}

/** Predictions live in their own log: this is what answers ask of it. */
export interface PredictionSource {
  find(ref: string, moment: Moment): Promise<PredictionNode | undefined>;
  /** How many predictions each deployment served, and each model version without one. */
  count(
    modelVersions: readonly string[],
    deployments: readonly string[],
    moment: Moment,
  ): Promise<readonly AnswerCount[]>;
  /** How many traces came out of each of the refs. */
  countTraces?(refs: readonly string[], moment: Moment): Promise<readonly AnswerCount[]>;
}

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
  const outside: OutsideNode[] = [];
  if (findRef(query.ref)?.kind === 'prediction') {
    await traceFromPrediction(walk, query, sources, outside);
  } else {
    const start = await startNode(view, query.ref);
    if (query.columns && start.kind === 'field') walk.nodes.set(start.key, 0);
    await walk.from(await startsOf(view, walk, start));
    if (query.columns || start.kind === 'field') await traceColumns(walk, start);
  }
  return finish(walk, query, sources, outside);
}

/** What did it reach: everything downstream of the ref. Predictions are counted. @throws not_found. */
export async function impact(query: WalkQuery, sources: LineageSources): Promise<GraphAnswer> {
  const view = new GraphView(sources.reader, query.moment, sources.memory);
  if (findRef(query.ref)?.kind === 'prediction') {
    const prediction = await predictionOf(query, sources);
    const walk = new Walk(view, 'down', query.limits);
    walk.nodes.set(-1, 0);
    const outside = [outsideNode(-1, prediction.ref, prediction.attributes)];
    return (await finish(walk, query, sources, outside)).answer;
  }
  const start = await startNode(view, query.ref);
  let walk: Walk;
  if (start.kind === 'field') {
    walk = await impactOfColumn(view, start, query.limits);
  } else {
    walk = new Walk(view, 'down', query.limits);
    const { members } =
      start.kind === 'dataset' ? await view.classOf(start.key) : { members: [start.key] };
    await walk.from(members);
  }
  return (await finish(walk, query, sources, [])).answer;
}

async function predictionOf(query: WalkQuery, sources: LineageSources): Promise<PredictionNode> {
  const prediction = await sources.predictions.find(query.ref, query.moment);
  if (prediction) return prediction;
  throw new WherefromError('not_found', `There is no ${query.ref} in the record at that moment.`, {
    hint: 'Look at the id, and at --as-of when you gave one.',
  });
}

async function startNode(view: GraphView, ref: string): Promise<NodeRow> {
  const node = await view.reader.findNode(ref);
  if (node && node.position <= view.moment.position) return node;
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
  const { members } = await view.classOf(dataset);
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

/** The prediction, those that led to it, and then the graph from what served them. */
async function traceFromPrediction(
  walk: Walk,
  query: WalkQuery,
  sources: LineageSources,
  outside: OutsideNode[],
): Promise<void> {
  const keys = new Map<string, number>();
  const starts = new Set<number>();
  let fresh = [await predictionOf(query, sources)];
  for (
    let depth = 0;
    fresh.length > 0 && depth <= query.limits.depth && keys.size < query.limits.nodes;
    depth += 1
  ) {
    const next: PredictionNode[] = [];
    for (const prediction of fresh) {
      const key = keys.get(prediction.ref) ?? -1 - keys.size;
      if (walk.nodes.has(key) && outside.some((node) => node.key === key)) continue;
      keys.set(prediction.ref, key);
      walk.nodes.set(key, depth);
      outside.push(outsideNode(key, prediction.ref, prediction.attributes));
      for (const server of await serversOf(walk.view, prediction)) {
        walk.put(servedEdge(server, key, prediction));
        walk.nodes.set(server, 0);
        starts.add(server);
      }
      for (const start of await startsOfUses(walk, key, prediction, outside)) starts.add(start);
      for (const ref of prediction.parents) {
        const parent = await sources.predictions.find(ref, query.moment);
        if (!parent) continue;
        const parentKey = keys.get(ref) ?? -1 - keys.size;
        keys.set(ref, parentKey);
        walk.put({
          ...servedEdge(parentKey, key, prediction),
          relation: 'led-to',
          rule: 'predictions.parents',
        });
        next.push(parent);
      }
    }
    fresh = next;
  }
  await walk.from([...starts]);
  if (!query.columns) return;
  const first = [...starts][0];
  const [node] = first === undefined ? [] : await walk.view.nodes([first]);
  if (node) await traceColumns(walk, node);
}

/** What a trace came out of, with the edges to it. A ref that is no node of the graph stands alone. */
async function startsOfUses(
  walk: Walk,
  key: number,
  prediction: PredictionNode,
  outside: OutsideNode[],
): Promise<number[]> {
  const { view } = walk;
  const starts: number[] = [];
  for (const { ref, relation, role, known, rule, position } of prediction.uses ?? []) {
    if (position > view.moment.position) continue;
    const node = await view.reader.findNode(ref);
    let from = outside.find((each) => each.node.ref === ref)?.key;
    if (node !== undefined) {
      from = node.key;
      walk.nodes.set(from, 0);
      starts.push(from);
      const current = node.kind === 'dataset' && (await view.currentAt(from, prediction.time));
      if (current) {
        walk.nodes.set(current.version, 0);
        starts.push(current.version);
      }
    } else if (from === undefined) {
      // Predictions have the keys just below zero.
      from = -1_000_000 - outside.length;
      walk.nodes.set(from, 0);
      outside.push(outsideNode(from, ref, { unknown: true }));
    }
    walk.put({
      ...servedEdge(from, key, prediction),
      relation,
      role,
      known,
      rule,
      positions: [position],
    });
  }
  return starts;
}

/** The deployment when there is one; the model version too when the deployment does not lead to it. */
async function serversOf(view: GraphView, prediction: PredictionNode): Promise<number[]> {
  const found: number[] = [];
  const deployment =
    prediction.deployment === undefined
      ? undefined
      : await view.reader.findNode(prediction.deployment);
  if (deployment) found.push(deployment.key);
  const version =
    prediction.modelVersion === undefined
      ? undefined
      : await view.reader.findNode(prediction.modelVersion);
  if (!version) return found;
  const leads =
    deployment !== undefined &&
    (await view.edges('up', [deployment.key])).rows.some((edge) => edge.from === version.key);
  if (!leads) found.push(version.key);
  return found;
}

function servedEdge(from: number, to: number, prediction: PredictionNode): WalkEdge {
  return {
    from,
    to,
    relation: 'served',
    known: 'observed',
    rule: 'predictions',
    positions: [prediction.position],
    recordedTime: prediction.recordedTime,
    validFrom: prediction.time,
  };
}

async function finish(
  walk: Walk,
  query: WalkQuery,
  sources: LineageSources,
  outside: readonly OutsideNode[],
): Promise<JudgedAnswer> {
  await walk.conceal();
  const rendered = await renderWalk(walk, outside, sources.timesOf);
  const nodes = await enrichFresh(rendered.nodes, walk.view, sources);
  const refs = (kind: EntityKind): string[] =>
    nodes.filter((node) => node.kind === kind).map((node) => node.ref);
  const counts =
    walk.direction === 'down'
      ? mergeCounts([
          ...(await sources.predictions.count(
            refs('modelVersion'),
            refs('deployment'),
            query.moment,
          )),
          ...((await sources.predictions.countTraces?.(
            nodes.map(({ ref }) => ref),
            query.moment,
          )) ?? []),
        ])
      : [];
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
  const checks = walk.direction === 'up' ? checkCompleteness(whole, await statementsOf(walk)) : [];
  const missing = checks.filter((check) => !check.found).map(({ ref, what }) => ({ ref, what }));
  const answer = {
    ...graph,
    nodes: shown,
    edges: rendered.edges.filter((edge) => shownRefs.has(edge.from) && shownRefs.has(edge.to)),
    counts,
    stopped: rendered.stopped,
    completeness: {
      score: checks.length === 0 ? 1 : round((checks.length - missing.length) / checks.length),
      missing,
    },
  };
  return { answer, checks };
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

/** Types of statements about the nodes of a walk, by ref. */
async function statementsOf({
  nodes,
  view,
}: Walk): Promise<ReadonlyMap<string, readonly string[]>> {
  const { statements } = view.memory;
  const rows = await view.nodes([...nodes.keys()].filter((key) => key > 0));
  const unknown = rows.filter(({ key }) => !statements.has(key)).map(({ key }) => key);
  const told = unknown.length === 0 ? [] : await view.reader.statements(unknown);
  const byNode = Map.groupBy(
    told.filter((row) => view.seen(row)),
    ({ node }) => node,
  );
  for (const key of unknown)
    statements.set(
      key,
      (byNode.get(key) ?? []).map(({ type }) => type),
    );
  const found = new Map<string, readonly string[]>();
  for (const { key, ref } of rows) {
    const types = statements.get(key) ?? [];
    if (types.length > 0) found.set(ref, types);
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
