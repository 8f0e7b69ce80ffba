import { limits } from '../base/limits.ts';
import type { StateReader } from '../door/index.ts';
import type { EntityKind } from '../facts/kinds.ts';
import { findRef, formatRef, workspaceOf } from '../facts/ref.ts';
import { canonicalName, instantOf, type Moment, type NodeRow } from '../lineage/index.ts';
import {
  type DeploymentRow,
  deploymentAt,
  deploymentRef,
  type ModelRow,
  modelRef,
  type VersionRow,
  versionRef,
} from '../registry/index.ts';

/** One thing that a short ref can mean. `key` is of the graph, where it is a node of it. */
export interface Reading {
  readonly ref: string;
  readonly kind: EntityKind;
  readonly name: string;
  readonly why: string;
  readonly key?: number | undefined;
  /** Gone: it counts only where nothing that is there has the name. */
  readonly deleted?: boolean;
}

/** What readings are looked up in. */
export interface Lookup {
  readonly state: StateReader;
  /** Name of the workspace. */
  readonly workspace: string;
  /** The moment that is asked about. */
  readonly moment: Moment;
  /** When an alias is looked up, ms since 1970; absent when the present is asked about. */
  readonly instant?: number | undefined;
  /** Readings of one sort at most. */
  readonly limit: number;
  /** False where nothing may be looked for among all names: ends of paths then mean nothing. */
  readonly scans?: boolean | undefined;
}

/** Nodes looked at for the end of a path: a second's worth, some at a time. */
const suffixScanMax = 1_000_000;

/** A short id or prefix of fewer characters would match by chance. */
export const prefixCharactersMin = 6;

/** The node as a reading. */
export function readingOf(node: NodeRow, why: string): Reading {
  const { ref, kind, name, key } = node;
  if (node.deletedTime === null) return { ref, kind, name, key, why };
  return { ref, kind, name, key, why: `${why}, deleted`, deleted: true };
}

/** Nodes that may be offered in this workspace. */
export function visible(nodes: readonly NodeRow[], workspace: string): NodeRow[] {
  return nodes.filter(({ ref }) => (workspaceOf(ref) ?? workspace) === workspace);
}

/** A whole ref: the node, also by a spelling that is not canonical, or the prediction. */
export async function readWholeRef(
  ref: string,
  { state, moment }: Lookup,
): Promise<Reading | undefined> {
  const parts = findRef(ref);
  if (parts === undefined) return undefined;
  if (parts.kind === 'prediction') {
    const found =
      (await state.predictions.find(parts.namespace, parts.name)) ??
      (await state.traces.findEver(parts.namespace, parts.name));
    return (
      found && {
        ref: predictionRef(parts.namespace, found.id),
        kind: 'prediction',
        name: found.id,
        why: 'whole ref',
      }
    );
  }
  const exact = await state.lineage.findNode(ref, moment);
  if (exact !== undefined)
    return readingOf(exact, exact.ref === ref ? 'whole ref' : 'whole ref, a former one');
  if (!['dataset', 'datasetVersion', 'field'].includes(parts.kind)) return undefined;
  const node = await state.lineage.findNode(
    formatRef({ ...parts, ...namePart(canonicalName(parts)) }),
  );
  return node && readingOf(node, 'whole ref, another spelling');
}

function namePart({ namespace, name }: { namespace: string; name: string }): {
  namespace: string;
  name: string;
} {
  return { namespace, name };
}

function predictionRef(workspace: string, id: string): string {
  return formatRef({ kind: 'prediction', namespace: workspace, name: id });
}

/** Things that have the text as their id: a prediction, a trace, a run, a logged model. */
export async function readIds(text: string, lookup: Lookup): Promise<Reading[]> {
  const { state, workspace } = lookup;
  const readings: Reading[] = [];
  const prediction = await state.predictions.find(workspace, text);
  if (prediction !== undefined) {
    readings.push({
      ref: predictionRef(workspace, text),
      kind: 'prediction',
      name: text,
      why: 'prediction id',
    });
  }
  // OpenTelemetry shows a trace without MLflow's prefix.
  const traceId = /^[0-9a-f]{32}$/.test(text) ? `tr-${text}` : text;
  const trace =
    prediction === undefined ? await state.traces.findEver(workspace, traceId) : undefined;
  if (trace !== undefined) {
    readings.push({
      ref: predictionRef(workspace, traceId),
      kind: 'prediction',
      name: traceId,
      why: trace.deletedTime === null ? 'trace id' : 'trace id, deleted',
    });
  }
  for (const kind of ['run', 'artifact'] as const) {
    const node = await state.lineage.findNode(
      formatRef({ kind, namespace: workspace, name: text }),
    );
    if (node !== undefined)
      readings.push(readingOf(node, kind === 'run' ? 'run id' : 'artifact id'));
  }
  return readings;
}

