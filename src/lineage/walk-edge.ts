import type { Known, Relation } from '../facts/relations.ts';
import { knownLevels } from '../facts/relations.ts';
import type { DatasetUseRow, EdgeRow, NodeRow } from './store.ts';
import type { Write } from './view.ts';

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
  readonly recordedTime: number;
  readonly validFrom: number;
  readonly validTo?: number | undefined;
}

export function strength(known: Known): number {
  return knownLevels.indexOf(known);
}

export function positionsOf(row: {
  readonly position: number;
  readonly lastPosition: number;
}): number[] {
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
    recordedTime: 0,
    validFrom: 0,
  };
}
