import { type EntityKind, entityKinds, kindOfCode } from '../../facts/kinds.ts';
import { type Relation, relations } from '../../facts/relations.ts';
import type {
  AsOf,
  AttributeRow,
  ColumnRow,
  DatasetUseRow,
  DeclarationRow,
  Direction,
  EdgeRow,
  FlowRow,
  FormerRefRow,
  LineageReader,
  MergeRow,
  NameRow,
  NodeRow,
  RareRows,
  ReadSpan,
  RunEventRow,
  RunUsesQuery,
  SameContentRow,
  StatementRow,
  SupersededRow,
  UsesQuery,
} from '../../lineage/store.ts';
import { BoundedMap } from './cache.ts';
import type { Database } from './database.ts';
import {
  findNode,
  findNodesByName,
  findNodesBySuffix,
  findNodesByVersion,
  formerNodes,
  formerRefs,
  mergesOf,
} from './lineage-names.ts';
import {
  type ColumnTuple,
  columnColumns,
  type EdgeTuple,
  edgeColumns,
  type NodeTuple,
  nodeColumns,
  type RunEventTuple,
  toColumn,
  toEdge,
  toNode,
  toRunEvent,
  toUse,
  type UseTuple,
  useColumnsPlain,
  useColumnsWithAttributes,
} from './lineage-rows.ts';
import { findStatement, statementsAbout, supersededOf } from './lineage-statements.ts';

/** Something of node ?1, recorded by position ?2, happened by ?3. What always holds has the time 0. */
const toldUntil = [
  'lineage_attributes WHERE node = ?1 AND position <= ?2 AND first_time > 0 AND first_time <= ?3',
  'lineage_edges WHERE dst = ?1 AND position <= ?2 AND valid_from <= ?3',
  'lineage_edges WHERE src = ?1 AND position <= ?2 AND valid_from <= ?3',
  'lineage_run_events WHERE run = ?1 AND position <= ?2 AND time <= ?3',
  'lineage_uses WHERE run = ?1 AND position <= ?2 AND time <= ?3',
]
  .map((source) => `EXISTS (SELECT 1 FROM ${source})`)
  .join(' OR ');

/** By a join from the list: `IN` would first copy and sort it. */
const nodesByKey = `SELECT ${nodeColumns} FROM (SELECT DISTINCT value AS wanted FROM json_each(?)) j CROSS JOIN lineage_nodes ON key = j.wanted`;

/** SQLite's LIMIT for no limit. */
const everyRow = -1;

/** The graph's queries over one connection. Lists of keys go in as JSON, so that statements are few. */
export class SqliteLineageReader implements LineageReader {
  protected readonly db: Database;

  /** Words by number. They are only ever added, so a reader may remember them over snapshots. */
  readonly #wordTexts = new BoundedMap<number, string>(10_000);
  readonly #wordOf = (word: number): string | null => this.#text(word);

  constructor(db: Database) {
    this.db = db;
  }

