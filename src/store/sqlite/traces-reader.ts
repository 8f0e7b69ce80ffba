import { isObject } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import { knownLevels, relationOfCode } from '../../facts/relations.ts';
import type {
  AssessmentRow,
  MetricGroup,
  MetricQuery,
  OwnedEntry,
  SpanContent,
  SpanRow,
  TraceCondition,
  TraceCount,
  TraceOverlap,
  TraceOverlapSearch,
  TraceReader,
  TraceRow,
  TraceSearch,
  TraceSelection,
  UseRow,
} from '../../traces/store.ts';
import type { Database, Row } from './database.ts';
import { readContents, type TracePayloads } from './traces-contents.ts';
import { countTraces, measureTraces } from './traces-metrics.ts';
import { isQuick, searchTraces } from './traces-search.ts';

/** SQLite's LIMIT for no limit. */
const everyTrace = -1;

/** Number of no experiment. */
export const noExperiment = -1;

const workspaceKey = '(SELECT key FROM trace_names WHERE name = ?)';
const selectTraces = `SELECT t.key, t.id, t.experiment, t.time, t.duration AS durationMs, t.status, t.name,
  t.root_name AS rootName, t.session, t.client_request_id AS clientRequestId, t.request, t.response,
  t.usage, t.cost, t.reported, t.position, t.deleted_time AS deletedTime FROM traces t`;
const selectSpans = `SELECT s.trace AS owner, s.id, s.parent, s.name, s.type, s.status, s.start_us AS startUs,
  s.end_us AS endUs, s.usage, s.cost, s.model, s.provider FROM trace_spans s`;
/** Of refs, up to a position and a time. */
const usesOfRefs = `FROM json_each(?1) j
  CROSS JOIN trace_names n ON n.name = j.value
  CROSS JOIN trace_uses u ON u.ref = n.key
  CROSS JOIN traces t ON t.key = u.trace
  WHERE u.position <= ?2 AND t.time <= ?3`;
const spanOrder = 'ORDER BY s.trace, s.parent IS NOT NULL, s.start_us, s.id';
const selectAssessments = `SELECT a.trace AS owner, a.id, a.name, a.type, a.value, a.number, a.numeric, a.valid,
  a.source_type AS sourceType, a.source_id AS sourceId, a.span AS spanId, a.run AS runId, a.rationale,
  a.overrides, a.error, a.metadata, a.created_time AS createdTime, a.updated_time AS updatedTime
  FROM trace_assessments a`;

type StoredTrace = Omit<TraceRow, 'experiment' | 'reported'> & {
  readonly experiment: number;
  readonly reported: number;
};

function traceOf({ experiment, reported, ...row }: StoredTrace): TraceRow {
  return {
    ...row,
    experiment: experiment === noExperiment ? null : String(experiment),
    reported: reported === 1,
  };
}

/** Without the columns that are null: they are optional members. */
function withoutNulls<T>(row: Row): T {
  // What remains is what the SQL text selects.
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as T;
}

function assessmentOf(row: Row): AssessmentRow {
  const { numeric, valid, metadata, ...rest } = withoutNulls<
    Omit<AssessmentRow, 'numeric' | 'valid' | 'metadata'> & Row
  >(row);
  const entries: unknown = JSON.parse(String(metadata));
  return {
    ...rest,
    numeric: numeric === 1,
    valid: valid === 1,
    metadata: isObject(entries)
      ? Object.entries(entries).map(([key, value]) => ({ key, value: String(value) }))
      : [],
  };
}

/** The traces in SQLite, to read. */
export class SqliteTraceReader implements TraceReader {
  protected readonly db: Database;
  readonly #payloads: TracePayloads;

  constructor(db: Database, payloads: TracePayloads) {
    this.db = db;
    this.#payloads = payloads;
  }

  find(workspace: string, id: string): TraceRow | undefined {
    const row = this.db.get<StoredTrace>(
      `${selectTraces} WHERE t.workspace = ${workspaceKey} AND t.id = ? AND t.deleted_time IS NULL`,
      workspace,
      id,
    );
    return row && traceOf(row);
  }

  findEver(workspace: string, id: string): TraceRow | undefined {
    const found = this.find(workspace, id);
    if (found) return found;
    const row = this.db.get<StoredTrace>(
      `${selectTraces} WHERE t.workspace = ${workspaceKey} AND t.id = ? AND t.deleted_time IS NOT NULL ORDER BY t.key DESC LIMIT 1`,
      workspace,
      id,
    );
    return row && traceOf(row);
  }

