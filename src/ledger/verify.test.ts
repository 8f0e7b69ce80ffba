import { randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { createDoor, createWorkspace, type Operation } from '../door/index.ts';
import { openSqliteReader, openSqliteStore } from '../store/sqlite/open.ts';
import { damageTable, temporaryStore } from '../testing/store.ts';
import { emptyRoot } from './merkle.ts';
import { verifyLedger } from './verify.ts';

const note: Operation<{ text: string }, void> = {
  protocol: 'test',
  operation: 'note',
  decide: () => ({ outcome: 'accepted', decided: {}, answer: undefined }),
  translate: () => ({ facts: [], warnings: [] }),
};

/** A small log: one entry of one message, one of three, one that is kept compressed. */
async function smallLog() {
  const opened = temporaryStore();
  const door = createDoor({
    store: opened.store,
    clock: { now: () => 5_000, random: randomBytes },
    log: 'wherefrom/test',
    secret: randomBytes(32),
  });
  await door.submit({
    operation: createWorkspace,
    workspace: 'default',
    principal: 'system',
    body: { name: 'default' },
  });
  const send = (text: string) =>
    door.submit({ operation: note, workspace: 'default', principal: 'me', body: { text } });
  await Promise.all(['a', 'b', 'c'].map(send));
  await send('long '.repeat(200));
  return opened;
}

const columns = [
  ['log_entries', 'entry'],
  ['log_payloads', 'block'],
  ['log_payloads', 'batch_key'],
  ['log_payloads', 'digest'],
  ['log_head', 'root'],
  ['log_head', 'peaks'],
] as const;

test('any flipped byte in ledger or payload fails verification', { timeout: 60_000 }, async () => {
  const opened = await smallLog();
  const db = new DatabaseSync(opened.path);
  let flips = 0;
  for (const [table, column] of columns) {
    for (const { row, bytes } of db
      .prepare(`SELECT rowid AS row, ${column} AS bytes FROM ${table}`)
      .all() as { row: number; bytes: Uint8Array }[]) {
      const update = db.prepare(`UPDATE ${table} SET ${column} = ? WHERE rowid = ?`);
      for (let i = 0; i < bytes.length; i += 1) {
        const changed = Uint8Array.from(bytes);
        changed[i] = (changed[i] ?? 0) ^ (1 << (i % 8));
        update.run(changed, row);
        const { verified } = await opened.store.read(({ ledger }) => verifyLedger(ledger));
        expect(verified, `${table}.${column} of row ${row}, byte ${i}`).toBe(false);
        flips += 1;
      }
      update.run(bytes, row);
    }
  }
  expect(flips).toBeGreaterThan(1_000);
  expect((await opened.store.read(({ ledger }) => verifyLedger(ledger))).problems).toEqual([]);
  db.close();
  opened.remove();
});

test('an entry that is gone, a log that was cut off and one that was rewritten are found', async () => {
  const opened = await smallLog();
  const whole = await opened.store.read(({ ledger }) => ledger.head());
  const kept = { origin: 'wherefrom/test', size: whole.size, root: Buffer.from(whole.root) };
  const db = new DatabaseSync(opened.path);
  const verify = () => opened.store.read(({ ledger }) => verifyLedger(ledger, [kept]));
  expect(await verify()).toMatchObject({ verified: true, entries: 3, messages: 5 });
  db.exec('BEGIN; DELETE FROM log_entries WHERE position = 1; COMMIT');
  expect((await verify()).problems[0]).toContain('entry 1 is missing');
  db.exec('DELETE FROM log_entries; DELETE FROM log_payloads; DELETE FROM log_head;');
  expect((await verify()).problems).toEqual([
    'A checkpoint knows 3 entries, the log has only 0: it was cut off.',
  ]);
  db.close();
  opened.remove();
});

test('a forged time, in the rows or in the head, and entries beyond the head are found', async () => {
  const opened = await smallLog();
  const db = new DatabaseSync(opened.path);
  const problems = async () =>
    (await opened.store.read(({ ledger }) => verifyLedger(ledger))).problems;
  db.exec('UPDATE log_entries SET time = 0 WHERE position = 1');
  expect(await problems()).toEqual([expect.stringContaining('time that is not its own')]);
  db.exec('UPDATE log_entries SET time = 5000; UPDATE log_head SET time = time + 1');
  expect(await problems()).toEqual([expect.stringContaining('time of the log head')]);
  db.exec('UPDATE log_head SET time = 5000');
  expect(await problems()).toEqual([]);
  db.exec(`INSERT INTO log_entries SELECT 3, entry, time FROM log_entries WHERE position = 2;
    INSERT INTO log_payloads SELECT 3, batch_key, block, digest FROM log_payloads WHERE position = 2`);
  expect(await problems()).toContain('There are entries beyond the 3 of the log head.');
  db.close();
  opened.remove();
});

/** Writes what no statement would: rows are left as they are, and mean another cell. */
function forge(path: string, table: string, change: (sql: string) => string): void {
  const db = new DatabaseSync(path);
  db.enableDefensive(false);
  const { sql } = db.prepare('SELECT sql FROM sqlite_schema WHERE name = ?').get(table) as {
    sql: string;
  };
  db.exec('PRAGMA writable_schema=ON');
  db.prepare('UPDATE sqlite_schema SET sql = ? WHERE name = ?').run(change(sql), table);
  db.close();
}

const loose = (sql: string): string => sql.replaceAll('NOT NULL', '').replace('STRICT', '');

test.each([
  ['log_entries', 'entry', 'NULL', 'Ledger entry 1 is damaged.'],
  ['log_entries', 'entry', "'text'", 'Ledger entry 1 is damaged.'],
  ['log_entries', 'time', 'NULL', 'Ledger entry 1 is filed under a time'],
  ['log_entries', 'time', String(2n ** 60n), 'cannot be read from entry 1 on'],
  ['log_payloads', 'block', 'NULL', 'The payload of ledger entry 1 is damaged.'],
  ['log_payloads', 'block', '7', 'The payload of ledger entry 1 is damaged.'],
  ['log_payloads', 'batch_key', 'NULL', 'The payload of ledger entry 1 is not what'],
  ['log_payloads', 'digest', 'NULL', 'The payload of ledger entry 1 is damaged.'],
  ['log_head', 'root', 'NULL', 'The root of the log head is not'],
  ['log_head', 'peaks', 'NULL', 'The subtree roots of the log head do not fit'],
  ['log_head', 'size', 'NULL', 'The log head is damaged.'],
  ['log_head', 'size', String(2n ** 60n), 'The log head is damaged.'],
  ['log_head', 'time', "'x'", 'The log head is damaged.'],
])('a damaged cell is a problem that is told, not a fault: %s.%s is %s', async (...damage) => {
  const [table, column, value, problem] = damage;
  const opened = await smallLog();
  forge(opened.path, table, loose);
  const db = new DatabaseSync(opened.path);
  db.exec(
    `UPDATE ${table} SET ${column} = ${value} WHERE ${table === 'log_head' ? 'id' : 'position'} = 1`,
  );
  db.close();
  const { store } = openSqliteStore(opened.path);
  const found = await store.read(({ ledger }) => verifyLedger(ledger));
  expect(found.verified).toBe(false);
  expect(found.problems[0]).toContain(problem);
  store.close();
  opened.remove();
});

test.each(['log_entries', 'log_payloads', 'log_head'])(
  'a table of the record that is gone, or whose page is damaged, is a problem: %s',
  async (table) => {
    for (const damage of [dropTable, damageTable]) {
      const opened = await smallLog();
      damage(opened.path, table);
      const reader = openSqliteReader(opened.path, { recordOnly: true });
      const { verified, problems } = await reader.read(({ ledger }) => verifyLedger(ledger));
      expect(verified).toBe(false);
      expect(problems[0]).toMatch(/log head is damaged|cannot be read from entry 0 on/);
      reader.close();
      opened.remove();
    }
  },
);

function dropTable(path: string, table: string): void {
  const db = new DatabaseSync(path);
  db.exec(`DROP TABLE ${table}`);
  db.close();
}

test('an empty log verifies', async () => {
  const opened = temporaryStore();
  expect(await opened.store.read(({ ledger }) => verifyLedger(ledger))).toEqual({
    verified: true,
    entries: 0,
    messages: 0,
    root: emptyRoot.toString('hex'),
    problems: [],
  });
  opened.remove();
});