  #text(word: number): string | null {
    if (word === 0) return null;
    const cached = this.#wordTexts.get(word);
    if (cached !== undefined) return cached;
    const row = this.db.get<{ word: string }>('SELECT word FROM lineage_words WHERE id = ?', word);
    if (row) this.#wordTexts.set(word, row.word);
    return row?.word ?? null;
  }

  findNode(ref: string, asOf?: AsOf): NodeRow | undefined {
    return findNode(this.db, ref, asOf);
  }

  findNodesByFormerName(name: string, asOf: AsOf, limit: number): NodeRow[] {
    return formerNodes(this.db, { column: 'name', text: name }, { ...asOf, limit });
  }

  formerRefs(keys: readonly number[]): FormerRefRow[] {
    return formerRefs(this.db, keys);
  }

  findNodesByName(
    name: string,
    options: { kind?: EntityKind | undefined; prefix?: boolean; limit: number },
  ): NodeRow[] {
    return findNodesByName(this.db, name, options);
  }

  findNodesByVersion(beginning: string, options: { kind: EntityKind; limit: number }): NodeRow[] {
    return findNodesByVersion(this.db, beginning, options);
  }

  findNodesBySuffix(
    suffix: string,
    options: { kind: EntityKind; limit: number },
  ): Promise<NodeRow[]> {
    return findNodesBySuffix(this.db, suffix, options);
  }

  nodes(keys: readonly number[]): NodeRow[] {
    if (keys.length === 0) return [];
    return this.db.tuples<NodeTuple>(nodesByKey, JSON.stringify(keys)).map(toNode);
  }

  rareRows(): RareRows {
    const [row] = this.db.tuples<readonly [number, number, number, number, number, number]>(
      `SELECT EXISTS (SELECT 1 FROM lineage_merges), EXISTS (SELECT 1 FROM lineage_drops),
         EXISTS (SELECT 1 FROM lineage_declarations), EXISTS (SELECT 1 FROM lineage_digests),
         EXISTS (SELECT 1 FROM lineage_flows),
         coalesce((SELECT max(position) FROM lineage_former_refs), -1)`,
    );
    const [merges, drops, declarations, digests, flows, renamed] = row ?? [1, 1, 1, 1, 1, -1];
    return {
      merges: merges === 1,
      drops: drops === 1,
      declarations: declarations === 1,
      digests: digests === 1,
      flows: flows === 1,
      renamed,
    };
  }

  children(parents: readonly number[], kind: EntityKind, limit: number): NodeRow[] {
    return this.db
      .tuples<NodeTuple>(
        `SELECT ${nodeColumns} FROM lineage_nodes WHERE parent IN (SELECT value FROM json_each(?)) AND kind = ? ORDER BY ref LIMIT ?`,
        JSON.stringify(parents),
        entityKinds[kind].code,
        limit,
      )
      .map(toNode);
  }

  toldOnlyAfter(
    node: number,
    { at, position }: { readonly at: number; readonly position: number },
  ): boolean {
    const told = (until: number): boolean =>
      this.db.get(`SELECT 1 WHERE ${toldUntil}`, node, position, until) !== undefined;
    return !told(Math.trunc(at)) && told(Number.MAX_SAFE_INTEGER);
  }

  withFields(datasets: readonly number[], position: number): number[] {
    return this.db
      .all<{ key: number }>(
        'SELECT value AS key FROM json_each(?) WHERE EXISTS (SELECT 1 FROM lineage_nodes n WHERE n.parent = value AND n.kind = ? AND n.position <= ?)',
        JSON.stringify(datasets),
        entityKinds.field.code,
        position,
      )
      .map(({ key }) => key);
  }

  attributes(keys: readonly number[]): AttributeRow[] {
    return this.db.all<AttributeRow>(
      `SELECT a.node, w.word AS name, CASE typeof(a.value) WHEN 'integer' THEN v.value ELSE a.value END AS value, a.time, a.first_time AS firstTime, a.position
       FROM lineage_attributes a JOIN lineage_words w ON w.id = a.name LEFT JOIN lineage_values v ON typeof(a.value) = 'integer' AND v.id = a.value
       WHERE a.node IN (SELECT value FROM json_each(?))`,
      JSON.stringify(keys),
    );
  }

  names(datasets: readonly number[]): NameRow[] {
    return this.db.all<NameRow>(
      'SELECT dataset, namespace, name, rule, position FROM lineage_names WHERE dataset IN (SELECT value FROM json_each(?)) ORDER BY dataset, namespace, name',
      JSON.stringify(datasets),
    );
  }

  edges(
    direction: Direction,
    keys: readonly number[],
    limitPerNode: number,
  ): { rows: EdgeRow[]; hubs: number[] } {
    if (keys.length === 0) return { rows: [], hubs: [] };
    const side = direction === 'up' ? 'dst' : 'src';
    const edgesOf = `SELECT ${edgeColumns} FROM json_each(?) j CROSS JOIN lineage_edges e ON e.${side} = j.value LIMIT ?`;
    const list = JSON.stringify(keys);
    const all = this.db.tuples<EdgeTuple>(edgesOf, list, limitPerNode + 1);
    // So few in all that no node can have too many.
    if (all.length <= limitPerNode)
      return { rows: all.map((row) => toEdge(row, this.#wordOf)), hubs: [] };
    const degrees = this.db.tuples<readonly [key: number, count: number]>(
      `SELECT value, (SELECT count(*) FROM (SELECT 1 FROM lineage_edges WHERE ${side} = value LIMIT ?)) FROM json_each(?)`,
      limitPerNode + 1,
      list,
    );
    const few = degrees.flatMap(([key, count]) => (count <= limitPerNode ? [key] : []));
    const rows = this.db.tuples<EdgeTuple>(edgesOf, JSON.stringify(few), everyRow);
    const hubs = degrees.flatMap(([key, count]) => (count > limitPerNode ? [key] : []));
    return { rows: rows.map((row) => toEdge(row, this.#wordOf)), hubs };
  }

  edgesOut(relation: Relation, keys: readonly number[]): EdgeRow[] {
    return this.db
      .tuples<EdgeTuple>(
        `SELECT ${edgeColumns} FROM json_each(?) j CROSS JOIN lineage_edges e ON e.src = j.value WHERE e.relation = ?`,
        JSON.stringify(keys),
        relations[relation].code,
      )
      .map((row) => toEdge(row, this.#wordOf));
  }

  countEdges(direction: Direction, key: number): number {
    const sql =
      direction === 'up'
        ? 'SELECT count(*) AS n FROM lineage_edges WHERE dst = ?'
        : 'SELECT count(*) AS n FROM lineage_edges WHERE src = ?';
    return this.db.get<{ n: number }>(sql, key)?.n ?? 0;
  }

  runEvents(runs: readonly number[]): RunEventRow[] {
    return this.db
      .tuples<RunEventTuple>(
        'SELECT run, time, state, streaming, position FROM lineage_run_events WHERE run IN (SELECT value FROM json_each(?))',
        JSON.stringify(runs),
      )
      .map(toRunEvent);
  }

  usesOfRuns(runs: readonly number[], options: RunUsesQuery = {}): DatasetUseRow[] {
    const { use, withAttributes = false } = options;
    const columns = withAttributes ? useColumnsWithAttributes : useColumnsPlain;
    return this.db
      .tuples<UseTuple>(
        `SELECT ${columns} FROM json_each(?) j CROSS JOIN lineage_uses u ON u.run = j.value WHERE u.use BETWEEN ? AND ?`,
        JSON.stringify(runs),
        use === 'write' ? 1 : 0,
        use === 'read' ? 0 : 1,
      )
      .map((row) => toUse(row, this.#wordOf));
  }

  usesOfDatasets(
    use: 'read' | 'write',
    datasets: readonly number[],
    options: UsesQuery,
  ): DatasetUseRow[] {
    return this.db
      .tuples<UseTuple>(
        `SELECT ${options.withAttributes ? useColumnsWithAttributes : useColumnsPlain} FROM json_each(?) j
         CROSS JOIN lineage_uses u ON u.dataset = j.value AND u.use = ? AND u.time >= ? AND u.time < ? ORDER BY u.time DESC, u.run, u.version LIMIT ?`,
        JSON.stringify(datasets),
        use === 'read' ? 0 : 1,
        options.from ?? Number.MIN_SAFE_INTEGER,
        options.to ?? Number.MAX_SAFE_INTEGER,
        options.limit,
      )
      .map((row) => toUse(row, this.#wordOf));
  }

  readsOfSpans(
    spans: readonly ReadSpan[],
    limit: number,
  ): { readonly span: number; readonly use: DatasetUseRow }[] {
    const parts = spans.flatMap(({ datasets, from, to }, span) =>
      datasets.map((dataset) => [span, dataset, from, to ?? Number.MAX_SAFE_INTEGER]),
    );
    return this.db
      .tuples<[...UseTuple, number]>(
        `SELECT ${useColumnsPlain}, j.value ->> 0 AS span FROM json_each(?) j
         CROSS JOIN lineage_uses u ON u.dataset = j.value ->> 1 AND u.use = 0 AND u.time >= j.value ->> 2 AND u.time < j.value ->> 3
         ORDER BY span, u.time DESC, u.run, u.version LIMIT ?`,
        JSON.stringify(parts),
        limit,
      )
      .map((row) => ({ span: row[14], use: toUse(row, this.#wordOf) }));
  }

  countUsesOfDatasets(
    use: 'read' | 'write',
    datasets: readonly number[],
    span: Pick<UsesQuery, 'from' | 'to'> = {},
  ): number {
    const row = this.db.get<{ count: number }>(
      `SELECT count(*) AS count FROM json_each(?) j
       CROSS JOIN lineage_uses u ON u.dataset = j.value AND u.use = ? AND u.time >= ? AND u.time < ?`,
      JSON.stringify(datasets),
      use === 'read' ? 0 : 1,
      span.from ?? Number.MIN_SAFE_INTEGER,
      span.to ?? Number.MAX_SAFE_INTEGER,
    );
    return row?.count ?? 0;
  }

  usesOfVersions(versions: readonly number[], limit: number): DatasetUseRow[] {
    return this.db
      .tuples<UseTuple>(
        `SELECT ${useColumnsPlain} FROM json_each(?) j CROSS JOIN lineage_uses u ON u.version > 0 AND u.version = j.value LIMIT ?`,
        JSON.stringify(versions),
        limit,
      )
      .map((row) => toUse(row, this.#wordOf));
  }

  drops(datasets: readonly number[]): { dataset: number; time: number; position: number }[] {
    return this.db.all(
      'SELECT dataset, time, position FROM lineage_drops WHERE dataset IN (SELECT value FROM json_each(?))',
      JSON.stringify(datasets),
    );
  }

  columns(direction: Direction, fields: readonly number[]): ColumnRow[] {
    const side = direction === 'up' ? 'dst' : 'src';
    return this.db
      .tuples<ColumnTuple>(
        `SELECT ${columnColumns} FROM lineage_columns c WHERE c.${side} IN (SELECT value FROM json_each(?))`,
        JSON.stringify(fields),
      )
      .map((row) => toColumn(row, this.#wordOf));
  }

  columnsVia(vias: readonly number[]): ColumnRow[] {
    return this.db
      .tuples<ColumnTuple>(
        `SELECT ${columnColumns} FROM lineage_columns c WHERE c.via IN (SELECT value FROM json_each(?))`,
        JSON.stringify(vias),
      )
      .map((row) => toColumn(row, this.#wordOf));
  }

  flowsVia(vias: readonly number[]): FlowRow[] {
    return this.db.all<FlowRow>(
      'SELECT via, output, nullif(input, 0) AS input, time, position FROM lineage_flows WHERE via IN (SELECT value FROM json_each(?))',
      JSON.stringify(vias),
    );
  }

  merges(keys: readonly number[]): MergeRow[] {
    return mergesOf(this.db, keys);
  }

  findStatement(id: string): (StatementRow & { readonly ref: string }) | undefined {
    return findStatement(this.db, id);
  }

  superseded(statements: readonly string[]): SupersededRow[] {
    return supersededOf(this.db, statements);
  }

  sameContent(versions: readonly number[], limit: number): SameContentRow[] {
    return this.db.all<SameContentRow>(
      `SELECT mine.version AS version, other.version AS same, max(mine.position, other.position) AS position
       FROM json_each(?) j CROSS JOIN lineage_digests mine ON mine.version = j.value
       JOIN lineage_digests other ON other.digest = mine.digest AND other.version <> mine.version LIMIT ?`,
      JSON.stringify(versions),
      limit,
    );
  }

  declarations(side: 'job' | 'dataset', keys: readonly number[]): DeclarationRow[] {
    return this.db
      .all<Omit<DeclarationRow, 'use'> & { use: number }>(
        `SELECT job, dataset, use, time, position, recorded_time AS recordedTime FROM lineage_declarations WHERE ${side} IN (SELECT value FROM json_each(?))`,
        JSON.stringify(keys),
      )
      .map((row) => ({ ...row, use: row.use === 0 ? 'read' : 'write' }));
  }

  declarationTimes(jobs: readonly number[]): { job: number; time: number; position: number }[] {
    return this.db.all(
      'SELECT job, time, position FROM lineage_declaration_times WHERE job IN (SELECT value FROM json_each(?))',
      JSON.stringify(jobs),
    );
  }

  statements(keys: readonly number[]): StatementRow[] {
    return statementsAbout(this.db, keys);
  }

  findEventKey(workspace: string, key: string): boolean {
    return (
      this.db.getApart(
        'SELECT 1 FROM lineage_event_keys WHERE workspace = ? AND key = ?',
        workspace,
        key,
      ) !== undefined
    );
  }

  countNodes(): Partial<Record<EntityKind, number>> {
    const rows = this.db.all<{ kind: number; count: number }>(
      'SELECT kind, count FROM lineage_counts ORDER BY kind',
    );
    return Object.fromEntries(rows.map(({ kind, count }) => [kindOfCode(kind), count]));
  }
}
