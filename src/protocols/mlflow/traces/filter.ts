import type { TraceCondition, TraceOperator, TraceOrder } from '../../../traces/index.ts';
import { traceKeys } from '../../../traces/index.ts';
import { invalidParameter } from '../errors.ts';
import { type Comparison, readClauses, readListValue, type Token, unquote } from '../filter.ts';

/**
 * The search grammar of traces. Source: mlflow/utils/search_utils.py (SearchTraceUtils),
 * mlflow/store/tracking/sqlalchemy_store.py (_get_filter_clauses_for_search_traces).
 */
type Entity =
  | 'attribute'
  | 'tag'
  | 'request_metadata'
  | 'span'
  | 'feedback'
  | 'expectation'
  | 'issue';

const entities: Readonly<Record<string, Entity>> = {
  attribute: 'attribute',
  attributes: 'attribute',
  trace: 'attribute',
  tag: 'tag',
  tags: 'tag',
  metadata: 'request_metadata',
  request_metadata: 'request_metadata',
  span: 'span',
  feedback: 'feedback',
  expectation: 'expectation',
  issue: 'issue',
};

/** Attributes as they are stored. */
const attributes: Readonly<Record<string, string>> = {
  request_id: 'id',
  timestamp: 'time',
  timestamp_ms: 'time',
  execution_time: 'duration',
  execution_time_ms: 'duration',
  end_time: 'end',
  end_time_ms: 'end',
  status: 'status',
  client_request_id: 'clientRequestId',
};
const searchable = [...Object.keys(attributes), 'name', 'run_id', 'prompt', 'text'];
const orderable = [
  'experiment_id',
  ...Object.keys(attributes).filter((key) => key !== 'client_request_id'),
  'name',
  'run_id',
];
const numeric = new Set(['time', 'duration', 'end']);
const listable = new Set(['name', 'status', 'request_id', 'run_id', 'client_request_id']);

const comparisons: readonly TraceOperator[] = ['=', '!=', '>', '>=', '<', '<='];
const patterns: readonly TraceOperator[] = ['LIKE', 'ILIKE', 'RLIKE'];
const textOperators: readonly TraceOperator[] = ['!=', '=', 'IN', 'NOT IN', ...patterns];
const entryOperators: readonly TraceOperator[] = ['!=', '=', ...patterns, 'IS NULL', 'IS NOT NULL'];
const assessmentOperators: readonly TraceOperator[] = [
  ...comparisons,
  ...patterns,
  'IS NULL',
  'IS NOT NULL',
];

const shownSet = (names: readonly string[]): string =>
  `{${names.map((name) => `'${name}'`).join(', ')}}`;

interface Identifier {
  readonly entity: Entity;
  readonly key: string;
}

function readIdentifier(text: string, valid: readonly string[]): Identifier {
  const dot = text.indexOf('.');
  const name = dot < 0 ? 'attribute' : unquote(text.slice(0, dot));
  const entity = Object.hasOwn(entities, name) ? entities[name] : undefined;
  if (entity === undefined) {
    throw invalidParameter(
      `Invalid entity type '${name}'. Valid values are ${shownSet(Object.keys(entities))}`,
    );
  }
  const key = unquote(text.slice(dot + 1));
  if (entity === 'attribute' && !valid.includes(key)) {
    throw invalidParameter(
      `Invalid attribute key '${key}' specified. Valid keys are '${shownSet(valid)}'`,
    );
  }
  return { entity, key };
}

/** Keys that stand for another entity, whatever they are said to be; not within spans. */
function replaceKey({ entity, key }: Identifier): Identifier {
  if (entity === 'span') return { entity, key };
  const lower = key.toLowerCase();
  if (lower === 'name') return { entity: 'tag', key: traceKeys.name };
  if (lower === 'prompt') return { entity: 'tag', key: traceKeys.linkedPrompts };
  if (lower === 'run_id') return { entity: 'request_metadata', key: traceKeys.sourceRun };
  if (lower === 'text') return { entity: 'span', key: 'content' };
  return { entity, key };
}

function quoted(token: Token, what: string): string {
  const { text, kind } = token;
  const isText = kind === 'text' || (kind === 'name' && text.startsWith('"') && text.endsWith('"'));
  if (isText && text.length >= 2) return text.slice(1, -1);
  if (kind === 'name') {
    throw invalidParameter(
      `Parameter value is either not quoted or unidentified quote types used for string value ${text}. Use either single or double quotes.`,
    );
  }
  throw invalidParameter(`Expected a quoted string value for ${what}. Got value ${text}`);
}

