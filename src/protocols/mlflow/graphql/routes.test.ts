import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startMlflowServer } from '../../../testing/mlflow-server.ts';

let server: Awaited<ReturnType<typeof startMlflowServer>>;
let run: string;

beforeEach(async () => {
  server = await startMlflowServer();
  run = await server.createRun({ run_name: 'first', start_time: 1_700_000_000_000 });
});
afterEach(async () => {
  await server.close();
});

const ask = async (query: string, variables?: Record<string, unknown>) =>
  (await server.send('POST', '/graphql', { query, variables })).body;

describe('GraphQL', () => {
  test('reads a run with its experiment and the versions made of it', async () => {
    await server.post('runs/log-metric', { run_id: run, key: 'm', value: 'NaN', timestamp: 5 });
    await server.post('registered-models/create', { name: 'model' });
    await server.post('model-versions/create', { name: 'model', source: 's3://b/m', run_id: run });
    const query = `query Run($id: String) {
      mlflowGetRun(input: { runId: $id }) {
        apiError { code }
        run {
          info { runName status startTime endTime }
          data { metrics { key value timestamp step } params { key } }
          experiment { experimentId name tags { key } }
          modelVersions { name version status aliases }
        }
      }
    }`;
    expect(await ask(query, { id: run })).toEqual({
      data: {
        mlflowGetRun: {
          apiError: null,
          run: {
            info: {
              runName: 'first',
              status: 'RUNNING',
              startTime: '1700000000000',
              endTime: '0',
            },
            data: { metrics: [{ key: 'm', value: null, timestamp: '5', step: '0' }], params: [] },
            experiment: { experimentId: '0', name: 'Default', tags: [] },
            modelVersions: [{ name: 'model', version: '1', status: 'READY', aliases: [] }],
          },
        },
      },
      errors: null,
    });
  });

  test('searches runs by mutation, as the pages do, and by GET', async () => {
    const query = `mutation { mlflowSearchRuns(input: { experimentIds: ["0"], runViewType: ALL,
      maxResults: 1, filter: "attributes.run_name = 'first'" }) { runs { info { runId } } } }`;
    const found = {
      data: { mlflowSearchRuns: { runs: [{ info: { runId: run } }] } },
      errors: null,
    };
    expect(await ask(query)).toEqual(found);
    const asked = encodeURIComponent(query.replace('mutation', 'query'));
    expect((await server.send('GET', `/graphql?query=${asked}`)).body).toEqual(found);
  });

  test('answers refusals among its errors', async () => {
    const query = '{ mlflowGetExperiment(input: { experimentId: "77" }) { experiment { name } } }';
    expect(await ask(query)).toEqual({
      data: { mlflowGetExperiment: null },
      errors: ['No Experiment with id=77 exists'],
    });
    const unknown = await ask('{ nothing }');
    expect(unknown.data).toBe(null);
    expect(unknown.errors[0]).toContain('nothing');
  });

  test.each([
    ['root fields', `{ ${'test { output } '.repeat(11)} }`, 'at most 10 root fields, got 11'],
    [
      'aliases, also those in fragments',
      `{ test(inputString: "x") { ...a ...b } }
       fragment a on Test { ${aliases(0, 6)} } fragment b on Test { ${aliases(6, 11)} }`,
      'at most 10 aliases, got 11',
    ],
    [
      'aliases below the root',
      `{ mlflowGetRun(input: {}) { run { info { ${aliases(0, 11).replaceAll('output', 'runId')} } } } }`,
      'at most 10 aliases, got 11',
    ],
    ['levels', `{ ${'a { '.repeat(11)} b ${'}'.repeat(11)} }`, 'maximum depth of 10'],
    [
      'levels by the thousand',
      `{ ${'a{'.repeat(9_000)} b ${'}'.repeat(9_000)} }`,
      'maximum depth of 10',
    ],
    [
      'selections',
      `{ mlflowGetRun { run { info { ${'runId '.repeat(1_001)} } } } }`,
      'total selections of 1000',
    ],
    ['fragments that name themselves', '{ ...a } fragment a on Query { ...a }', 'spread'],
  ])('bounds a query: %s', async (_what, query, text) => {
    const { data, errors } = await ask(query);
    expect([data, errors[0]]).toEqual([null, expect.stringContaining(text)]);
  });

  test.each([['{'], ['']])('refuses what is no query: %j', async (query) => {
    expect((await server.send('POST', '/graphql', { query })).status).toBe(400);
  });
});

function aliases(from: number, to: number): string {
  const names = Array.from({ length: to - from }, (_, index) => `a${from + index}`);
  return names.map((name) => `${name}: output`).join(' ');
}
