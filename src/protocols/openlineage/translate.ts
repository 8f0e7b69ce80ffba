import { isObject, list, text } from '../../base/json.ts';
import type { Payload } from '../../door/index.ts';
import type { FactContext, Translation } from '../../facts/facts.ts';
import type { DatasetName, LineageFact } from '../../facts/lineage-facts.ts';
import { formatRef } from '../../facts/ref.ts';
import { facetAttributes } from './attributes.ts';
import { ColumnEdges, readColumnLineage } from './columns.ts';
import { describeDataset, readFacts, type WriteContext, writeFacts } from './datasets.ts';
import { seenKey } from './decide.ts';
import { type ExplicitLineage, readExplicitLineage } from './explicit.ts';
import { agentRef, boundName, datasetKey, jobRef, runRef } from './names.ts';
import {
  findFacet,
  readEvent,
  readJob,
  readRunId,
  type Warn,
  type WireDataset,
  type WireEvent,
  type WireJob,
} from './wire.ts';

/** Facets of runs that become relations. `parentRun` is the name before 1.0. */
const runRelations = new Set(['parent', 'parentRun']);
const jobRelations = new Set<string>();
/** Warnings of one event: beyond it they repeat. */
const warningsMax = 20;
/** Owners of one job. */
const ownersMax = 50;

/** One event on its way to facts. */
interface Translating {
  readonly event: WireEvent;
  readonly context: FactContext;
  readonly warn: Warn;
}

/**
 * What a stored event means. Pure: the time is the event's or, when it has none, the recorded one.
 * Events of one run only ever add; facts come out the same in any order and however often sent.
 * Never throws: what cannot be used is warned about and stays in the message.
 */
export function translateEvent(payload: Payload, context: FactContext): Translation {
  const warnings = new Set<string>();
  const warn: Warn = (warning) => {
    if (warnings.size < warningsMax) warnings.add(warning);
  };
  const event = readEvent(payload.message, context.time, warn);
  const translating = { event, context, warn };
  const facts: LineageFact[] = [];
  const digest = text(payload.decided.key);
  if (digest !== undefined) {
    facts.push({ kind: 'event.seen', key: seenKey(payload.message, digest) });
  }
  if (event.run) facts.push(...runFacts(translating, event.run));
  else if (event.job) facts.push(...jobEventFacts(translating, event.job));
  if (event.dataset) facts.push(...datasetEventFacts(translating, event.dataset));
  return { facts, warnings: [...warnings] };
}

/** A RunEvent: what was observed. */
function runFacts(translating: Translating, wireRun: NonNullable<WireEvent['run']>): LineageFact[] {
  const { event, context, warn } = translating;
  const { time, job } = event;
  const run = runRef(context.workspace, wireRun.id);
  const streaming =
    job && text(findFacet(job.facets, 'jobType')?.processingType)?.toUpperCase() === 'STREAMING';
  const attributes = {
    ...facetAttributes(wireRun.facets, runRelations, warn),
    ...(event.producer !== undefined && { producer: boundName(event.producer, 'name') }),
  };
  const facts: LineageFact[] = [
    {
      kind: 'run.reported',
      run,
      state: event.state,
      time,
      ...(job && { job: jobRef(job) }),
      ...(streaming && { streaming: true }),
    },
  ];
  if (Object.keys(attributes).length > 0)
    facts.push({ kind: 'entity.described', ref: run, time, attributes });
  if (job) facts.push(...jobFacts(translating, job), ...codeFacts(translating, job, run));
  facts.push(...parentFacts(translating, run, wireRun), ...dataFacts(translating, run));
  return facts;
}

/** Facets of the job, and who owns it. */
function jobFacts({ event, context, warn }: Translating, job: WireJob): LineageFact[] {
  const { time } = event;
  const ref = jobRef(job);
  const attributes = facetAttributes(job.facets, jobRelations, warn);
  const facts: LineageFact[] = [];
  if (Object.keys(attributes).length > 0 || !event.run) {
    facts.push({ kind: 'entity.described', ref, time, attributes });
  }
  for (const owner of list(findFacet(job.facets, 'ownership')?.owners).slice(0, ownersMax)) {
    const name = isObject(owner) ? text(owner.name) : undefined;
    if (name === undefined) continue;
    const role = isObject(owner) ? text(owner.type) : undefined;
    facts.push({
      kind: 'relation.stated',
      relation: 'did',
      from: agentRef(context.workspace, name.replace(/^user:/, '')),
      to: ref,
      role: role === undefined ? 'owner' : boundName(role.toLowerCase(), 'field'),
      known: 'declared',
      rule: 'openlineage.ownership',
      time,
    });
  }
  return facts;
}