  findByPrefix(workspace: string, prefix: string, limit: number): TraceRow[] {
    return this.db
      .all<StoredTrace>(
        `${selectTraces} WHERE t.workspace = ? AND t.id >= ? AND t.id < ? AND t.deleted_time IS NULL ORDER BY t.id LIMIT ?`,
        this.findKey(workspace) ?? 0,
        prefix,
        `${prefix}\u{10ffff}`,
        limit,
      )
      .map(traceOf);
  }

  findMany(workspace: string, ids: readonly string[]): TraceRow[] {
    return this.db
      .all<StoredTrace>(
        `${selectTraces.replace(' FROM traces t', ' FROM json_each(?) j')} CROSS JOIN traces t
         ON t.workspace = ? AND t.id = j.value AND t.deleted_time IS NULL ORDER BY j.key`,
        JSON.stringify([...new Set(ids)]),
        this.findKey(workspace) ?? 0,
      )
      .map(traceOf);
  }

  get(keys: readonly number[]): TraceRow[] {
    return this.db
      .all<StoredTrace>(
        `${selectTraces.replace(' FROM traces t', ' FROM json_each(?) j')} CROSS JOIN traces t ON t.key = j.value ORDER BY j.key`,
        JSON.stringify(keys),
      )
      .map(traceOf);
  }

  tags(keys: readonly number[]): OwnedEntry[] {
    return this.#entries('trace_tags', keys);
  }

  findTag(key: number, name: string): string | undefined {
    return this.db.get<{ value: string }>(
      'SELECT value FROM trace_tags WHERE trace = ? AND name = ?',
      key,
      this.findKey(name) ?? 0,
    )?.value;
  }

  metadata(keys: readonly number[]): OwnedEntry[] {
    return this.#entries('trace_metadata', keys);
  }

