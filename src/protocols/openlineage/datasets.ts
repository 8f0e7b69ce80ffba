import type { Json, JsonObject } from '../../base/json.ts';
import { isObject, list, text } from '../../base/json.ts';
import type { DatasetName, LineageFact, WriteMode } from '../../facts/lineage-facts.ts';
import {
  facetAttributes,
  readSchema,
  type SchemaField,
  schemaJson,
  schemaTypes,
} from './attributes.ts';
import { boundName, datasetKey } from './names.ts';
import { writeModeOfSql } from './sql-mode.ts';
import { findFacet, readDatasetName, type Warn, type WireDataset } from './wire.ts';

/** Facets that become facts of their own, or belong to one read or write, not to the dataset. */
const notAttributes = new Set([
  'schema',
  'columnLineage',
  'lineage',
  'symlinks',
  'version',
  'lifecycleStateChange',
  'dataQualityAssertions',
]);
const noFacets = new Set<string>();
/** Other names that one dataset may state. */
const symlinksMax = 100;

/** Facets of a dataset itself: attributes, other names, and the file behind a Feast source. */
export function describeDataset(dataset: WireDataset, time: number, warn: Warn): LineageFact[] {
  const schema = readSchema(dataset.facets, dataset.id.name, warn);
  const attributes: JsonObject = {
    ...facetAttributes(dataset.facets, notAttributes, warn),
    ...(schema && { schema: schemaJson(schema) }),
    ...(deleted(dataset, 'schema') && { schema: null }),
  };
  const facts: LineageFact[] = [];
  if (Object.keys(attributes).length > 0) {
    facts.push({ kind: 'dataset.described', dataset: dataset.id, time, attributes });
  }
  for (const other of readSymlinks(dataset)) {
    facts.push({ kind: 'dataset.linked', a: dataset.id, b: other, rule: 'symlinks', time });
  }
  const file = readFeastFile(dataset);
  if (file)
    facts.push({
      kind: 'dataset.linked',
      a: dataset.id,
      b: file,
      rule: 'feast.dataSource.path',
      time,
    });
  return facts;
}

function deleted(dataset: WireDataset, facet: string): boolean {
  const value = dataset.facets[facet];
  return isObject(value) && value._deleted === true;
}

function readSymlinks(dataset: WireDataset): DatasetName[] {
  const names = new Map<string, DatasetName>();
  for (const item of list(findFacet(dataset.facets, 'symlinks')?.identifiers).slice(
    0,
    symlinksMax,
  )) {
    const name = readDatasetName(item);
    if (name) names.set(datasetKey(name), name);
  }
  names.delete(datasetKey(dataset.id));
  return [...names.values()];
}

/** Feast names its sources itself and gives the file beside: that file is the same dataset. */
function readFeastFile(dataset: WireDataset): DatasetName | undefined {
  const source = findFacet(dataset.facets, 'feast_dataSource');
  const path = text(source?.path);
  if (source?.source_type !== 'FileSource' || path === undefined) return undefined;
  const url = /^([a-z][a-z0-9+.-]*:\/\/[^/]+)\/(.+)$/i.exec(path);
  if (url?.[1] !== undefined && url[2] !== undefined)
    return readDatasetName({ namespace: url[1], name: url[2] });
  return path.startsWith('/') ? readDatasetName({ namespace: 'file', name: path }) : undefined;
}

/** The tool's own name of the version: Delta version, Iceberg snapshot. */
function readVersion(dataset: WireDataset): { readonly version?: string } {
  const value = findFacet(dataset.facets, 'version')?.datasetVersion;
  const version = typeof value === 'number' ? String(value) : text(value);
  return version === undefined ? {} : { version: boundName(version, 'version') };
}

/** What is known of the content that was read or written: schema, counts, checks, subset. */
function useAttributes(
  dataset: WireDataset,
  schema: readonly SchemaField[] | undefined,
  warn: Warn,
): JsonObject {
  const checks = findFacet(dataset.facets, 'dataQualityAssertions');
  return {
    ...(schema && { schema: schemaTypes(schema) }),
    // Airflow puts the checks into facets, dbt into both.
    ...(checks && facetAttributes({ dataQualityAssertions: checks }, noFacets, warn)),
    ...facetAttributes(dataset.useFacets, noFacets, warn),
    ...readCounts(dataset),
  };
}

