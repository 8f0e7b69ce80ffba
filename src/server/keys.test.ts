import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../testing/store.ts';
import { createKey, createKeyRing, listKeys, revokeKey } from './keys.ts';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

describe('the workspaces of a key', () => {
  it('are those that it was made with, each once; the default one without any', () => {
    const make = (...workspaces: string[]) =>
      createKey(directory.path, { name: 'k', role: 'write', workspaces }).key.workspaces;
    expect(make('alpha', 'beta', 'alpha')).toEqual(['alpha', 'beta']);
    expect(make()).toEqual(['default']);
  });

  it('are names that a workspace can have, and none of an admin key', () => {
    const make = (role: 'read' | 'admin', workspace: string) => (): unknown =>
      createKey(directory.path, { name: 'k', role, workspaces: [workspace] });
    expect(make('read', 'Not A Name')).toThrow('cannot be the name of a workspace');
    expect(make('read', 'api')).toThrow('cannot be the name of a workspace');
    expect(make('admin', 'alpha')).toThrow('An admin key acts in every workspace');
  });

  it('are read from key files in which a key had one', () => {
    const { key, text } = createKey(directory.path, { name: 'old', role: 'write' });
    const { workspaces: _workspaces, ...stored } = key;
    const file = join(directory.path, 'keys.json');
    writeFileSync(file, JSON.stringify([{ ...stored, workspace: 'alpha' }]));
    expect(listKeys(directory.path)).toEqual([{ ...stored, workspaces: ['alpha'] }]);
    expect(createKeyRing(directory.path).find(text)?.workspaces).toEqual(['alpha']);
  });
});

describe('revoking a key', () => {
  it('by a name that several valid keys have is refused, with their ids', () => {
    const [first, second] = ['pair', 'pair'].map(
      (name) => createKey(directory.path, { name, role: 'read' }).key.id,
    );
    const revoke = (id = 'pair') => revokeKey(directory.path, id);
    expect(revoke).toThrow(
      expect.objectContaining({
        code: 'conflict',
        hint: `Give the id of one: ${first}, ${second}.`,
      }),
    );
    expect(revoke(second).id).toBe(second);
    expect(revoke().id).toBe(first);
  });

  it('twice says that it is revoked, and keeps the time', () => {
    const { id } = createKey(directory.path, { name: 'gone', role: 'read' }).key;
    const { revokedTime } = revokeKey(directory.path, id);
    for (const named of [id, 'gone'])
      expect(() => revokeKey(directory.path, named)).toThrow(`was revoked at ${revokedTime}`);
    expect(listKeys(directory.path).find((key) => key.id === id)?.revokedTime).toBe(revokedTime);
  });
});
