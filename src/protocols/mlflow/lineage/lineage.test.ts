import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { datasetNames, roleOf } from './dataset-name.ts';
import { sourceWithoutSecrets } from './dataset-secrets.ts';
import { datasetVersion } from './dataset-version.ts';
import { describeModel, environmentOf } from './model-files.ts';
import { schemaFields } from './schema.ts';
import { sourceCodeFacts } from './source-code.ts';

const named = (sourceType: string, source: unknown) =>
  datasetNames(
    { name: 'd', sourceType, source: JSON.stringify(source) },
    { workspace: 'default', experiment: '7' },
  );
const version = (sourceType: string, source: unknown) =>
  datasetVersion(
    { name: 'd', digest: 'abcd1234', sourceType, source: JSON.stringify(source) },
    { hasPlace: true },
  );

describe('a dataset', () => {
  test.each([
    ['local', { uri: '/data/a.csv' }, 'file', '/data/a.csv'],
    ['local', { uri: 'file:///data/a%20b.csv' }, 'file', '/data/a b.csv'],
    ['local', { uri: '/data/x/../a.csv' }, 'file', '/data/a.csv'],
    ['s3', { uri: 's3://bucket/k/a.parquet' }, 's3://bucket', 'k/a.parquet'],
    ['s3', { uri: 's3a://bucket/k' }, 's3://bucket', 'k'],
    ['gs', { uri: 'gs://bucket/k' }, 'gs://bucket', 'k'],
    ['http', { url: 'https://host/p/a.csv?x=1' }, 'https://host', '/p/a.csv'],
    ['hdfs', { uri: 'hdfs://nn:8020/p' }, 'hdfs://nn:8020', '/p'],
    [
      'abfss',
      { uri: 'abfss://box@acc.dfs.core.windows.net/p' },
      'abfss://box@acc.dfs.core.windows.net',
      '/p',
    ],
    ['http', { url: 'https://user:secret@host/p' }, 'https://host', '/p'],
    ['http', { url: 'https://user@host/p' }, 'https://host', '/p'],
    [
      'r2',
      { uri: 'r2://b@acc.r2.cloudflarestorage.com/x' },
      'r2://b@acc.r2.cloudflarestorage.com',
      'x',
    ],
    ['s3', { uri: 's3://bucket' }, 's3://bucket', '/'],
    ['spark', { path: 'dbfs:/p/x' }, 'dbfs', '/p/x'],
    ['spark', { path: 'dbfs:///p/x' }, 'dbfs', '/p/x'],
    ['uc_volume', { path: '/Volumes/c/s/v/f.json' }, 'dbfs', '/Volumes/c/s/v/f.json'],
    ['hf', { path: 'squad', config_name: 'default' }, 'hf', 'squad'],
    ['hugging_face', { path: 'nyu-mll/glue', config_name: 'sst2' }, 'hf', 'nyu-mll/glue:sst2'],
    ['hugging_face', { path: 'csv', data_files: '/d/a.csv' }, 'file', '/d/a.csv'],
    ['hugging_face', { path: 'json', data_files: ['s3://b/a.json'] }, 's3://b', 'a.json'],
    ['hugging_face', { path: '/d', data_files: 'a.csv' }, 'file', '/d/a.csv'],
    ['hugging_face', { path: 'imagefolder', data_dir: '/d/images' }, 'file', '/d/images'],
    [
      'hugging_face',
      { path: 'csv', data_files: { train: '/d/a', test: '/d/b' }, split: 'train[:80%]' },
      'file',
      '/d/a',
    ],
    ['hugging_face', { path: 'csv', data_files: 'a.csv' }, 'mlflow:default', '7/d'],
    ['delta_table', { path: 's3://b/t', delta_table_version: 3 }, 's3://b', 't'],
    ['delta_table', { delta_table_name: 'cat.db.t' }, 'delta', 'cat.db.t'],
    ['databricks-uc-table', { table_name: 'cat.db.t', dataset_id: 'd' }, 'delta', 'cat.db.t'],
    ['warehouse', { uri: 'postgres://u:p@db:5432/app', table: 'x' }, 'postgres://db:5432', 'app.x'],
    ['warehouse', { uri: 'postgres://u:p@db:5432/app' }, 'mlflow:default', '7/d'],
    ['warehouse', { uri: 'mongodb://u:p@db/app/x' }, 'mongodb://db', '/app/x'],
    ['other', { uri: 'models:/m-1' }, 'mlflow:default', '7/d'],
    ['spark', { sql: 'select * from t' }, 'mlflow:default', '7/d'],
    ['spark', { table_name: 'db.t' }, 'spark', 'db.t'],
    ['code', { tags: { 'mlflow.source.name': 'a.py' } }, 'mlflow:default', '7/d'],
    ['other', { uri: 'relative/path' }, 'mlflow:default', '7/d'],
    ['other', 'no json', 'mlflow:default', '7/d'],
  ])('from %s %j is called as other tools call it', (sourceType, source, namespace, name) => {
    expect(named(sourceType, source)).toEqual([{ namespace, name }]);
  });

  test('put together from several files is those files, and one of its own', () => {
    const files = { train: ['/d/a.csv', '/d/b.csv'], test: '/d/c.csv' };
    expect(named('hugging_face', { path: 'csv', data_files: files, split: 'train' })).toEqual([
      { namespace: 'mlflow:default', name: '7/d' },
      { namespace: 'file', name: '/d/a.csv' },
      { namespace: 'file', name: '/d/b.csv' },
    ]);
    const many = Array.from({ length: 1000 }, (_, index) => `/d/${index}`);
    expect(named('hugging_face', { path: 'csv', data_files: many })).toHaveLength(101);
  });

  test.each([
    ['delta_table', { path: '/t', delta_table_version: 3 }, '3'],
    ['delta_table', { path: '/t' }, 'mlflow-abcd1234'],
    ['databricks-uc-table', { table_name: 'a.b.c', dataset_id: 'd', version: 7 }, '7'],
    ['warehouse', { uri: 'x://h/t', version: '7' }, '7'],
    ['iceberg', { uri: 's3://b/t', snapshot_id: 88 }, '88'],
    ['hugging_face', { path: 'squad', revision: 'a'.repeat(40) }, 'a'.repeat(40)],
    ['hugging_face', { path: 'squad', revision: 'v1.2' }, 'v1.2'],
    ['hugging_face', { path: 'squad', revision: 'main' }, 'mlflow-abcd1234'],
    ['hugging_face', { path: 'squad', revision: null }, 'mlflow-abcd1234'],
    ['hugging_face', { path: 'csv', revision: 'v1.2' }, 'mlflow-abcd1234'],
    ['local', { uri: '/a' }, 'mlflow-abcd1234'],
  ])('from %s %j has the version %s', (sourceType, source, expected) => {
    expect(version(sourceType, source)).toBe(expected);
  });

  // Digests as mlflow 3.17.2 computed them.
  test.each([
    ['m', 'a05cc598', 'http', '{"url": "https://h/x.csv"}', undefined],
    ['dataset', '9ee727b7', 'spark', '{"sql": "select * from db.t join x on 1=1"}', undefined],
    ['café', 'c084733f', 'http', '{"url": "https://h/\\u00e9\\ud83d\\ude00.csv"}', undefined],
    [
      'dataset',
      '94d47277',
      'http',
      '{"url": "https://h/x.csv"}',
      '{"mlflow_colspec": [{"type": "string", "name": "text", "required": true}, {"type": "integer", "name": "l\\u00e4bel", "required": true}]}',
    ],
  ])('that MLflow only describes (%s, %s) has no version by its digest', (...row) => {
    const [name, digest, sourceType, source, schema] = row;
    const dataset = { name, digest, sourceType, source, schema };
    expect(datasetVersion(dataset, { hasPlace: true })).toBeUndefined();
    // A query is what it says.
    expect(datasetVersion(dataset, { hasPlace: false })).toBe(`mlflow-${digest}`);
    expect(datasetVersion({ ...dataset, name: 'other' }, { hasPlace: true })).toBe(
      `mlflow-${digest}`,
    );
  });

  test('keeps no user, password or signature in its source, and all else as it was written', () => {
    const clean = (source: string) => sourceWithoutSecrets(source, (value) => `<${value}>`);
    expect(clean('{"tags": {"mlflow.user": "ann",  "a": "b"}}')).toBe(
      '{"tags": {"mlflow.user": "<ann>",  "a": "b"}}',
    );
    expect(clean('{"url": "https://u:p@h/x?a=1&sig=abc%3D&b=2"}')).toBe(
      '{"url": "https://<u:p>@h/x?a=1&sig=<abc%3D>&b=2"}',
    );
    expect(clean('{"uri": "abfss://c@acc.dfs.core.windows.net/p"}')).toBe(
      '{"uri": "abfss://c@acc.dfs.core.windows.net/p"}',
    );
    expect(clean(`://${':'.repeat(60_000)}`)).toHaveLength(60_003);
  });

  test('is read in the role that its context says', () => {
    expect(['training', 'eval', 'Testing', 'holdout', '', undefined].map(roleOf)).toEqual([
      'train',
      'evaluation',
      'test',
      'holdout',
      undefined,
      undefined,
    ]);
  });

  test('of any source has some name', () => {
    fc.assert(
      fc.property(fc.string(), fc.oneof(fc.string(), fc.jsonValue()), (sourceType, uri) => {
        const any = { uri, path: uri, data_files: uri, revision: uri, version: uri };
        for (const { namespace, name } of named(sourceType, any))
          expect(typeof namespace === 'string' && typeof name === 'string').toBe(true);
        expect(typeof version(sourceType, any)).toBe('string');
      }),
      { numRuns: 50 },
    );
  });
});

