import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '../../src/contract/answer.ts';
import { parseRef } from '../../src/facts/ref.ts';
import { startTestServer, type TestServer } from './openlineage-server.ts';
import { runMlflowFlow } from './python-flow.ts';

let server: TestServer;
// What mlflow_flow.py printed; its shape is that script's.
let out: Record<string, unknown> & {
  readonly first: string;
  readonly second: string;
  readonly child: string;
  readonly model_id: string;
};

beforeAll(async () => {
  server = await startTestServer();
  out = await runMlflowFlow('mlflow_flow.py', server);
});
afterAll(() => server?.stop());

const relations = (answer: Answer): string[] =>
  answer.edges.map(
    ({ from, relation, to }) => `${parseRef(from).kind} ${relation} ${parseRef(to).kind}`,
  );

describe('the mlflow client, unmodified, with an API key', () => {
  test('logs what autolog finds, a dataset, histories, texts and tags', () => {
    expect(out.first_run).toMatchObject({
      status: 'FINISHED',
      params: { C: '0.5', max_iter: '200' },
      metrics: { odd: 'nan', endless: '1.7976931348623157e+308', loss: '0.2' },
      tags: { team: 'plants', estimator_name: 'LogisticRegression', 'mlflow.runName': 'first' },
      outputs: [expect.stringMatching(/^m-/)],
    });
    expect(out.first_run).toHaveProperty(
      'inputs',
      expect.arrayContaining([
        expect.objectContaining({
          name: 'iris',
          source_type: 'local',
          tags: { 'mlflow.data.context': 'training' },
        }),
      ]),
    );
    expect(out.history).toEqual([0, 1, 2, 3, 4].map((step) => [step, 1 / (step + 1)]));
    expect(out.artifacts).toEqual(expect.arrayContaining(['estimator.html', 'notes']));
    expect(out.nested_artifacts).toEqual(['notes/deep', 'notes/note.txt']);
    expect(out.note).toBe('a note');
  });

  test('finds runs by metric, tag, status, name, dataset and parent, page by page', () => {
    expect(out.found).toEqual([out.first]);
    expect(out.by_name).toEqual([out.second]);
    expect(out.by_dataset).toEqual([out.first]);
    expect(out.children).toEqual([out.child]);
    expect(out.pages).toEqual([out.child, out.second, out.first]);
    expect(out.experiments).toEqual(['iris']);
  });

  test('registers, names by alias, loads back and predicts', () => {
    expect(out.version).toEqual({ version: '1', run_id: out.second, status: 'READY' });
    expect(out.predicts_alike).toEqual([true, true, true]);
    expect(out.logged_model).toMatchObject({
      status: 'READY',
      name: 'model',
      source_run_id: out.second,
      params: 20,
      metrics: 21,
      tags: expect.arrayContaining(['mlflow.modelVersions']),
    });
    expect(out.logged_models).toEqual([out.model_id]);
  });

  test('is refused in its own words', () => {
    expect(out.refused).toMatchObject({
      param: {
        code: 'INVALID_PARAMETER_VALUE',
        message: expect.stringContaining('Changing param values is not allowed'),
      },
      no_run: { code: 'RESOURCE_DOES_NOT_EXIST' },
      experiment: { code: 'RESOURCE_ALREADY_EXISTS' },
      filter: {
        code: 'INVALID_PARAMETER_VALUE',
        message: expect.stringContaining('Invalid clause(s) in filter string'),
      },
      alias: { code: 'INVALID_PARAMETER_VALUE' },
    });
    expect(out).toMatchObject({
      deleted: 'deleted',
      restored: 'active',
      renamed: 'renamed',
      write_to_deleted: { code: 'INVALID_PARAMETER_VALUE' },
    });
  });

  test('leaves a graph from the model version back to run, code, environment and data', async () => {
    const version = await server.ask('trace', 'modelVersion:default/iris@1');
    expect(relations(version)).toEqual(
      expect.arrayContaining([
        'artifact registered-as modelVersion',
        'run produced artifact',
        'environment used-by artifact',
        'environment used-by run',
        'code used-by run',
        'agent did run',
      ]),
    );
    const first = await server.ask('trace', `run:default/${out.first}`);
    const read = first.edges.filter(
      ({ relation, role }) => relation === 'read-by' && role === 'train',
    );
    expect(
      read.map(({ from }) => parseRef(from).name).some((name) => name.endsWith('/iris.csv')),
    ).toBe(true);
    const environment = version.nodes.find(({ kind }) => kind === 'environment');
    expect(environment?.attributes).toMatchObject({
      packages: expect.arrayContaining([expect.stringMatching(/^scikit-learn==/)]),
      python: expect.stringMatching(/^3\./),
    });
  });
});
