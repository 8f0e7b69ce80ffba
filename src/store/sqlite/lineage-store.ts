import { entityKinds } from '../../facts/kinds.ts';
import { knownLevels, relations } from '../../facts/relations.ts';
import type { GraphChanges } from '../../lineage/index.ts';
import type {
  AttributeRow,
  ColumnRow,
  DatasetUseRow,
  DeclarationRow,
  FlowRow,
  LineageStore,
  MergeRow,
  NewEdge,
  NewNode,
  RunEventRow,
  StatementRow,
  SupersededRow,
  ToldAt,
} from '../../lineage/store.ts';
import { BoundedMap } from './cache.ts';
import { type Database, rowInsert } from './database.ts';
import { putFormerRef, putMerge, wholeTime } from './lineage-names.ts';
import { SqliteLineageReader } from './lineage-reader.ts';
import { refIs, writeModes } from './lineage-rows.ts';
import { putSuperseded } from './lineage-statements.ts';
import { LineageTexts } from './lineage-texts.ts';

const attributeRows = rowInsert(
  'INSERT INTO lineage_attributes (node, name, value, time, first_time, position) VALUES',
  6,
  'ON CONFLICT DO UPDATE SET time = max(time, excluded.time), first_time = min(first_time, excluded.first_time)',
);
const edgeRows = rowInsert(
  'INSERT INTO lineage_edges (dst, src, relation, role, known, rule, position, last_position, recorded_time, valid_from, valid_to, valid_to_position) VALUES',
  12,
  `ON CONFLICT DO UPDATE SET last_position = excluded.position, valid_from = min(valid_from, excluded.valid_from),
    valid_to = coalesce(min(valid_to, excluded.valid_to), valid_to, excluded.valid_to),
    valid_to_position = coalesce(valid_to_position, excluded.valid_to_position)`,
);
const runEventRows = rowInsert(
  'INSERT INTO lineage_run_events (run, time, state, streaming, position) VALUES',
  5,
  'ON CONFLICT DO NOTHING',
);
const useRows = rowInsert(
  `INSERT INTO lineage_uses (run, use, dataset, version, role, rule, known, named, mode, attributes, attributes_time, time, position, last_position, recorded_time) VALUES`,
  15,
  `ON CONFLICT DO UPDATE SET last_position = excluded.position, time = min(time, excluded.time), mode = max(mode, excluded.mode), named = max(named, excluded.named),
         attributes = CASE WHEN excluded.attributes IS NOT NULL AND (attributes IS NULL OR excluded.attributes_time > attributes_time
           OR (excluded.attributes_time = attributes_time AND excluded.attributes > attributes)) THEN excluded.attributes ELSE attributes END,
         attributes_time = CASE WHEN excluded.attributes IS NULL THEN attributes_time ELSE max(attributes_time, excluded.attributes_time) END`,
);
const columnRows = rowInsert(
  'INSERT INTO lineage_columns (dst, src, via, how, known, rule, time, position, recorded_time) VALUES',
  9,
  'ON CONFLICT DO UPDATE SET time = min(time, excluded.time)',
);

/** The graph's writes. Every statement commutes with the others: first position, last position, newest time win. */
export class SqliteLineageStore extends SqliteLineageReader implements LineageStore {
  readonly #changes: GraphChanges;
  readonly #nodes = new BoundedMap<string, number>();
  /** Nodes made in this transaction, by kind. */
  readonly #counts = new Map<number, number>();
  /** Whether any ref was ever given up; undefined until it is asked for. */
  #renamed: boolean | undefined;
  /** Nodes whose constant attributes are written. */
  readonly #described = new BoundedMap<number, boolean>(10_000);
  readonly #texts: LineageTexts;

  /** @param changes is told which nodes each write touches. */
  constructor(db: Database, changes: GraphChanges) {
    super(db);
    this.#changes = changes;
    this.#texts = new LineageTexts(db);
  }

  reset(): void {
    this.#counts.clear();
    this.#renamed = undefined;
    this.#nodes.clear();
    this.#texts.reset();
    this.#described.clear();
  }

  cachedNode(ref: string): number | undefined {
    return this.#nodes.get(ref);
  }

