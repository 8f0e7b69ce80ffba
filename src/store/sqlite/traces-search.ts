import { WherefromError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { serveOthers } from '../../base/slices.ts';
import {
  pythonJson,
  type TraceCondition,
  type TraceOrder,
  type TraceSearch,
} from '../../traces/index.ts';
import type { Database } from './database.ts';
import { type ContentPlace, readContents, type TracePayloads } from './traces-contents.ts';
import { tracesOf } from './traces-match.ts';
import { matchAll } from './traces-regexp.ts';
import { compare, type Sql } from './tracking-search.ts';

const nameKey = '(SELECT key FROM trace_names WHERE name = ?)';
const noSql: Sql = { sql: '', values: [] };

/** Columns of what a search calls an attribute. */
const columns: Readonly<Record<string, string>> = {
  id: 't.id',
  time: 't.time',
  duration: 't.duration',
  end: '(t.time + coalesce(t.duration, 0))',
  status: 't.status',
  clientRequestId: 't.client_request_id',
  name: 't.name',
  session: 't.session',
  experiment: 't.experiment',
};
const spanColumns: Readonly<Record<string, string>> = {
  name: 's.name',
  type: 's.type',
  status: 's.status',
};

function join(...parts: readonly Sql[]): Sql {
  return {
    sql: parts.map(({ sql }) => sql).join(''),
    values: parts.flatMap(({ values }) => values),
  };
}

function text(sql: string, ...values: Sql['values']): Sql {
  return { sql, values };
}

function column(key: string, of: Readonly<Record<string, string>>): string {
  const found = Object.hasOwn(of, key) ? of[key] : undefined;
  if (found !== undefined) return found;
  throw new WherefromError('invalid_message', `Nothing can be searched by '${key}'.`);
}

/** One search: the traces in its scope, and its conditions as SQL. */
class Search {
  readonly #db: Database;
  readonly #payloads: TracePayloads;
  readonly #search: TraceSearch;
  readonly #scope: Sql;

  constructor(db: Database, payloads: TracePayloads, search: TraceSearch, workspace: number) {
    this.#db = db;
    this.#payloads = payloads;
    this.#search = search;
    const experiments = search.experiments.filter((id) => /^\d+$/.test(id)).map(Number);
    const [only] = experiments;
    const within =
      experiments.length === 1
        ? text(' AND t.experiment = ?', only ?? 0)
        : text(
            ' AND t.experiment IN (SELECT value FROM json_each(?))',
            JSON.stringify(experiments),
          );
    this.#scope = join(text('t.workspace = ? AND t.deleted_time IS NULL', workspace), within);
  }

  async run(): Promise<number[]> {
    const { conditions, orders, limit, offset } = this.#search;
    if (conditions.length + orders.length > limits.traceClausesMax) {
      throw new WherefromError(
        'invalid_message',
        `A search takes at most ${limits.traceClausesMax} conditions and orders.`,
      );
    }
    const plain = join(...conditions.filter(({ entity }) => entity !== 'span').map(this.#and));
    const where = join(plain, await this.#spans(plain));
    const order = orderOf(orders);
    const rows = this.#db.all<{ key: number }>(
      `SELECT t.key FROM traces t WHERE ${this.#scope.sql}${where.sql} ORDER BY ${order.sql} LIMIT ? OFFSET ?`,
      ...this.#scope.values,
      ...where.values,
      ...order.values,
      limit,
      offset,
    );
    return rows.map(({ key }) => key);
  }

  readonly #and = (condition: TraceCondition): Sql => {
    const { sql, values } = this.#condition(condition);
    return text(` AND ${sql}`, ...values);
  };

  #condition(condition: TraceCondition): Sql {
    switch (condition.entity) {
      case 'attribute':
        return this.#attribute(condition);
      case 'tag':
      case 'metadata':
        return this.#entry(condition);
      case 'feedback':
      case 'expectation':
        return this.#assessment(condition);
      case 'issue':
        return text(
          `EXISTS (SELECT 1 FROM trace_assessments a WHERE a.trace = t.key AND a.type = 'issue' AND a.name = ?)`,
          String(condition.value),
        );
      default:
        return this.#sum(condition);
    }
  }

  #attribute(condition: TraceCondition): Sql {
    const { key, value } = condition;
    if (key === 'run' || key === 'prompt') {
      const linked = text(
        'EXISTS (SELECT 1 FROM trace_links l WHERE l.target = ? AND l.kind = ? AND l.trace = t.key)',
        String(value),
        key,
      );
      if (key === 'prompt') return linked;
      const source = text(
        ` OR EXISTS (SELECT 1 FROM trace_metadata m WHERE m.trace = t.key AND m.name = ${nameKey} AND m.value = ?)`,
        'mlflow.sourceRun',
        String(value),
      );
      return join(text('('), linked, source, text(')'));
    }
    const name = column(key, columns);
    if (condition.operator === 'IS NULL' || condition.operator === 'IS NOT NULL')
      return text(`${name} ${condition.operator}`);
    return this.#compare(name, condition, () => ({
      sql: `SELECT DISTINCT ${name} AS value FROM traces t WHERE ${this.#scope.sql} AND ${name} IS NOT NULL`,
      values: this.#scope.values,
    }));
  }

  #entry(condition: TraceCondition): Sql {
    const table = condition.entity === 'tag' ? 'trace_tags' : 'trace_metadata';
    const from = text(
      `SELECT 1 FROM ${table} e WHERE e.trace = t.key AND e.name = ${nameKey}`,
      condition.key,
    );
    if (condition.operator === 'IS NULL') return join(text('NOT EXISTS ('), from, text(')'));
    if (condition.operator === 'IS NOT NULL') return join(text('EXISTS ('), from, text(')'));
    const compared = this.#compare('e.value', condition, () => ({
      sql: `SELECT DISTINCT e.value FROM ${table} e WHERE e.name = ${nameKey}`,
      values: [condition.key],
    }));
    return join(text('EXISTS ('), from, text(' AND '), compared, text(')'));
  }

  /** Sums that MLflow shows as metadata: known as a whole only. */
  #sum({ entity, operator, value }: TraceCondition): Sql {
    const name = `t.${entity === 'usage' ? 'usage' : 'cost'}`;
    if (operator === 'IS NULL' || operator === 'IS NOT NULL') return text(`${name} ${operator}`);
    return text(`${name} ${operator === '=' ? '=' : '<>'} ?`, String(value));
  }

  /** An assessment of a whole session counts for every trace of the session. */
  #assessment(condition: TraceCondition): Sql {
    const { entity, key, operator } = condition;
    const about = join(
      text('a.type = ? AND a.name = ? AND a.valid = 1', entity, key),
      this.#assessmentValue(condition),
    );
    const direct = join(
      text('EXISTS (SELECT 1 FROM trace_assessments a WHERE a.trace = t.key AND '),
      about,
      text(')'),
    );
    const scope = this.#scope.sql.replaceAll('t.', 'x.');
    const ofSession = join(
      text(
        `t.session IN (SELECT x.session FROM traces x JOIN trace_assessments a ON a.trace = x.key WHERE ${scope} AND x.session IS NOT NULL AND instr(a.metadata, '"mlflow.trace.session":') > 0 AND `,
        ...this.#scope.values,
      ),
      about,
      text(')'),
    );
    const some = join(text('('), direct, text(' OR coalesce('), ofSession, text(', 0))'));
    return operator === 'IS NULL' ? join(text('NOT '), some) : some;
  }

  #assessmentValue(condition: TraceCondition): Sql {
    const { entity, key, operator, value } = condition;
    switch (operator) {
      case 'IS NULL':
      case 'IS NOT NULL':
        return noSql;
      case '<':
      case '<=':
      case '>':
      case '>=':
        return text(` AND a.numeric = 1 AND a.number ${operator} ?`, Number(value));
      case '=':
      case '!=': {
        const not = operator === '=' ? '' : 'NOT ';
        const plain = String(value);
        // A number may be written in more than one way: 3 is 3.0.
        const number = plain.trim() === '' ? Number.NaN : Number(plain);
        const equal = Number.isNaN(number)
          ? text('(a.value = ? OR a.value = ?)', plain, pythonJson(plain))
          : text(
              '(a.value = ? OR a.value = ? OR (a.numeric = 1 AND a.number = ?))',
              plain,
              pythonJson(plain),
              number,
            );
        return join(text(` AND ${not}`), equal);
      }
      default: {
        const compared = this.#compare('a.value', condition, () => ({
          sql: 'SELECT DISTINCT a.value FROM trace_assessments a WHERE a.type = ? AND a.name = ?',
          values: [entity, key],
        }));
        return join(text(' AND '), compared);
      }
    }
  }

  /** All conditions on spans must hold of one and the same span. */
  async #spans(plain: Sql): Promise<Sql> {
    const conditions = this.#search.conditions.filter(({ entity }) => entity === 'span');
    if (conditions.length === 0) return noSql;
    const isContent = ({ key }: TraceCondition): boolean => !Object.hasOwn(spanColumns, key);
    const stored = conditions.filter((condition) => !isContent(condition));
    const where = join(
      ...stored.map((condition) => {
        const name = column(condition.key, spanColumns);
        const compared = this.#compare(name, condition, () => ({
          sql: `SELECT DISTINCT ${name} AS value FROM traces t JOIN trace_spans s ON s.trace = t.key WHERE ${this.#scope.sql} AND ${name} IS NOT NULL`,
          values: this.#scope.values,
        }));
        return join(text(' AND '), compared);
      }),
    );
    const contents = conditions.filter(isContent);
    if (contents.length === 0)
      return join(
        text(' AND EXISTS (SELECT 1 FROM trace_spans s WHERE s.trace = t.key'),
        where,
        text(')'),
      );
    const keys = await this.#tracesWithContent(contents, join(plain, where));
    return text(' AND t.key IN (SELECT value FROM json_each(?))', JSON.stringify(keys));
  }

  /** Contents are in the payloads alone: those of all spans that meet the other conditions are read. */
  async #tracesWithContent(conditions: readonly TraceCondition[], where: Sql): Promise<number[]> {
    const rows = this.#db.all<ContentPlace & Record<string, string | number>>(
      `SELECT s.trace AS owner, t.id AS traceId, s.id, s.place FROM traces t JOIN trace_spans s ON s.trace = t.key
       WHERE ${this.#scope.sql}${where.sql} ORDER BY s.place LIMIT ?`,
      ...this.#scope.values,
      ...where.values,
      limits.searchedSpansMax + 1,
    );
    if (rows.length > limits.searchedSpansMax) {
      throw new WherefromError(
        'invalid_message',
        `A search in contents looks at ${limits.searchedSpansMax} spans at most.`,
        { hint: 'Narrow it by timestamp_ms, name or status.' },
      );
    }
    const keys = new Set<number>();
    for (let from = 0; from < rows.length; from += limits.searchedSpansAtOnce) {
      const some = rows.slice(from, from + limits.searchedSpansAtOnce);
      for (const key of tracesOf(readContents(some, this.#payloads), conditions)) keys.add(key);
      // Reading contents takes a while: a thread that is to end does so in between.
      await serveOthers();
    }
    return [...keys];
  }

  /** A comparison; a pattern is first tried on the values there are. */
  #compare(name: string, condition: TraceCondition, values: () => Sql): Sql {
    const { operator, value } = condition;
    if (operator !== 'RLIKE') {
      if (operator === 'IS NULL' || operator === 'IS NOT NULL') return text(`${name} ${operator}`);
      return compare(name, { entity: 'attribute', key: condition.key, operator, value });
    }
    const { sql, values: bound } = values();
    const found = this.#db.all<{ value: string }>(
      `${sql} LIMIT ?`,
      ...bound,
      limits.searchedSpansMax,
    );
    const texts = found.map((row) => String(row.value));
    const matches = matchAll(String(value), texts);
    const list = JSON.stringify(texts.filter((_, index) => matches[index]));
    return text(`${name} IN (SELECT value FROM json_each(?))`, list);
  }
}