/** `name@3`, `name@latest` or `name@alias` of a registered model. */
export async function readModelVersion(text: string, lookup: Lookup): Promise<Reading[]> {
  const at = text.lastIndexOf('@');
  if (at <= 0) return [];
  const { state, workspace } = lookup;
  const name = text.slice(0, at);
  const wanted = text.slice(at + 1);
  const model = await state.registry.findModel(workspace, name);
  if (model === undefined) return [];
  const byAlias = await versionByAlias(model, wanted, lookup);
  if (byAlias !== undefined) return [versionReading(byAlias, lookup, 'model alias')];
  if (wanted === 'latest') {
    const latest = await latestVersion(model, lookup);
    return latest === undefined ? [] : [versionReading(latest, lookup, 'latest model version')];
  }
  if (!/^[1-9]\d{0,8}$/.test(wanted)) return [];
  const version = await state.registry.findVersion(workspace, name, Number(wanted));
  return version === undefined ? [] : [versionReading(version, lookup, 'model version')];
}

/** The version that the alias pointed at, then. */
async function versionByAlias(
  { key, name }: ModelRow,
  alias: string,
  { state: { registry }, workspace, instant }: Lookup,
): Promise<VersionRow | undefined> {
  if (instant === undefined) return registry.findVersionByAlias(workspace, name, alias);
  const uses = await registry.listAliasUses(key, alias);
  const use = uses.findLast(
    ({ fromTime, toTime }) => fromTime <= instant && (toTime === null || instant < toTime),
  );
  return use && registry.findVersion(workspace, name, use.version);
}

/** The newest version that there was, then. */
async function latestVersion(
  { key }: ModelRow,
  { state: { registry }, instant }: Lookup,
): Promise<VersionRow | undefined> {
  if (instant === undefined) return (await registry.listVersions(key, 1))[0];
  const versions = await registry.listVersions(key, limits.nodesMax);
  return versions.find(({ createdTime }) => createdTime <= instant);
}

function versionReading(row: VersionRow, { workspace }: Lookup, why: string): Reading {
  const { name, version } = row;
  const ref = versionRef(workspace, row, version);
  return { ref, kind: 'modelVersion', name: `${name}@${version}`, why };
}

/** A registered model, and the deployment that runs, ran or will run under that name. */
export async function readRegistered(text: string, lookup: Lookup): Promise<Reading[]> {
  const { state, workspace } = lookup;
  const readings: Reading[] = [];
  const model = await state.registry.findModel(workspace, text);
  if (model !== undefined) {
    const ref = modelRef(workspace, model);
    readings.push({ ref, kind: 'model', name: model.name, why: 'model name' });
  }
  const deployment = await readDeployment(text, lookup);
  return deployment === undefined ? readings : [...readings, deployment];
}

async function readDeployment(text: string, lookup: Lookup): Promise<Reading | undefined> {
  const { state, workspace, moment, instant = instantOf(moment) } = lookup;
  const options = { name: text, limit: limits.deploymentsPerNameMax };
  const rows = await state.registry.listDeployments(workspace, options);
  const refOf = ({ name, number }: DeploymentRow): string => deploymentRef(workspace, name, number);
  // The newest come first: those recorded after the position that is asked about were not known then.
  let unknown = 0;
  for (const row of rows) {
    const node = await state.lineage.findNode(refOf(row));
    if ((node?.position ?? 0) <= moment.position) break;
    unknown += 1;
  }
  const row = deploymentAt(unknown < rows.length ? rows.slice(unknown) : rows, instant);
  if (row === undefined) return undefined;
  const { name, number, from, until } = row;
  const runs = from <= instant && (until === null || instant < until);
  const why = runs ? 'runs' : from > instant ? 'is announced' : 'ran last';
  return {
    ref: refOf(row),
    kind: 'deployment',
    name: `${name}@${number}`,
    why: `deployment that ${why} under that name`,
  };
}

/** A dataset by its path or URI, in whichever spelling. */
export async function readPath(text: string, { state }: Lookup): Promise<Reading[]> {
  for (const name of datasetNamesOf(text)) {
    const { namespace, name: path } = canonicalName(name);
    const node = await state.lineage.findNode(
      formatRef({ kind: 'dataset', namespace, name: path }),
    );
    if (node !== undefined) return [readingOf(node, 'dataset path')];
  }
  return [];
}

