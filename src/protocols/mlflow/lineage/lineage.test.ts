import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { datasetName, deltaVersion, roleOf } from './dataset-name.ts';
import { describeModel, environmentOf } from './model-files.ts';
import { schemaFields } from './schema.ts';
import { sourceCodeFacts } from './source-code.ts';

const named = (sourceType: string, source: unknown) =>
  datasetName(
    { name: 'd', sourceType, source: JSON.stringify(source) },
    { workspace: 'default', experiment: '7' },
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
    ['hf', { path: 'squad', config_name: 'plain' }, 'hf', 'squad'],
    ['delta_table', { delta_table_name: 'cat.db.t', path: 's3://b/t' }, 'delta', 'cat.db.t'],
    ['spark', { table_name: 'db.t' }, 'spark', 'db.t'],
    ['code', { tags: { 'mlflow.source.name': 'a.py' } }, 'mlflow:default', '7/d'],
    ['other', { uri: 'relative/path' }, 'mlflow:default', '7/d'],
    ['other', 'no json', 'mlflow:default', '7/d'],
  ])('from %s %j is called as other tools call it', (sourceType, source, namespace, name) => {
    expect(named(sourceType, source)).toEqual({ namespace, name });
  });

  test('has the version of its Delta table', () => {
    expect(
      deltaVersion({ name: 'd', sourceType: 'delta_table', source: '{"delta_table_version": 3}' }),
    ).toBe('3');
    expect(deltaVersion({ name: 'd', sourceType: 'local', source: '{}' })).toBeUndefined();
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
      fc.property(
        fc.string(),
        fc.oneof(fc.string(), fc.webUrl(), fc.jsonValue()),
        (sourceType, uri) => {
          const { namespace, name } = named(sourceType, { uri });
          expect(typeof namespace === 'string' && typeof name === 'string').toBe(true);
        },
      ),
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
      { name: 'column0', type: 'tensor(float64)' },
      { name: 'target0', type: 'tensor(float64)' },
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