/** The code that the job ran from: `code:<repository>/<path>@<version>`. */
function codeFacts({ event }: Translating, job: WireJob, run: string): LineageFact[] {
  const facet = findFacet(job.facets, 'sourceCodeLocation');
  const repository = text(facet?.repoUrl) ?? text(facet?.url);
  if (!facet || repository === undefined) return [];
  const version = text(facet.version) ?? text(facet.tag);
  const code = formatRef({
    kind: 'code',
    namespace: boundName(repository, 'namespace'),
    name: boundName(text(facet.path) ?? '.', 'name'),
    version: version === undefined ? undefined : boundName(version, 'version'),
  });
  return [
    {
      kind: 'relation.stated',
      relation: 'used-by',
      from: code,
      to: run,
      known: 'observed',
      rule: 'openlineage.sourceCodeLocation',
      time: event.time,
    },
  ];
}

/**
 * The run that started this one and the first of the tree. Children may come before their parents:
 * the relations alone make them known.
 */
function parentFacts(
  { event, context, warn }: Translating,
  run: string,
  wireRun: { readonly facets: WireDataset['facets'] },
): LineageFact[] {
  const facet = findFacet(wireRun.facets, 'parent') ?? findFacet(wireRun.facets, 'parentRun');
  if (!facet) return [];
  const facts: LineageFact[] = [];
  const stated = new Set([run]);
  for (const [holder, role] of [
    [facet, 'parent'],
    [facet.root, 'root'],
  ] as const) {
    if (!isObject(holder)) continue;
    const id = isObject(holder.run) ? readRunId(holder.run.runId) : undefined;
    if (id === undefined) {
      warn(`The ${role} run has no runId.`);
      continue;
    }
    const parent = runRef(context.workspace, id);
    if (stated.has(parent)) continue;
    stated.add(parent);
    const rule = `openlineage.${role}`;
    const base = {
      kind: 'relation.stated',
      to: parent,
      known: 'observed',
      rule,
      time: event.time,
    } as const;
    facts.push({ ...base, relation: 'part-of', from: run, role });
    const job = readJob(holder.job, warn);
    if (job) facts.push({ ...base, relation: 'ran-as', from: jobRef(job) });
  }
  return facts;
}

/** dbt reports the table that holds a test's failures as output: it is no dataset. Source: openlineage-dbt. */
function isTestOutput(dataset: WireDataset): boolean {
  return dataset.id.name.includes('dbt_test__audit');
}

/** Reads, writes and columns of a run. */
function dataFacts(translating: Translating, run: string): LineageFact[] {
  const { event, warn } = translating;
  const { time, job, state } = event;
  const facts: LineageFact[] = [];
  for (const input of event.inputs) facts.push(...readFacts(run, input, time, warn));
  const outputs = event.outputs.filter((output) => !isTestOutput(output));
  const context: WriteContext = {
    run,
    time,
    failed: state === 'FAIL' || state === 'ABORT',
    sql: job && text(findFacet(job.facets, 'sql')?.query),
    warn,
  };
  for (const output of outputs) facts.push(...writeFacts(output, context));
  facts.push(...columnFacts(translating, outputs, run), ...explicitFacts(translating, run));
  return facts;
}

/** Column edges of outputs, and the reads they imply: producers leave out inputs that they name here. */
function columnFacts(
  { event, warn }: Translating,
  outputs: readonly WireDataset[],
  run: string,
): LineageFact[] {
  const edges = new ColumnEdges(warn);
  for (const output of outputs) readColumnLineage(output, edges, warn);
  const columns = edges.list();
  if (columns.length === 0) return [];
  const rule = 'openlineage.columnLineage';
  return [
    ...impliedReads(run, event, edges.sources, rule),
    { kind: 'columns.derived', via: run, columns, known: 'observed', rule, time: event.time },
  ];
}

function impliedReads(
  run: string,
  event: WireEvent,
  sources: readonly DatasetName[],
  rule: string,
): LineageFact[] {
  const named = new Set(event.inputs.map((input) => datasetKey(input.id)));
  return sources
    .filter((source) => !named.has(datasetKey(source)))
    .map((dataset) => ({
      kind: 'dataset.read',
      run,
      dataset,
      known: 'observed',
      rule,
      time: event.time,
    }));
}

