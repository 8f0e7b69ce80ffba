import { isObject, list, text } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import type { DatasetUseRow, NodeRow } from './store.ts';
import type { GraphView } from './view.ts';
import { Walk, type WalkLimits } from './walk.ts';
import {
  columnEdge,
  columnReadEdge,
  edgeOf,
  type WalkEdge,
  wholeEdge,
  writeEdge,
} from './walk-edge.ts';

/** The whole dataset as a column: filters, joins and groupings shape every column. */
const wholeDataset = '*';

/**
 * Upstream columns of a trace: from the columns that the runs of the path read, through column edges
 * of runs on the path only, so that it shows the versions that were used, not what happens today.
 */
export async function traceColumns(walk: Walk, start: NodeRow): Promise<void> {
  const { view } = walk;
  let fields: number[];
  if (start.kind === 'field') {
    walk.nodes.set(start.key, 0);
    fields = [start.key, ...(await wholeOf(view, start.parent === null ? [] : [start.parent]))];
    linkWhole(walk, await view.nodes(fields));
  } else if (start.kind === 'datasetVersion' || start.kind === 'dataset') {
    fields = await fieldsOfDatasets(
      walk,
      start.kind === 'dataset' ? start.key : (start.parent ?? 0),
    );
  } else {
    fields = await seedFromReads(walk);
  }
  const done = new Set<number>();
  for (let fresh = fields; fresh.length > 0; ) {
    for (const key of fresh) done.add(key);
    const rows = (await view.columns('up', fresh)).filter((row) => walk.nodes.has(row.via));
    const next = new Set<number>();
    for (const row of rows) {
      walk.add(columnEdge(row));
      if (!done.has(row.from) && walk.nodes.has(row.from)) next.add(row.from);
    }
    const parents = (await view.nodes([...next])).flatMap((node) => node.parent ?? []);
    const whole = (await wholeOf(view, parents)).filter((key) => !done.has(key));
    for (const key of whole) next.add(key);
    linkWhole(walk, await view.nodes([...next]));
    fresh = [...next];
  }
}

async function fieldsOfDatasets(walk: Walk, dataset: number): Promise<number[]> {
  const members = await walk.view.names.of(dataset);
  const fields = await walk.view.reader.children(members, 'field', limits.nodesMax);
  for (const field of fields) if (!walk.nodes.has(field.key)) walk.nodes.set(field.key, 1);
  return fields.map((field) => field.key);
}

/** The columns that runs read which made something else than datasets of them (a model). */
async function seedFromReads(walk: Walk): Promise<number[]> {
  const makers = new Set(
    [...walk.edges.values()]
      .filter((edge) => edge.relation === 'produced' || edge.relation === 'registered-as')
      .map((edge) => edge.from),
  );
  const seeds: number[] = [];
  const runs = new Set(walk.reads.map((use) => use.run));
  const asked = [...runs].filter((run) => makers.has(run) || walk.nodes.get(run) === 0);
  for (const use of await walk.view.usesOfRuns(asked, { use: 'read', withAttributes: true })) {
    for (const { field, edge } of await columnsRead(walk.view, use)) {
      if (walk.add(edge)) seeds.push(field);
    }
  }
  const rows = await walk.view.nodes(seeds);
  const whole = await wholeOf(
    walk.view,
    rows.flatMap((row) => row.parent ?? []),
  );
  linkWhole(walk, [...rows, ...(await walk.view.nodes(whole))]);
  return [...seeds, ...whole];
}

/** The columns that a read covers: those of the schema it told, else all that the dataset is known to have. */
async function columnsRead(
  view: GraphView,
  use: DatasetUseRow,
): Promise<{ field: number; name: string; edge: WalkEdge }[]> {
  await view.names.load([use.dataset]);
  const members = view.names.loaded(use.dataset, use.time);
  const fields = (await view.reader.children(members, 'field', limits.nodesMax)).filter(
    (row) => row.position <= view.moment.position && row.name !== wholeDataset,
  );
  const told = schemaNames(use.attributes);
  return fields
    .filter((field) => told === undefined || told.has(field.name))
    .map((field) => ({
      field: field.key,
      name: field.name,
      edge: columnReadEdge(field, use, told !== undefined),
    }));
}