/** Nulls last in both directions; the newest trace first where nothing else is said. */
function orderOf(orders: readonly TraceOrder[]): Sql {
  const parts: string[] = [];
  const values: string[] = [];
  for (const { entity, key, ascending } of orders) {
    const direction = `${ascending ? 'ASC' : 'DESC'} NULLS LAST`;
    if (entity === 'attribute') {
      parts.push(`${column(key, columns)} ${direction}`);
      continue;
    }
    const table = entity === 'tag' ? 'trace_tags' : 'trace_metadata';
    parts.push(
      `(SELECT o.value FROM ${table} o WHERE o.trace = t.key AND o.name = ${nameKey}) ${direction}`,
    );
    values.push(key);
  }
  const named = (key: string): boolean =>
    orders.some((order) => order.entity === 'attribute' && order.key === key);
  if (!named('time')) parts.push('t.time DESC');
  if (!named('id')) parts.push('t.id');
  return { sql: parts.join(', '), values };
}

/**
 * Whether the index of times gives the page: the newest traces of one experiment, of a range of time
 * or not.
 */
export function isQuick({ experiments, conditions, orders, offset, limit }: TraceSearch): boolean {
  const ranges = ['<', '<=', '>', '>='];
  const onTime = conditions.every(
    ({ entity, key, operator }) =>
      entity === 'attribute' && key === 'time' && ranges.includes(operator),
  );
  const newest = orders.every(
    ({ entity, key, ascending }) => entity === 'attribute' && key === 'time' && !ascending,
  );
  const near = limit >= 0 && offset + limit <= limits.searchedInlineMax;
  return experiments.length === 1 && onTime && newest && near;
}

/** Whether it may take long however few traces there are: contents are read, or a pattern is tried. */
export function isSlow({ conditions }: Pick<TraceSearch, 'conditions'>): boolean {
  return conditions.some(
    ({ entity, key, operator }) =>
      operator === 'RLIKE' || (entity === 'span' && !Object.hasOwn(spanColumns, key)),
  );
}

/**
 * Keys of the traces that a search finds, in its order.
 * @throws invalid_message as `TraceReader.search` says.
 */
export function searchTraces(
  db: Database,
  payloads: TracePayloads,
  search: TraceSearch,
  workspace: number,
): Promise<number[]> {
  return new Search(db, payloads, search, workspace).run();
}
