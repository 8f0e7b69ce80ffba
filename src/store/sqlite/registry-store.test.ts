import { expect, test } from 'vitest';
import { Database } from './database.ts';
import { registrySchema } from './registry-schema.ts';
import { createSqliteRegistryStore } from './registry-store.ts';

test('the number of versions is remembered right, however many other models are looked up', async () => {
  const db = new Database(':memory:', 'write');
  db.exec(registrySchema);
  const store = createSqliteRegistryStore(db);
  const addModel = (name: string) =>
    store.addModel({
      workspace: 'default',
      name,
      generation: 1,
      description: null,
      time: 1,
      updatedTime: 1,
    });
  await addModel('looked-up-always');
  const others = 12_000;
  for (let i = 0; i < others; i += 1) await addModel(`other-${i}`);
  const count = async () =>
    (await store.findModel('default', 'looked-up-always'))?.versionCount ?? -1;
  expect(await count()).toBe(0);
  const model = (await store.findModel('default', 'looked-up-always'))?.key ?? 0;
  for (let i = 0; i < others; i += 1) {
    await store.findModel('default', `other-${i}`);
    if (i % 1000 === 0) await count();
  }
  const version = {
    ...{ model, description: null, source: 's', storageLocation: 's', runId: null, runLink: null },
    ...{ modelId: null, stage: 'None', time: 2, updatedTime: 2, deletedTime: null, touches: true },
  };
  for (const expected of [1, 2, 3]) {
    await store.addVersion({ ...version, version: (await count()) + 1 }, []);
    expect(await count()).toBe(expected);
    expect((await store.findVersionOfModel(model, expected))?.version).toBe(expected);
  }
  db.close();
});