function attributeValue(key: string, token: Token): string | number | readonly string[] {
  if (token.kind === 'list') {
    if (!listable.has(key)) {
      throw invalidParameter(
        `Only attributes in ${shownSet([...listable])} supports comparison with a list of quoted string values.`,
      );
    }
    return readListValue(token.text);
  }
  if (token.kind !== 'number') return quoted(token, 'attributes');
  if (!numeric.has(attributes[key] ?? '')) {
    const names = Object.keys(attributes).filter((each) => numeric.has(attributes[each] ?? ''));
    throw invalidParameter(
      `Only the '${shownSet(names)}' attributes support comparison with numeric values.`,
    );
  }
  return Number(token.text);
}

function assessmentValue(entity: Entity, operator: string, token: Token): string | number {
  const wantsNumber = ['>', '>=', '<', '<='].includes(operator);
  if (wantsNumber && token.kind !== 'number') {
    throw invalidParameter(
      `Expected a numeric value for ${entity} when using comparator '${operator}'. Got value ${token.text}`,
    );
  }
  return wantsNumber ? Number(token.text) : quoted(token, `${entity} (e.g. 'my-value')`);
}

function readValue(
  { entity, key }: Identifier,
  operator: string,
  token: Token,
): string | number | readonly string[] {
  switch (entity) {
    case 'attribute':
      return attributeValue(key, token);
    case 'feedback':
    case 'expectation':
      return assessmentValue(entity, operator, token);
    case 'tag':
    case 'span':
      if (token.kind === 'list') return readListValue(token.text);
      return quoted(token, `${entity} (e.g. 'my-value')`);
    default:
      return quoted(token, `${entity} (e.g. 'my-value')`);
  }
}

function allow(
  operator: string,
  allowed: readonly TraceOperator[],
  refusal: (shown: string) => string,
): TraceOperator {
  const found = allowed.find((each) => each === operator);
  if (found === undefined) throw invalidParameter(refusal(shownSet(allowed)));
  return found;
}

const notOneOf =
  (operator: string) =>
  (shown: string): string =>
    `Invalid comparator '${operator}' not one of '${shown}'`;

function spanCondition(key: string, operator: string): { operator: TraceOperator; key: string } {
  const refuse = (shown: string): string =>
    `span.${key} comparator '${operator}' not one of '${shown}'`;
  if (key === 'content') return { key, operator: allow(operator, ['LIKE', 'ILIKE'], refuse) };
  if (key.startsWith('attributes.')) {
    const name = unquote(key.slice('attributes.'.length));
    if (name === '')
      throw invalidParameter("Span attribute name cannot be empty after 'attributes.'");
    return { key: `attributes.${name}`, operator: allow(operator, textOperators, refuse) };
  }
  if (['name', 'type', 'status'].includes(key))
    return { key, operator: allow(operator, textOperators, refuse) };
  throw invalidParameter(
    `Invalid span attribute '${key}'. Supported attributes: name, status, type, attributes.<attribute_name>.`,
  );
}

function promptCondition(operator: string, value: unknown): TraceCondition {
  if (operator !== '=') {
    throw invalidParameter(
      `Invalid comparator '${operator}' for prompts filter. Only '=' is supported with format: prompt = "name/version"`,
    );
  }
  if (typeof value !== 'string' || value.split('/').length !== 2) {
    throw invalidParameter(
      `Invalid prompts filter value '${String(value)}'. Expected format: prompt = "name/version"`,
    );
  }
  return { entity: 'attribute', key: 'prompt', operator: '=', value };
}

type Value = TraceCondition['value'];

/** Tags and metadata that are stored as columns of the trace, or as links. */
function entryCondition({ entity, key }: Identifier, sent: string, value: Value): TraceCondition {
  const isName = entity === 'tag' && key === traceKeys.name;
  const isRun = entity === 'request_metadata' && key === traceKeys.sourceRun;
  // What was an attribute in the text may be compared with a list.
  const operators = isName || isRun ? [...entryOperators, ...textOperators] : entryOperators;
  const operator = allow(sent, operators, notOneOf(sent));
  if (isName) return { entity: 'attribute', key: 'name', operator, value };
  if (entity === 'tag')
    return key === traceKeys.linkedPrompts
      ? promptCondition(operator, value)
      : { entity: 'tag', key, operator, value };
  if (isRun && operator === '=') return { entity: 'attribute', key: 'run', operator, value };
  if (key === traceKeys.session) return { entity: 'attribute', key: 'session', operator, value };
  if (key === traceKeys.usage || key === traceKeys.cost) {
    if (patterns.includes(operator)) {
      throw invalidParameter(
        `Comparator '${operator}' is not supported for reserved metadata '${key}'. Only '=', '!=', 'IS NULL', and 'IS NOT NULL' are supported.`,
      );
    }
    return { entity: key === traceKeys.usage ? 'usage' : 'cost', key, operator, value };
  }
  return { entity: 'metadata', key, operator, value };
}

