import { canonicalJson, isObject, type Json, list, text } from '../base/json.ts';
import type { AnswerEdge, AnswerNode } from '../contract/answer.ts';
import {
  type Diff,
  type DiffArea,
  type DiffChange,
  type DiffSide,
  diffAreas,
} from '../contract/diff.ts';
import { findRef } from '../facts/ref.ts';
import type { GraphAnswer } from './trace.ts';

/** Named values of one area of one side. */
type Values = Map<string, { value: Json; ref?: string }>;
type Side = Record<DiffArea, Values>;

/** What differs between two traces, the likeliest explanation of a difference first. */
export function diffTraces(a: GraphAnswer, b: GraphAnswer): Omit<Diff, 'checkpoint'> {
  const left = sideOf(a);
  const right = sideOf(b);
  const changes: DiffChange[] = [];
  const same: Partial<Record<DiffArea, number>> = {};
  for (const area of diffAreas) {
    const names = [...new Set([...left[area].keys(), ...right[area].keys()])].sort();
    let equal = 0;
    for (const name of names) {
      const change = changeOf(area, name, left[area].get(name), right[area].get(name));
      if (change) changes.push(change);
      else equal += 1;
    }
    if (equal > 0) same[area] = equal;
  }
  const unknown: string[] = [];
  for (const [label, side] of [
    ['a', left],
    ['b', right],
  ] as const) {
    for (const area of ['code', 'data', 'environment', 'parameters'] as const) {
      if (side[area].size === 0) unknown.push(`${area} of ${label} is not recorded`);
    }
  }
  return { a: describe(a), b: describe(b), changes, same, unknown };
}

function changeOf(
  area: DiffArea,
  name: string,
  a: { value: Json; ref?: string } | undefined,
  b: { value: Json; ref?: string } | undefined,
): DiffChange | undefined {
  if (a && b && canonicalJson(a.value) === canonicalJson(b.value)) return undefined;
  const change = a === undefined ? 'added' : b === undefined ? 'removed' : 'changed';
  return {
    area,
    name,
    change,
    ...(a === undefined ? {} : { a: a.value as NonNullable<DiffChange['a']> }),
    ...(b === undefined ? {} : { b: b.value as NonNullable<DiffChange['b']> }),
    ...(a?.ref === undefined ? {} : { aRef: a.ref }),
    ...(b?.ref === undefined ? {} : { bRef: b.ref }),
  };
}

/** The run whose making is compared: the ref itself, or the one that made its model. */
function runOf(answer: GraphAnswer): AnswerNode | undefined {
  const start = answer.nodes.find((node) => node.ref === answer.ref);
  if (start?.kind === 'run') return start;
  const maker = answer.edges.find(
    (edge) =>
      edge.relation === 'produced' ||
      edge.relation === 'registered-as' ||
      edge.relation === 'wrote',
  );
  const ref =
    [...answer.edges].find(
      (edge) => edge.relation === 'produced' && findRef(edge.from)?.kind === 'run',
    )?.from ?? maker?.from;
  return answer.nodes.find((node) => node.ref === ref && node.kind === 'run');
}

function describe(answer: GraphAnswer): DiffSide {
  const start = answer.nodes.find((node) => node.ref === answer.ref);
  const run = runOf(answer);
  return {
    ref: answer.ref,
    kind: start?.kind ?? 'run',
    name: start?.name ?? answer.ref,
    ...(run && run.ref !== answer.ref ? { run: run.ref } : {}),
  };
}

function sideOf(answer: GraphAnswer): Side {
  const side = Object.fromEntries(diffAreas.map((area) => [area, new Map()])) as unknown as Side;
  const nodes = new Map(answer.nodes.map((node) => [node.ref, node]));
  const run = runOf(answer);
  if (run) {
    values(side.parameters, run.attributes.parameters);
    values(side.metrics, run.attributes.metrics);
  }
  for (const edge of answer.edges) {
    const from = nodes.get(edge.from);
    if (!from) continue;
    if (edge.to === run?.ref) addInput(side, edge, from);
    else if (edge.relation === 'wrote' || edge.relation === 'ran-as') addUpstream(side, edge, from);
  }
  for (const node of answer.nodes)
    if (node.kind === 'deployment') values(side.configuration, node.attributes.configuration);
  const start = nodes.get(answer.ref);
  if (start && start.kind !== 'run') {
    // Statements have ids and times of their own: no two things have the same.
    const { statements: _, statementsOmitted: __, ...attributes } = start.attributes;
    values(side.attributes, attributes);
  }
  return side;
}

function addInput(side: Side, edge: AnswerEdge, from: AnswerNode): void {
  const parts = findRef(from.ref);
  if (!parts) return;
  if (from.kind === 'code')
    side.code.set(parts.name, { value: parts.version ?? 'no commit', ref: from.ref });
  if (from.kind === 'environment') {
    for (const line of list(from.attributes.packages)) {
      const spec = text(line);
      const [name = '', version = ''] = (spec ?? '').split(/==|@| (?=[<>=~!])/);
      if (spec !== undefined)
        side.environment.set(name.trim(), { value: version.trim() || spec, ref: from.ref });
    }
    if (typeof from.attributes.python === 'string')
      side.environment.set('python', { value: from.attributes.python, ref: from.ref });
  }
  if (from.kind === 'datasetVersion' || from.kind === 'dataset')
    addData(side, edge, from, parts.name);
}

function addData(side: Side, edge: AnswerEdge, from: AnswerNode, name: string): void {
  const label = edge.role === undefined ? name : `${name} (${edge.role})`;
  side.data.set(label, { value: findRef(from.ref)?.version ?? 'version not known', ref: from.ref });
  const columns = list(from.attributes.schema).flatMap((column) =>
    isObject(column) ? [`${String(column.name)}: ${String(column.type ?? 'unknown')}`] : [],
  );
  if (columns.length > 0) side.data.set(`${label} columns`, { value: columns, ref: from.ref });
  const statistics = from.attributes.profile ?? from.attributes.outputStatistics;
  if (statistics !== undefined && statistics !== null)
    side.data.set(`${label} statistics`, { value: statistics as Json, ref: from.ref });
}

function addUpstream(side: Side, edge: AnswerEdge, from: AnswerNode): void {
  if (edge.relation === 'ran-as')
    side.upstream.set(`job ${from.name}`, { value: from.name, ref: from.ref });
}

function values(into: Values, object: unknown): void {
  if (!isObject(object)) return;
  for (const [name, value] of Object.entries(object))
    into.set(name, { value: (value ?? null) as Json });
}
