import type { Known, Relation } from '../facts/relations.ts';
import { knownLevels } from '../facts/relations.ts';
import type { Reached } from './flows.ts';
import type { RunStatus, Write } from './moment.ts';
import type { ColumnRow, DatasetUseRow, EdgeRow, NodeRow } from './store.ts';
import type { GraphView } from './view.ts';

/** An edge of an answer, between node keys; negative keys are nodes outside the graph (predictions). */
export interface WalkEdge {
  readonly from: number;
  readonly to: number;
  readonly relation: Relation;
  readonly role?: string | undefined;
  /** The run, or declaring job, of a column edge. */
  readonly run?: number | undefined;
  readonly how?: string | undefined;
  readonly known: Known;
  readonly rule?: string | undefined;
  readonly positions: readonly number[];
  /** Recorded time, ms; undefined where only the position is at hand. */
  readonly recordedTime?: number | undefined;
  readonly validFrom: number;
  readonly validTo?: number | undefined;
}

/** What makes an edge of a walk another than the others. */
export function edgeId({ from, to, relation, role, run }: WalkEdge): string {
  return `${from} ${to} ${relation} ${role ?? ''} ${run ?? ''}`;
}

export function strength(known: Known): number {
  return knownLevels.indexOf(known);
}

function positionsOf(row: { readonly position: number; readonly lastPosition: number }): number[] {
  return row.lastPosition === row.position ? [row.position] : [row.position, row.lastPosition];
}

export function edgeOf(edge: EdgeRow): WalkEdge {
  return {
    from: edge.from,
    to: edge.to,
    relation: edge.relation,
    role: edge.role ?? undefined,
    known: edge.known,
    rule: edge.rule ?? undefined,
    positions: positionsOf(edge),
    recordedTime: edge.recordedTime,
    validFrom: edge.validFrom,
    validTo: edge.validTo ?? undefined,
  };
}

export function readEdge(
  use: DatasetUseRow,
  from: number,
  how?: { known: Known; rule: string },
): WalkEdge {
  return {
    from,
    to: use.run,
    relation: 'read-by',
    role: use.role ?? undefined,
    known: how?.known ?? use.known,
    rule: how?.rule ?? use.rule ?? undefined,
    positions: positionsOf(use),
    recordedTime: use.recordedTime,
    validFrom: use.time,
  };
}

/** What a run wrote; `status` is the state of the run. */
export function writeEdge(row: DatasetUseRow, status: RunStatus | undefined): WalkEdge {
  const ended = status?.state === 'FAIL' || status?.state === 'ABORT';
  // What a streaming run wrote before it ended is there.
  const failed = ended && status.completedTime === undefined;
  return {
    from: row.run,
    to: row.version ?? row.dataset,
    relation: 'wrote',
    role: failed ? 'failed' : undefined,
    known: row.known,
    rule: row.rule ?? undefined,
    positions: positionsOf(row),
    recordedTime: row.recordedTime,
    validFrom: row.time,
  };
}

/** A column that came of another in a run. */
export function columnEdge(row: ColumnRow): WalkEdge {
  return {
    from: row.from,
    to: row.to,
    relation: 'derived-into',
    run: row.via,
    how: row.how ?? undefined,
    known: row.known,
    rule: row.rule ?? undefined,
    positions: [row.position],
    recordedTime: row.recordedTime,
    validFrom: row.time,
  };
}

/** A column that a run read: as its read told, or as its dataset is known to have it. */
export function columnReadEdge(field: NodeRow, use: DatasetUseRow, told: boolean): WalkEdge {
  return {
    from: field.key,
    to: use.run,
    relation: 'read-by',
    role: use.role ?? undefined,
    known: told ? 'observed' : 'inferred',
    rule: told ? 'schema-of-read' : 'schema-of-dataset',
    positions: [use.position],
    recordedTime: use.recordedTime,
    validFrom: use.time,
  };
}

/** Between `dataset#*` and a column of the dataset, either way. */
export function wholeEdge(from: NodeRow, to: NodeRow): WalkEdge {
  return {
    from: from.key,
    to: to.key,
    relation: 'derived-into',
    known: 'inferred',
    rule: 'whole-dataset',
    positions: [Math.max(from.position, to.position)],
    validFrom: 0,
  };
}

export function continuedEdge(
  write: Write,
  to: number,
  how: { known: Known; rule: string },
  time: number,
): WalkEdge {
  return {
    from: write.version,
    to,
    relation: 'continued-as',
    known: how.known,
    rule: how.rule,
    positions: positionsOf(write.row),
    recordedTime: write.row.recordedTime,
    validFrom: time,
  };
}

export function hasEdge(version: NodeRow): WalkEdge {
  return {
    from: version.parent ?? version.key,
    to: version.key,
    relation: 'has',
    known: 'observed',
    rule: 'version',
    positions: [version.position],
    validFrom: 0,
  };
}

/** What the walk of versions needs of a walk: its view, its way, and where to put what it finds. */
export interface WalkSink {
  readonly view: GraphView;
  readonly nodes: Map<number, number>;
  readonly edges: Map<string, WalkEdge>;
  readonly reads: DatasetUseRow[];
  readonly stops: Stop[];
  readonly depth: number;
  /** `through` is the dataset by which the run or job at the far end is reached. */
  add(edge: WalkEdge, through?: number): boolean;
  /** The datasets that a run or job was reached through. */
  reachedThrough(via: number): Reached;
  addAcross(edge: WalkEdge): void;
  boundVersion(version: number, time: number): void;
  boundOf(version: number): number | undefined;
}

/** Where a walk went no further, and how many links it left. */
export interface Stop {
  readonly key: number;
  readonly reason: 'depth' | 'nodes' | 'hub' | 'permission';
  readonly count: number;
}
