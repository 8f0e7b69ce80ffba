import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WherefromError } from '../base/errors.ts';
import type { StateReader } from '../door/index.ts';
import type { Fact } from '../facts/facts.ts';
import { projectLineage } from '../lineage/index.ts';
import { projectPredictions } from '../predictions/index.ts';
import { projectRegistry } from '../registry/index.ts';
import { openSqliteStore } from '../store/sqlite/open.ts';
import { resolveRef, searchNames } from './resolve.ts';

const scope = { workspace: 'default', reach: 'all' } as const;
const raw = { namespace: 'file', name: '/data/german_credit.csv' };
const run = (name: string, workspace = 'default'): Fact => ({
  kind: 'run.reported',
  run: `run:${workspace}/${name}`,
  state: 'COMPLETE',
  time: 10,
});
const read = (namespace: string, name: string, columns: readonly string[] = []): Fact => ({
  kind: 'dataset.read',
  run: 'run:default/4f0c9d11aa',
  dataset: { namespace, name },
  known: 'observed',
  time: 10,
  attributes: { schema: columns.map((column) => ({ name: column })) },
});
const model = { name: 'credit-risk', generation: 1 };
const version = (number: number): Fact => ({
  kind: 'modelVersion.created',
  version: number,
  source: 'models:/m-1',
  storageLocation: 'mlflow-artifacts:/m-1',
  tags: [],
  ...model,
});

const facts: readonly Fact[] = [
  run('4f0c9d11aa'),
  run('4f0c9d22bb'),
  run('aaaabbbbcc', 'other'),
  {
    kind: 'run.reported',
    run: 'run:default/77',
    state: 'COMPLETE',
    time: 10,
    job: 'job:dbt/clean_credit',
  },
  read(raw.namespace, raw.name, ['age', 'duration']),
  read('postgres://db:5432', 'public.customers', ['age']),
  read('mysql://db:3306', 'public.customers'),
  read('s3://lake', 'raw/events', []),
  read('oracle://db:1521', 'orders@dblink', []),
  {
    kind: 'dataset.read',
    run: 'run:default/4f0c9d11aa',
    dataset: { namespace: 's3://lake', name: 'sales' },
    version: '2026-11',
    known: 'observed',
    time: 10,
  },
  read('mlflow:default', '1/events-frame', []),
  {
    kind: 'dataset.linked',
    a: { namespace: 's3://lake', name: 'raw/events' },
    b: { namespace: 'hive', name: 'raw/events' },
    rule: 'symlinks',
    time: 10,
  },
  { kind: 'model.created', tags: [], ...model },
  version(1),
  version(2),
  { kind: 'alias.set', alias: 'champion', version: 2, time: 10, ...model },
  {
    kind: 'deployment.recorded',
    name: 'scoring',
    number: 1,
    modelVersion: 'modelVersion:default/credit-risk@1',
    from: 5,
    attributes: {},
  },
  {
    kind: 'deployment.recorded',
    name: 'scoring',
    number: 2,
    modelVersion: 'modelVersion:default/credit-risk@2',
    from: 8,
    attributes: {},
  },
  {
    kind: 'prediction.served',
    id: 'applicant-0042',
    time: 10,
    modelVersion: 'modelVersion:default/credit-risk@2',
  },
  // Whoever sends it chose the id.
  {
    kind: 'prediction.served',
    id: 'credit-risk@2',
    time: 10,
    modelVersion: 'modelVersion:default/credit-risk@2',
  },
  ...[
    'train.py@c0ffee11c0ffee22c0ffee33c0ffee44c0ffee55',
    'a.py@deadbeef01',
    'b.py@deadbeef01',
  ].map(
    (code): Fact => ({
      kind: 'entity.described',
      ref: `code:default/${code}`,
      attributes: {},
      time: 10,
    }),
  ),
  {
    kind: 'entity.described',
    ref: 'artifact:default/m-0f12aa34bb',
    attributes: { name: 'model' },
    time: 10,
  },
  {
    kind: 'prediction.served',
    id: 'applicant-0043',
    time: 10,
    modelVersion: 'modelVersion:default/credit-risk@2',
  },
];

