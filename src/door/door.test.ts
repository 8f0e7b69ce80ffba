import { randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WherefromError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { decodeBlock, decodeEntry, verifyLedger } from '../ledger/index.ts';
import { temporaryStore } from '../testing/store.ts';
import { createDoor, type ServerDoor } from './door.ts';
import type { Operation, Submission } from './operation.ts';
import { createWorkspace } from './workspaces.ts';

interface Note {
  readonly text: string;
  readonly by?: string;
}

/** A message that describes an entity; "refuse" and "explode" fail where their names say. */
const note: Operation<Note, string> = {
  protocol: 'test',
  operation: 'note',
  persons: (body, tokenise) => (body.by === undefined ? body : { ...body, by: tokenise(body.by) }),
  async decide(body, { state, workspace }) {
    if (body.text === 'refuse')
      throw new WherefromError('conflict', `refused as asked${body.by ? `, by ${body.by}` : ''}`);
    if ((await state.lineage.findNode(refOf(workspace, body.text))) !== undefined)
      return { outcome: 'unchanged', answer: `known${body.by ? `, says ${body.by}` : ''}` };
    return { outcome: 'accepted', decided: { number: 1 }, answer: 'new' };
  },
  translate({ message }, { workspace, time }) {
    if (message.text === 'explode') throw new Error('a fault in a translator');
    return {
      facts: [
        {
          kind: 'entity.described',
          ref: refOf(workspace, message.text),
          time,
          attributes: { by: message.by ?? null },
        },
      ],
      warnings: message.text === 'warn' ? ['odd'] : [],
    };
  },
};

const refOf = (workspace: string, text: string) => `job:${workspace}/${text}`;
const submission = (
  text: string,
  extra: Partial<Submission<Note, string>> = {},
  by?: string,
): Submission<Note, string> => ({
  operation: note,
  workspace: 'default',
  principal: 'me',
  body: by === undefined ? { text } : { text, by },
  ...extra,
});

let now = 1_000;
let opened: ReturnType<typeof temporaryStore>;
let door: ServerDoor;

beforeEach(async () => {
  now = 1_000;
  opened = temporaryStore();
  door = createDoor({
    store: opened.store,
    clock: { now: () => now, random: randomBytes },
    log: 'wherefrom/test',
    secret: randomBytes(32),
  });
  await door.submit({
    operation: createWorkspace,
    workspace: 'default',
    principal: 'system',
    body: { name: 'default' },
  });
});
afterEach(() => opened.remove());

/** Whom the vault holds. */
function persons(): string[] {
  const db = new DatabaseSync(opened.path, { readOnly: true });
  const rows = db.prepare('SELECT value FROM vault_persons ORDER BY value').all();
  db.close();
  return rows.map(({ value }) => String(value));
}

const entries = () =>
  opened.store.read(({ ledger }) =>
    ledger.list(0, 100).map((stored) => ({
      ...decodeEntry(stored.entry, stored.position),
      messages: decodeBlock(stored.block, stored.position),
    })),
  );

describe('the door', () => {
  test('messages of one workspace, principal and operation that come together share an entry', async () => {
    const accepted = await Promise.all(
      ['a', 'b', 'c'].map((text) => door.submit(submission(text))),
    );
    expect(accepted.map(({ receipt }) => receipt)).toEqual(
      [0, 1, 2].map((index) => ({ log: 'wherefrom/test', position: 1, index })),
    );
    const [, entry] = await entries();
    expect(entry).toMatchObject({ protocol: 'test', operation: 'note', principal: 'me', count: 3 });
    expect(entry?.messages.map((message) => JSON.parse(message).message.text)).toEqual([
      'a',
      'b',
      'c',
    ]);
  });

  test('messages of different principals never share an entry', async () => {
    await Promise.all([
      door.submit(submission('a')),
      door.submit(submission('b', { principal: 'you' })),
      door.submit(submission('c')),
    ]);
    expect((await entries()).map((entry) => [entry.principal, entry.count])).toEqual([
      ['system', 1],
      ['me', 2],
      ['you', 1],
    ]);
  });

  test('decide sees what the messages before it in the same batch did', async () => {
    const answers = await Promise.all([door.submit(submission('a')), door.submit(submission('a'))]);
    expect(answers.map(({ answer, receipt }) => [answer, receipt?.position])).toEqual([
      ['new', 1],
      ['known', undefined],
    ]);
  });

  test('what says nothing new appends nothing', async () => {
    await door.submit(submission('a'));
    const before = await entries();
    await door.submit(submission('a'));
    expect(await entries()).toEqual(before);
  });

  test('a refusal fails alone', async () => {
    const results = await Promise.allSettled(
      ['a', 'refuse', 'b'].map((text) => door.submit(submission(text))),
    );
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((results[1] as PromiseRejectedResult).reason).toMatchObject({ code: 'conflict' });
  });

  test('a fault while projecting rolls back that message and no other', async () => {
    const results = await Promise.allSettled(
      ['a', 'explode', 'b'].map((text) => door.submit(submission(text))),
    );
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((results[1] as PromiseRejectedResult).reason).toMatchObject({ code: 'internal' });
    const texts = (await entries()).flatMap(({ messages }) =>
      messages.map((message) => JSON.parse(message).message.text),
    );
    expect(texts).toEqual([undefined, 'a', 'b']);
    expect(await opened.store.read(({ ledger }) => verifyLedger(ledger))).toMatchObject({
      verified: true,
      entries: 3,
    });
  });

  test('the recorded time never goes back, whatever the clock does', async () => {
    await door.submit(submission('a'));
    now = 5;
    await door.submit(submission('b'));
    expect((await entries()).map(({ time }) => time)).toEqual([1_000, 1_000, 1_000]);
  });

  test('persons and home directories are stored as tokens, the same one each time', async () => {
    await door.submit(submission('a', {}, 'Ann'));
    await door.submit(submission('/home/Ann/b', {}, 'Ann'));
    const stored = JSON.stringify(await entries());
    expect(stored).not.toContain('Ann');
    expect(new Set(stored.match(/person_[0-9a-z]{26}/g))).toHaveProperty('size', 1);
    const token = stored.match(/person_[0-9a-z]{26}/)?.[0] ?? '';
    expect(opened.store.findPerson(token)).toBe('Ann');
  });

  test('a message that is refused, or says nothing new, leaves no person in the vault', async () => {
    await door.submit(submission('a'));
    const refused = door.submit(submission('refuse', {}, 'Ann'));
    await expect(refused).rejects.toMatchObject({ message: 'refused as asked, by Ann' });
    expect((await door.submit(submission('a', {}, 'Bob'))).answer).toBe('known, says Bob');
    expect(persons()).toEqual([]);
    expect((await door.submit(submission('b', {}, 'Ann'))).answer).toBe('new');
    expect(persons()).toEqual(['Ann']);
    // Known by now, so their token goes out, and whoever answers looks it up.
    const known = await door.submit(submission('b', {}, 'Ann'));
    expect(opened.store.findPerson(known.answer.replace('known, says ', ''))).toBe('Ann');
  });

  test('persons of one batch have one token, whichever of its messages is accepted first', async () => {
    await Promise.allSettled(
      ['refuse', 'a', 'explode', 'a', 'b', '/home/Ann/c'].map((text) =>
        door.submit(submission(text, {}, 'Ann')),
      ),
    );
    expect(persons()).toEqual(['Ann']);
    const stored = JSON.stringify(await entries());
    expect(stored).not.toContain('Ann');
    expect(stored.match(/person_[0-9a-z]{26}/g)).toHaveLength(4);
    expect(new Set(stored.match(/person_[0-9a-z]{26}/g)).size).toBe(1);
  });

  test('of a set only the persons of what is accepted stay in the vault', async () => {
    const notes: Operation<{ notes: Note[] }, string[], Note> = {
      ...note,
      operation: 'notes',
      persons: (body, tokenise) => ({
        notes: body.notes.map((each) => note.persons?.(each, tokenise) ?? each),
      }),
      decide: ({ notes: all }) => ({
        outcome: 'acceptedSet',
        payloads: all
          .filter(({ text }) => text !== 'refuse')
          .map((message) => ({ message, decided: {} })),
        answer: all.map(({ text, by }) => `${text} by ${by}`),
      }),
    };
    const { answer } = await door.submit({
      operation: notes,
      workspace: 'default',
      principal: 'me',
      body: {
        notes: [
          { text: 'refuse', by: 'Bob' },
          { text: 'a', by: 'Ann' },
        ],
      },
    });
    expect(answer[0]).toBe('refuse by Bob');
    expect(answer[1]).toMatch(/^a by person_/);
    expect(persons()).toEqual(['Ann']);
  });

  test('warnings of the translator come back with the answer', async () => {
    expect((await door.submit(submission('warn'))).warnings).toEqual(['odd']);
  });

  test('an unknown workspace is refused', async () => {
    await expect(door.submit(submission('a', { workspace: 'elsewhere' }))).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  test('a queue that is full says so instead of growing', async () => {
    const flood = Array.from({ length: limits.queueMessagesMax + 1 }, (_, i) =>
      door.submit(submission(`x${i % 3}`)),
    );
    await expect(flood.at(-1)).rejects.toMatchObject({ code: 'overloaded' });
    await Promise.allSettled(flood);
  });

  test('a full disk is said, leaves nothing half there, and writing goes on once there is room', async () => {
    const db = new DatabaseSync(opened.path);
    const pages = (db.prepare('PRAGMA page_count').get() as { page_count: number }).page_count;
    db.close();
    await opened.store.transaction(async ({ limitPages }) => limitPages(pages + 1));
    const body = { text: 'big', filler: randomBytes(60_000).toString('hex') };
    await expect(door.submit(submission('big', { body }))).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('disk is full'),
    });
    await opened.store.transaction(async ({ limitPages }) => limitPages(1_000_000));
    expect((await door.submit(submission('after'))).receipt?.position).toBe(1);
    expect(await opened.store.read(({ ledger }) => verifyLedger(ledger))).toMatchObject({
      verified: true,
      entries: 2,
    });
  });
});
