import type { ImportsStore, SaidOfThing } from '../../imports/index.ts';
import type { Database } from './database.ts';

/** What sources of imports said, in SQLite. It caches nothing: every look-up is one seek. */
export function createSqliteImportsStore(db: Database): ImportsStore {
  return {
    findSaid(workspace: string, thing: string, id: string): string | undefined {
      const row = db.get<{ said: Uint8Array }>(
        'SELECT said FROM imports_said WHERE workspace = ? AND thing = ? AND id = ?',
        workspace,
        thing,
        id,
      );
      return row && Buffer.from(row.said).toString('hex');
    },
    putSaid(workspace: string, { thing, id, said }: SaidOfThing): void {
      db.run(
        'INSERT OR REPLACE INTO imports_said (workspace, thing, id, said) VALUES (?, ?, ?, ?)',
        workspace,
        thing,
        id,
        Buffer.from(said, 'hex'),
      );
    },
  };
}
