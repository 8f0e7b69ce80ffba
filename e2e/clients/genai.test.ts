import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from './openlineage-server.ts';
import { runMlflowFlow } from './python-flow.ts';

let server: TestServer;
// What genai_flow.py printed; its shape is that script's.
let out: Record<string, unknown> & {
  readonly traces: readonly { readonly id: string }[];
  readonly again: { readonly run: string };
};

beforeAll(async () => {
  server = await startTestServer();
  // The script prints what this file expects of it.
  out = await runMlflowFlow('genai_flow.py', server);
});
afterAll(() => server?.stop());

describe('mlflow.genai.evaluate', () => {
  test('leaves its run with metrics and dataset', () => {
    const metrics = { 'exact/mean': 2 / 3, 'length/mean': 16 / 3, 'fragile/mean': 1 };
    expect(out).toMatchObject({ status: 'FINISHED', metrics, logged_metrics: metrics });
    expect(out.inputs).toEqual(['capitals']);
  });

  test('leaves a trace of each record, with what scorers and records say of it', () => {
    const trace = (
      country: string,
      answer: string,
      right: boolean,
      length: number,
      judge: string,
    ) => ({
      country,
      state: 'OK',
      spans: [
        ['answer', 'AGENT'],
        ['retrieve', 'RETRIEVER'],
      ],
      assessments: [
        ['answer', 'Expectation', answer, false],
        ['exact', 'Feedback', right, false],
        ['fragile', 'Feedback', judge === '' ? null : judge, judge === ''],
        ['length', 'Feedback', length, false],
      ],
    });
    expect(out.traces).toMatchObject([
      trace('France', 'Paris', true, 5, 'yes'),
      trace('Italy', 'Rome', false, 5, 'yes'),
      trace('Spain', 'Madrid', true, 6, ''),
    ]);
    expect(out.failed).toEqual(['answer']);
    expect(out.again).toMatchObject({ metrics: { 'length/mean': 16 / 3 } });
  });

  test('a trace came out of code, model, prompt, document and the runs that judged it', async () => {
    const id = out.traces[0]?.id ?? '';
    const { edges } = await server.ask('trace', id);
    const into = edges
      .filter(({ to }) => to === `prediction:default/${id}`)
      .map(({ from, relation, role }) => `${relation} ${role}: ${from}`);
    expect(into).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^used-by code: code:.*genai_flow\.py/),
        `served version: artifact:default/${out.model}`,
        'read-by prompt: modelVersion:default/capitals@1',
        'read-by document: dataset:s3:%2F%2Fkb/france.md',
        `produced linked: run:default/${out.run}`,
        `produced linked: run:default/${out.again.run}`,
      ]),
    );
  });

  test('the run read the version of the dataset that was there, the model and its prompt', async () => {
    const { edges } = await server.ask('trace', `run:default/${out.run}`);
    const dataset = `datasetVersion:mlflow:default/datasets/${out.dataset}@mlflow-`;
    const read = edges.filter(({ from }) => from.startsWith(dataset));
    expect(read).toContainEqual(
      expect.objectContaining({ to: `run:default/${out.run}`, role: 'evaluation' }),
    );
    expect(edges).toContainEqual(
      expect.objectContaining({
        from: `artifact:default/${out.model}`,
        to: `run:default/${out.run}`,
        relation: 'read-by',
      }),
    );
    const evaluated = await server.ask('impact', `artifact:default/${out.model}`);
    expect(evaluated.edges).toContainEqual(
      expect.objectContaining({
        relation: 'evaluated-on',
        to: expect.stringContaining(dataset),
      }),
    );
  });

  test('scorers of MLflow are registered and read back, those of code are refused', () => {
    expect(out.registered).toEqual(['tone']);
    expect(out.guidelines).toEqual(['Be polite']);
    expect(out.code).toMatch(/^INVALID_PARAMETER_VALUE: Custom scorer registration/);
  });
});

test('people answer questions about traces in a queue', () => {
  const [first, ...others] = out.traces.map(({ id }) => id);
  expect(out.review).toEqual({
    schemas: ['Feedback', 'correct'],
    queues: ['Weekly'],
    users: ['bob@example.org'],
    items: {
      [first ?? '']: ['complete', 'bob@example.org'],
      ...Object.fromEntries(others.map((id) => [id, ['pending', null]])),
    },
  });
});
