import type { RunState, WriteMode } from '../../facts/facts.ts';
import { kindOfCode } from '../../facts/kinds.ts';
import { type Known, knownLevels, relationOfCode } from '../../facts/relations.ts';
import type {
  ColumnRow,
  DatasetUseRow,
  EdgeRow,
  NodeRow,
  RunEventRow,
} from '../../lineage/store.ts';
import { afterAt } from './lineage-schema.ts';

/** Stored write modes, by code. */
export const writeModes: readonly WriteMode[] = ['unknown', 'append', 'replace'];

const knownOf = (code: number): Known => knownLevels[code] ?? 'inferred';

/** The text of an interned word; null for 0. */
type WordOf = (word: number) => string | null;

export const nodeColumns =
  'key, kind, ref, origin_ref, parent, name, position, deleted_time, deleted_position';

/** Finds a node by `?1` through the index of refs. */
export const refIs = `${afterAt('ref')} = ${afterAt('?1')} AND ref = ?1`;

/** A row of `nodeColumns`. */
export type NodeTuple = readonly [
  key: number,
  kind: number,
  ref: string,
  originRef: string | null,
  parent: number | null,
  name: string,
  position: number,
  deletedTime: number | null,
  deletedPosition: number | null,
];

export function toNode(row: NodeTuple): NodeRow {
  return {
    key: row[0],
    kind: kindOfCode(row[1]),
    ref: row[2],
    originRef: row[3] ?? row[2],
    parent: row[4],
    name: row[5],
    position: row[6],
    deletedTime: row[7],
    deletedPosition: row[8],
  };
}

/** Words are looked up in memory: a row of `role` and `rule` holds their numbers. */
const useColumns = `u.run, u.use, u.dataset, u.version, u.named, u.mode, u.known, u.role, u.rule,
  u.time, u.position, u.last_position, u.recorded_time`;
export const useColumnsPlain = `${useColumns}, NULL`;
export const useColumnsWithAttributes = `${useColumns},
  CASE typeof(u.attributes) WHEN 'integer' THEN (SELECT value FROM lineage_values WHERE id = u.attributes) ELSE u.attributes END`;

/** A row of `useColumnsPlain` or `useColumnsWithAttributes`. */
export type UseTuple = readonly [
  run: number,
  use: number,
  dataset: number,
  version: number,
  named: number,
  mode: number,
  known: number,
  role: number,
  rule: number,
  time: number,
  position: number,
  lastPosition: number,
  recordedTime: number,
  attributes: string | null,
];

export function toUse(row: Readonly<[...UseTuple, ...unknown[]]>, wordOf: WordOf): DatasetUseRow {
  return {
    run: row[0],
    use: row[1] === 0 ? 'read' : 'write',
    dataset: row[2],
    version: row[3] === 0 ? null : row[3],
    named: row[4] === 1,
    mode: writeModes[row[5]] ?? 'unknown',
    known: knownOf(row[6]),
    role: wordOf(row[7]),
    rule: wordOf(row[8]),
    time: row[9],
    position: row[10],
    lastPosition: row[11],
    recordedTime: row[12],
    attributes: row[13],
  };
}

export const edgeColumns = `e.src, e.dst, e.relation, e.known, e.role, e.rule, e.position, e.last_position,
  e.recorded_time, e.valid_from, e.valid_to, e.valid_to_position`;

/** A row of `edgeColumns`. */
export type EdgeTuple = readonly [
  from: number,
  to: number,
  relation: number,
  known: number,
  role: number,
  rule: number,
  position: number,
  lastPosition: number,
  recordedTime: number,
  validFrom: number,
  validTo: number | null,
  validToPosition: number | null,
];

export function toEdge(row: EdgeTuple, wordOf: WordOf): EdgeRow {
  return {
    from: row[0],
    to: row[1],
    relation: relationOfCode(row[2]),
    known: knownOf(row[3]),
    role: wordOf(row[4]),
    rule: wordOf(row[5]),
    position: row[6],
    lastPosition: row[7],
    recordedTime: row[8],
    validFrom: row[9],
    validTo: row[10],
    validToPosition: row[11],
  };
}

export const columnColumns =
  'c.src, c.dst, c.via, c.known, c.how, c.rule, c.time, c.position, c.recorded_time';

/** A row of `columnColumns`. */
export type ColumnTuple = readonly [
  from: number,
  to: number,
  via: number,
  known: number,
  how: number,
  rule: number,
  time: number,
  position: number,
  recordedTime: number,
];

export function toColumn(row: ColumnTuple, wordOf: WordOf): ColumnRow {
  return {
    from: row[0],
    to: row[1],
    via: row[2],
    known: knownOf(row[3]),
    how: wordOf(row[4]),
    rule: wordOf(row[5]),
    time: row[6],
    position: row[7],
    recordedTime: row[8],
  };
}

/** run, time, state, streaming, position */
export type RunEventTuple = readonly [number, number, RunState, number, number];

export function toRunEvent(row: RunEventTuple): RunEventRow {
  return { run: row[0], time: row[1], state: row[2], streaming: row[3] === 1, position: row[4] };
}
