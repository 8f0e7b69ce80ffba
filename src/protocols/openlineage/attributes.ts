import { isObject, type Json, type JsonObject, list, text } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import { boundName } from './names.ts';
import { type Facets, findFacet, type Warn } from './wire.ts';

/** A column as attributes of datasets list it; nested fields have dotted names. */
export interface SchemaField {
  readonly name: string;
  readonly type?: string;
  readonly description?: string;
}

/** Members of every facet that say nothing about the entity. */
const facetMembers = new Set(['_producer', '_schemaURL', '_deleted']);

/** A facet as an attribute: without its book-keeping; null when the facet says that it was deleted. */
function attributeOf(facet: unknown): Json | undefined {
  if (facet === null || facet === undefined) return undefined;
  // What comes here was parsed from JSON, so every part of it is JSON.
  if (!isObject(facet)) return facet as Json;
  if (facet._deleted === true) return null;
  return Object.fromEntries(
    Object.entries(facet).filter(([key]) => !facetMembers.has(key)),
  ) as JsonObject;
}

/**
 * Facets as attributes, one each, whole: a facet of the same name replaces all of the earlier one.
 * Values above `limits.attributeBytesMax` stay in the payload only, and say so.
 */
export function facetAttributes(
  facets: Facets,
  except: ReadonlySet<string>,
  warn: Warn,
): JsonObject {
  const attributes: [string, Json][] = [];
  for (const [facetName, facet] of Object.entries(facets)) {
    if (except.has(facetName)) continue;
    const value = attributeOf(facet);
    if (value === undefined) continue;
    const name = boundName(facetName, 'name');
    attributes.push([name, withinLimit(name, value, warn)]);
  }
  return Object.fromEntries(attributes);
}

function withinLimit(name: string, value: Json, warn: Warn): Json {
  const bytes = Buffer.byteLength(JSON.stringify(value));
  if (bytes <= limits.attributeBytesMax) return value;
  warn(
    `The facet ${name} is larger than ${limits.attributeBytesMax} bytes: it is kept in the message only.`,
  );
  return { omittedBytes: bytes };
}

/**
 * The schema facet as a flat list: `address` and `address.street`; undefined when there is none.
 * Depth is at most `limits.schemaDepthMax`; the list ends where `limits.attributeBytesMax` is reached.
 */
export function readSchema(facets: Facets, dataset: string, warn: Warn): SchemaField[] | undefined {
  const facet = findFacet(facets, 'schema');
  if (!facet || !Array.isArray(facet.fields)) return undefined;
  const fields: SchemaField[] = [];
  const state = { bytes: 2, cut: false };
  collectFields(facet.fields, '', { depth: limits.schemaDepthMax, fields, state });
  if (state.cut) warn(`The schema of ${dataset} is cut at ${fields.length} fields.`);
  return fields;
}

interface SchemaWalk {
  readonly depth: number;
  readonly fields: SchemaField[];
  readonly state: { bytes: number; cut: boolean };
}

function collectFields(items: readonly unknown[], prefix: string, walk: SchemaWalk): void {
  const { depth, fields, state } = walk;
  for (const item of items) {
    if (state.cut || !isObject(item)) continue;
    const own = text(item.name);
    if (own === undefined) continue;
    const name = boundName(prefix + own, 'field');
    const type = text(item.type);
    const description = text(item.description);
    const field = { name, ...(type && { type }), ...(description && { description }) };
    state.bytes += Buffer.byteLength(JSON.stringify(field)) + 1;
    if (state.bytes > limits.attributeBytesMax) {
      state.cut = true;
      return;
    }
    fields.push(field);
    const nested = list(item.fields);
    if (nested.length === 0) continue;
    if (depth <= 1) state.cut = true;
    else collectFields(nested, `${name}.`, { ...walk, depth: depth - 1 });
  }
}

/** A schema as attribute value of one read or write: names and types, which differ between versions. */
export function schemaTypes(schema: readonly SchemaField[]): Json {
  return schema.map(({ name, type }) => (type === undefined ? { name } : { name, type }));
}

/** The same with descriptions, which belong to the dataset. */
export function schemaJson(schema: readonly SchemaField[]): Json {
  return schema.map((field) => ({ ...field }));
}