function schemaNames(attributes: string | null): Set<string> | undefined {
  if (attributes === null) return undefined;
  const parsed: unknown = JSON.parse(attributes);
  const columns = isObject(parsed)
    ? list(parsed.schema).flatMap((column) => (isObject(column) ? (text(column.name) ?? []) : []))
    : [];
  return columns.length === 0 ? undefined : new Set(columns);
}

async function wholeOf(view: GraphView, datasets: readonly number[]): Promise<number[]> {
  if (datasets.length === 0) return [];
  const fields = await view.reader.children([...new Set(datasets)], 'field', limits.nodesMax);
  return fields.filter((field) => field.name === wholeDataset).map((field) => field.key);
}

/** `dataset#*` shapes every column of its dataset that is on the path. */
function linkWhole(walk: Walk, fields: readonly NodeRow[]): void {
  for (const whole of fields.filter((field) => field.name === wholeDataset)) {
    for (const field of fields) {
      if (field.parent !== whole.parent || field.key === whole.key) continue;
      walk.nodes.set(whole.key, walk.nodes.get(whole.key) ?? 1);
      walk.put(wholeEdge(whole, field));
    }
  }
}

/**
 * Downstream of one column. A run that reads it passes it on by its column edges; where it made
 * something else than datasets (a model), or wrote a dataset without telling its columns, all of that
 * is reached. Columns that the run says it did not read are not.
 */
export async function impactOfColumn(
  view: GraphView,
  field: NodeRow,
  walkLimits: WalkLimits,
): Promise<Walk> {
  const walk = new Walk(view, 'down', walkLimits);
  walk.nodes.set(field.key, 0);
  const reached = new Set<number>();
  const tainted = new Set<number>();
  const done = new Set<string>();
  let fresh: { field: NodeRow; versions: ReadonlySet<number> | undefined }[] = [
    { field, versions: undefined },
  ];
  while (fresh.length > 0) {
    const next: typeof fresh = [];
    for (const item of fresh) next.push(...(await passOn({ walk, item, reached, tainted, done })));
    fresh = next;
  }
  // Versions first, then runs: from there on whole things are reached, not columns.
  await continueFrom(walk, [...reached], tainted);
  return walk;
}

interface PassOn {
  readonly walk: Walk;
  readonly item: { field: NodeRow; versions: ReadonlySet<number> | undefined };
  readonly reached: Set<number>;
  readonly tainted: Set<number>;
  readonly done: Set<string>;
}

async function passOn({
  walk,
  item,
  reached,
  tainted,
  done,
}: PassOn): Promise<{ field: NodeRow; versions: ReadonlySet<number> | undefined }[]> {
  const { field, versions } = item;
  const { view } = walk;
  if (field.parent === null) return [];
  const key = `${field.key} ${versions === undefined ? 'all' : [...versions].sort((a, b) => a - b).join(' ')}`;
  if (done.has(key)) return [];
  done.add(key);
  const next: { field: NodeRow; versions: ReadonlySet<number> | undefined }[] = [];
  const reads = await readsOf(view, field.parent, versions);
  const byRun = new Map<number, DatasetUseRow>();
  for (const use of reads) byRun.set(use.run, use);
  const whole = field.name === wholeDataset ? [] : await wholeOf(view, [field.parent]);
  const columns = (await view.columns('down', [field.key, ...whole])).filter(
    (row) => versions === undefined || byRun.has(row.via),
  );
  // What came of the whole dataset came of each of its columns.
  for (const node of await view.nodes(whole))
    if (columns.some((row) => row.from === node.key)) walk.add(wholeEdge(field, node));
  const targets = await view.nodes([...new Set(columns.map((row) => row.to))]);
  for (const row of columns) {
    walk.add(columnEdge(row));
    if (!walk.nodes.has(row.via)) walk.nodes.set(row.via, 1);
    const target = targets.find((node) => node.key === row.to);
    if (target) next.push(...(await targetsOf(view, target, row.via)));
  }
  for (const [run, use] of byRun) {
    const told = schemaNames(use.attributes);
    const passes = columns.some((row) => row.via === run);
    if (!passes && told !== undefined && !told.has(field.name) && field.name !== wholeDataset)
      continue;
    if (await makesOther(view, run)) {
      walk.add(columnReadEdge(field, use, told !== undefined));
      reached.add(run);
    }
    for (const version of await untoldWrites(view, run)) {
      walk.add(columnReadEdge(field, use, told !== undefined));
      reached.add(run);
      tainted.add(version);
    }
  }
  return next;
}

