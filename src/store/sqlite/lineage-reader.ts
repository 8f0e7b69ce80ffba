import type { RunState, WriteMode } from '../../facts/facts.ts';
import { type EntityKind, entityKinds, kindOfCode } from '../../facts/kinds.ts';
import { type Known, knownLevels, relationOfCode } from '../../facts/relations.ts';
import type {
  AttributeRow,
  ColumnRow,
  DatasetUseRow,
  DeclarationRow,
  Direction,
  EdgeRow,
  LineageReader,
  MergeRow,
  NameRow,
  NodeRow,
  RunEventRow,
  StatementRow,
  UsesQuery,
} from '../../lineage/store.ts';
import { BoundedMap } from './cache.ts';
import type { Database } from './database.ts';

export const writeModes: readonly WriteMode[] = ['unknown', 'append', 'replace'];

interface NodeSql {
  key: number;
  kind: number;
  ref: string;
  origin_ref: string | null;
  parent: number | null;
  name: string;
  position: number;
  deleted_time: number | null;
  deleted_position: number | null;
}

const nodeColumns =
  'key, kind, ref, origin_ref, parent, name, position, deleted_time, deleted_position';

const toNode = (row: NodeSql): NodeRow => ({
  key: row.key,
  kind: kindOfCode(row.kind),
  ref: row.ref,
  originRef: row.origin_ref ?? row.ref,
  parent: row.parent,
  name: row.name,
  position: row.position,
  deletedTime: row.deleted_time,
  deletedPosition: row.deleted_position,
});

const knownOf = (code: number): Known => knownLevels[code] ?? 'inferred';

type Coded<Row, Key extends keyof Row> = Omit<Row, Key> & Record<Key, number>;
type UseSql = Coded<
  DatasetUseRow,
  'use' | 'version' | 'named' | 'mode' | 'known' | 'role' | 'rule'
>;
type EdgeSql = Coded<EdgeRow, 'relation' | 'known' | 'role' | 'rule'>;
type ColumnSql = Coded<ColumnRow, 'known' | 'how' | 'rule'>;

/** Words are looked up in memory: a row of `role` and `rule` holds their numbers. */
const useColumns = `u.run, u.use, u.dataset, u.version, u.named, u.mode, u.known, u.role, u.rule,
  u.time, u.position, u.last_position AS lastPosition, u.recorded_time AS recordedTime`;
const withoutAttributes = `${useColumns}, NULL AS attributes`;
const withAttributes = `${useColumns},
  CASE typeof(u.attributes) WHEN 'integer' THEN (SELECT value FROM lineage_values WHERE id = u.attributes) ELSE u.attributes END AS attributes`;

const edgeColumns = `e.src AS "from", e.dst AS "to", e.relation, e.known, e.role, e.rule,
  e.position, e.last_position AS lastPosition, e.recorded_time AS recordedTime, e.valid_from AS validFrom, e.valid_to AS validTo, e.valid_to_position AS validToPosition`;

const columnColumns = `c.src AS "from", c.dst AS "to", c.via, c.known, c.how, c.rule,
  c.time, c.position, c.recorded_time AS recordedTime`;

/** The graph's queries over one connection. Lists of keys go in as JSON, so that statements are few. */
export class SqliteLineageReader implements LineageReader {
  protected readonly db: Database;

  /** Words by number. They are only ever added, so a reader may remember them over snapshots. */
  readonly #wordTexts = new BoundedMap<number, string>(10_000);

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

