import { limits } from '../../base/limits.ts';
import { serveOthers } from '../../base/slices.ts';
import { type EntityKind, entityKinds } from '../../facts/kinds.ts';
import type { AsOf, FormerRefRow, MergeRow, NodeRow } from '../../lineage/store.ts';
import type { Database } from './database.ts';
import { type NodeTuple, nodeColumns, refIs, toNode } from './lineage-rows.ts';
import { afterAt, nameGroup } from './lineage-schema.ts';

/** As `LineageReader.findNode`. */
export function findNode(db: Database, ref: string, asOf?: AsOf): NodeRow | undefined {
  const then = asOf && formerNodes(db, { column: 'ref', text: ref }, { ...asOf, limit: 1 })[0];
  if (then !== undefined) return then;
  const [row] = db.tuples<NodeTuple>(
    `SELECT ${nodeColumns} FROM lineage_nodes WHERE ${refIs}`,
    ref,
  );
  const [former] =
    row !== undefined
      ? []
      : db.tuples<NodeTuple>(
          `SELECT ${nodeColumns} FROM lineage_nodes WHERE key = (SELECT node FROM lineage_former_refs WHERE ref = ? ORDER BY position DESC LIMIT 1)`,
          ref,
        );
  const found = row ?? former;
  return found && toNode(found);
}

/** Of any kind, in the order of the index. */
const nodesByName = `SELECT ${nodeColumns} FROM lineage_nodes
  WHERE ${nameGroup} = '' AND name >= ?1 AND name <= ?2 ORDER BY name, ref LIMIT ?3`;
/** Versions, for a text that has their `@`. */
const versionsByName = `SELECT ${nodeColumns} FROM lineage_nodes
  WHERE ${nameGroup} >= ${afterAt('?1')} AND ${nameGroup} <= ${afterAt('?2')} AND ${nameGroup} > ''
    AND name >= ?1 AND name <= ?2 ORDER BY name, ref LIMIT ?3`;
/** Of one kind, among the first names: others may have the beginning by the million. */
const nodesOfKindByName = `SELECT * FROM (SELECT ${nodeColumns} FROM lineage_nodes
  WHERE ${nameGroup} = '' AND name >= ?1 AND name <= ?2 ORDER BY name LIMIT ?4)
  WHERE kind = ?5 ORDER BY name, ref LIMIT ?3`;
const nodesByVersion = `SELECT ${nodeColumns} FROM lineage_nodes
  WHERE ${afterAt('ref')} >= ?1 AND ${afterAt('ref')} <= ?2 AND kind = ?3
  ORDER BY ${afterAt('ref')}, ref LIMIT ?4`;
const nodesBySuffix = `SELECT ${nodeColumns} FROM lineage_nodes
  WHERE key > ? AND key <= ? AND kind = ? AND substr(name, -length(?)) = ?`;

/** Nodes that one suffix finds at most. */
const suffixesMax = 100;

/** As `LineageReader.findNodesByName`. */
export function findNodesByName(
  db: Database,
  name: string,
  options: { kind?: EntityKind | undefined; prefix?: boolean; limit: number },
): NodeRow[] {
  const { limit } = options;
  const last = options.prefix ? `${name}\u{10FFFF}` : name;
  if (options.kind !== undefined) {
    const kind = entityKinds[options.kind].code;
    return db
      .tuples<NodeTuple>(nodesOfKindByName, name, last, limit, limits.namesOfOtherKindsMax, kind)
      .map(toNode);
  }
  const texts = name.includes('@') ? [nodesByName, versionsByName] : [nodesByName];
  const rows = texts.flatMap((sql) => db.tuples<NodeTuple>(sql, name, last, limit));
  return rows.slice(0, limit).map(toNode);
}

/** As `LineageReader.findNodesByVersion`. */
export function findNodesByVersion(
  db: Database,
  beginning: string,
  { kind, limit }: { readonly kind: EntityKind; readonly limit: number },
): NodeRow[] {
  const last = `${beginning}\u{10FFFF}`;
  return db
    .tuples<NodeTuple>(nodesByVersion, beginning, last, entityKinds[kind].code, limit)
    .map(toNode);
}