/** Reads of the dataset's given versions (all when undefined), resolved as of the moment. */
async function readsOf(
  view: GraphView,
  dataset: number,
  versions: ReadonlySet<number> | undefined,
): Promise<DatasetUseRow[]> {
  await view.names.load([dataset]);
  const uses = (
    await view.reader.usesOfDatasets('read', view.names.family(dataset).members, {
      limit: limits.nodesMax,
      withAttributes: true,
    })
  ).filter((use) => view.seen(use) && view.names.areOne(dataset, use.dataset, use.time));
  if (versions === undefined) return uses;
  const chain = await view.writesOf(dataset);
  const found: DatasetUseRow[] = [];
  for (const use of uses) {
    if (use.version !== null && versions.has(use.version)) {
      found.push(use);
      continue;
    }
    const named =
      use.version === null ? undefined : chain.findIndex((write) => write.version === use.version);
    if (named !== undefined && named >= 0) continue;
    const current = await view.currentAt(dataset, use.time, use.run);
    if (current && versions.has(current.version)) found.push(use);
  }
  return found;
}

/** The column in the versions that `via` wrote, and in those that continue them. */
async function targetsOf(
  view: GraphView,
  target: NodeRow,
  via: number,
): Promise<{ field: NodeRow; versions: ReadonlySet<number> | undefined }[]> {
  if (target.parent === null) return [];
  const chain = await view.writesOf(target.parent);
  const versions = new Set<number>();
  for (const [index, write] of chain.entries()) {
    if (!view.names.areOne(target.parent, write.row.dataset, write.time)) continue;
    const { previous } = view.neighbours(chain, index);
    const carried = previous && write.mode !== 'replace' && versions.has(previous.version);
    if (carried || write.run === via) versions.add(write.version);
  }
  const known = versions.size > 0 ? versions : chain.length === 0 ? undefined : versions;
  if (target.name !== wholeDataset) return [{ field: target, versions: known }];
  const members = await view.names.of(target.parent);
  const fields = await view.reader.children(members, 'field', limits.nodesMax);
  return fields.map((field) => ({ field, versions: known }));
}

async function makesOther(view: GraphView, run: number): Promise<boolean> {
  const { rows } = await view.edges('down', [run]);
  return rows.some((edge) => edge.relation === 'produced' || edge.relation === 'registered-as');
}

/** Versions that the run wrote without telling how their columns came about. */
async function untoldWrites(view: GraphView, run: number): Promise<number[]> {
  const writes = (await view.usesOfRuns([run], { use: 'write' })).filter(
    (use) => use.version !== null,
  );
  if (writes.length === 0) return [];
  const told = new Set(
    (await view.nodes((await view.reader.columnsVia([run])).map((row) => row.to))).map(
      (node) => node.parent,
    ),
  );
  return writes.filter((use) => !told.has(use.dataset)).map((use) => use.version ?? 0);
}

/** From runs that made models: their products and all that follows; datasets only where columns were not told. */
async function continueFrom(
  walk: Walk,
  runs: readonly number[],
  tainted: ReadonlySet<number>,
): Promise<void> {
  const starts = new Set<number>();
  for (const edge of (await walk.view.edges('down', runs)).rows) {
    if (edge.relation !== 'produced' && edge.relation !== 'registered-as') continue;
    starts.add(edge.to);
    walk.nodes.set(edge.to, 1);
    walk.put(edgeOf(edge));
  }
  const writes = (await walk.view.usesOfRuns(runs, { use: 'write' })).filter(
    (use) => use.version !== null && tainted.has(use.version),
  );
  await walk.view.loadRuns(writes.map(({ run }) => run));
  for (const use of writes) {
    const version = use.version ?? 0;
    starts.add(version);
    walk.nodes.set(version, 1);
    walk.put(writeEdge(use, walk.view.loadedRun(use.run)));
  }
  await walk.from([...starts]);
}
