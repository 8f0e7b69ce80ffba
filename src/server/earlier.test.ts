import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../testing/store.ts';
import { compose } from './compose.ts';
import { loadConfig } from './config.ts';
import { openReadOnly, rebuildDirectory, verifyDirectory } from './offline.ts';

const environment = {
  config: {},
  configFile: undefined,
  apiKey: undefined,
  data: undefined,
  url: undefined,
  noColor: true,
};

test('a data directory of an earlier build opens: record as it was, projections of today', async () => {
  const directory = temporaryDirectory();
  const data = join(directory.path, 'data');
  mkdirSync(data);
  // Written by the first build with projections of version 1, whose tables differ from today's.
  execFileSync('tar', [
    '-xJf',
    join(import.meta.dirname, 'fixtures/layout-1-projections-1.tar.xz'),
    '-C',
    data,
  ]);
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
  expect(await verifyDirectory(data)).toMatchObject({ verified: true, entries: 11 });
  expect(await rebuildDirectory(data, { check: true })).toMatchObject({ differences: [] });
  directory.remove();
});
