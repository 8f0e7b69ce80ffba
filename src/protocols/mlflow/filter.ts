import { invalidParameter } from './errors.ts';
import type { Condition, Grammar, Order, SearchEntity, SearchOperator } from './grammar.ts';

/** Characters of one filter or order clause: bounds the work of reading it. */
const filterCharactersMax = 100_000;

/** A word of a filter. */
export interface Token {
  readonly kind: 'name' | 'text' | 'number' | 'operator' | 'list' | 'keyword';
  readonly text: string;
}

// A part of a name as sqlparse reads it: letters, digits and underscores, but not digits alone.
const plainPart = String.raw`(?=\d*[\p{L}_])[\p{L}\p{N}_]+`;
// A text in quotes, which may hold its quote twice, or after a backslash when another one can end it.
// There is one way to read each: with more, a list of nothing but quotes would take forever.
const quotedText = (quote: string): string =>
  String.raw`Q(?:QQ|\\Q(?=[^Q]*Q)|\\(?!Q[^Q]*Q)|[^Q\\])*Q(?!Q)`.replaceAll('Q', quote);
const quotedPart = `\`[^\`]*\`|${quotedText('"')}`;
const namePattern = `(?:[\\p{L}_][\\p{L}\\p{N}_$]*|${quotedPart})(?:\\.(?:${plainPart}|${quotedPart}|'[^']*'))*`;

// In order: white space, list, the keyword NOT NULL, name with dots, text in single quotes, number,
// comparison, anything else. A text in double quotes is a name to sqlparse and is taken as a value
// where one is expected.
const lexer = new RegExp(
  [
    String.raw`\s+`,
    String.raw`(\((?:${quotedText("'")}|${quotedText('"')}|[^()'"])*\))`,
    String.raw`(NOT\s+NULL\b)`,
    `(${namePattern})`,
    String.raw`('(?:''|\\'|[^'])*')`,
    String.raw`(-?(?:\d+(?:\.\d*)?|\.\d+)(?:E[+-]?\d+)?)`,
    '(<=|>=|!=|<>|==|=|<|>)',
    '(.)',
  ].join('|'),
  'gisu',
);

const keywords = new Set(['AND', 'OR', 'NOT', 'IN', 'LIKE', 'ILIKE', 'RLIKE', 'IS', 'NULL']);

function tokenize(filter: string): Token[] {
  if (filter.length > filterCharactersMax) {
    throw invalidParameter(`A filter can have at most ${filterCharactersMax} characters.`);
  }
  const tokens: Token[] = [];
  for (const match of filter.matchAll(lexer)) {
    const [whole, list, notNull, name, quoted, number, operator, other] = match;
    if (list !== undefined) tokens.push({ kind: 'list', text: list });
    else if (notNull !== undefined) tokens.push(...notNullTokens(filter, notNull));
    else if (name !== undefined) {
      const keyword = keywords.has(name.toUpperCase());
      tokens.push(
        keyword ? { kind: 'keyword', text: name.toUpperCase() } : { kind: 'name', text: name },
      );
    } else if (quoted !== undefined) tokens.push({ kind: 'text', text: quoted });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (operator !== undefined) tokens.push({ kind: 'operator', text: operator });
    else if (other === ';') throw manyExpressions(filter);
    else if (other !== undefined) throw invalidClause(filter, whole);
  }
  return tokens;
}

/** With more than one space between, MLflow does not know its own operator. */
function notNullTokens(filter: string, text: string): Token[] {
  if (text.length > 'NOT NULL'.length) throw invalidClause(filter, text);
  return ['NOT', 'NULL'].map((word): Token => ({ kind: 'keyword', text: word }));
}

function invalidClause(filter: string, clause: string): Error {
  const shown = filter.length > 500 ? `${filter.slice(0, 500)}…` : filter;
  return invalidParameter(
    `Invalid clause(s) in filter string: '${clause}'. The filter was "${shown}"; join comparisons with AND, such as metrics.rmse < 1 AND params.model = 'tree'.`,
  );
}

function manyExpressions(filter: string): Error {
  return invalidParameter(
    `Search filter contained multiple expression '${filter.slice(0, 500)}'. Provide AND-ed expression list.`,
  );
}

const trim = (text: string): string => text.slice(1, -1);
const isQuoted = (text: string, quote: string): boolean =>
  text.length >= 2 && text.startsWith(quote) && text.endsWith(quote);

