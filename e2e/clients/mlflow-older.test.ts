/** Clients of releases before ours, each in an environment of its own, drive the same server. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseRef } from '../../src/facts/ref.ts';
import { startTestServer, type TestServer } from './openlineage-server.ts';
import { runMlflowFlow } from './python-flow.ts';

let server: TestServer;

beforeEach(async () => {
  server = await startTestServer();
});
afterEach(() => server?.stop());

/** The spans that came in a file are found, given back and in the lineage. */
async function knowsSpansOf(id: string): Promise<void> {
  const call = async (path: string, body?: object): Promise<unknown> => {
    const answer = await fetch(`${server.url}/api/3.0/mlflow/traces/${path}`, {
      headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    return answer.json();
  };
  expect(
    await call('search', {
      locations: [{ mlflow_experiment: { experiment_id: '1' } }],
      filter: "span.attributes.gen_ai.request.model = 'tiny' AND span.type = 'CHAT_MODEL'",
    }),
  ).toMatchObject({ traces: [{ trace_id: id }] });
  expect(await call(`get?trace_id=${id}`)).toMatchObject({
    trace: { spans: [{ name: 'ask' }, { name: 'retrieve' }, { name: 'complete' }] },
  });
  const { nodes } = await server.ask('trace', id);
  expect(nodes.map(({ ref }) => ref)).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^dataset:.*france\.md$/),
      expect.stringMatching(/^model:.*tiny$/),
      expect.stringMatching(/^code:.*mlflow_older_flow\.py/),
    ]),
  );
}

describe('an older mlflow client, unmodified', () => {
  test.each([
    { name: 'mlflow-2', release: /^2\.22\./ },
    { name: 'mlflow-3.1', release: /^3\.1\./ },
  ] as const)('$name tracks, searches, registers and loads back', async ({ name, release }) => {
    const out = await runMlflowFlow('mlflow_older_flow.py', server, { environment: name });
    expect(out).toMatchObject({
      version: expect.stringMatching(release),
      data: {
        status: 'FINISHED',
        params: expect.objectContaining({ C: '0.5', p4: '4' }),
        metrics: expect.objectContaining({ accuracy: 0.9, loss: 0.1, curve: 1 }),
        stage: 'trial',
        inputs: ['iris'],
      },
      history: [0, 1, 2].map((step) => [step, step / 2]),
      artifacts: expect.arrayContaining(['notes']),
      note: 'a note',
      downloaded: ['note.txt'],
      autolog: '250',
      found: ['first'],
      pages: ['first', 'child', 'auto'],
      experiments: ['older'],
      model_version: { version: '1', run: out.run, stage: 'Staging', tags: { checked: 'yes' } },
      registered: '2',
      predicts_alike: [true, true, true, true],
      versions: ['1', '2'],
      latest: ['1'],
      refused: [
        'INVALID_PARAMETER_VALUE',
        'RESOURCE_DOES_NOT_EXIST',
        'RESOURCE_ALREADY_EXISTS',
        'RESOURCE_ALREADY_EXISTS',
      ],
      deleted: 'deleted',
      trace: {
        id: expect.any(String),
        status: 'TraceStatus.OK',
        spans: [
          ['ask', 'AGENT'],
          ['retrieve', 'RETRIEVER'],
          ['complete', 'CHAT_MODEL'],
        ],
      },
    });
    await knowsSpansOf((out.trace as { readonly id: string }).id);
    const trace = await server.ask('trace', 'modelVersion:default/older-iris@1');
    const kinds = new Set(trace.nodes.map(({ ref }) => parseRef(ref).kind));
    expect([...kinds]).toEqual(expect.arrayContaining(['run', 'datasetVersion', 'environment']));
  });
});
