import { type MetricFilter, traceKeys } from '../../../traces/index.ts';
import type { ProtocolServices } from '../../services.ts';
import { invalidParameter, pythonText } from '../errors.ts';
import { type Comparison, readClauses, type Token, unquote } from '../filter.ts';
import { isPersonKey } from './persons.ts';

/**
 * The filters of `traces/metrics`: one comparison each, only by `=`.
 * Source: mlflow/utils/search_utils.py (SearchTraceMetricsUtils), sql_trace_metrics_utils.py (_apply_filters).
 */
export type MetricView = 'TRACES' | 'SPANS' | 'ASSESSMENTS';

/** What may be compared of each view; true where a key must follow. */
const entities: Readonly<Record<string, Readonly<Record<string, boolean>>>> = {
  trace: { status: false, tag: true, metadata: true },
  span: { name: false, status: false, type: false },
  assessment: { name: false, type: false },
};
const viewOf: Readonly<Record<string, MetricView>> = { span: 'SPANS', assessment: 'ASSESSMENTS' };

/** Texts as Python lists them. */
export const pythonList = (texts: readonly string[]): string =>
  `[${texts.map(pythonText).join(', ')}]`;

interface Named {
  readonly of: string;
  readonly entity: string;
  readonly key: string;
}

function readName(identifier: string): Named {
  const [first, entity, ...rest] = identifier.split('.');
  if (first === undefined || entity === undefined) {
    throw invalidParameter(
      `Invalid identifier ${pythonText(identifier)}. Columns should be specified as 'trace.<key>', 'span.<key>', 'assessment.<key>'.`,
    );
  }
  const of = first.replace(/^`(.*)`$/s, '$1');
  const known = Object.hasOwn(entities, of) ? entities[of] : undefined;
  if (known === undefined) {
    throw invalidParameter(
      `Invalid view type '${of}'. Valid values are dict_keys(${pythonList(Object.keys(entities))})`,
    );
  }
  const needsKey = Object.hasOwn(known, entity) ? known[entity] : undefined;
  if (needsKey === undefined) {
    throw invalidParameter(
      `Invalid entity '${entity}' specified for view type '${of}'. Valid entities are ${pythonList(Object.keys(known))}`,
    );
  }
  if (needsKey && rest.length === 0) {
    throw invalidParameter(
      `Filtering by ${entity} requires a key, e.g. '${of}.${entity}.<key> = <value>'`,
    );
  }
  if (!needsKey && rest.length > 0) {
    throw invalidParameter(
      `Filtering by ${entity} does not require a key, use '${of}.${entity}' instead`,
    );
  }
  return { of, entity, key: unquote(rest.join('.')) };
}

function readText(entity: string, token: Token | undefined): string {
  const { text = '', kind } = token ?? {};
  const quoted = kind === 'text' || (kind === 'name' && /^".*"$/s.test(text));
  if (quoted) return text.slice(1, -1);
  if (kind === 'name') {
    throw invalidParameter(
      `Parameter value is either not quoted or unidentified quote types used for string value ${text}. Use either single or double quotes.`,
    );
  }
  throw invalidParameter(
    `Expected a quoted string value for ${entity} value (e.g. 'my-value'). Got value ${text}`,
  );
}

/** Tags and metadata that are columns of the trace, or links. */
const columns: Readonly<Record<string, string>> = {
  [`tag ${traceKeys.name}`]: 'name',
  [`metadata ${traceKeys.session}`]: 'session',
  [`metadata ${traceKeys.usage}`]: 'usage',
  [`metadata ${traceKeys.cost}`]: 'cost',
  [`metadata ${traceKeys.sourceRun}`]: 'run',
};

function toFilter({ of, entity, key }: Named, value: string, view: MetricView): MetricFilter {
  const only = viewOf[of];
  if (only !== undefined && only !== view) {
    throw invalidParameter(
      `Filtering by ${of} is only supported for ${only} view type, got ${view}`,
    );
  }
  if (of === 'span' || of === 'assessment') return { entity: of, key: entity, value };
  if (entity !== 'tag' && entity !== 'metadata') return { entity: 'attribute', key: entity, value };
  const column = columns[`${entity} ${key}`];
  return column === undefined
    ? { entity, key, value }
    : { entity: 'attribute', key: column, value };
}

/** Reads one filter; a person is looked for by the token. @throws invalid_message with MLflow's text. */
export function parseMetricFilter(
  filter: string,
  view: MetricView,
  { findToken }: Pick<ProtocolServices, 'findToken'>,
): MetricFilter {
  if (/\bAND\b/i.test(filter.replace(/'[^']*'|"[^"]*"|`[^`]*`/g, '')))
    throw invalidParameter('Invalid clause(s) in filter string: AND');
  const clauses: readonly Comparison[] = filter.trim() === '' ? [] : readClauses(filter);
  const [comparison] = clauses;
  if (comparison === undefined || clauses.length > 1)
    throw invalidParameter(`Invalid filter: '${filter}'. Expected one filter clause.`);
  const name = readName(comparison.identifier);
  if (comparison.operator !== '=') {
    throw invalidParameter(
      `Invalid comparator: '${comparison.operator}', only '=' operator is supported`,
    );
  }
  const value = readText(name.entity, comparison.value);
  const found = toFilter(name, value, view);
  return isPersonKey(found.key) ? { ...found, value: findToken(value) ?? value } : found;
}
