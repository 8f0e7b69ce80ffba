import { isObject, list, text } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import type { ColumnEdge, ColumnName, DatasetName } from '../../facts/lineage-facts.ts';
import { boundName, datasetKey } from './names.ts';
import { findFacet, readDatasetName, type Warn, type WireDataset } from './wire.ts';

/** All of a dataset: the target of INDIRECT inputs such as filters and joins. */
const wholeDataset = '*';

interface OpenEdge {
  readonly from: ColumnName;
  readonly to: ColumnName;
  readonly how: Set<string>;
  masking: boolean;
}

/** Collects column edges of one event; the same edge stated twice is one, with all its transformations. */
export class ColumnEdges {
  readonly #edges = new Map<string, OpenEdge>();
  readonly #sources = new Map<string, DatasetName>();
  readonly #warn: Warn;

  constructor(warn: Warn) {
    this.#warn = warn;
  }

  /** Datasets that edges begin at. */
  get sources(): readonly DatasetName[] {
    return [...this.#sources.values()];
  }

  /** An edge with its transformations, as the facet lists them. */
  add(from: ColumnName, to: ColumnName, how: Transformations): void {
    const key = `${datasetKey(from.dataset)}\u0000${from.field}\u0000${datasetKey(to.dataset)}\u0000${to.field}`;
    let edge = this.#edges.get(key);
    if (!edge) {
      if (this.#edges.size >= limits.columnEdgesPerEventMax) {
        this.#warn(
          `More than ${limits.columnEdgesPerEventMax} column edges in one event: the rest is left out.`,
        );
        return;
      }
      edge = { from, to, how: new Set(), masking: false };
      this.#edges.set(key, edge);
      this.#sources.set(datasetKey(from.dataset), from.dataset);
    }
    for (const name of how.names) edge.how.add(name);
    edge.masking ||= how.masking;
  }

  /** The edges; several transformations of one edge stand in `how`, sorted, with commas between. */
  list(): ColumnEdge[] {
    return [...this.#edges.values()].map(({ from, to, how, masking }) => ({
      from,
      to,
      ...(how.size > 0 && { how: [...how].sort().join(',') }),
      ...(masking && { masking: true }),
    }));
  }
}

interface Transformations {
  readonly names: readonly string[];
  readonly masking: boolean;
}

/**
 * Transformations of one input: `DIRECT/AGGREGATION`, `INDIRECT/JOIN`. `field` holds the deprecated
 * transformationType, IDENTITY or MASKED, of the whole target column.
 * Source: OpenLineage ColumnLineageDatasetFacet 1-2-0.
 */
function readTransformations(
  input: Record<string, unknown>,
  field?: Record<string, unknown>,
): Transformations {
  const names: string[] = [];
  let masking = false;
  for (const item of list(input.transformations)) {
    if (!isObject(item)) continue;
    const type = text(item.type)?.toUpperCase();
    const subtype = text(item.subtype)?.toUpperCase();
    const name = [type, subtype].filter((part) => part !== undefined).join('/');
    if (name !== '') names.push(boundName(name, 'field'));
    if (item.masking === true) masking = true;
  }
  const deprecated = text(field?.transformationType)?.toUpperCase();
  if (names.length === 0 && deprecated !== undefined) {
    names.push(boundName(`DIRECT/${deprecated}`, 'field'));
    masking = deprecated === 'MASKED';
  }
  return { names, masking };
}

/**
 * Reads a columnLineage facet: `fields` column by column, and `dataset`, whose inputs concern the
 * whole output and end at the column `*`.
 */
export function readColumnLineage(output: WireDataset, edges: ColumnEdges, warn: Warn): void {
  const facet = findFacet(output.facets, 'columnLineage');
  if (!facet) return;
  if (isObject(facet.fields)) {
    warnOfOtherColumns(output, Object.keys(facet.fields), warn);
    for (const [column, field] of Object.entries(facet.fields)) {
      if (!isObject(field)) continue;
      const to = { dataset: output.id, field: boundName(column, 'field') };
      for (const input of list(field.inputFields)) addInput(input, to, { edges, warn, field });
    }
  }
  const to = { dataset: output.id, field: wholeDataset };
  for (const input of list(facet.dataset)) addInput(input, to, { edges, warn });
}

interface InputContext {
  readonly edges: ColumnEdges;
  readonly warn: Warn;
  readonly field?: Record<string, unknown>;
}

function addInput(input: unknown, to: ColumnName, { edges, warn, field }: InputContext): void {
  const dataset = readDatasetName(input);
  if (!dataset || !isObject(input)) {
    warn(
      `An input of the column ${to.field} of ${to.dataset.name} names no dataset and is left out.`,
    );
    return;
  }
  const column = text(input.field);
  const from = { dataset, field: column === undefined ? wholeDataset : boundName(column, 'field') };
  edges.add(from, to, readTransformations(input, field));
}

/**
 * Some producers name the columns of a SELECT where the table has others (INSERT INTO t(x) SELECT y):
 * both are kept, and it is said.
 */
function warnOfOtherColumns(output: WireDataset, columns: readonly string[], warn: Warn): void {
  const schema = findFacet(output.facets, 'schema');
  const known = new Set(
    list(schema?.fields).map((field) => (isObject(field) ? field.name : undefined)),
  );
  if (known.size === 0) return;
  const unknown = columns.filter((column) => !known.has(column));
  const derived = new Set<unknown>(columns);
  // A schema that lacks columns is common (dbt lists documented ones); one that has others is not.
  if (unknown.length > 0 && [...known].some((column) => !derived.has(column))) {
    warn(
      `Column lineage of ${output.id.name} names columns that its schema does not have: ${unknown.slice(0, 5).join(', ')}.`,
    );
  }
}

/**
 * Reads one target of explicit lineage: `inputs` of the whole dataset, `fields` by column.
 * Jobs as sources are not column edges; they are told by `onJob`.
 * Source: OpenLineage LineageFacet 1-0-0 (experimental).
 */
export function readExplicitTarget(
  target: Record<string, unknown>,
  dataset: DatasetName,
  context: { readonly edges: ColumnEdges; readonly warn: Warn; onJob(): void },
): void {
  const visit = (inputs: unknown, field: string): void => {
    for (const input of list(inputs)) {
      if (isObject(input) && input.type === 'JOB') context.onJob();
      else addInput(input, { dataset, field }, context);
    }
  };
  visit(target.inputs, wholeDataset);
  if (!isObject(target.fields)) return;
  for (const [column, entry] of Object.entries(target.fields)) {
    if (isObject(entry)) visit(entry.inputs, boundName(column, 'field'));
  }
}