  #entries(table: 'trace_tags' | 'trace_metadata', keys: readonly number[]): OwnedEntry[] {
    return this.db.all<OwnedEntry>(
      `SELECT e.trace AS owner, n.name AS key, e.value FROM ${table} e JOIN trace_names n ON n.rank = e.name
       WHERE e.trace IN (SELECT value FROM json_each(?)) ORDER BY e.trace, n.name`,
      JSON.stringify(keys),
    );
  }

  assessments(keys: readonly number[]): AssessmentRow[] {
    return this.db
      .all(
        `${selectAssessments} WHERE a.trace IN (SELECT value FROM json_each(?)) ORDER BY a.trace, a.created_time, a.id`,
        JSON.stringify(keys),
      )
      .map(assessmentOf);
  }

  findAssessment(key: number, id: string): AssessmentRow | undefined {
    const row = this.db.get(`${selectAssessments} WHERE a.trace = ? AND a.id = ?`, key, id);
    return row && assessmentOf(row);
  }

  spans(keys: readonly number[]): SpanRow[] {
    return this.db
      .all(
        `${selectSpans} WHERE s.trace IN (SELECT value FROM json_each(?)) ${spanOrder}`,
        JSON.stringify(keys),
      )
      .map((row) => withoutNulls<SpanRow>(row));
  }

  countSpans(key: number): number {
    const row = this.db.get<{ n: number }>(
      'SELECT count(*) AS n FROM trace_spans WHERE trace = ?',
      key,
    );
    return row?.n ?? 0;
  }

  contents(keys: readonly number[]): SpanContent[] {
    const rows = this.db.all<{ owner: number; traceId: string; id: string; place: number }>(
      `SELECT s.trace AS owner, t.id AS traceId, s.id, s.place FROM trace_spans s JOIN traces t ON t.key = s.trace
       WHERE s.trace IN (SELECT value FROM json_each(?)) ${spanOrder}`,
      JSON.stringify(keys),
    );
    return readContents(rows, this.#payloads);
  }

  uses(keys: readonly number[]): UseRow[] {
    const rows = this.db.all<Omit<UseRow, 'relation' | 'known' | 'unknown'> & Row>(
      `SELECT u.trace AS owner, n.name AS ref, u.relation, u.role, u.known, u.rule, u.unknown, u.position
       FROM trace_uses u JOIN trace_names n ON n.rank = u.ref
       WHERE u.trace IN (SELECT value FROM json_each(?)) ORDER BY u.trace, n.name, u.role`,
      JSON.stringify(keys),
    );
    return rows.map(({ relation, known, unknown, ...row }) => ({
      ...row,
      relation: relationOfCode(Number(relation)),
      known: knownLevels[Number(known)] ?? 'inferred',
      unknown: unknown === 1,
    }));
  }

  isLinked(key: number, to: 'run' | 'prompt', target: string): boolean {
    const row = this.db.get(
      'SELECT 1 AS found FROM trace_links WHERE trace = ? AND kind = ? AND target = ?',
      key,
      to,
      target,
    );
    return row !== undefined;
  }

  async search(search: TraceSearch): Promise<number[]> {
    const workspace = this.findKey(search.workspace);
    if (workspace === undefined) return [];
    return searchTraces(this.db, this.#payloads, search, workspace);
  }

  async searchQuickly(search: TraceSearch): Promise<number[] | undefined> {
    return isQuick(search) ? this.search(search) : undefined;
  }

  async overlap({ first, second, ...search }: TraceOverlapSearch): Promise<TraceOverlap> {
    const find = (more: readonly TraceCondition[]): Promise<number[]> => {
      const conditions = [...search.conditions, ...more];
      return this.search({ ...search, conditions, orders: [], limit: everyTrace, offset: 0 });
    };
    const total = (await find([])).length;
    const ofFirst = new Set(await find(first));
    const ofSecond = await find(second);
    const joint = ofSecond.filter((key) => ofFirst.has(key)).length;
    return { total, first: ofFirst.size, second: ofSecond.length, joint };
  }

  measure(query: MetricQuery): MetricGroup[] {
    const workspace = this.findKey(query.workspace);
    return workspace === undefined ? [] : measureTraces(this.db, query, workspace);
  }

  measureFew(query: MetricQuery): MetricGroup[] | undefined {
    const workspace = this.findKey(query.workspace);
    if (workspace === undefined) return [];
    const { searchedInlineMax: most } = limits;
    const few = countTraces(this.db, query, workspace, most + 1) <= most;
    return few ? measureTraces(this.db, query, workspace) : undefined;
  }

  select(workspace: string, { experiment, ids, until, limit }: TraceSelection): string[] {
    const rows = this.db.all<{ id: string }>(
      `SELECT t.id FROM traces t WHERE t.workspace = ?1 AND t.experiment = ?2 AND t.deleted_time IS NULL
         AND (?3 IS NULL OR t.time <= ?3) AND (?4 IS NULL OR t.id IN (SELECT value FROM json_each(?4)))
       ORDER BY t.time, t.id LIMIT ?5`,
      this.findKey(workspace) ?? 0,
      Number(experiment),
      until ?? null,
      ids === undefined ? null : JSON.stringify(ids),
      limit,
    );
    return rows.map(({ id }) => id);
  }

  countByRef(refs: readonly string[], asOfPosition?: number, at?: number): TraceCount[] {
    return this.db.all<{ ref: string; count: number }>(
      `SELECT j.value AS ref, count(DISTINCT u.trace) AS count ${usesOfRefs} GROUP BY j.value`,
      JSON.stringify(refs),
      asOfPosition ?? Number.MAX_SAFE_INTEGER,
      at ?? Number.MAX_SAFE_INTEGER,
    );
  }

  countOfRefs(refs: readonly string[], asOfPosition?: number, at?: number): number {
    const row = this.db.get<{ count: number }>(
      `SELECT count(DISTINCT u.trace) AS count ${usesOfRefs}`,
      JSON.stringify(refs),
      asOfPosition ?? Number.MAX_SAFE_INTEGER,
      at ?? Number.MAX_SAFE_INTEGER,
    );
    return row?.count ?? 0;
  }

  countAll(): number {
    // Keys grow by one, and a deleted trace leaves its row: the last key tells how many there were.
    return this.db.get<{ last: number | null }>('SELECT max(key) AS last FROM traces')?.last ?? 0;
  }

  /** The key of a name, ref or workspace. */
  protected findKey(name: string): number | undefined {
    return this.db.get<{ key: number }>('SELECT key FROM trace_names WHERE name = ?', name)?.key;
  }
}