function datasetNamesOf(text: string): { namespace: string; name: string }[] {
  if (text.startsWith('/') || /^file:/i.test(text)) return [{ namespace: 'file', name: text }];
  const match = /^([a-z][a-z0-9+.-]*:\/\/[^/]+)\/?(.*)$/i.exec(text);
  if (!match) return [];
  const namespace = match[1] ?? '';
  const rest = match[2] ?? '';
  return [
    { namespace, name: rest },
    { namespace, name: `/${rest}` },
  ];
}

/** Nodes that had the text as their name at the moment, and have another now. */
export async function readFormerNames(text: string, lookup: Lookup): Promise<Reading[]> {
  const { state, moment, workspace, limit } = lookup;
  const nodes = await state.lineage.findNodesByFormerName(text, moment, limit);
  return visible(nodes, workspace)
    .filter(({ position }) => position <= moment.position)
    .map((node) => readingOf(node, `${node.kind} name at that moment`));
}

/** Nodes that have the text as their name. */
export async function readNames(
  text: string,
  lookup: Lookup,
  kinds: ReadonlySet<EntityKind>,
): Promise<Reading[]> {
  const nodes = await lookup.state.lineage.findNodesByName(text, { limit: lookup.limit * 4 });
  return visible(nodes, lookup.workspace)
    .filter(({ kind }) => kinds.has(kind))
    .slice(0, lookup.limit)
    .map((node) => readingOf(node, `${node.kind} name`));
}

/** Datasets whose path ends with the text. */
export async function readSuffix(text: string, lookup: Lookup): Promise<Reading[]> {
  const { state, limit, scans = true } = lookup;
  if (!scans || text.includes('@') || text.includes(':')) return [];
  const suffix = text.startsWith('/') ? text : `/${text}`;
  const nodes = await state.lineage.findNodesBySuffix(suffix, {
    kind: 'dataset',
    limit: suffixScanMax,
  });
  return nodes.slice(0, limit).map((node) => readingOf(node, 'end of a dataset path'));
}

/** Kinds of nodes that are named by an id which answers show cut. */
const idKinds = ['run', 'artifact', 'environment'] as const;

/** Runs, artifacts, environments and predictions whose id begins with the text. */
export async function readPrefix(
  text: string,
  { state, workspace, limit }: Lookup,
): Promise<Reading[]> {
  if (text.length < prefixCharactersMin) return [];
  const nodes: Reading[] = [];
  for (const kind of idKinds) {
    const options = { kind, prefix: true, limit };
    const found = await state.lineage.findNodesByName(text, options);
    for (const node of visible(found, workspace))
      nodes.push(readingOf(node, `beginning of ${kind === 'run' ? 'a' : 'an'} ${kind} id`));
  }
  const predictions = await state.predictions.findByPrefix(workspace, text, limit);
  const traces = await state.traces.findByPrefix(workspace, text, limit);
  return [
    ...nodes,
    ...traces.map(({ id }) => ({
      ref: predictionRef(workspace, id),
      kind: 'prediction' as const,
      name: id,
      why: 'beginning of a trace id',
    })),
    ...predictions.map(({ id }) => ({
      ref: predictionRef(workspace, id),
      kind: 'prediction' as const,
      name: id,
      why: 'beginning of a prediction id',
    })),
  ];
}

/**
 * Code by its commit, or the beginning of one: of all that was run from it, or `train.py@1a2b3c4`. A
 * script without a commit stands for each commit that it was run at.
 */
export async function readCode(
  text: string,
  { state, workspace, limit }: Lookup,
): Promise<Reading[]> {
  const at = text.lastIndexOf('@');
  const commit = text.slice(at + 1).toLowerCase();
  if (/^[0-9a-f]+$/.test(commit) && commit.length >= prefixCharactersMin) {
    const nodes = await state.lineage.findNodesByVersion(commit, {
      kind: 'code',
      limit: limit * 4,
    });
    const script = at < 0 ? '' : text.slice(0, at + 1);
    return visible(nodes, workspace)
      .filter(({ name }) => name.startsWith(script) || name.includes(`/${script}`))
      .slice(0, limit)
      .map((node) => readingOf(node, 'code by its commit'));
  }
  const versions = { kind: 'code', prefix: true, limit } as const;
  const nodes = at < 0 ? await state.lineage.findNodesByName(`${text}@`, versions) : [];
  return visible(nodes, workspace).map((node) => readingOf(node, 'code of that name'));
}

/** The column of a dataset that was found. */
export async function readColumn(
  dataset: Reading,
  column: string,
  { state }: Lookup,
): Promise<Reading[]> {
  const parts = findRef(dataset.ref);
  if (parts === undefined) return [];
  const { namespace, name } = parts;
  const node = await state.lineage.findNode(
    formatRef({ kind: 'field', namespace, name, field: column }),
  );
  return node === undefined ? [] : [readingOf(node, `column, ${dataset.why}`)];
}
