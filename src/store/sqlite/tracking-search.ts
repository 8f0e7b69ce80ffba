import { WherefromError } from '../../base/errors.ts';
import type { SearchCondition, SearchOperator, SearchOrder } from '../../tracking/index.ts';
import type { Row } from './database.ts';

/** What can be bound to a statement. */
type Bound = Row[string];

/** Comparisons and order clauses of one search: bounds the SQL that is made of them. */
const clausesMax = 50;

/** SQL with the values bound to it, in order. */
export interface Sql {
  readonly sql: string;
  readonly values: readonly Bound[];
}

/** How one entity's conditions become SQL, given the condition's comparison. */
export interface SearchShape {
  /** Columns of attributes; an attribute that is missing here cannot be searched. */
  readonly attributes: Readonly<Record<string, string>>;
  /** An EXISTS-like clause around a comparison of `column` for the entities with keys. */
  exists(condition: SearchCondition, comparison: (column: string) => Sql): Sql;
}

/** `%` and `_` of LIKE as a GLOB pattern: MLflow's LIKE is case sensitive, SQLite's is not. */
function toGlob(pattern: string): string {
  return pattern
    .replace(/[[\]*?]/g, '[$&]')
    .replaceAll('%', '*')
    .replaceAll('_', '?');
}

const plainOperators: Readonly<Partial<Record<SearchOperator, string>>> = {
  '=': '=',
  '!=': '<>',
  '>': '>',
  '>=': '>=',
  '<': '<',
  '<=': '<=',
};

/** `column <operator> value`, the value bound. */
export function compare(column: string, { operator, value }: SearchCondition): Sql {
  if (operator === 'IN' || operator === 'NOT IN') {
    const list = `(SELECT value FROM json_each(?))`;
    return { sql: `${column} ${operator} ${list}`, values: [JSON.stringify(value)] };
  }
  if (value === null || typeof value === 'object') {
    throw new WherefromError(
      'invalid_message',
      `The operator ${operator} does not take this value.`,
    );
  }
  if (operator === 'LIKE') return { sql: `${column} GLOB ?`, values: [toGlob(String(value))] };
  if (operator === 'ILIKE') return { sql: `${column} LIKE ?`, values: [value] };
  const plain = plainOperators[operator];
  if (plain === undefined) {
    throw new WherefromError('invalid_message', `The operator ${operator} does not take a value.`);
  }
  return { sql: `${column} ${plain} ?`, values: [value] };
}

/** All conditions, joined by AND, each with a leading AND; '' without any. */
export function whereOf(conditions: readonly SearchCondition[], shape: SearchShape): Sql {
  if (conditions.length > clausesMax) {
    throw new WherefromError('invalid_message', `A search takes at most ${clausesMax} conditions.`);
  }
  const parts: string[] = [];
  const values: Bound[] = [];
  for (const condition of conditions) {
    const { sql, values: bound } = conditionOf(condition, shape);
    parts.push(` AND ${sql}`);
    values.push(...bound);
  }
  return { sql: parts.join(''), values };
}

function conditionOf(condition: SearchCondition, shape: SearchShape): Sql {
  if (condition.entity !== 'attribute') {
    return shape.exists(condition, (column) => compare(column, condition));
  }
  return compare(attributeColumn(condition.key, shape), condition);
}

function attributeColumn(key: string, shape: SearchShape): string {
  const column = Object.hasOwn(shape.attributes, key) ? shape.attributes[key] : undefined;
  if (column === undefined) {
    throw new WherefromError(
      'invalid_message',
      `Nothing can be searched by the attribute '${key}'.`,
    );
  }
  return column;
}

/** An ORDER BY list: nulls last in both directions, NaN after numbers, then the tie breakers. */
export function orderOf<O extends SearchOrder>(
  orders: readonly O[],
  shape: SearchShape,
  keyed: (order: O) => { readonly value: Sql; readonly rank?: Sql | undefined },
): Sql {
  if (orders.length > clausesMax) {
    throw new WherefromError('invalid_message', `A search takes at most ${clausesMax} orders.`);
  }
  const parts: string[] = [];
  const values: Bound[] = [];
  for (const order of orders) {
    const direction = order.ascending ? 'ASC' : 'DESC';
    if (order.entity === 'attribute') {
      parts.push(`${attributeColumn(order.key, shape)} ${direction} NULLS LAST`);
      continue;
    }
    const { value, rank } = keyed(order);
    if (rank !== undefined) {
      parts.push(rank.sql);
      values.push(...rank.values);
    }
    parts.push(`${value.sql} ${direction} NULLS LAST`);
    values.push(...value.values);
  }
  return { sql: parts.join(', '), values };
}
