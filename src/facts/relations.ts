import type { EntityKind } from './kinds.ts';

interface RelationRow {
  /** Stored; only ever added, never renumbered. */
  readonly code: number;
  readonly from: readonly EntityKind[];
  readonly to: readonly EntityKind[];
  /** W3C PROV meaning; `-` where the arrow of PROV points the other way. */
  readonly prov: string;
  /** A sentence to read the edge by. */
  readonly reads: string;
}

/** The registered relations. Edges read along the flow of data: from cause to effect. */
export const relations = {
  holds: {
    code: 1,
    from: ['source'],
    to: ['dataset'],
    prov: 'hadMember',
    reads: '{from} holds {to}',
  },
  has: {
    code: 2,
    from: ['dataset'],
    to: ['datasetVersion'],
    prov: '-specializationOf',
    reads: '{from} has the version {to}',
  },
  'read-by': {
    code: 3,
    from: ['datasetVersion', 'dataset', 'artifact', 'field', 'modelVersion'],
    to: ['run', 'prediction'],
    prov: '-used',
    reads: '{from} was read by {to}',
  },
  wrote: {
    code: 4,
    from: ['run', 'modelVersion'],
    to: ['datasetVersion', 'dataset'],
    prov: '-wasGeneratedBy',
    reads: '{from} wrote {to}',
  },
  'continued-as': {
    code: 5,
    from: ['datasetVersion'],
    to: ['datasetVersion'],
    prov: '-wasRevisionOf',
    reads: '{from} went on as {to}',
  },
  'derived-into': {
    code: 6,
    from: ['field', 'artifact', 'model', 'modelVersion', 'dataset', 'datasetVersion', 'prediction'],
    to: ['field', 'artifact', 'model', 'modelVersion', 'datasetVersion'],
    prov: '-wasDerivedFrom',
    reads: '{to} was derived from {from}',
  },
  'used-by': {
    code: 7,
    from: ['code', 'environment', 'modelVersion'],
    to: ['run', 'artifact', 'deployment', 'prediction'],
    prov: '-used',
    reads: '{from} was used by {to}',
  },
  'part-of': {
    code: 8,
    from: ['run'],
    to: ['run'],
    prov: '-wasStartedBy',
    reads: '{from} is part of {to}',
  },
  produced: {
    code: 9,
    from: ['run'],
    to: ['artifact', 'prediction'],
    prov: '-wasGeneratedBy',
    reads: '{from} produced {to}',
  },
  'registered-as': {
    code: 10,
    from: ['artifact', 'run'],
    to: ['modelVersion'],
    prov: '-wasDerivedFrom',
    reads: '{from} was registered as {to}',
  },
  'evaluated-on': {
    code: 11,
    from: ['modelVersion', 'artifact'],
    to: ['datasetVersion'],
    prov: 'wasInfluencedBy',
    reads: '{from} was evaluated on {to}',
  },
  supplied: {
    code: 12,
    from: ['datasetVersion', 'dataset'],
    to: ['deployment'],
    prov: '-used',
    reads: '{from} supplied {to}',
  },
  'deployed-as': {
    code: 13,
    from: ['modelVersion'],
    to: ['deployment'],
    prov: '-used',
    reads: '{from} was deployed as {to}',
  },
  served: {
    code: 14,
    from: ['deployment', 'modelVersion', 'artifact', 'model'],
    to: ['prediction'],
    prov: '-wasGeneratedBy',
    reads: '{from} served {to}',
  },
  'led-to': {
    code: 15,
    from: ['prediction'],
    to: ['prediction'],
    prov: '-wasDerivedFrom',
    reads: '{from} led to {to}',
  },
  did: {
    code: 16,
    from: ['agent'],
    to: ['run', 'modelVersion', 'deployment', 'job', 'dataset', 'model', 'prediction'],
    prov: '-wasAssociatedWith',
    reads: '{from} did {to}',
  },
  'ran-as': {
    code: 17,
    from: ['job', 'jobVersion'],
    to: ['run'],
    prov: '-hadPlan',
    reads: '{from} ran as {to}',
  },
  'has-version': {
    code: 18,
    from: ['model', 'job'],
    to: ['modelVersion', 'jobVersion'],
    prov: '-specializationOf',
    reads: '{from} has the version {to}',
  },
} as const satisfies Record<string, RelationRow>;

export type Relation = keyof typeof relations;

const byCode = new Map<number, Relation>(
  Object.entries(relations).map(([relation, { code }]) => [code, relation as Relation]),
);

/** The relation of a stored code. Throws a plain error on an unknown code: a broken invariant. */
export function relationOfCode(code: number): Relation {
  const relation = byCode.get(code);
  if (relation === undefined) throw new Error(`unknown relation code ${code}`);
  return relation;
}

/**
 * How an edge is known, strongest first: a system reported it, a person or a configuration said it,
 * it was read out of SQL or code, it was matched by time, digest or pattern.
 */
export const knownLevels = ['observed', 'declared', 'parsed', 'inferred'] as const;
export type Known = (typeof knownLevels)[number];
