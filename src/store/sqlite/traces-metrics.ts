import { WherefromError } from '../../base/errors.ts';
import type {
  MetricAggregation,
  MetricFilter,
  MetricGroup,
  MetricQuery,
} from '../../traces/index.ts';
import type { Database, Row } from './database.ts';
import type { Sql } from './tracking-search.ts';

/** The tables of each view; `t` is the trace. */
const tables: Readonly<Record<MetricQuery['view'], string>> = {
  traces: 'traces t',
  spans: 'traces t CROSS JOIN trace_spans s ON s.trace = t.key',
  assessments: 'traces t CROSS JOIN trace_assessments a ON a.trace = t.key AND a.valid = 1',
};
const times: Readonly<Record<MetricQuery['view'], string>> = {
  traces: 't.time',
  spans: 's.start_us / 1000.0',
  assessments: 't.time',
};
const dimensionColumns: Readonly<Record<MetricQuery['view'], Readonly<Record<string, string>>>> = {
  traces: { name: 't.name', status: 't.status' },
  spans: {
    name: 's.name',
    type: 's.type',
    status: 's.status',
    model: 's.model',
    provider: 's.provider',
  },
  assessments: { name: 'a.name', value: 'a.value' },
};
const filterColumns: Readonly<Record<string, string>> = {
  'attribute status': 't.status',
  'attribute name': 't.name',
  'attribute session': 't.session',
  'attribute usage': 't.usage',
  'attribute cost': 't.cost',
  'span name': 's.name',
  'span status': 's.status',
  'span type': 's.type',
  'assessment name': 'a.name',
  'assessment type': 'a.type',
};

/** What is measured, as SQL; keys of usage and cost are members of JSON. */
function measuredOf({ view, metric }: MetricQuery): Sql {
  const json = (column: string): Sql => ({
    sql: `json_extract(${column}, ?)`,
    values: [`$."${metric.replaceAll('"', '')}"`],
  });
  const plain = (sql: string): Sql => ({ sql, values: [] });
  switch (view) {
    case 'traces':
      if (metric === 'count') return plain('t.key');
      if (metric === 'sessions') return plain('t.session');
      return metric === 'latency' ? plain('t.duration') : json('t.usage');
    case 'spans':
      if (metric === 'count') return plain('s.id');
      return metric === 'latency' ? plain('(s.end_us - s.start_us) / 1000') : json('s.cost');
    case 'assessments':
      return plain(metric === 'count' ? 'a.id' : 'a.number');
  }
}

function filterSql({ entity, key, value }: MetricFilter): Sql {
  const column = filterColumns[`${entity} ${key}`];
  if (column !== undefined) return { sql: ` AND ${column} = ?`, values: [value] };
  const inMetadata =
    'EXISTS (SELECT 1 FROM trace_metadata e WHERE e.trace = t.key AND e.name = (SELECT key FROM trace_names WHERE name = ?) AND e.value = ?)';
  if (entity === 'attribute' && key === 'run') {
    const linked = `EXISTS (SELECT 1 FROM trace_links l WHERE l.target = ? AND l.kind = 'run' AND l.trace = t.key)`;
    return {
      sql: ` AND (${inMetadata} OR ${linked})`,
      values: ['mlflow.sourceRun', value, value],
    };
  }
  if (entity !== 'tag' && entity !== 'metadata')
    throw new WherefromError('invalid_message', `Nothing can be measured by '${key}'.`);
  const table = entity === 'tag' ? 'trace_tags' : 'trace_metadata';
  return { sql: ` AND ${inMetadata.replace('trace_metadata', table)}`, values: [key, value] };
}

function tracesOf({ experiments }: MetricQuery, workspace: number): Sql {
  const numbers = experiments.filter((id) => /^\d+$/.test(id)).map(Number);
  return {
    sql: 't.workspace = ? AND t.experiment IN (SELECT value FROM json_each(?)) AND t.deleted_time IS NULL',
    values: [workspace, JSON.stringify(numbers)],
  };
}

/** How many traces the experiments have, at most `most`. */
export function countTraces(
  db: Database,
  query: MetricQuery,
  workspace: number,
  most: number,
): number {
  const { sql, values } = tracesOf(query, workspace);
  const row = db.get<{ n: number }>(
    `SELECT count(*) AS n FROM (SELECT 1 FROM traces t WHERE ${sql} LIMIT ?)`,
    ...values,
    most,
  );
  return row?.n ?? 0;
}

