import { isObject } from '../../base/json.ts';
import type { Tokenise } from '../../door/index.ts';

type Changed = Record<string, unknown>;
type FacetChange = (facet: Readonly<Changed>, name: string) => unknown;

const userPrefix = 'user:';

/** Facets whose keys are columns or which can be megabytes: they name no persons. */
const impersonal = new Set([
  'schema',
  'columnLineage',
  'lineage',
  'sql',
  'spark.logicalPlan',
  'symlinks',
]);
/** Levels looked at inside a facet. */
const facetDepthMax = 8;
/** Keys whose text is a person or team, in lower case. */
const personKeys = new Set([
  'username',
  'user_name',
  'user.name',
  'user',
  'owner',
  'email',
  'user_email',
  'triggering_user_name',
  'createdby',
  'created_by',
  'updatedby',
  'updated_by',
  'author',
]);
/** Facets that are lists of settings, where a secret may stand under a telling name. */
const settingsFacet = /environment|propert|param|conf|airflow/i;
const secretSetting =
  /secret|passw|pwd|credential|api[._-]?key|access[._-]?key|private[._-]?key|(?:^|[._-])(?:key|token|auth)$/i;
const secretVariable = /key|token|secret|passw|pwd|credential/i;
const masked = '***';
/** User and password in a URL. */
const urlSecret = /:\/\/[^/@:\s"'\\]*:[^/@\s"'\\]+@/g;

/**
 * Replaces names of persons in the facets: owners, Spark's and Airflow's user names, addresses.
 * Returns the same object when there are none. Accepts any JSON.
 */
export function withoutPersons(body: unknown, tokenise: Tokenise): unknown {
  return mapFacets(body, (facet, name) => {
    if (impersonal.has(name)) return facet;
    const inOwners = name === 'ownership';
    return mapEntries(facet, facetDepthMax, (key, value, pair) => {
      if (value === '') return value;
      if (personKeys.has(key.toLowerCase())) return tokenise(value);
      if (key === 'value' && pair !== undefined && personKeys.has(pair.toLowerCase()))
        return tokenise(value);
      return inOwners && key === 'name' ? ownerToken(value, tokenise) : value;
    });
  });
}

/**
 * Masks what looks like a secret: environment variables and settings by their name, and passwords in
 * URLs. Returns the same object when there are none. Accepts any JSON whose nesting is bounded.
 */
export function withoutSecrets(body: unknown): unknown {
  const settings = mapFacets(body, (facet, name) => {
    if (!settingsFacet.test(name)) return facet;
    const secret = name === 'environmentVariables' ? secretVariable : secretSetting;
    return mapEntries(facet, facetDepthMax, (key, value, pair) => {
      const named =
        key === 'value' && pair !== undefined ? pair : key === 'key' || key === 'name' ? '' : key;
      return secret.test(named) ? masked : value;
    });
  });
  return mapText(settings, (part) => part.replace(urlSecret, `://${masked}@`));
}

/** Applies `change` to every facet of an event; parts that did not change are shared. */
function mapFacets(body: unknown, change: FacetChange): unknown {
  if (!isObject(body)) return body;
  const facets = (value: unknown): unknown =>
    isObject(value)
      ? mapValues(value, (facet, name) => (isObject(facet) ? change(facet, name) : facet))
      : value;
  const holder = (value: unknown): unknown =>
    isObject(value)
      ? mapValues(value, (item, key) =>
          /^(?:input|output)?facets$/i.test(key) ? facets(item) : item,
        )
      : value;
  return mapValues(body, (value, key) => {
    if (key === 'run' || key === 'job' || key === 'dataset') return holder(value);
    if (key === 'inputs' || key === 'outputs')
      return Array.isArray(value) ? mapItems(value, holder) : value;
    return value;
  });
}

/**
 * Applies `change` to every text under a key, at any level up to `depth`. `pair` is the name when the
 * object is a name and value pair, as in tags and environment variables.
 */
function mapEntries(
  object: Readonly<Changed>,
  depth: number,
  change: (key: string, value: string, pair: string | undefined) => unknown,
): unknown {
  const named = object.name ?? object.key;
  const pair = typeof named === 'string' ? named : undefined;
  const visit = (value: unknown, key: string, levels: number): unknown => {
    if (typeof value === 'string') return change(key, value, pair);
    if (levels <= 0) return value;
    if (Array.isArray(value)) return mapItems(value, (item) => visit(item, key, levels - 1));
    return isObject(value) ? mapEntries(value, levels - 1, change) : value;
  };
  return mapValues(object, (value, key) => visit(value, key, depth));
}

function mapValues(
  object: Readonly<Changed>,
  change: (value: unknown, key: string) => unknown,
): Readonly<Changed> {
  let changed: Changed | undefined;
  // Not Object.entries: this loop runs over every level of every event.
  for (const key in object) {
    const value = object[key];
    const next = change(value, key);
    if (next === value) continue;
    changed ??= { ...object };
    // Assigning would call the setter of a key named __proto__.
    Object.defineProperty(changed, key, {
      value: next,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return changed ?? object;
}

function mapItems(
  items: readonly unknown[],
  change: (item: unknown) => unknown,
): readonly unknown[] {
  let changed: unknown[] | undefined;
  for (const [index, item] of items.entries()) {
    const next = change(item);
    if (next === item) continue;
    changed ??= [...items];
    changed[index] = next;
  }
  return changed ?? items;
}

function mapText(value: unknown, change: (part: string) => string): unknown {
  if (typeof value === 'string') return value.includes('@') ? change(value) : value;
  if (Array.isArray(value)) return mapItems(value, (item) => mapText(item, change));
  return isObject(value) ? mapValues(value, (item) => mapText(item, change)) : value;
}

/** OpenLineage recommends `user:ann`: the same person as MLflow's `ann`. Teams are no persons, but may be named like one. */
function ownerToken(name: string, tokenise: Tokenise): string {
  return name.startsWith(userPrefix)
    ? userPrefix + tokenise(name.slice(userPrefix.length))
    : tokenise(name);
}