/** As `LineageReader.findNodesBySuffix`. */
export async function findNodesBySuffix(
  db: Database,
  suffix: string,
  { kind, limit }: { readonly kind: EntityKind; readonly limit: number },
): Promise<NodeRow[]> {
  const [newest] = db.tuples<readonly [number | null]>('SELECT max(key) FROM lineage_nodes');
  const end = Math.min(newest?.[0] ?? 0, limit);
  const found: NodeRow[] = [];
  for (let from = 0; from < end; from += limits.namesReadAtOnce) {
    if (from > 0) await serveOthers();
    const to = from + limits.namesReadAtOnce;
    const { code } = entityKinds[kind];
    const rows = db.tuples<NodeTuple>(nodesBySuffix, from, to, code, suffix, suffix);
    found.push(...rows.map(toNode));
  }
  return found.sort((a, b) => (a.ref < b.ref ? -1 : 1)).slice(0, suffixesMax);
}

/** Nodes whose ref or name was the text at the moment: the first that they gave up after it. */
export function formerNodes(
  db: Database,
  { column, text }: { readonly column: 'ref' | 'name'; readonly text: string },
  { position, at, limit }: AsOf & { readonly limit: number },
): NodeRow[] {
  return db
    .tuples<NodeTuple>(
      `SELECT ${nodeColumns} FROM lineage_nodes WHERE key IN (
         SELECT f.node FROM lineage_former_refs f WHERE f.${column} = ?1 AND f.number =
           (SELECT min(later.number) FROM lineage_former_refs later
            WHERE later.node = f.node AND (later.position > ?2 OR later.until > ?3))
         ORDER BY f.position LIMIT ?4)`,
      text,
      position,
      at ?? null,
      limit,
    )
    .map(toNode);
}

/** What the nodes were called before, oldest first. */
export function formerRefs(db: Database, keys: readonly number[]): FormerRefRow[] {
  return db.all<FormerRefRow>(
    'SELECT node, number, ref, name, until, position FROM lineage_former_refs WHERE node IN (SELECT value FROM json_each(?)) ORDER BY node, number',
    JSON.stringify(keys),
  );
}

/** What joins or parts the names, from either side. */
export function mergesOf(db: Database, keys: readonly number[]): MergeRow[] {
  const list = JSON.stringify(keys);
  const columns =
    'a, b, rule, statement, apart, valid_from AS validFrom, valid_to AS validTo, position';
  return db
    .all<Omit<MergeRow, 'apart'> & { apart: number }>(
      `SELECT ${columns} FROM lineage_merges WHERE a IN (SELECT value FROM json_each(?))
       UNION SELECT ${columns} FROM lineage_merges WHERE b IN (SELECT value FROM json_each(?))`,
      list,
      list,
    )
    .map((row) => ({ ...row, apart: row.apart === 1 }));
}

/** Columns of times hold whole ms. */
export const wholeTime = (time: number | null): number | null =>
  time === null ? null : Math.trunc(time);

/** Writes what joins or parts two names. */
export function putMerge(db: Database, row: MergeRow): void {
  db.runApart(
    `INSERT INTO lineage_merges (a, b, rule, statement, apart, valid_from, valid_to, position) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET valid_from = min(valid_from, excluded.valid_from)`,
    row.a,
    row.b,
    row.rule,
    row.statement,
    row.apart ? 1 : 0,
    wholeTime(row.validFrom),
    wholeTime(row.validTo),
    row.position,
  );
}

/** Writes which ref and name a node gives up. */
export function putFormerRef(db: Database, row: Omit<FormerRefRow, 'number'>): void {
  db.run(
    `INSERT INTO lineage_former_refs (node, number, ref, name, until, position)
     VALUES (?1, (SELECT count(*) FROM lineage_former_refs WHERE node = ?1), ?2, ?3, ?4, ?5)`,
    row.node,
    row.ref,
    row.name,
    Math.trunc(row.until),
    row.position,
  );
}
