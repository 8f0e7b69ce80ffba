import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from './openlineage-server.ts';
import { runMlflowFlow } from './python-flow.ts';

let server: TestServer;
// What evaluation_flow.py printed; its shape is that script's.
let out: Record<string, unknown> & {
  readonly dataset: { readonly id: string; readonly digest: string; readonly made_digest: string };
};

beforeAll(async () => {
  server = await startTestServer();
  // The script prints what this file expects of it.
  out = await runMlflowFlow('evaluation_flow.py', server);
});
afterAll(() => server?.stop());

describe('mlflow.models.evaluate of a classifier', () => {
  test('keeps its metrics with run and model, by dataset', () => {
    expect(out.metrics).toEqual(expect.arrayContaining(['accuracy_score', 'roc_auc']));
    expect(out.inputs).toMatchObject([{ name: 'holdout', digest: out.digest }]);
    expect(out.model_metrics).toContainEqual(['accuracy_score', 'holdout', out.digest]);
  });

  test('says in the graph that model and version were evaluated on the file', async () => {
    const model = await server.ask('impact', `artifact:default/${out.model}`);
    const evaluated = model.edges.filter(({ relation }) => relation === 'evaluated-on');
    expect(evaluated).toContainEqual(
      expect.objectContaining({
        from: `artifact:default/${out.model}`,
        to: expect.stringContaining(`/cancer.csv@mlflow-${out.digest}`),
        known: 'observed',
      }),
    );
    expect(evaluated).toContainEqual(
      expect.objectContaining({ from: 'modelVersion:default/cancer@1', known: 'inferred' }),
    );
  });
});

describe('mlflow.genai.datasets', () => {
  test('keeps records merged by their inputs, with schema, profile and tags', () => {
    expect(out.dataset).toMatchObject({
      name: 'golden',
      tags: { team: 'research' },
      schema: {
        inputs: { question: 'string', score: 'float' },
        outputs: 'string',
        expectations: { answer: 'string', tone: 'string' },
      },
      profile: { num_records: 4 },
      experiments: [out.experiment],
      user: true,
    });
    expect(out.records).toMatchObject([
      { inputs: { question: 'a' }, expectations: { answer: 'A', tone: 'dry' }, source: 'HUMAN' },
      { inputs: { question: 'b' }, outputs: 'B', source: 'CODE' },
      { inputs: { question: 'c' }, source: 'DOCUMENT' },
      { inputs: { question: 'd' }, expectations: { answer: 'D' } },
    ]);
    expect(out.float).toBe('float');
    expect(out.by_name).toBe(out.dataset.id);
  });

  test('searches by experiment, name, tag and person', () => {
    expect(out.search).toEqual({
      all: ['golden', 'silver'],
      experiment: ['golden'],
      filter: ['silver'],
      tag: ['golden'],
      order: ['silver', 'golden'],
      user: 2,
    });
    expect(out.added).toEqual([out.experiment]);
    expect(out.removed).toEqual([]);
    expect(out.tags).toEqual({ b: '2' });
  });

  test('deletes records and datasets, and is refused in words of MLflow', () => {
    expect(out.deleted_records).toBe(1);
    expect(out.left).toEqual(['a', 'c', 'd']);
    expect(out.refused).toMatchObject({
      gone: { code: 'RESOURCE_DOES_NOT_EXIST' },
      mixed: { code: 'INVALID_PARAMETER_VALUE' },
      experiment: { code: 'RESOURCE_DOES_NOT_EXIST' },
      filter: { code: 'INVALID_PARAMETER_VALUE' },
    });
  });

  test('leaves versions, their documents and their readers in the graph', async () => {
    const run = await server.ask('trace', `run:default/${out.reading}`);
    const dataset = `mlflow:default/datasets/${out.dataset.id}`;
    expect(run.edges).toContainEqual(
      expect.objectContaining({
        from: `datasetVersion:${dataset}@mlflow-${out.now}`,
        relation: 'read-by',
        role: 'evaluation',
      }),
    );
    const versions = run.edges.filter(({ relation }) => relation === 'continued-as');
    expect(versions.map(({ from }) => from)).toEqual(
      expect.arrayContaining([
        `datasetVersion:${dataset}@mlflow-${out.dataset.made_digest}`,
        `datasetVersion:${dataset}@mlflow-${out.dataset.digest}`,
      ]),
    );
    expect(run.edges).toContainEqual(
      expect.objectContaining({ from: 'dataset:s3:%2F%2Fdocs/c.md', relation: 'derived-into' }),
    );
  });
});

test('scorers of the client are registered in versions, read back and deleted', () => {
  expect(out.scorers).toEqual(['polite']);
  expect(out.scorer_versions).toEqual([1, 2]);
  expect(out.scorer).toBe('Is {{ outputs }} polite?');
  expect(out.scorers_left).toEqual([]);
  expect(out.no_scorer).toMatchObject({ code: 'RESOURCE_DOES_NOT_EXIST' });
});