/** Explicit lineage of the job facet, as observed in a run. */
function explicitFacts({ event, warn }: Translating, run: string): LineageFact[] {
  if (!event.job) return [];
  const lineage = readExplicitLineage(event.job, event.outputs, warn);
  if (!lineage) return [];
  const { time } = event;
  const rule = 'openlineage.lineage';
  const written = new Set(event.outputs.map((output) => datasetKey(output.id)));
  const columns = lineage.edges.list();
  const facts = impliedReads(run, event, lineage.inputs, rule);
  for (const dataset of lineage.outputs) {
    if (written.has(datasetKey(dataset))) continue;
    facts.push({
      kind: 'dataset.written',
      run,
      dataset,
      mode: 'unknown',
      known: 'observed',
      rule,
      time,
    });
  }
  if (columns.length > 0)
    facts.push({ kind: 'columns.derived', via: run, columns, known: 'observed', rule, time });
  return [...facts, ...flowFacts(lineage, run, time)];
}

/** Outputs of which all inputs are told come of no others: by default each comes of every input. */
function flowFacts(lineage: ExplicitLineage | undefined, via: string, time: number): LineageFact[] {
  return (lineage?.flows ?? []).map(({ output, inputs }) => ({
    kind: 'flow.stated',
    via,
    output,
    inputs: unique(inputs),
    time,
  }));
}

/** A JobEvent: what the job declares, by design. The newest replaces its earlier declarations. */
function jobEventFacts(translating: Translating, job: WireJob): LineageFact[] {
  const { event, warn } = translating;
  const { time } = event;
  const ref = jobRef(job);
  const facts = jobFacts(translating, job);
  const outputs = event.outputs.filter((output) => !isTestOutput(output));
  for (const dataset of [...event.inputs, ...outputs])
    facts.push(...describeDataset(dataset, time, warn));
  const edges = new ColumnEdges(warn);
  for (const output of outputs) readColumnLineage(output, edges, warn);
  const explicit = readExplicitLineage(job, outputs, warn);
  const inputs = unique([
    ...event.inputs.map(({ id }) => id),
    ...edges.sources,
    ...(explicit?.inputs ?? []),
  ]);
  const written = unique([...outputs.map(({ id }) => id), ...(explicit?.outputs ?? [])]);
  // Clients send empty lists with every JobEvent, also when they only tell a facet: that declares nothing.
  if (inputs.length + written.length > 0) {
    facts.push({ kind: 'job.declared', job: ref, inputs, outputs: written, time });
  }
  for (const [columns, rule] of [
    [edges.list(), 'openlineage.columnLineage'],
    [explicit?.edges.list() ?? [], 'openlineage.lineage'],
  ] as const) {
    if (columns.length > 0)
      facts.push({ kind: 'columns.derived', via: ref, columns, known: 'declared', rule, time });
  }
  return [...facts, ...flowFacts(explicit, ref, time)];
}

/**
 * A DatasetEvent: facets of a dataset, without a run. Column lineage needs something that it happens
 * in, so the definition of the dataset is taken as a job named after it.
 */
function datasetEventFacts(
  { event, context, warn }: Translating,
  dataset: WireDataset,
): LineageFact[] {
  const { time } = event;
  const facts: LineageFact[] = [];
  const change = text(
    findFacet(dataset.facets, 'lifecycleStateChange')?.lifecycleStateChange,
  )?.toUpperCase();
  if (change === 'DROP' || change === 'RENAME') {
    facts.push(
      ...writeFacts(dataset, { run: runRef(context.workspace, ''), time, failed: false, warn }),
    );
    return facts.filter(({ kind }) => kind !== 'dataset.written');
  }
  facts.push(...describeDataset(dataset, time, warn));
  const edges = new ColumnEdges(warn);
  readColumnLineage(dataset, edges, warn);
  const explicit = readExplicitLineage(undefined, [dataset], warn);
  const columns = [...edges.list(), ...(explicit?.edges.list() ?? [])];
  if (columns.length === 0) {
    if (facts.length === 0)
      facts.push({ kind: 'dataset.described', dataset: dataset.id, time, attributes: {} });
    return facts;
  }
  const job = jobRef({
    namespace: dataset.id.namespace,
    name: boundName(`definition of ${dataset.id.name}`, 'name'),
  });
  const rule = explicit ? 'openlineage.lineage' : 'openlineage.columnLineage';
  const inputs = unique([...edges.sources, ...(explicit?.inputs ?? [])]);
  facts.push(
    { kind: 'job.declared', job, inputs, outputs: [dataset.id], time },
    { kind: 'columns.derived', via: job, columns, known: 'declared', rule, time },
  );
  return facts;
}

function unique(datasets: readonly DatasetName[]): DatasetName[] {
  return [...new Map(datasets.map((dataset) => [datasetKey(dataset), dataset])).values()];
}