  #toUse(row: UseSql): DatasetUseRow {
    return {
      ...row,
      use: row.use === 0 ? 'read' : 'write',
      version: row.version === 0 ? null : row.version,
      named: row.named === 1,
      mode: writeModes[row.mode] ?? 'unknown',
      known: knownOf(row.known),
      role: this.#text(row.role),
      rule: this.#text(row.rule),
    };
  }

  #toEdge(row: EdgeSql): EdgeRow {
    return {
      ...row,
      relation: relationOfCode(row.relation),
      known: knownOf(row.known),
      role: this.#text(row.role),
      rule: this.#text(row.rule),
    };
  }

  #toColumn(row: ColumnSql): ColumnRow {
    return {
      ...row,
      known: knownOf(row.known),
      how: this.#text(row.how),
      rule: this.#text(row.rule),
    };
  }

  findNode(ref: string): NodeRow | undefined {
    const row =
      this.db.get<NodeSql>(`SELECT ${nodeColumns} FROM lineage_nodes WHERE ref = ?`, ref) ??
      this.db.get<NodeSql>(
        `SELECT ${nodeColumns} FROM lineage_nodes WHERE key = (SELECT node FROM lineage_former_refs WHERE ref = ? ORDER BY until DESC LIMIT 1)`,
        ref,
      );
    return row && toNode(row);
  }

  findNodesByName(
    name: string,
    options: { kind?: EntityKind | undefined; prefix?: boolean; limit: number },
  ): NodeRow[] {
    const kind = options.kind === undefined ? -1 : entityKinds[options.kind].code;
    const rows = this.db.all<NodeSql>(
      `SELECT ${nodeColumns} FROM lineage_nodes WHERE name >= ? AND name <= ? AND (? = -1 OR kind = ?) ORDER BY name, ref LIMIT ?`,
      name,
      options.prefix ? `${name}\u{10FFFF}` : name,
      kind,
      kind,
      options.limit,
    );
    return rows.map(toNode);
  }

  findNodesBySuffix(suffix: string, options: { kind: EntityKind; limit: number }): NodeRow[] {
    const rows = this.db.all<NodeSql>(
      `SELECT * FROM (SELECT ${nodeColumns} FROM lineage_nodes WHERE kind = ? LIMIT ?) WHERE substr(name, -length(?)) = ? ORDER BY ref LIMIT 100`,
      entityKinds[options.kind].code,
      options.limit,
      suffix,
      suffix,
    );
    return rows.map(toNode);
  }

  nodes(keys: readonly number[]): NodeRow[] {
    if (keys.length === 0) return [];
    return this.db
      .all<NodeSql>(
        `SELECT ${nodeColumns} FROM lineage_nodes WHERE key IN (SELECT value FROM json_each(?))`,
        JSON.stringify(keys),
      )
      .map(toNode);
  }

  children(parents: readonly number[], kind: EntityKind, limit: number): NodeRow[] {
    return this.db
      .all<NodeSql>(
        `SELECT ${nodeColumns} FROM lineage_nodes WHERE parent IN (SELECT value FROM json_each(?)) AND kind = ? ORDER BY ref LIMIT ?`,
        JSON.stringify(parents),
        entityKinds[kind].code,
        limit,
      )
      .map(toNode);
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
    const degrees = this.db.all<{ key: number; count: number }>(
      `SELECT value AS key, (SELECT count(*) FROM (SELECT 1 FROM lineage_edges WHERE ${side} = value LIMIT ?)) AS count FROM json_each(?)`,
      limitPerNode + 1,
      JSON.stringify(keys),
    );
    const few = degrees.filter(({ count }) => count > 0 && count <= limitPerNode);
    const rows = this.db.all<EdgeSql>(
      `SELECT ${edgeColumns} FROM json_each(?) j CROSS JOIN lineage_edges e ON e.${side} = j.value`,
      JSON.stringify(few.map(({ key }) => key)),
    );
    const hubs = degrees.filter(({ count }) => count > limitPerNode).map(({ key }) => key);
    return { rows: rows.map((row) => this.#toEdge(row)), hubs };
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
      .all<Omit<RunEventRow, 'streaming'> & { streaming: number; state: RunState }>(
        'SELECT run, time, state, streaming, position FROM lineage_run_events WHERE run IN (SELECT value FROM json_each(?))',
        JSON.stringify(runs),
      )
      .map((row) => ({ ...row, streaming: row.streaming === 1 }));
  }

  usesOfRuns(runs: readonly number[], attributes = false): DatasetUseRow[] {
    return this.db
      .all<UseSql>(
        `SELECT ${attributes ? withAttributes : withoutAttributes} FROM json_each(?) j CROSS JOIN lineage_uses u ON u.run = j.value`,
        JSON.stringify(runs),
      )
      .map((row) => this.#toUse(row));
  }

  usesOfDatasets(
    use: 'read' | 'write',
    datasets: readonly number[],
    options: UsesQuery,
  ): DatasetUseRow[] {
    return this.db
      .all<UseSql>(
        `SELECT ${options.withAttributes ? withAttributes : withoutAttributes} FROM json_each(?) j
         CROSS JOIN lineage_uses u ON u.dataset = j.value AND u.use = ? AND u.time >= ? AND u.time < ? ORDER BY u.time DESC LIMIT ?`,
        JSON.stringify(datasets),
        use === 'read' ? 0 : 1,
        options.from ?? Number.MIN_SAFE_INTEGER,
        options.to ?? Number.MAX_SAFE_INTEGER,
        options.limit,
      )
      .map((row) => this.#toUse(row));
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
      .all<UseSql>(
        `SELECT ${withoutAttributes} FROM json_each(?) j CROSS JOIN lineage_uses u ON u.version > 0 AND u.version = j.value LIMIT ?`,
        JSON.stringify(versions),
        limit,
      )
      .map((row) => this.#toUse(row));
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
      .all<ColumnSql>(
        `SELECT ${columnColumns} FROM lineage_columns c WHERE c.${side} IN (SELECT value FROM json_each(?))`,
        JSON.stringify(fields),
      )
      .map((row) => this.#toColumn(row));
  }

  columnsVia(vias: readonly number[]): ColumnRow[] {
    return this.db
      .all<ColumnSql>(
        `SELECT ${columnColumns} FROM lineage_columns c WHERE c.via IN (SELECT value FROM json_each(?))`,
        JSON.stringify(vias),
      )
      .map((row) => this.#toColumn(row));
  }

  merges(keys: readonly number[]): MergeRow[] {
    const list = JSON.stringify(keys);
    return this.db.all<MergeRow>(
      `SELECT a, b, rule, time, position FROM lineage_merges WHERE a IN (SELECT value FROM json_each(?))
       UNION SELECT a, b, rule, time, position FROM lineage_merges WHERE b IN (SELECT value FROM json_each(?))`,
      list,
      list,
    );
  }

  sameContent(
    versions: readonly number[],
  ): { version: number; same: number; digest: string; position: number }[] {
    return this.db.all(
      `SELECT mine.version AS version, other.version AS same, mine.digest AS digest, max(mine.position, other.position) AS position
       FROM lineage_digests mine JOIN lineage_digests other ON other.digest = mine.digest AND other.version <> mine.version
       WHERE mine.version IN (SELECT value FROM json_each(?)) LIMIT 1000`,
      JSON.stringify(versions),
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
    return this.db.all<StatementRow>(
      'SELECT id, node, type, body, time, position FROM lineage_statements WHERE node IN (SELECT value FROM json_each(?)) ORDER BY time, id',
      JSON.stringify(keys),
    );
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
