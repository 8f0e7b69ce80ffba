import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '../../src/contract/answer.ts';
import { startTestServer, type TestServer } from './openlineage-server.ts';
import { runMlflowFlow } from './python-flow.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.stop());

/** Edges into the ref, in one line each. */
const into = (answer: Answer): string[] =>
  answer.edges
    .filter(({ to }) => to === answer.ref)
    .map(({ from, relation, role, known }) => `${from} ${relation} ${role} ${known}`)
    .sort();

describe("mlflow's tracing, unmodified, and plain OpenTelemetry", () => {
  // What traces_flow.py printed; its shape is that script's.
  let out: Record<string, unknown> & {
    readonly trace_id: string;
    readonly plain_id: string;
    readonly run_id: string;
    readonly model_id: string;
  };
  beforeAll(async () => {
    out = await runMlflowFlow('traces_flow.py', server);
  });

  test('a trace is read back with its spans, sums and metadata', () => {
    expect(out).toMatchObject({
      state: 'OK',
      spans: [
        ['ask', 'AGENT'],
        ['retrieve', 'RETRIEVER'],
        ['count', 'TOOL'],
        ['complete', 'CHAT_MODEL'],
      ],
      root: {
        inputs: { question: 'The capital of France?' },
        outputs: { choices: [{ message: { role: 'assistant', content: 'Paris, bien sûr' } }] },
      },
      nanoseconds: true,
      usage: { input_tokens: 11, output_tokens: 2, total_tokens: 13 },
      metadata: {
        'mlflow.trace.user': 'alice@example.org',
        'mlflow.trace.session': 'session-1',
        'mlflow.sourceRun': out.run_id,
        'mlflow.modelId': out.model_id,
      },
      broken: ['ERROR', 'exception'],
    });
  });

  test('assessments are logged, changed, overridden and deleted', () => {
    expect(out).toMatchObject({
      feedback: [false, false, 'bob@example.org', true],
      expectation: [{ answer: 'Paris' }],
      valid_again: true,
    });
  });

  test('tags, searches, links and deletion do what the client expects', () => {
    expect(out).toMatchObject({
      tags: {
        reviewed: 'yes',
        team: 'geo',
        'mlflow.traceName': 'ask',
        'mlflow.trace.spansLocation': 'TRACKING_STORE',
      },
      searches: {
        all: 2,
        tag: [true],
        person: [true],
        feedback: [true],
        span: [true],
        text: [true],
        prompt: [true],
        run: [true],
        model: [false, true],
        error: [false],
      },
      frame: [{ question: 'The capital of France?' }, 4],
      refused: ['INVALID_PARAMETER_VALUE', 'RESOURCE_DOES_NOT_EXIST', 'RESOURCE_DOES_NOT_EXIST'],
      linked: 2,
      deleted: 1,
      after: 'RESOURCE_DOES_NOT_EXIST',
    });
    expect(out.tags).not.toHaveProperty('gone');
  });

  test('trace tells of which prompt, model, run, code, documents and tools it came', async () => {
    const answer = await server.ask('trace', out.trace_id);
    expect(answer.ref).toBe(`prediction:default/${out.trace_id}`);
    expect(into(answer)).toEqual(
      expect.arrayContaining([
        `artifact:default/${out.model_id} served version observed`,
        'code:default/tool/count used-by tool observed',
        'dataset:retriever:%2F%2Fretrieve/chunk-9 read-by document inferred',
        'dataset:s3:%2F%2Fkb/france.md read-by document observed',
        'datasetVersion:s3:%2F%2Fkb/lyon.md@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 read-by document observed',
        'model:provider:acme/tiny-2025-01 served model observed',
        'modelVersion:default/qa@2 read-by prompt observed',
        `run:default/${out.run_id} produced source observed`,
      ]),
    );
    const prediction = answer.nodes.find(({ kind }) => kind === 'prediction');
    expect(prediction?.attributes).toMatchObject({
      name: 'ask',
      parameters: { temperature: 0.2 },
      tokens: { total_tokens: 13 },
      assessments: expect.arrayContaining([
        expect.objectContaining({ name: 'correct', value: false, by: 'bob@example.org' }),
      ]),
    });
    const missing = answer.completeness.missing.filter(({ ref }) => ref === answer.ref);
    expect(missing).toEqual([]);
  });

  test('a bad prompt version, a document and a model tell how many traces they reached', async () => {
    for (const ref of ['qa@2', 's3://kb/france.md', 'code:default/tool/count']) {
      const { counts } = await server.ask('impact', ref);
      expect(counts.map(({ kind, count }) => `${kind} ${count}`)).toContain('prediction 1');
    }
    // The broken one, and the one that was deleted: what it reached stays true.
    const served = await server.ask('impact', out.model_id);
    expect(served.counts.map(({ count }) => count)).toEqual([3]);
    // Two traces came out of the prompt and of the run that used it: they are two, not four.
    const asked = await server.ask('impact', 'counted@1');
    expect(asked.counts.map(({ count }) => count)).toEqual([2, 2]);
    expect(asked.totals).toEqual([{ kind: 'prediction', count: 2 }]);
    const { counts } = await server.ask('impact', 'model:provider:acme/tiny-2025-01');
    expect(counts).toEqual([
      { ref: 'model:provider:acme/tiny-2025-01', kind: 'prediction', count: 2 },
    ]);
    expect((await server.ask('impact', 'qa@1')).counts).toEqual([]);
  });

  test('a trace of plain OpenTelemetry is a prediction too, and says what is unknown', async () => {
    expect(out.flushed).toBe(true);
    const answer = await server.ask('trace', out.plain_id.slice(0, 14));
    expect(answer.ref).toBe(`prediction:default/${out.plain_id}`);
    expect(into(answer)).toEqual([
      'model:provider:acme/tiny-2025-01 served model observed',
      'modelVersion:default/assistant@7 served version observed',
    ]);
    const prediction = answer.nodes.find(({ kind }) => kind === 'prediction');
    expect(prediction?.attributes).toMatchObject({
      name: 'handle',
      parameters: { temperature: 0.7 },
      unknown: ['modelVersion:default/assistant@7'],
    });
    expect(answer.completeness.missing.map(({ what }) => what)).toEqual(
      expect.arrayContaining(['model version', 'prompt version']),
    );
  });
});

/** Where our answers differ from those of mlflow 3.17.2, and why. */
const differences: Readonly<Record<string, string>> = {
  "text LIKE '%nowhere%'": 'its parser takes the bare word for a type',
};

describe('searches of traces, beside the SQL store of mlflow', () => {
  test('the same population answers the same expressions alike', { timeout: 240_000 }, async () => {
    // What traces_search.py printed; its shape is that script's.
    const answers = (await runMlflowFlow('traces_search.py', server)) as {
      readonly filter: string;
      readonly order: readonly string[];
      readonly mlflow: unknown;
      readonly ours: unknown;
    }[];
    expect(answers.length).toBeGreaterThan(200);
    const isRefusal = (value: unknown): boolean => !Array.isArray(value);
    const unlike = answers.filter(({ filter, order, mlflow, ours }) => {
      if (Object.hasOwn(differences, filter)) return false;
      // It fails there: ordering by the end of a trace, and a key twice.
      if (['end_time', 'status,status'].includes(order.join())) return false;
      if (isRefusal(mlflow) || isRefusal(ours)) return isRefusal(mlflow) !== isRefusal(ours);
      return JSON.stringify(mlflow) !== JSON.stringify(ours);
    });
    expect(unlike).toEqual([]);
  });
});