describe('a schema', () => {
  test('lists its columns', () => {
    const columns = [
      { name: 'age', type: 'long', required: true },
      { name: 'job', type: 'string' },
    ];
    const expected = [
      { name: 'age', type: 'long' },
      { name: 'job', type: 'string' },
    ];
    expect(schemaFields(JSON.stringify({ mlflow_colspec: columns }))).toEqual(expected);
    expect(schemaFields(JSON.stringify({ mlflow_colspec: JSON.stringify(columns) }))).toEqual(
      expected,
    );
    expect(schemaFields(JSON.stringify(columns))).toEqual(expected);
  });

  test('of tensors names features and targets', () => {
    const tensor = { type: 'tensor', 'tensor-spec': { dtype: 'float64', shape: [-1, 4] } };
    const schema = { mlflow_tensorspec: { features: [tensor], targets: [tensor] } };
    expect(schemaFields(JSON.stringify(schema))).toEqual([
      { name: 'column0', type: 'tensor(float64)[-1,4]' },
      { name: 'target0', type: 'tensor(float64)[-1,4]' },
    ]);
  });

  test('says what nested columns hold', () => {
    const columns = [
      { type: 'array', items: { type: 'double' }, name: 'l', required: true },
      { type: 'object', properties: { k: { type: 'long', required: true } }, name: 's' },
      { type: 'map', values: { type: 'array', items: { type: 'string' } }, name: 'm' },
    ];
    expect(schemaFields(JSON.stringify({ mlflow_colspec: columns }))).toEqual([
      { name: 'l', type: 'array<double>' },
      { name: 's', type: 'object<k: long>' },
      { name: 'm', type: 'map<array<string>>' },
    ]);
    const deep = `${'{"type":"array","items":'.repeat(5_000)}{}${'}'.repeat(5_000)}`;
    expect(schemaFields(`[${deep}]`)).toEqual([
      { name: 'column0', type: 'array<array<array<array<array<…>>>>>' },
    ]);
  });

  test.each([undefined, '', 'x', '{}', '[1]', '{"mlflow_colspec": 5}'])('%j has none', (schema) => {
    expect(schemaFields(schema)).toEqual([]);
  });
});

