import { isObject, list, text } from '../../base/json.ts';
import type { DatasetName, RunState } from '../../facts/lineage-facts.ts';
import { boundName, normaliseRunId } from './names.ts';
import { parseEventTime } from './time.ts';

/** Facets by name, as sent. Values are not trusted: read them through `findFacet`. */
export type Facets = Readonly<Record<string, unknown>>;

/** A dataset of an event. `useFacets` are its inputFacets or outputFacets. */
export interface WireDataset {
  readonly id: DatasetName;
  readonly facets: Facets;
  readonly useFacets: Facets;
}

export interface WireJob {
  readonly namespace: string;
  readonly name: string;
  readonly facets: Facets;
}

/** What of an event can be used. A RunEvent has `run`, a JobEvent only `job`, a DatasetEvent `dataset`. */
export interface WireEvent {
  /** Event time, ms since 1970; the recorded time when the event has none that can be read. */
  readonly time: number;
  readonly state: RunState;
  readonly run?: { readonly id: string; readonly facets: Facets } | undefined;
  readonly job?: WireJob | undefined;
  readonly dataset?: WireDataset | undefined;
  readonly inputs: readonly WireDataset[];
  readonly outputs: readonly WireDataset[];
  readonly producer?: string | undefined;
}

export type Warn = (warning: string) => void;

const noFacets: Facets = {};
/** A namespace that a producer left out. */
const defaultNamespace = 'default';
const states: readonly string[] = ['START', 'RUNNING', 'COMPLETE', 'ABORT', 'FAIL', 'OTHER'];

const isRunState = (state: string): state is RunState => states.includes(state);

/** The facet when it is an object that is there. */
export function findFacet(
  facets: Facets,
  name: string,
): Readonly<Record<string, unknown>> | undefined {
  const facet = Object.hasOwn(facets, name) ? facets[name] : undefined;
  return isObject(facet) && facet._deleted !== true ? facet : undefined;
}

/** True when the event names a run, a job or a dataset: without one there is nothing to say about. */
export function namesSomething(body: unknown): boolean {
  if (!isObject(body)) return false;
  return (
    readRun(body.run) !== undefined ||
    (isObject(body.job) && nameText(body.job.name) !== undefined) ||
    (isObject(body.dataset) && nameText(body.dataset.name) !== undefined)
  );
}

/**
 * Reads an event as leniently as producers need: a refused event is lineage that nobody sends again.
 * Never throws; what had to be guessed or left out is warned about.
 */
export function readEvent(body: unknown, recordedTime: number, warn: Warn): WireEvent {
  const event = isObject(body) ? body : {};
  const run = readRun(event.run);
  if (run === undefined && isObject(event.run))
    warn('run has no runId: taken as a statement about the job.');
  const job = readJob(event.job, warn);
  if (run && !job) warn('The run event names no job.');
  return {
    time: readTime(event.eventTime, recordedTime, warn),
    state: readState(event.eventType, warn),
    run,
    job,
    dataset: event.dataset === undefined ? undefined : readDataset(event.dataset, 'dataset', warn),
    inputs: readDatasets(event.inputs, 'inputs', warn),
    outputs: readDatasets(event.outputs, 'outputs', warn),
    producer: text(event.producer),
  };
}

function readTime(value: unknown, recordedTime: number, warn: Warn): number {
  const time = parseEventTime(value);
  if (time !== undefined) return time;
  warn(
    value === undefined || value === null
      ? 'eventTime is missing: the time of recording is used.'
      : 'eventTime is not a time: the time of recording is used.',
  );
  return recordedTime;
}

/** eventType is optional; lower case occurs. */
function readState(value: unknown, warn: Warn): RunState {
  if (value === undefined || value === null || value === '') return 'OTHER';
  const state = typeof value === 'string' ? value.trim().toUpperCase() : '';
  if (isRunState(state)) return state;
  warn('eventType is none of START, RUNNING, COMPLETE, ABORT, FAIL: taken as OTHER.');
  return 'OTHER';
}

/** Ids and names are texts; numbers occur in hand-written producers. */
function nameText(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

function readFacets(value: unknown): Facets {
  return isObject(value) ? value : noFacets;
}

function readRun(value: unknown): { readonly id: string; readonly facets: Facets } | undefined {
  if (!isObject(value)) return undefined;
  const id = readRunId(value.runId);
  return id === undefined ? undefined : { id, facets: readFacets(value.facets) };
}

/** A run id in the form that refs use. */
export function readRunId(value: unknown): string | undefined {
  const id = nameText(value);
  return id === undefined ? undefined : normaliseRunId(id);
}

/** A job with its name bounded; undefined when it has none. */
export function readJob(value: unknown, warn: Warn): WireJob | undefined {
  if (!isObject(value)) return undefined;
  const name = nameText(value.name);
  if (name === undefined) return undefined;
  const namespace = nameText(value.namespace);
  if (namespace === undefined) warn(`The job has no namespace: "${defaultNamespace}" is used.`);
  return {
    namespace: boundName(namespace ?? defaultNamespace, 'namespace'),
    name: boundName(name, 'name'),
    facets: readFacets(value.facets),
  };
}

/** The name of a dataset that is an object with `namespace` and `name`; undefined without a name. */
export function readDatasetName(value: unknown): DatasetName | undefined {
  if (!isObject(value)) return undefined;
  const name = nameText(value.name);
  if (name === undefined) return undefined;
  return {
    namespace: boundName(nameText(value.namespace) ?? defaultNamespace, 'namespace'),
    name: boundName(name, 'name'),
  };
}

function readDataset(value: unknown, where: string, warn: Warn): WireDataset | undefined {
  const id = readDatasetName(value);
  if (id === undefined || !isObject(value)) {
    warn(`A dataset of ${where} has no name and is left out.`);
    return undefined;
  }
  if (nameText(value.namespace) === undefined) {
    warn(`A dataset of ${where} has no namespace: "${defaultNamespace}" is used.`);
  }
  return {
    id,
    facets: readFacets(value.facets),
    useFacets: readFacets(where === 'outputs' ? value.outputFacets : value.inputFacets),
  };
}

function readDatasets(value: unknown, where: 'inputs' | 'outputs', warn: Warn): WireDataset[] {
  if (value !== undefined && value !== null && !Array.isArray(value))
    warn(`${where} is not a list and is left out.`);
  const datasets: WireDataset[] = [];
  for (const item of list(value)) {
    const dataset = readDataset(item, where, warn);
    if (dataset) datasets.push(dataset);
  }
  return datasets;
}