  isDescribed(node: number): boolean {
    return this.#described.get(node) === true;
  }

  setDescribed(node: number): void {
    this.#described.set(node, true);
  }

  ensureNode(node: NewNode): { key: number; isNew: boolean } {
    const cached = this.#nodes.get(node.ref) ?? this.#formerNode(node.ref);
    const made = cached === undefined ? this.#insertNode(node) : undefined;
    const key = cached ?? made ?? this.#nodeKey(node.ref);
    if (key === undefined) throw new Error(`node ${node.ref} is neither new nor known`);
    this.#nodes.set(node.ref, key);
    return { key, isNew: made !== undefined };
  }

  #nodeKey(ref: string): number | undefined {
    return this.db.getApart<{ key: number }>(`SELECT key FROM lineage_nodes WHERE ${refIs}`, ref)
      ?.key;
  }

  /** A ref that was given up by a rename, as long as nothing new took it. */
  #formerNode(ref: string): number | undefined {
    this.#renamed ??= this.db.getApart('SELECT 1 FROM lineage_former_refs LIMIT 1') !== undefined;
    if (!this.#renamed) return undefined;
    return (
      this.#nodeKey(ref) ??
      this.db.get<{ node: number }>(
        'SELECT node FROM lineage_former_refs WHERE ref = ? ORDER BY until DESC LIMIT 1',
        ref,
      )?.node
    );
  }

  /** Key of the new node; undefined when the ref is taken. */
  #insertNode(node: NewNode): number | undefined {
    const kind = entityKinds[node.kind].code;
    const { changes, lastInsertRowid } = this.db.runApart(
      'INSERT INTO lineage_nodes (kind, ref, name, parent, position) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      kind,
      node.ref,
      node.name,
      node.parent,
      node.position,
    );
    if (changes === 0) return undefined;
    // Answers remember of a dataset whether it has columns.
    if (node.kind === 'field' && node.parent !== null)
      this.#changes.touch(node.position, node.parent);
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    return lastInsertRowid;
  }

  /** Writes what was gathered over the transaction; called before it commits. */
  flush(): void {
    for (const [kind, count] of this.#counts) {
      this.db.run(
        'INSERT INTO lineage_counts (kind, count) VALUES (?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count',
        kind,
        count,
      );
    }
    this.#counts.clear();
  }

  putAttribute(row: Omit<AttributeRow, 'firstTime'>): void {
    this.#changes.touch(row.position, row.node);
    const time = Math.trunc(row.time);
    this.db.gather(
      attributeRows,
      row.node,
      this.#texts.word(row.name),
      this.#texts.value(row.value),
      time,
      time,
      row.position,
    );
  }

  putName(dataset: number, namespace: string, name: string, rule: string, position: number): void {
    this.#changes.touch(position, dataset);
    this.db.runApart(
      'INSERT INTO lineage_names (dataset, namespace, name, rule, position) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      dataset,
      namespace,
      name,
      rule,
      position,
    );
  }

  putEdge(row: NewEdge): void {
    this.#changes.touch(row.position, row.from);
    this.#changes.touch(row.position, row.to);
    this.db.gather(
      edgeRows,
      row.to,
      row.from,
      relations[row.relation].code,
      this.#texts.word(row.role),
      knownLevels.indexOf(row.known),
      this.#texts.word(row.rule),
      row.position,
      row.position,
      row.recordedTime,
      Math.trunc(row.validFrom),
      wholeTime(row.validTo),
      row.validTo === null ? null : row.position,
    );
  }

  putRunEvent(row: RunEventRow): void {
    this.#changes.touch(row.position, row.run);
    this.db.gather(
      runEventRows,
      row.run,
      Math.trunc(row.time),
      row.state,
      row.streaming ? 1 : 0,
      row.position,
    );
  }

  putUse(row: Omit<DatasetUseRow, 'lastPosition'>): void {
    this.#changes.touch(row.position, row.run);
    this.#changes.touch(row.position, row.dataset);
    if (row.version !== null) this.#changes.touch(row.position, row.version);
    this.db.gather(
      useRows,
      row.run,
      row.use === 'read' ? 0 : 1,
      row.dataset,
      row.version ?? 0,
      this.#texts.word(row.role),
      this.#texts.word(row.rule),
      knownLevels.indexOf(row.known),
      row.named ? 1 : 0,
      writeModes.indexOf(row.mode),
      row.attributes === null ? null : this.#texts.value(row.attributes),
      row.attributes === null ? 0 : Math.trunc(row.time),
      Math.trunc(row.time),
      row.position,
      row.position,
      row.recordedTime,
    );
  }

  putColumn(row: ColumnRow): void {
    this.db.gather(
      columnRows,
      row.to,
      row.from,
      row.via,
      this.#texts.word(row.how),
      knownLevels.indexOf(row.known),
      this.#texts.word(row.rule),
      Math.trunc(row.time),
      row.position,
      row.recordedTime,
    );
  }

  putFlow(row: FlowRow): void {
    this.#changes.touch(row.position, row.via);
    this.db.run(
      'INSERT INTO lineage_flows (via, output, input, time, position) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      row.via,
      row.output,
      row.input ?? 0,
      Math.trunc(row.time),
      row.position,
    );
  }

  putMerge(row: MergeRow): void {
    this.#changes.touchAll(row.position);
    putMerge(this.db, row);
  }

  putSuperseded(row: Omit<SupersededRow, 'ref' | 'byRef'>): void {
    this.#changes.touchAll(row.position);
    putSuperseded(this.db, row);
  }

  putDrop(dataset: number, time: number, position: number): void {
    this.#changes.touch(position, dataset);
    this.db.run(
      'INSERT INTO lineage_drops (dataset, time, position) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      dataset,
      Math.trunc(time),
      position,
    );
  }

  putDeclaration(row: DeclarationRow): void {
    this.db.run(
      'INSERT INTO lineage_declarations (job, dataset, use, time, position, recorded_time) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      row.job,
      row.dataset,
      row.use === 'read' ? 0 : 1,
      Math.trunc(row.time),
      row.position,
      row.recordedTime,
    );
  }

  putDeclarationTime(job: number, time: number, position: number): void {
    this.db.run(
      'INSERT INTO lineage_declaration_times (job, time, position) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      job,
      Math.trunc(time),
      position,
    );
  }

  putDeletion(node: number, time: number, position: number): void {
    this.#changes.touch(position, node);
    this.db.run(
      'UPDATE lineage_nodes SET deleted_time = ?, deleted_position = ? WHERE key = ?',
      Math.trunc(time),
      position,
      node,
    );
  }

  putRestoration(node: number, position: number): void {
    this.#changes.touch(position, node);
    this.db.run(
      'UPDATE lineage_nodes SET deleted_time = NULL, deleted_position = NULL WHERE key = ?',
      node,
    );
  }

  rename(node: number, ref: string, name: string, { time, position }: ToldAt): void {
    this.#changes.touchAll(position);
    const before = this.db.get<{ ref: string; name: string }>(
      'SELECT ref, name FROM lineage_nodes WHERE key = ?',
      node,
    );
    if (!before || before.ref === ref) return;
    putFormerRef(this.db, { ...before, node, until: time, position });
    this.#renamed = true;
    this.db.run(
      'UPDATE lineage_nodes SET origin_ref = coalesce(origin_ref, ref), ref = ?, name = ? WHERE key = ?',
      ref,
      name,
      node,
    );
    this.#nodes.clear();
  }

  putStatement(row: StatementRow): void {
    this.#changes.touch(row.position, row.node);
    this.db.run(
      'INSERT INTO lineage_statements (id, node, type, body, time, position) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      row.id,
      row.node,
      row.type,
      row.body,
      Math.trunc(row.time),
      row.position,
    );
  }

  putEventKey(workspace: string, key: string): void {
    this.db.runApart(
      'INSERT INTO lineage_event_keys (workspace, key) VALUES (?, ?) ON CONFLICT DO NOTHING',
      workspace,
      key,
    );
  }

  putDigest(version: number, digest: string, position: number): void {
    this.db.runApart(
      'INSERT INTO lineage_digests (digest, version, position) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      digest,
      version,
      position,
    );
  }
}