const { store } = openSqliteStore(':memory:');
let state: StateReader;

beforeAll(async () => {
  state = await store.transaction(async (session) => {
    for (const [index, fact] of facts.entries()) {
      const context = { position: 1, index, time: 20, workspace: 'default', principal: 'p' };
      await projectLineage([fact], context, session.lineage);
      await projectRegistry([fact], context, session.registry);
      await projectPredictions([fact], context, session.predictions);
    }
    return session;
  });
});
afterAll(() => store.close());

async function refusal(text: string): Promise<WherefromError> {
  const thrown = await resolveRef(state, text, scope).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(WherefromError);
  return thrown as WherefromError;
}

describe('resolveRef', () => {
  it.each([
    ['applicant-0042', 'prediction:default/applicant-0042'],
    ['prediction:default/applicant-0042', 'prediction:default/applicant-0042'],
    ['4f0c9d11aa', 'run:default/4f0c9d11aa'],
    ['m-0f12aa', 'artifact:default/m-0f12aa34bb'],
    ['4f0c9d1', 'run:default/4f0c9d11aa'],
    ['runs:/4f0c9d11aa/model', 'run:default/4f0c9d11aa'],
    ['credit-risk@1', 'modelVersion:default/credit-risk@1'],
    ['credit-risk@champion', 'modelVersion:default/credit-risk@2'],
    ['credit-risk@latest', 'modelVersion:default/credit-risk@2'],
    ['models:/credit-risk/1', 'modelVersion:default/credit-risk@1'],
    ['models:/credit-risk@champion', 'modelVersion:default/credit-risk@2'],
    ['credit-risk', 'model:default/credit-risk'],
    ['scoring', 'deployment:default/scoring@2'],
    ['/data/german_credit.csv', 'dataset:file//data/german_credit.csv'],
    ['file:///data/./german_credit.csv', 'dataset:file//data/german_credit.csv'],
    ['german_credit.csv', 'dataset:file//data/german_credit.csv'],
    ['german_credit.csv#age', 'field:file//data/german_credit.csv#age'],
    ['s3a://lake/raw/events', 'dataset:s3:%2F%2Flake/raw/events'],
    ['clean_credit', 'job:dbt/clean_credit'],
    ['duration', 'field:file//data/german_credit.csv#duration'],
    ['dataset:file/%2Fdata/german_credit.csv', 'dataset:file//data/german_credit.csv'],
  ])('finds %s', async (text, ref) => {
    expect(await resolveRef(state, text, scope)).toMatchObject({ query: text, ref });
  });

  it('lists whole refs when a name means several things', async () => {
    const error = await refusal('public.customers');
    expect(error.code).toBe('conflict');
    expect(error.detail.candidates).toMatchObject([
      { ref: 'dataset:mysql:%2F%2Fdb:3306/public.customers', kind: 'dataset' },
      { ref: 'dataset:postgres:%2F%2Fdb:5432/public.customers', kind: 'dataset' },
    ]);
  });

  it('lets no prediction take the name of something else quietly', async () => {
    expect((await refusal('credit-risk@2')).detail.candidates).toMatchObject([
      { ref: 'prediction:default/credit-risk%402' },
      { ref: 'modelVersion:default/credit-risk@2' },
    ]);
  });

  it('counts two names of one dataset once', async () => {
    expect((await resolveRef(state, 'raw/events', scope)).kind).toBe('dataset');
  });

  it('is ambiguous for a beginning that several ids share', async () => {
    expect((await refusal('4f0c9d')).code).toBe('conflict');
    expect((await refusal('applicant-004')).detail.candidates).toHaveLength(2);
  });

  it('finds code by its commit, a beginning of it, and its script', async () => {
    const commit = 'c0ffee11c0ffee22c0ffee33c0ffee44c0ffee55';
    const train = `code:default/train.py@${commit}`;
    for (const asked of [commit, commit.slice(0, 8), `train.py@${commit.slice(0, 7)}`, 'train.py'])
      expect(await resolveRef(state, asked, scope), asked).toMatchObject({ ref: train });
    // Another script was run from another commit.
    expect((await refusal('deadbeef')).detail.candidates).toMatchObject([
      { ref: expect.stringContaining('a.py@deadbeef') },
      { ref: expect.stringContaining('b.py@deadbeef') },
    ]);
    const found = await searchNames(state, 'c0ffee11', { ...scope, limit: 10 });
    expect(found.items.map(({ ref }) => ref)).toEqual([train]);
  });

  it('does not match short beginnings by chance, and says so', async () => {
    const error = await refusal('4f0c9');
    expect(error.code).toBe('not_found');
    expect(error.hint).toContain('6 characters');
  });

  it('does not offer runs of other workspaces', async () => {
    expect((await refusal('aaaabbbbcc')).code).toBe('not_found');
    expect(
      await resolveRef(state, 'aaaabbbbcc', { workspace: 'other', reach: ['other'] }),
    ).toMatchObject({
      ref: 'run:other/aaaabbbbcc',
    });
  });

  it('suggests near names, and the versions that a model has', async () => {
    expect((await refusal('clean_credot')).hint).toContain('job:dbt/clean_credit');
    expect((await refusal('credit-risk@9')).hint).toBe(
      'The model credit-risk has credit-risk@2, credit-risk@1, credit-risk@champion.',
    );
  });

  it('survives anything, and answers with a ref or a refusal of ours', async () => {
    const anything = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^(run|dataset|field|models|runs):[/%@#~a-z0-9]{0,20}$/),
    );
    await fc.assert(
      fc.asyncProperty(anything, async (text) => {
        try {
          expect((await resolveRef(state, text, scope)).ref).toBeTruthy();
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(WherefromError);
        }
      }),
    );
  });

  it('finds every candidate again by its whole ref', async () => {
    for (const text of ['public.customers', '4f0c9d', 'applicant-004']) {
      const { candidates } = (await refusal(text)).detail as { candidates: { ref: string }[] };
      for (const { ref } of candidates) {
        expect(await resolveRef(state, ref, scope)).toMatchObject({ ref });
      }
    }
  });

  it('refuses an empty ref', async () => {
    expect((await refusal(' ')).code).toBe('invalid_message');
  });
});