/** The traces, or their spans or assessments, that are measured. */
function scopeOf(query: MetricQuery, workspace: number): Sql {
  // Cost is a matter of the span: it is measured at the time of the span.
  const isCost = query.view === 'spans' && !['count', 'latency'].includes(query.metric);
  const time = isCost ? 's.start_us' : 't.time';
  const unit = isCost ? 1_000 : 1;
  const parts: Sql[] = [
    tracesOf(query, workspace),
    ...(query.from === undefined
      ? []
      : [{ sql: ` AND ${time} >= ?`, values: [query.from * unit] }]),
    ...(query.until === undefined
      ? []
      : [{ sql: ` AND ${time} < ?`, values: [(query.until + 1) * unit] }]),
    ...query.filters.map(filterSql),
  ];
  return {
    sql: parts.map(({ sql }) => sql).join(''),
    values: parts.flatMap(({ values }) => values),
  };
}

/**
 * One number of a group of the ranked values. A percentile lies between the two values next to it.
 * Source: mlflow/store/db/utils.py (PercentileAggregate).
 */
function aggregateSql(aggregation: MetricAggregation, distinct: boolean): Sql {
  if (aggregation.type !== 'PERCENTILE')
    return { sql: `${aggregation.type}(${distinct ? 'DISTINCT ' : ''}measured)`, values: [] };
  const place = '? / 100.0 * (n - 1)';
  const low = `CAST(${place} AS INTEGER)`;
  const at = (index: string): string => `max(CASE WHEN i = ${index} THEN measured END)`;
  const { percent } = aggregation;
  return {
    sql: `${at(low)} + (max(${place}) - max(${low})) * (${at(`min(${low} + 1, n - 1)`)} - ${at(low)})`,
    values: [percent, percent, percent, percent, percent],
  };
}

/** Numbers of many traces, spans or assessments, by time and by what they have in common. */
export function measureTraces(db: Database, query: MetricQuery, workspace: number): MetricGroup[] {
  const { view, bucketMs, aggregations } = query;
  if (aggregations.length === 0) return [];
  const columns = query.dimensions.map((name) => {
    const column = dimensionColumns[view][name];
    if (column !== undefined) return column;
    throw new WherefromError('invalid_message', `Nothing is grouped by '${name}'.`);
  });
  const bucket = bucketMs === undefined ? [] : [`floor(${times[view]} / ?) * ?`];
  const groups = [...bucket, ...columns].map((sql, index) => ({ sql, name: `g${index}` }));
  const names = groups.map(({ name }) => name).join(', ');
  const value = measuredOf(query);
  const scope = scopeOf(query, workspace);
  const ranked = aggregations.some(({ type }) => type === 'PERCENTILE');
  const within = names === '' ? '' : `PARTITION BY ${names}`;
  const rank = ranked
    ? `, row_number() OVER (${within} ORDER BY measured) - 1 AS i, count(*) OVER (${within}) AS n`
    : '';
  const numbers = aggregations.map((each) => aggregateSql(each, query.metric === 'sessions'));
  const present = [...groups.map(({ name }) => name), 'measured']
    .map((name) => `${name} IS NOT NULL`)
    .join(' AND ');
  const rows = db.all<Row>(
    `WITH found AS (SELECT ${[...groups.map((each) => `${each.sql} AS ${each.name}`), `${value.sql} AS measured`].join(', ')}
       FROM ${tables[view]} WHERE ${scope.sql}),
     ranked AS (SELECT *${rank} FROM found WHERE ${present})
     SELECT ${[...groups.map(({ name }) => name), ...numbers.map(({ sql }, index) => `${sql} AS v${index}`)].join(', ')}
     FROM ranked ${names === '' ? '' : `GROUP BY ${names} ORDER BY ${names}`} LIMIT ?`,
    ...(bucketMs === undefined ? [] : [bucketMs, bucketMs]),
    ...value.values,
    ...scope.values,
    ...numbers.flatMap(({ values }) => values),
    query.limit,
  );
  return rows.map((row) => ({
    ...(bucketMs === undefined ? {} : { bucket: Number(row.g0) }),
    dimensions: groups.slice(bucket.length).map(({ name }) => String(row[name])),
    values: numbers.map((_, index) => {
      const number = row[`v${index}`];
      return number === null || number === undefined ? null : Number(number);
    }),
  }));
}
