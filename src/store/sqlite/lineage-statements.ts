import type { StatementRow, SupersededRow } from '../../lineage/store.ts';
import type { Database } from './database.ts';
import { wholeTime } from './lineage-names.ts';

/** As `LineageReader.findStatement`. */
export function findStatement(
  db: Database,
  id: string,
): (StatementRow & { readonly ref: string }) | undefined {
  return db.get<StatementRow & { readonly ref: string }>(
    'SELECT s.id, s.node, s.type, s.body, s.time, s.position, n.ref FROM lineage_statements s JOIN lineage_nodes n ON n.key = s.node WHERE s.id = ?',
    id,
  );
}

/** As `LineageReader.statements`. */
export function statementsAbout(db: Database, keys: readonly number[]): StatementRow[] {
  return db.all<StatementRow>(
    'SELECT id, node, type, body, time, position FROM lineage_statements WHERE node IN (SELECT value FROM json_each(?)) ORDER BY time, id',
    JSON.stringify(keys),
  );
}

/** What took the place of the statements. */
export function supersededOf(db: Database, statements: readonly string[]): SupersededRow[] {
  return db.all<SupersededRow>(
    `SELECT s.statement, s.by_statement AS "by", s.valid_from AS validFrom, s.position,
      (SELECT n.ref FROM lineage_statements t JOIN lineage_nodes n ON n.key = t.node WHERE t.id = s.statement) AS ref,
      (SELECT n.ref FROM lineage_statements t JOIN lineage_nodes n ON n.key = t.node WHERE t.id = s.by_statement) AS byRef
     FROM lineage_superseded s WHERE s.statement IN (SELECT value FROM json_each(?)) ORDER BY s.position, s.by_statement`,
    JSON.stringify(statements),
  );
}

/** Writes that a statement took the place of another. */
export function putSuperseded(db: Database, row: Omit<SupersededRow, 'ref' | 'byRef'>): void {
  db.run(
    'INSERT INTO lineage_superseded (statement, by_statement, valid_from, position) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    row.statement,
    row.by,
    wholeTime(row.validFrom),
    row.position,
  );
}