describe('searchNames', () => {
  it('finds by the beginning of a name, and says when there is more', async () => {
    const found = await searchNames(state, 'clean', { ...scope, limit: 5 });
    expect(found).toMatchObject({ more: false, items: [{ ref: 'job:dbt/clean_credit' }] });
    expect(await searchNames(state, 'applicant', { ...scope, limit: 1 })).toMatchObject({
      more: true,
      items: [{ kind: 'prediction' }],
    });
  });

  it('finds names with an @ by their beginning, and versions once the @ is there', async () => {
    const refs = async (text: string) =>
      (await searchNames(state, text, { ...scope, limit: 9 })).items.map(({ ref }) => ref);
    const linked = 'dataset:oracle:%2F%2Fdb:1521/orders@dblink';
    for (const text of ['ord', 'orders@', 'orders@dblink'])
      expect((await refs(text)).map((ref) => ref.replace('%40', '@'))).toContain(linked);
    const versions = async (text: string) =>
      (await refs(text)).filter((ref) => ref.startsWith('datasetVersion'));
    for (const text of ['sales@', 'sales@2026', 'sales@2026-11'])
      expect(await versions(text)).toEqual(['datasetVersion:s3:%2F%2Flake/sales@2026-11']);
    expect(await versions('sale')).toEqual([]);
    expect(await versions('sales@3')).toEqual([]);
  });
});
