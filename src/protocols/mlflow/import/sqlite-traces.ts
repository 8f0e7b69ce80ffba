import { limits } from '../../../base/limits.ts';
import {
  costKeys,
  type OtlpSpan,
  readSpanDictionaries,
  spanOfDictionary,
  tokenKeys,
  traceKeys,
} from '../../../traces/index.ts';
import type { ImportAssessment, ImportTrace } from './messages.ts';
import type { SourceTrace } from './source.ts';
import { groupBy, present, type Scope, workspaceOf } from './sqlite-rows.ts';
import { otelTraceId } from './trace-ids.ts';

/** Traces of one page. */
const pageMax = 200;
/** Characters of span dictionaries that are read before they are sent. */
const pieceCharactersMax = 2_000_000;

const inList = 'IN (SELECT value FROM json_each(?))';

/** How many traces there are; none in databases before 2.14. */
export function countTraces(scope: Scope): number {
  if (!scope.columns.has('trace_info')) return 0;
  const sql = `SELECT count(*) AS n FROM trace_info t JOIN experiments e ON e.experiment_id = t.experiment_id
    WHERE ${workspaceOf(scope, 'experiments', 'e')}`;
  return scope.db.get<{ n: number }>(sql)?.n ?? 0;
}

/** All traces, oldest first. */
export async function* readTraces(scope: Scope): AsyncIterable<readonly SourceTrace[]> {
  if (!scope.columns.has('trace_info')) return;
  let after = { time: -1, id: '' };
  for (;;) {
    const ids = scope.db.all<{ id: string; time: number }>(
      `SELECT t.request_id AS id, t.timestamp_ms AS time FROM trace_info t
       JOIN experiments e ON e.experiment_id = t.experiment_id
       WHERE ${workspaceOf(scope, 'experiments', 'e')} AND (t.timestamp_ms, t.request_id) > (?, ?)
       ORDER BY t.timestamp_ms, t.request_id LIMIT ${pageMax}`,
      after.time,
      after.id,
    );
    const last = ids.at(-1);
    if (last === undefined) return;
    yield tracesOf(
      scope,
      ids.map(({ id }) => id),
    );
    after = last;
  }
}

type TraceColumns = Omit<ImportTrace, 'tags' | 'metadata' | 'assessments' | 'runs' | 'prompts'>;
type Pair = { readonly owner: string; readonly key: string; readonly value: string };

function tracesOf(scope: Scope, ids: readonly string[]): SourceTrace[] {
  const { db, columns } = scope;
  const list = JSON.stringify(ids);
  const has = (name: string): string =>
    columns.get('trace_info')?.has(name) === true ? `t.${name}` : `NULL AS ${name}`;
  const rows = db.all<TraceColumns>(
    `SELECT t.request_id AS trace_id, CAST(t.experiment_id AS TEXT) AS experiment_id,
       t.timestamp_ms AS request_time, t.execution_time_ms AS execution_ms,
       CASE t.status WHEN 'TRACE_STATUS_UNSPECIFIED' THEN 'STATE_UNSPECIFIED' ELSE t.status END AS state,
       ${['client_request_id', 'request_preview', 'response_preview'].map(has).join(', ')}
     FROM json_each(?) j JOIN trace_info t ON t.request_id = j.value ORDER BY j.key`,
    list,
  );
  const pairsOf = (table: string): Map<string, Pair[]> =>
    groupBy(
      db.all<Pair>(
        `SELECT request_id AS owner, key, coalesce(value, '') AS value FROM ${table} WHERE request_id ${inList}`,
        list,
      ),
      ({ owner }) => owner,
    );
  const plain = ({ key, value }: Pair) => ({ key, value });
  const tags = pairsOf('trace_tags');
  const metadata = pairsOf('trace_request_metadata');
  const promoted = readPromoted(scope, list);
  const assessments = readAssessments(scope, list);
  const links = readLinks(scope, list);
  const spans = countSpans(scope, list);
  return rows.map((row) => {
    const id = row.trace_id;
    const columnsOf = promoted.get(id) ?? { tags: [], metadata: [] };
    const mine = links.get(id) ?? [];
    const targets = (kind: string) =>
      mine.filter((link) => link.kind === kind).map(({ target }) => target);
    return {
      trace: {
        ...present(row),
        tags: [...over((tags.get(id) ?? []).map(plain), columnsOf.tags)],
        metadata: [...over((metadata.get(id) ?? []).map(plain), columnsOf.metadata)],
        assessments: assessments.get(id) ?? [],
        runs: targets('run'),
        prompts: targets('prompt_version'),
      },
      spans: spans.get(id) ?? 0,
    };
  });
}

type Entry = { readonly key: string; readonly value: string };

/** The entries with others over them. */
function over(entries: readonly Entry[], others: readonly Entry[]): Entry[] {
  const keys = new Set(others.map(({ key }) => key));
  return [...entries.filter(({ key }) => !keys.has(key)), ...others];
}