/** A key without the quotes or backticks around it. */
export function unquote(key: string): string {
  const bare = isQuoted(key, "'") || isQuoted(key, '"') ? trim(key) : key;
  return isQuoted(bare, '`') ? trim(bare) : bare;
}

/** Shows a list as the reference does, so that its messages read the same. */
const shownSet = (names: readonly string[]): string =>
  `{${names.map((name) => `'${name}'`).join(', ')}}`;

function readIdentifier(
  text: string,
  grammar: Grammar,
  attributes: readonly string[],
): { entity: SearchEntity; key: string } {
  const dot =
    text.startsWith('`') || text.startsWith('"')
      ? text.indexOf('.', text.indexOf(text[0] ?? '', 1))
      : text.indexOf('.');
  const before = text.slice(0, Math.max(dot, 0));
  const name = grammar.quotedEntities && isQuoted(before, '`') ? trim(before) : before;
  const named = Object.hasOwn(grammar.entities, name) ? grammar.entities[name] : undefined;
  const entity = dot < 0 ? 'attribute' : named;
  if (entity === undefined) {
    const valid = [...new Set(Object.values(grammar.entities))].map((one) => `'${one}'`).join(', ');
    throw invalidParameter(`Invalid entity type '${name}'. Valid values are [${valid}]`);
  }
  const key = unquote(text.slice(dot + 1));
  if (entity === 'attribute' && !attributes.includes(key)) {
    throw invalidParameter(
      `Invalid attribute key '${key}' specified. Valid keys are '${shownSet(attributes)}'`,
    );
  }
  if (entity === 'dataset' && !['name', 'digest', 'context'].includes(key)) {
    throw invalidParameter(
      `Invalid dataset key '${key}' specified. Valid keys are '{'name', 'digest', 'context'}'`,
    );
  }
  return { entity, key };
}

const numericOperators: readonly SearchOperator[] = ['>', '>=', '!=', '=', '<', '<='];
const textOperators: readonly SearchOperator[] = ['!=', '=', 'LIKE', 'ILIKE'];
const nullOperators: readonly SearchOperator[] = ['IS NULL', 'IS NOT NULL'];

function isNumeric(entity: SearchEntity, key: string, grammar: Grammar): boolean {
  return entity === 'metric' || (entity === 'attribute' && grammar.numericAttributes.includes(key));
}

/** IN and NOT IN: attributes and datasets; in one grammar also tags and parameters. */
const takesLists = (entity: SearchEntity, grammar: Grammar): boolean =>
  entity === 'attribute' || entity === 'dataset' || grammar.listsOfAll === true;

function operatorsFor(
  entity: SearchEntity,
  key: string,
  grammar: Grammar,
): readonly SearchOperator[] {
  if (isNumeric(entity, key, grammar)) return numericOperators;
  if (takesLists(entity, grammar)) return [...textOperators, 'IN', 'NOT IN'];
  return grammar.nullable.includes(entity) ? [...textOperators, ...nullOperators] : textOperators;
}

interface Named {
  readonly entity: SearchEntity;
  readonly key: string;
}

function readNumber({ entity, key }: Named, token: Token, grammar: Grammar): number {
  const mayQuote = entity === 'attribute' && grammar.quotedNumbers?.includes(key) === true;
  const text = mayQuote && token.kind === 'text' ? trim(token.text) : token.text;
  if (token.kind !== 'number' && !(mayQuote && /^-?\d+$/.test(text))) {
    const what = entity === 'metric' ? 'metric' : `numeric attribute: ${key}`;
    throw invalidParameter(`Expected numeric value type for ${what}. Found ${token.text}`);
  }
  if (entity === 'attribute' && grammar.wholeNumbers === true && !/^-?\d+$/.test(text)) {
    const shown = Number.isInteger(Number(text)) ? `${Number(text)}.0` : text;
    throw invalidParameter(`Invalid value for numeric attribute '${key}': '${shown}'`);
  }
  return Number(text);
}

function readText(entity: SearchEntity, token: Token): string {
  if (token.kind === 'text') return trim(token.text);
  if (token.kind === 'name') {
    if (isQuoted(token.text, '"')) return trim(token.text);
    throw invalidParameter(
      `Parameter value is either not quoted or unidentified quote types used for string value ${token.text}. Use either single or double quotes.`,
    );
  }
  const what =
    entity === 'attribute'
      ? 'attributes'
      : entity === 'dataset'
        ? 'dataset attributes'
        : `${entity} (e.g. 'my-value')`;
  throw invalidParameter(`Expected a quoted string value for ${what}. Got value ${token.text}`);
}

