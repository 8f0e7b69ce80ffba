import { WherefromError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { AnswerCount, AnswerNode } from '../contract/answer.ts';
import type { Known, Relation } from '../facts/relations.ts';
import { type OutsideNode, outsideNode } from './answer.ts';
import { type Moment, notYet } from './moment.ts';
import type { GraphView } from './view.ts';
import type { Walk, WalkLimits } from './walk.ts';
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
  /** Those of the refs that are in the record at the moment, in any order: each entry is read once. */
  find(refs: readonly string[], moment: Moment): Promise<readonly PredictionNode[]>;
  /** Refs of the predictions that one led to, oldest first, and how many there are whatever the limit. */
  ledTo?(ref: string, limit: number): Promise<{ readonly refs: readonly string[]; count: number }>;
  /** How many predictions each deployment served, and each model version without one. */
  count(
    modelVersions: readonly string[],
    deployments: readonly string[],
    moment: Moment,
  ): Promise<readonly AnswerCount[]>;
  /** How many traces came out of each of the refs, and how many different ones that are. */
  countTraces?(
    refs: readonly string[],
    moment: Moment,
  ): Promise<{ readonly counts: readonly AnswerCount[]; readonly total: number }>;
}

/** A walk upstream that meets predictions: which of them it has joined with the graph. */
export interface PredictionWalk {
  readonly walk: Walk;
  readonly source: PredictionSource;
  readonly limits: WalkLimits;
  /** Predictions that are no nodes of the graph, and other refs that nothing is recorded of. */
  readonly outside: OutsideNode[];
  /** By ref: below zero, or of the graph, where a record of a dataset was made of the prediction. */
  readonly keys: Map<string, number>;
  readonly done: Set<number>;
  /** What served predictions, by deployment and model version: most share them. */
  readonly servers: Map<string, Promise<readonly number[]>>;
}

/** Nothing met yet. */
export function createPredictionWalk(
  walk: Walk,
  source: PredictionSource,
  walkLimits: WalkLimits,
): PredictionWalk {
  return {
    walk,
    source,
    limits: walkLimits,
    outside: [],
    keys: new Map(),
    done: new Set(),
    servers: new Map(),
  };
}

/** The prediction itself. @throws not_found when it is not in the record at the moment. */
export async function predictionOf(
  ref: string,
  moment: Moment,
  source: PredictionSource,
): Promise<PredictionNode> {
  const [prediction] = await source.find([ref], moment);
  if (prediction) return prediction;
  const { at } = moment;
  const later = at === undefined ? [] : await source.find([ref], { ...moment, at: undefined });
  if (at !== undefined && later.length > 0) throw notYet(ref, at);
  throw new WherefromError('not_found', `There is no ${ref} in the record at that moment.`, {
    hint: 'Look at the id, and at the moment that you asked about.',
  });
}

/**
 * Joins predictions, and those that led to them, with the graph.
 * @returns the keys of what they came out of: where the walk goes on.
 */
export async function joinPredictions(
  met: PredictionWalk,
  predictions: readonly PredictionNode[],
): Promise<number[]> {
  const { walk, keys, done } = met;
  const starts = new Set<number>();
  let fresh = predictions;
  for (let depth = 0; fresh.length > 0; depth += 1) {
    const joined: { key: number; prediction: PredictionNode }[] = [];
    for (const prediction of fresh) {
      const key = keys.get(prediction.ref) ?? -1 - keys.size;
      if (done.has(key)) continue;
      done.add(key);
      keys.set(prediction.ref, key);
      joined.push({ key, prediction });
      if (key < 0) {
        walk.nodes.set(key, depth);
        met.outside.push(outsideNode(key, prediction.ref, prediction.attributes));
      }
      for (const server of await serversOf(met, prediction)) {
        walk.put(servedEdge(server, key, prediction));
        if (!walk.nodes.has(server)) walk.nodes.set(server, 0);
        starts.add(server);
      }
      for (const start of await startsOfUses(met, key, prediction)) starts.add(start);
    }
    fresh = await parentsOf(met, joined, depth);
  }
  return [...starts];
}

/** Joins the predictions that one led to, and those that they led to: what an answer of a model fed. */
export async function joinLedTo(met: PredictionWalk, start: PredictionNode): Promise<void> {
  const { walk, source, keys, limits: asked } = met;
  const ledTo = source.ledTo?.bind(source);
  const startKey = -1;
  keys.set(start.ref, startKey);
  walk.nodes.set(startKey, 0);
  met.outside.push(outsideNode(startKey, start.ref, start.attributes));
  let fresh = ledTo === undefined ? [] : [{ key: startKey, ref: start.ref }];
  for (let depth = 0; fresh.length > 0 && ledTo !== undefined; depth += 1) {
    const next: typeof fresh = [];
    for (const { key, ref } of fresh) {
      const { refs, count } = await ledTo(ref, limits.hubEdgesMax);
      const room = asked.nodes - keys.size;
      const reason =
        depth >= asked.depth ? 'depth' : count > limits.hubEdgesMax ? 'hub' : undefined;
      if (reason !== undefined && count > 0) {
        walk.stops.push({ key, reason, count });
        continue;
      }
      const unknown = refs.filter((each) => !keys.has(each));
      if (unknown.length > room)
        walk.stops.push({ key, reason: 'nodes', count: unknown.length - Math.max(0, room) });
      const wanted = refs.filter((each) => keys.has(each));
      wanted.push(...unknown.slice(0, Math.max(0, room)));
      for (const child of await source.find(wanted, walk.view.moment)) {
        const before = keys.get(child.ref);
        const childKey = before ?? -1 - keys.size;
        const edge = servedEdge(key, childKey, child);
        walk.put({ ...edge, relation: 'led-to', rule: 'predictions.parents' });
        if (before !== undefined) continue;
        keys.set(child.ref, childKey);
        walk.nodes.set(childKey, depth + 1);
        met.outside.push(outsideNode(childKey, child.ref, child.attributes));
        next.push({ key: childKey, ref: child.ref });
      }
    }
    fresh = next;
  }
}

