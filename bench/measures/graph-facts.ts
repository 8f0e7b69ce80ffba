/** Generated lineage: layers of tables, runs between them, models at the end, and a few hubs. */
import type { ColumnEdge, DatasetName, LineageFact } from '../../src/facts/facts.ts';
import { formatRef } from '../../src/facts/ref.ts';

const layerCount = 12;
/** Columns that each run derives, one from each input and one from a hub. */
const columns = ['id', 'amount', 'country'] as const;
/** How often a run reads each of the hubs: the first has more than 10,000 readers at 100,000 nodes. */
const hubShares = [0.8, 0.25, 0.05] as const;
/** Nodes that one table of a layer adds: table, version, run, job and its fields. */
const nodesPerTable = 4 + columns.length;
/** One in so many tables of the last layer trains a model. */
const tablesPerModel = 4;
const namespace = 'postgres://warehouse:5432';

/** Times of runs: one a second, layer after layer. */
const firstTime = Date.UTC(2026, 0, 1);

export interface GeneratedGraph {
  /** The facts of each message, in order. */
  readonly messages: Iterable<readonly LineageFact[]>;
  /** Refs to trace from, at the end of the flow, and to ask the impact of, at its beginning. */
  readonly ends: readonly string[];
  readonly beginnings: readonly string[];
  readonly hub: string;
}

/** Makes a graph of about `nodes` nodes. */
export function generateGraph(nodes: number): GeneratedGraph {
  const width = Math.max(4, Math.round(nodes / layerCount / nodesPerTable));
  const sample = Array.from({ length: Math.min(width, 200) }, (_, i) =>
    Math.floor((i * width) / Math.min(width, 200)),
  );
  const models = sample.filter((at) => at % tablesPerModel === 0);
  return {
    messages: messagesOf(width),
    ends: models.map((at) =>
      formatRef({ kind: 'modelVersion', namespace: 'default', name: `model_${at}`, version: '1' }),
    ),
    beginnings: sample.map((at) => formatRef({ kind: 'dataset', ...tableName(0, at) })),
    hub: formatRef({ kind: 'dataset', ...hubName(0) }),
  };
}

function* messagesOf(width: number): Generator<readonly LineageFact[]> {
  let time = firstTime;
  for (let layer = 1; layer < layerCount; layer += 1) {
    for (let at = 0; at < width; at += 1) {
      time += 1_000;
      yield transformation({ layer, at, width, time });
    }
  }
  for (let at = 0; at < width; at += tablesPerModel) {
    time += 1_000;
    yield training(at, time);
  }
}

interface Place {
  readonly layer: number;
  readonly at: number;
  readonly width: number;
  readonly time: number;
}

function tableName(layer: number, at: number): DatasetName {
  return { namespace, name: `shop.layer_${layer}.table_${at}` };
}

function hubName(hub: number): DatasetName {
  return { namespace, name: `shop.shared.hub_${hub}` };
}

/** A run that reads two neighbouring tables of the layer before and some hubs, and writes one. */
function transformation({ layer, at, width, time }: Place): LineageFact[] {
  const job = formatRef({
    kind: 'job',
    namespace: 'default',
    name: `etl.layer_${layer}.table_${at}`,
  });
  const run = formatRef({ kind: 'run', namespace: 'default', name: `etl-${layer}-${at}` });
  const output = tableName(layer, at);
  const near = tableName(layer - 1, at);
  const far = tableName(layer - 1, (at + 1 + (at % 3)) % width);
  const hubs = hubShares.flatMap((share, hub) =>
    spread(layer, at, hub) < share ? [hubName(hub)] : [],
  );
  const known = 'observed';
  const derived: ColumnEdge[] = columns.map((field, i) => ({
    from: { dataset: i === 1 ? far : near, field },
    to: { dataset: output, field },
    how: 'DIRECT/IDENTITY',
  }));
  return [
    { kind: 'run.reported', run, state: 'START', time: time - 500, job },
    { kind: 'run.reported', run, state: 'COMPLETE', time, job },
    ...[near, far, ...hubs].map(
      (dataset) => ({ kind: 'dataset.read', run, dataset, known, time }) as const,
    ),
    { kind: 'dataset.written', run, dataset: output, mode: 'replace', known, time },
    { kind: 'columns.derived', via: run, columns: derived, known, time },
  ];
}

/** A run that trains on a table of the last layer, and its model version. */
function training(at: number, time: number): LineageFact[] {
  const run = formatRef({ kind: 'run', namespace: 'default', name: `train-${at}` });
  const artifact = formatRef({ kind: 'artifact', namespace: 'default', name: `m-${at}` });
  const model = formatRef({ kind: 'model', namespace: 'default', name: `model_${at}` });
  const version = formatRef({
    kind: 'modelVersion',
    namespace: 'default',
    name: `model_${at}`,
    version: '1',
  });
  const code = formatRef({
    kind: 'code',
    namespace: 'git',
    name: 'training',
    version: `commit-${at % 50}`,
  });
  const known = 'observed';
  return [
    { kind: 'run.reported', run, state: 'COMPLETE', time },
    {
      kind: 'dataset.read',
      run,
      dataset: tableName(layerCount - 1, at),
      role: 'train',
      known,
      time: time - 500,
    },
    { kind: 'relation.stated', relation: 'used-by', from: code, to: run, known, time },
    { kind: 'relation.stated', relation: 'produced', from: run, to: artifact, known, time },
    {
      kind: 'relation.stated',
      relation: 'registered-as',
      from: artifact,
      to: version,
      known,
      time,
    },
    { kind: 'relation.stated', relation: 'has-version', from: model, to: version, known, time },
  ];
}

/** A number from 0 to 1 that looks random and is the same in every run. */
function spread(layer: number, at: number, hub: number): number {
  let hash =
    Math.imul(layer + 1, 0x9e3779b1) ^
    Math.imul(at + 1, 0x85ebca6b) ^
    Math.imul(hub + 1, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 13)) >>> 0) / 4_294_967_296;
}