const listItem = /\s*(?:'((?:[^'\\]|\\.|'')*)'|"((?:[^"\\]|\\.)*)")\s*(,|$)/sy;

/** The texts of a list in parentheses. @throws invalid_message with MLflow's text. */
export function readListValue(text: string): string[] {
  const inner = trim(text).trim();
  const values: string[] = [];
  if (inner === '') {
    throw invalidParameter(
      'While parsing a list in the query, expected a non-empty list of string values, but got empty list',
    );
  }
  let position = 0;
  while (position < inner.length) {
    listItem.lastIndex = position;
    const match = listItem.exec(inner);
    if (match === null) {
      throw invalidParameter(
        'While parsing a list in the query, expected a non-empty list of string values, but got ill-formed list.',
      );
    }
    values.push((match[1] ?? match[2] ?? '').replace(/\\(.)/gs, '$1'));
    position = listItem.lastIndex;
  }
  return values;
}

/** One comparison, before its names and its value are looked at. */
export interface Comparison {
  readonly identifier: string;
  readonly operator: string;
  readonly value: Token | undefined;
  /** How many tokens it took. */
  readonly count: number;
}

/** The keywords that stand together at `at`: `NOT IN`, `IS NOT NULL`. */
function takeWords(tokens: readonly Token[], at: number): string[] {
  const words: string[] = [];
  for (const token of tokens.slice(at, at + 3)) {
    if (token.kind !== 'keyword' || token.text === 'AND') break;
    words.push(token.text);
  }
  return words;
}

/** Takes one comparison off the tokens at `at`; undefined when they are not one. */
function takeComparison(tokens: readonly Token[], at: number): Comparison | undefined {
  const [first, second] = [tokens[at], tokens[at + 1]];
  if (first?.kind !== 'name') return undefined;
  const identifier = first.text;
  const words = takeWords(tokens, at + 1);
  const operator =
    words.length > 0 ? words.join(' ') : second?.kind === 'operator' ? second.text : undefined;
  if (operator === undefined) return undefined;
  const count = 1 + Math.max(words.length, 1);
  if (operator === 'IS NULL' || operator === 'IS NOT NULL') {
    return { identifier, operator, value: undefined, count };
  }
  const value = tokens[at + count];
  if (value === undefined || value.kind === 'operator' || value.kind === 'keyword')
    return undefined;
  return { identifier, operator, value, count: count + 1 };
}

function checkOperator(
  operator: string,
  { entity, key }: { entity: SearchEntity; key: string },
  grammar: Grammar,
): SearchOperator {
  if (/^IS (NOT )?NULL$/.test(operator) && !grammar.nullable.includes(entity)) {
    const allowed = grammar.nullable.map((one) => (one === 'parameter' ? 'params' : 'tags'));
    throw invalidParameter(
      `IS NULL / IS NOT NULL is only supported for ${allowed.join(' and ') || 'nothing here'}, not for '${entity}' '${key}'`,
    );
  }
  const allowed = operatorsFor(entity, key, grammar);
  const found = allowed.find((one) => one === operator);
  if (found === undefined) {
    throw invalidParameter(`Invalid comparator '${operator}' not one of '${shownSet(allowed)}'`);
  }
  return found;
}

function readValue(
  { entity, key }: Named,
  operator: SearchOperator,
  token: Token,
  grammar: Grammar,
): string | number | readonly string[] {
  if (isNumeric(entity, key, grammar)) return readNumber({ entity, key }, token, grammar);
  if (token.kind === 'list' && takesLists(entity, grammar)) {
    if (entity === 'attribute' && grammar.listAttributes?.includes(key) === false) {
      const names = grammar.listAttributes.map((one) => `'${one}'`).join(', ');
      throw invalidParameter(
        `Only [${names}] attributes support comparison with a list of quoted string values.`,
      );
    }
    if (operator === 'IN' || operator === 'NOT IN') return readListValue(token.text);
  }
  const value = readText(entity, token);
  if (operator === 'IN' || operator === 'NOT IN') {
    throw invalidParameter(
      `The operator ${operator} takes a list of quoted string values, such as ('a', 'b'). Got value ${token.text}`,
    );
  }
  return value;
}