/** The predictions that led to some. Where they are too many, or too far, they are counted. */
async function parentsOf(
  { walk, source, keys, limits: asked }: PredictionWalk,
  joined: readonly { readonly key: number; readonly prediction: PredictionNode }[],
  depth: number,
): Promise<PredictionNode[]> {
  const children = joined.filter(({ key, prediction: { parents } }) => {
    const reason =
      depth >= asked.depth ? 'depth' : parents.length > limits.hubEdgesMax ? 'hub' : undefined;
    if (reason === undefined || parents.length === 0) return true;
    walk.stops.push({ key, reason, count: parents.length });
    return false;
  });
  const unknown = children
    .flatMap(({ prediction }) => prediction.parents)
    .filter((ref) => !keys.has(ref));
  const wanted = [...new Set(unknown)].slice(0, Math.max(0, asked.nodes - keys.size));
  const found = new Map<string, PredictionNode>();
  for (const parent of await source.find(wanted, walk.view.moment)) found.set(parent.ref, parent);
  // As they were named, for the source gives them in any order.
  const parents = wanted.flatMap((ref) => found.get(ref) ?? []);
  for (const { ref } of parents) keys.set(ref, -1 - keys.size);
  const looked = new Set(wanted);
  for (const { key, prediction } of children) {
    const left = prediction.parents.filter((ref) => !keys.has(ref) && !looked.has(ref)).length;
    if (left > 0) walk.stops.push({ key, reason: 'nodes', count: left });
    for (const ref of prediction.parents) {
      const parentKey = keys.get(ref);
      if (parentKey === undefined) continue;
      const edge = servedEdge(parentKey, key, prediction);
      walk.put({ ...edge, relation: 'led-to', rule: 'predictions.parents' });
    }
  }
  return parents;
}

/**
 * Goes on through the predictions that the walk met in the graph: records of an evaluation dataset
 * were made of them, and behind them are the model, the prompt and the run that they came out of.
 */
export async function throughPredictions(met: PredictionWalk): Promise<void> {
  const { walk, keys, done } = met;
  for (;;) {
    const unjoined = [...walk.nodes.keys()].filter((key) => key > 0 && !done.has(key));
    const refs: string[] = [];
    for (const { key, ref, kind } of await walk.view.nodes(unjoined)) {
      if (kind !== 'prediction' || keys.has(ref)) continue;
      const reason = stopOf(met, key);
      if (reason !== undefined) {
        done.add(key);
        walk.stops.push({ key, reason, count: 1 });
        continue;
      }
      keys.set(ref, key);
      refs.push(ref);
    }
    const fresh = await met.source.find(refs, walk.view.moment);
    if (fresh.length === 0) return;
    await walk.from(await joinPredictions(met, fresh));
  }
}

/** Why the walk goes no further than this prediction. */
function stopOf({ walk, keys, limits: asked }: PredictionWalk, key: number) {
  if ((walk.nodes.get(key) ?? 0) >= asked.depth) return 'depth';
  return keys.size >= limits.predictionsJoinedMax ? 'nodes' : undefined;
}

/** What a trace came out of, with the edges to it. A ref that is no node of the graph stands alone. */
async function startsOfUses(
  { walk, outside }: PredictionWalk,
  key: number,
  prediction: PredictionNode,
): Promise<number[]> {
  const { view } = walk;
  const starts: number[] = [];
  for (const { ref, relation, role, known, rule, position } of prediction.uses ?? []) {
    if (position > view.moment.position) continue;
    const node = await view.reader.findNode(ref);
    let from = outside.find((each) => each.node.ref === ref)?.key;
    if (node !== undefined) {
      from = node.key;
      if (!walk.nodes.has(from)) walk.nodes.set(from, 0);
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

function serversOf(
  { walk, servers }: PredictionWalk,
  { deployment, modelVersion }: PredictionNode,
): Promise<readonly number[]> {
  const name = `${deployment} ${modelVersion}`;
  const known = servers.get(name) ?? findServers(walk.view, deployment, modelVersion);
  servers.set(name, known);
  return known;
}

/** The deployment when there is one; the model version too when the deployment does not lead to it. */
async function findServers(
  view: GraphView,
  deploymentRef: string | undefined,
  versionRef: string | undefined,
): Promise<readonly number[]> {
  const found: number[] = [];
  const deployment =
    deploymentRef === undefined ? undefined : await view.reader.findNode(deploymentRef);
  if (deployment) found.push(deployment.key);
  const version = versionRef === undefined ? undefined : await view.reader.findNode(versionRef);
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
