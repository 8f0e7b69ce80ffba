import { isObject, list } from '../../base/json.ts';
import type { DatasetName } from '../../facts/lineage-facts.ts';
import { ColumnEdges, readExplicitTarget } from './columns.ts';
import { datasetKey } from './names.ts';
import {
  findFacet,
  readDatasetName,
  readJob,
  type Warn,
  type WireDataset,
  type WireJob,
} from './wire.ts';

/** What a `lineage` facet says: edges (at the column `*` for whole datasets), and the ends of them. */
export interface ExplicitLineage {
  readonly edges: ColumnEdges;
  readonly inputs: readonly DatasetName[];
  readonly outputs: readonly DatasetName[];
  /** Outputs of which all inputs are told. */
  readonly flows: readonly Flow[];
}

/** An output and the inputs that went into it, whole or by its columns; none when it came of nothing. */
interface Flow {
  readonly output: DatasetName;
  readonly inputs: readonly DatasetName[];
}

/** Entries of one facet. */
const entriesMax = 5_000;

/**
 * Reads explicit lineage of a job (`entries`) or of datasets (`inputs`, `fields`). Flows from and to
 * other jobs have no relation here: they stay an attribute of the job, with a warning.
 * Source: OpenLineage LineageFacet 1-0-0 (experimental).
 */
export function readExplicitLineage(
  job: WireJob | undefined,
  datasets: readonly WireDataset[],
  warn: Warn,
): ExplicitLineage | undefined {
  const edges = new ColumnEdges(warn);
  const inputs = new Map<string, DatasetName>();
  const outputs = new Map<string, DatasetName>();
  const sources = new Map<string, { output: DatasetName; inputs: DatasetName[] }>();
  /** Came of jobs too: which datasets are behind it is not told. */
  const ofJobs = new Set<string>();
  let found = false;
  const addTarget = (target: Record<string, unknown>, dataset: DatasetName): void => {
    found = true;
    const key = datasetKey(dataset);
    outputs.set(key, dataset);
    readExplicitTarget(target, dataset, { edges, warn, onJob: () => ofJobs.add(key) });
    const told = sources.get(key)?.inputs ?? [];
    const flow = { output: dataset, inputs: [...told, ...readTargetInputs(target)] };
    if (saysInputs(target)) sources.set(key, flow);
  };
  for (const dataset of datasets) {
    const facet = findFacet(dataset.facets, 'lineage');
    if (facet) addTarget(facet, dataset.id);
  }
  for (const entry of list(job && findFacet(job.facets, 'lineage')?.entries).slice(0, entriesMax)) {
    if (!isObject(entry)) continue;
    const dataset = entry.type === 'JOB' ? undefined : readDatasetName(entry);
    if (dataset) addTarget(entry, dataset);
    else if (job && isOwnJob(entry, job)) {
      found = true;
      for (const input of readInputs(entry.inputs)) inputs.set(datasetKey(input), input);
    } else warn('Lineage between jobs is kept as an attribute of the job only.');
  }
  if (!found) return undefined;
  for (const source of edges.sources) inputs.set(datasetKey(source), source);
  const flows = [...sources].flatMap(([key, flow]) => (ofJobs.has(key) ? [] : flow));
  return { edges, inputs: [...inputs.values()], outputs: [...outputs.values()], flows };
}

/** An empty list says that there are none; a facet without the member says nothing of them. */
function saysInputs({ inputs, fields }: Record<string, unknown>): boolean {
  return Array.isArray(inputs) || isObject(fields);
}

/** The datasets that went into a target or one of its columns. */
function readTargetInputs({ inputs, fields }: Record<string, unknown>): DatasetName[] {
  const ofFields = isObject(fields) ? Object.values(fields) : [];
  return [inputs, ...ofFields.map((field) => (isObject(field) ? field.inputs : []))].flatMap(
    readInputs,
  );
}

/** An entry of type JOB without a name means the job of the event. */
function isOwnJob(entry: Record<string, unknown>, job: WireJob): boolean {
  if (entry.type !== 'JOB') return false;
  const named = readJob(entry, () => {});
  return named === undefined || (named.namespace === job.namespace && named.name === job.name);
}

function readInputs(value: unknown): DatasetName[] {
  return list(value)
    .filter((input) => isObject(input) && input.type !== 'JOB')
    .map(readDatasetName)
    .filter((name) => name !== undefined);
}