function toCondition(comparison: Comparison, grammar: Grammar): Condition {
  const found = readIdentifier(comparison.identifier, grammar, grammar.attributes);
  if (comparison.value !== undefined && isNumeric(found.entity, found.key, grammar)) {
    readNumber(found, comparison.value, grammar);
  }
  if (
    comparison.value?.kind === 'list' &&
    !takesLists(found.entity, grammar) &&
    found.entity !== 'metric'
  ) {
    readText(found.entity, comparison.value);
  }
  const operator = checkOperator(comparison.operator, found, grammar);
  const value =
    comparison.value === undefined ? null : readValue(found, operator, comparison.value, grammar);
  return { entity: found.entity, key: unaliased(found, grammar), operator, value };
}

function unaliased(
  { entity, key }: { entity: SearchEntity; key: string },
  grammar: Grammar,
): string {
  if (entity !== 'attribute' || !Object.hasOwn(grammar.attributeAliases, key)) return key;
  return grammar.attributeAliases[key] ?? key;
}

/**
 * Reads a filter: comparisons joined by AND. Absent or empty text is no condition at all.
 * @throws invalid_message with MLflow's text.
 * Source: mlflow/utils/search_utils.py (parse_search_filter).
 */
export function parseFilter(filter: string | undefined, grammar: Grammar): Condition[] {
  if (filter === undefined || filter === '') return [];
  return readClauses(filter).map((comparison) => toCondition(comparison, grammar));
}

/**
 * The comparisons of a filter, whatever their grammar.
 * @throws invalid_message with MLflow's text for what is no comparison.
 */
export function readClauses(filter: string): Comparison[] {
  if (filter.trim() === '') {
    throw invalidParameter(`Invalid filter '${filter}'. Could not be parsed.`);
  }
  const tokens = tokenize(filter);
  const comparisons: Comparison[] = [];
  let at = 0;
  while (at < tokens.length) {
    // As MLflow reads it, AND says nothing: only what stands between is looked at.
    if (tokens[at]?.text === 'AND' && tokens[at]?.kind === 'keyword') {
      at += 1;
      continue;
    }
    const comparison = takeComparison(tokens, at);
    if (comparison === undefined) throw invalidClause(filter, clauseAt(tokens, at));
    comparisons.push(comparison);
    at += comparison.count;
  }
  return comparisons;
}

/** What cannot be read, from `at` on; a keyword stands for itself. */
function clauseAt(tokens: readonly Token[], at: number): string {
  const rest = tokens.slice(at).map(({ text }) => text);
  return tokens[at]?.kind === 'keyword' ? (rest[0] ?? '') : rest.join(' ');
}

const orderClause = new RegExp(`^(${namePattern})(?:\\s+([\\p{L}\\p{N}_]+))?$`, 'su');

function parseOrder(clause: string, grammar: Grammar): Order {
  const match = clause.length > filterCharactersMax ? null : orderClause.exec(clause);
  const [, identifier, direction] = match ?? [];
  if (identifier === undefined) {
    throw invalidParameter(`Invalid order_by clause '${clause}'. Could not be parsed.`);
  }
  const lower = direction?.toLowerCase() ?? 'asc';
  if (lower !== 'asc' && lower !== 'desc') {
    throw invalidParameter(`Invalid ordering key in order_by clause '${clause}'.`);
  }
  if (grammar.shownOrderKeys !== undefined && !grammar.orderAttributes.includes(identifier)) {
    throw invalidParameter(
      `Invalid order by key '${identifier}' specified. Valid keys are '${grammar.shownOrderKeys}'`,
    );
  }
  const found = readIdentifier(identifier, grammar, grammar.orderAttributes);
  if (!grammar.orderEntities.includes(found.entity)) {
    throw invalidParameter(`Invalid order_by entity: ${found.entity}`);
  }
  return { entity: found.entity, key: unaliased(found, grammar), ascending: lower === 'asc' };
}

/**
 * Reads `order_by` clauses: `<identifier> [ASC|DESC]`, each key once.
 * @throws invalid_message with MLflow's text.
 */
export function parseOrders(clauses: readonly string[] | undefined, grammar: Grammar): Order[] {
  const orders = new Map<string, Order>();
  for (const order of (clauses ?? []).map((clause) => parseOrder(clause, grammar))) {
    const name = `${order.entity}.${order.key}`;
    if (!orders.has(name)) orders.set(name, order);
    else if (grammar.repeatedOrders !== true) {
      throw invalidParameter(`\`order_by\` contains duplicate fields: ['${name}']`);
    }
  }
  return [...orders.values()];
}
