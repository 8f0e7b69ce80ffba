import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decodeBlock, decodeEntry } from '../ledger/index.ts';
import { openSqliteReader, projectionVersion } from '../store/sqlite/open.ts';
import { temporaryDirectory } from '../testing/store.ts';
import { compose } from './compose.ts';
import { loadConfig } from './config.ts';
import { openDataDirectory } from './data-directory.ts';
import { openReadOnly, rebuildDirectory, verifyDirectory } from './offline.ts';
import { rebuildProjections } from './rebuild.ts';

const environment = {
  config: {},
  configFile: undefined,
  apiKey: undefined,
  data: undefined,
  url: undefined,
  noColor: true,
};

let directory: ReturnType<typeof temporaryDirectory>;
let data: string;

beforeEach(() => {
  directory = temporaryDirectory();
  data = join(directory.path, 'data');
  mkdirSync(data);
  // Written by the first build with projections of version 1, whose tables differ from today's.
  execFileSync('tar', [
    '-xJf',
    join(import.meta.dirname, 'fixtures/layout-1-projections-1.tar.xz'),
    '-C',
    data,
  ]);
});
afterEach(() => directory.remove());

/** What the record says of rebuilds, with the place of each. */
async function rebuildsIn(path: string): Promise<unknown[]> {
  const store = openSqliteReader(join(path, 'store.db'), { recordOnly: true });
  const stored = await store.read(({ ledger }) => ledger.list(0, 100));
  store.close();
  return stored.flatMap(({ position, entry, block }) => {
    const { protocol, operation, principal } = decodeEntry(entry, position);
    if (operation !== 'projections.rebuilt') return [];
    const messages = decodeBlock(block, position).map((text) => JSON.parse(text).message);
    return [{ position, protocol, principal, messages }];
  });
}
const told = (position: number, from: number, to: number) => ({
  position,
  protocol: 'wherefrom',
  principal: 'system',
  messages: [{ from, to }],
});

test('a data directory of an earlier build opens: record as it was, projections of today', async () => {
  await expect(openReadOnly(data)).rejects.toMatchObject({
    code: 'conflict',
    hint: expect.stringContaining('rebuild'),
  });
  expect(await verifyDirectory(data)).toMatchObject({ verified: true, entries: 10 });

  const { app, close } = await compose(loadConfig({ data }, environment).config);
  const get = async (url: string) =>
    (await app.inject({ url, headers: { host: 'localhost' } })).json();
  const trace = await get('/api/wherefrom/v1/trace?ref=p-1&columns=true');
  const refs = trace.nodes.map((node: { ref: string }) => node.ref);
  expect(refs).toEqual(
    expect.arrayContaining([
      'prediction:default/p-1',
      'deployment:default/scoring@1',
      'modelVersion:default/credit-risk@1',
      'code:default//home/ann/train.py@0123456789abcdef',
      'datasetVersion:file//out.csv@run:3f5e83fa-3480-44ff-99c5-ff943904e5e8',
      'field:file//in.csv#birth_year',
    ]),
  );
  expect((await get('/api/wherefrom/v1/impact?ref=/in.csv%23birth_year')).counts).toMatchObject([
    { count: 1 },
  ]);
  await app.inject({
    method: 'POST',
    url: '/api/2.0/mlflow/runs/create',
    headers: { host: 'localhost' },
    payload: { experiment_id: '0' },
  });
  await close();
  expect(await verifyDirectory(data)).toMatchObject({ verified: true, entries: 12 });
  expect(await rebuildsIn(data)).toEqual([told(10, 1, projectionVersion)]);
  expect(await rebuildDirectory(data, { check: true })).toMatchObject({ differences: [] });
});

test('the record tells once of a rebuild that a crash cut off before it was told', async () => {
  const opened = openDataDirectory(data);
  expect(await rebuildProjections(opened)).toMatchObject({ compared: false });
  opened.lock?.release();
  expect(await rebuildsIn(data)).toEqual([]);
  for (let start = 0; start < 2; start += 1) {
    await (await compose(loadConfig({ data }, environment).config)).close();
    expect(await rebuildsIn(data)).toEqual([told(10, 1, projectionVersion)]);
  }
});

test('a rebuild is told of where it replaced something, and only there', async () => {
  expect(await rebuildDirectory(data, { check: true })).not.toHaveProperty('receipt');
  expect(await rebuildDirectory(data)).toMatchObject({
    compared: false,
    receipt: { position: 10 },
  });
  const same = await rebuildDirectory(data);
  expect(same).toMatchObject({ compared: true, differences: [] });
  expect(same).not.toHaveProperty('receipt');
  const db = new DatabaseSync(join(data, 'store.db'));
  db.exec("UPDATE lineage_nodes SET name = 'forged'");
  db.close();
  expect(await rebuildDirectory(data)).toMatchObject({ receipt: { position: 11 } });
  expect(await rebuildsIn(data)).toEqual([
    told(10, 1, projectionVersion),
    told(11, projectionVersion, projectionVersion),
  ]);
  expect(await rebuildDirectory(data, { check: true })).toMatchObject({ differences: [] });
  expect(await verifyDirectory(data)).toMatchObject({ verified: true, entries: 12 });
});