describe('the files of a model', () => {
  const files = {
    MLmodel: `flavors:
  python_function: {loader_module: mlflow.sklearn, python_version: 3.11.7}
  sklearn: {sklearn_version: 1.9.1}
mlflow_version: 3.17.2
signature:
  inputs: '[{"type": "double", "name": "x", "required": true}]'
  outputs: '[{"type": "long", "name": "y"}]'
`,
    'requirements.txt': '# made by mlflow\nscikit-learn==1.9.1\nmlflow==3.17.2  # pinned\n\n',
    'python_env.yaml': 'python: 3.11.7\nbuild_dependencies: [pip]\n',
  };

  test('say its flavors, signature and environment', () => {
    expect(describeModel(files)).toEqual({
      flavors: ['python_function', 'sklearn'],
      inputs: [{ name: 'x', type: 'double' }],
      outputs: [{ name: 'y', type: 'long' }],
      mlflowVersion: '3.17.2',
    });
    expect(environmentOf(files)).toMatchObject({
      digest: expect.stringMatching(/^[0-9a-f]{32}$/),
      attributes: {
        packages: ['mlflow==3.17.2', 'scikit-learn==1.9.1'],
        python: '3.11.7',
        source: 'requirements.txt',
      },
    });
  });

  test('give the same environment in any order of lines', () => {
    const turned = { ...files, 'requirements.txt': 'mlflow==3.17.2\nscikit-learn==1.9.1' };
    expect(environmentOf(turned)?.digest).toBe(environmentOf(files)?.digest);
    const other = { ...files, 'python_env.yaml': 'python: 3.12.0' };
    expect(environmentOf(other)?.digest).not.toBe(environmentOf(files)?.digest);
  });

  test('may lock it in conda.yaml alone', () => {
    const conda = 'dependencies:\n- python=3.10.1\n- pip:\n  - mlflow==3.0\nname: env\n';
    expect(environmentOf({ 'conda.yaml': conda })?.attributes).toEqual({
      packages: ['mlflow==3.0'],
      python: '3.10.1',
      source: 'conda.yaml',
    });
  });

  test('may be anything without breaking the translation', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (a, b, c) => {
        const any = { MLmodel: a, 'conda.yaml': b, 'requirements.txt': c };
        expect(JSON.parse(JSON.stringify(describeModel(any)))).toEqual(describeModel(any));
        environmentOf(any);
      }),
    );
    expect(describeModel({ MLmodel: 'a: &a [*a, *a]\nflavors: [1]' })).toEqual({});
    expect(environmentOf({})).toBeUndefined();
  });
});

describe('the code of a run', () => {
  const context = { workspace: 'default', time: 5 };
  const refs = (tags: Record<string, string>) =>
    sourceCodeFacts('r', tags, context).flatMap((fact) =>
      fact.kind === 'relation.stated' ? [[fact.from, fact.to, fact.rule]] : [],
    );

  test('is its source at the commit, in the repository', () => {
    expect(
      refs({
        'mlflow.source.name': 'train.py',
        'mlflow.source.git.commit': 'abc',
        'mlflow.source.git.repoURL': 'git@host:a/b.git',
      }),
    ).toEqual([
      ['code:git%40host:a%2Fb.git/train.py@abc', 'run:default/r', 'mlflow.source.git.commit'],
    ]);
  });

  test('is its source alone without a commit', () => {
    expect(refs({ 'mlflow.source.name': 'train.py' })).toEqual([
      ['code:default/train.py', 'run:default/r', 'mlflow.source.name'],
    ]);
  });

  test('is not known from other tags', () => {
    expect(refs({ 'mlflow.source.type': 'LOCAL' })).toEqual([]);
  });
});