/** Tags and metadata that newer versions keep as columns. Source: compatibility_metadata_from_columns. */
function readPromoted(
  { db, columns }: Scope,
  list: string,
): Map<string, { readonly tags: Entry[]; readonly metadata: Entry[] }> {
  if (columns.get('trace_info')?.has('trace_name') !== true) return new Map();
  const names = [...tokenKeys, ...costKeys].filter((name) => columns.get('trace_info')?.has(name));
  const rows = db.all<Record<string, string | number | null>>(
    `SELECT request_id, trace_name, session_id, ${names.join(', ')} FROM trace_info WHERE request_id ${inList}`,
    list,
  );
  const numbers = (row: (typeof rows)[number], from: readonly string[]): string =>
    JSON.stringify(
      Object.fromEntries(
        from.flatMap((name) =>
          row[name] === null || row[name] === undefined ? [] : [[name, row[name]]],
        ),
      ),
    );
  return new Map(
    rows.map((row) => {
      const entries = (pairs: readonly (readonly [string, string | number | null | undefined])[]) =>
        pairs.flatMap(([key, value]) =>
          value === null || value === undefined || value === '{}'
            ? []
            : [{ key, value: String(value) }],
        );
      return [
        String(row.request_id),
        {
          tags: entries([[traceKeys.name, row.trace_name]]),
          metadata: entries([
            [traceKeys.session, row.session_id],
            [traceKeys.usage, numbers(row, tokenKeys)],
            [traceKeys.cost, numbers(row, costKeys)],
          ]),
        },
      ];
    }),
  );
}

type AssessmentColumns = Omit<ImportAssessment, 'metadata'> & {
  readonly owner: string;
  readonly metadata: string | null;
};

function readAssessments({ db, columns }: Scope, list: string): Map<string, ImportAssessment[]> {
  if (!columns.has('assessments')) return new Map();
  const rows = db.all<AssessmentColumns>(
    `SELECT trace_id AS owner, assessment_id AS id, name, assessment_type AS type, value, error,
       source_type, source_id, span_id, rationale, overrides, assessment_metadata AS metadata,
       created_timestamp AS create_time, last_updated_timestamp AS update_time
     FROM assessments WHERE trace_id ${inList} ORDER BY created_timestamp, rowid`,
    list,
  );
  const read = rows.map(({ owner, metadata, ...row }) => ({
    owner,
    assessment: { ...present(row), metadata: entriesOf(metadata) },
  }));
  const groups = groupBy(read, ({ owner }) => owner);
  return new Map(
    [...groups].map(([owner, each]) => [owner, each.map(({ assessment }) => assessment)]),
  );
}

/** A JSON object of texts. */
function entriesOf(json: string | null): Entry[] {
  if (json === null) return [];
  const value: unknown = JSON.parse(json);
  return typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).map(([key, each]) => ({
        key,
        value: typeof each === 'string' ? each : JSON.stringify(each),
      }));
}

interface Link {
  readonly owner: string;
  readonly kind: string;
  readonly target: string;
}

function readLinks({ db, columns }: Scope, list: string): Map<string, Link[]> {
  if (!columns.has('entity_associations')) return new Map();
  const rows = db.all<Link>(
    `SELECT source_id AS owner, destination_type AS kind, destination_id AS target
     FROM entity_associations WHERE source_type = 'trace' AND source_id ${inList}
     ORDER BY created_time, rowid`,
    list,
  );
  return groupBy(rows, ({ owner }) => owner);
}

/** Spans by trace; the content of archived ones is cleared. */
function countSpans({ db, columns }: Scope, list: string): Map<string, number> {
  if (!columns.has('spans')) return new Map();
  const rows = db.all<{ owner: string; n: number }>(
    `SELECT trace_id AS owner, count(*) AS n FROM spans WHERE trace_id ${inList} AND content <> ''
     GROUP BY trace_id`,
    list,
  );
  return new Map(rows.map(({ owner, n }) => [owner, n]));
}

/** The spans of traces, in pieces. */
export async function* readSpans(
  { db, columns }: Scope,
  traces: readonly ImportTrace[],
  failed: (trace: string, reason: string) => void,
): AsyncIterable<readonly OtlpSpan[]> {
  if (!columns.has('spans')) return;
  let piece: OtlpSpan[] = [];
  let characters = 0;
  for (const { trace_id: id } of traces) {
    const traceId = otelTraceId(id);
    if (traceId === undefined) {
      failed(id, 'The id of the trace is none that spans can carry.');
      continue;
    }
    const rows = db.all<{ content: string }>(
      `SELECT content FROM spans WHERE trace_id = ? AND content <> '' ORDER BY start_time_unix_nano, span_id`,
      id,
    );
    for (const { content } of rows) {
      const span = spanOf(content, { traceId, id });
      if (span === undefined) {
        failed(id, 'One of its spans cannot be read.');
        continue;
      }
      piece.push(span);
      characters += content.length;
      if (characters < pieceCharactersMax && piece.length < limits.importSpansPerMessageMax)
        continue;
      yield piece;
      piece = [];
      characters = 0;
    }
  }
  if (piece.length > 0) yield piece;
}

function spanOf(
  content: string,
  trace: { readonly traceId: string; readonly id: string },
): OtlpSpan | undefined {
  try {
    return spanOfDictionary(readSpanDictionaries(content), trace);
  } catch {
    return undefined; // no JSON
  }
}