function toCondition({ identifier, operator: sent, value: token }: Comparison): TraceCondition {
  const found = readIdentifier(identifier, searchable);
  const value = token === undefined ? null : readValue(found, sent, token);
  const { entity, key } = replaceKey(found);
  switch (entity) {
    case 'tag':
    case 'request_metadata':
      return entryCondition({ entity, key }, sent, value);
    case 'span':
      return { entity, ...spanCondition(key, sent), value };
    case 'issue':
      if (key !== 'id')
        throw invalidParameter(`Invalid issue attribute '${key}'. Supported attributes: id`);
      return {
        entity,
        key,
        operator: allow(
          sent,
          ['='],
          (shown) => `issue.id comparator '${sent}' not one of '${shown}'`,
        ),
        value,
      };
    case 'feedback':
    case 'expectation': {
      if (key === '') throw invalidParameter('Assessment field name cannot be empty');
      const refuse = (shown: string): string =>
        `assessment.${key} comparator '${sent}' not one of '${shown}'`;
      return { entity, key, operator: allow(sent, assessmentOperators, refuse), value };
    }
    case 'attribute': {
      const stored = attributes[key] ?? key;
      const operators = numeric.has(stored) ? comparisons : textOperators;
      return { entity, key: stored, operator: allow(sent, operators, notOneOf(sent)), value };
    }
  }
}

/** Reads a filter: comparisons joined by AND. @throws invalid_message with MLflow's text. */
export function parseTraceFilter(filter: string | undefined): TraceCondition[] {
  if (filter === undefined || filter.trim() === '') return [];
  return readClauses(filter).map(toCondition);
}

const orderClause = /^((?:[^\s`"']|`[^`]*`|"[^"]*"|'[^']*')+)(?:\s+(\S+))?$/s;

function toOrder(clause: string): TraceOrder {
  const match = clause.length > 1_000 ? null : orderClause.exec(clause.trim());
  const [, identifier, direction = 'asc'] = match ?? [];
  if (identifier === undefined)
    throw invalidParameter(`Invalid order_by clause '${clause}'. Could not be parsed.`);
  const lower = direction.toLowerCase();
  if (lower !== 'asc' && lower !== 'desc')
    throw invalidParameter(`Invalid ordering key in order_by clause '${clause}'.`);
  const ascending = lower === 'asc';
  const { entity, key } = replaceKey(readIdentifier(identifier, orderable));
  if (entity === 'tag' && key === traceKeys.name)
    return { entity: 'attribute', key: 'name', ascending };
  if (entity === 'tag') return { entity, key, ascending };
  if (entity === 'request_metadata') return metadataOrder(key, ascending);
  if (entity !== 'attribute') throw invalidParameter(`Invalid identifier type '${entity}'`);
  const stored = key === 'experiment_id' ? 'experiment' : (attributes[key] ?? key);
  return { entity: 'attribute', key: stored, ascending };
}

function metadataOrder(key: string, ascending: boolean): TraceOrder {
  if (key === traceKeys.session) return { entity: 'attribute', key: 'session', ascending };
  if (key === traceKeys.usage || key === traceKeys.cost) {
    throw invalidParameter(
      `Ordering by reserved metadata '${key}' is not supported because it is represented by multiple columns.`,
    );
  }
  return { entity: 'metadata', key, ascending };
}

/** Reads `order_by` clauses, each key once. @throws invalid_message with MLflow's text. */
export function parseTraceOrders(clauses: readonly string[] | undefined): TraceOrder[] {
  const orders = (clauses ?? []).map(toOrder);
  const names = orders.map(({ entity, key }) => `${entity}.${key}`);
  if (new Set(names).size < names.length) {
    const shown = (clauses ?? []).map((clause) => `'${clause}'`).join(', ');
    throw invalidParameter(`\`order_by\` contains duplicate fields: [${shown}]`);
  }
  return orders;
}