function readCounts(dataset: WireDataset): JsonObject {
  const counts: [string, Json][] = [];
  for (const name of ['dataQualityMetrics', 'inputStatistics', 'outputStatistics']) {
    const facet = findFacet(dataset.useFacets, name);
    if (!facet) continue;
    for (const [from, to] of [
      ['rowCount', 'rowCount'],
      ['size', 'bytes'],
      ['bytes', 'bytes'],
      ['fileCount', 'fileCount'],
    ] as const) {
      const value = facet[from];
      if (typeof value === 'number') counts.push([to, value]);
    }
  }
  return Object.fromEntries(counts);
}

/** A run read this dataset. */
export function readFacts(
  run: string,
  dataset: WireDataset,
  time: number,
  warn: Warn,
): LineageFact[] {
  if (findFacet(dataset.facets, 'columnLineage')) {
    warn(`Column lineage of the input ${dataset.id.name} is kept in the message only.`);
  }
  // Warnings about the schema are given once, where the dataset is described.
  const schema = readSchema(dataset.facets, dataset.id.name, () => {});
  const attributes = useAttributes(dataset, schema, warn);
  const read: LineageFact = {
    kind: 'dataset.read',
    run,
    dataset: dataset.id,
    known: 'observed',
    rule: 'openlineage.inputs',
    time,
    ...readVersion(dataset),
    ...(Object.keys(attributes).length > 0 && { attributes }),
  };
  return [read, ...describeDataset(dataset, time, warn)];
}

/** What the writing run and its job say that is needed to understand an output. */
export interface WriteContext {
  readonly run: string;
  readonly time: number;
  /** A failed or aborted run dropped and renamed nothing. */
  readonly failed: boolean;
  readonly sql?: string | undefined;
  readonly warn: Warn;
}

/** A run wrote, dropped or renamed this dataset. */
export function writeFacts(dataset: WireDataset, context: WriteContext): LineageFact[] {
  const { run, time, failed, warn } = context;
  const change = lifecycleChange(dataset);
  if (change === 'DROP')
    return failed ? [] : [{ kind: 'dataset.dropped', dataset: dataset.id, time }];
  if (change === 'RENAME') {
    const from = readDatasetName(
      findFacet(dataset.facets, 'lifecycleStateChange')?.previousIdentifier,
    );
    const described = describeDataset(dataset, time, warn);
    if (from && failed) return [];
    if (from) return [{ kind: 'dataset.renamed', from, to: dataset.id, time }, ...described];
    warn(`The rename of ${dataset.id.name} does not say what it was called before.`);
  }
  const schema = readSchema(dataset.facets, dataset.id.name, () => {});
  const attributes: JsonObject = {
    ...useAttributes(dataset, schema, warn),
    ...(change && { lifecycleStateChange: change }),
  };
  const written: LineageFact = {
    kind: 'dataset.written',
    run,
    dataset: dataset.id,
    mode: writeMode(dataset, change, context.sql),
    known: 'observed',
    rule: 'openlineage.outputs',
    time,
    ...readVersion(dataset),
    ...(Object.keys(attributes).length > 0 && { attributes }),
  };
  return [written, ...describeDataset(dataset, time, warn)];
}

function lifecycleChange(dataset: WireDataset): string | undefined {
  return text(findFacet(dataset.facets, 'lifecycleStateChange')?.lifecycleStateChange)
    ?.slice(0, 40)
    .toUpperCase();
}

const lifecycleModes: Readonly<Record<string, WriteMode>> = {
  CREATE: 'replace',
  OVERWRITE: 'replace',
  TRUNCATE: 'replace',
  // The rows stay, only their form changes.
  ALTER: 'append',
};
const materializedModes: Readonly<Record<string, WriteMode>> = {
  table: 'replace',
  view: 'replace',
  materialized_view: 'replace',
  seed: 'replace',
  incremental: 'append',
  snapshot: 'append',
};

/** What the write did to the content before: the tool's own word first, then how dbt builds, then SQL. */
function writeMode(
  dataset: WireDataset,
  change: string | undefined,
  sql: string | undefined,
): WriteMode {
  if (change !== undefined && Object.hasOwn(lifecycleModes, change))
    return lifecycleModes[change] ?? 'unknown';
  const config = findFacet(dataset.facets, 'dbt_model')?.config;
  const materialized = isObject(config) ? text(config.materialized) : undefined;
  if (materialized !== undefined && Object.hasOwn(materializedModes, materialized)) {
    return materializedModes[materialized] ?? 'unknown';
  }
  return sql === undefined ? 'unknown' : writeModeOfSql(sql, dataset.id.name);
}
