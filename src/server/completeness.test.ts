import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Answer } from '../contract/answer.ts';
import type { Completeness } from '../contract/completeness.ts';
import { type TestServer, testServer } from '../testing/server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await testServer({});
});
afterEach(() => server.remove());

const api = '/api/wherefrom/v1';
const mlflow = '/api/2.0/mlflow';

async function send(url: string, body: object) {
  const { status, text } = await server.post(url, body);
  expect(status, text).toBeLessThan(300);
  return text === '' ? undefined : JSON.parse(text);
}

async function judged(ref: string): Promise<Completeness> {
  const { status, json } = await server.get(`${api}/completeness?${new URLSearchParams({ ref })}`);
  expect(status, JSON.stringify(json)).toBe(200);
  return json;
}

async function traced(query: Record<string, string>): Promise<Answer> {
  return (await server.get(`${api}/trace?${new URLSearchParams(query)}`)).json;
}

const found = ({ checks }: Completeness, what: string): boolean[] =>
  checks.filter((check) => check.what === what).map((check) => check.found);

async function startRun(user = 'unknown'): Promise<string> {
  const body = { experiment_id: '0', user_id: user };
  return (await send(`${mlflow}/runs/create`, body)).run.info.run_id;
}

async function register(run: string, name = 'credit'): Promise<void> {
  await send(`${mlflow}/registered-models/create`, { name });
  const source = `s3://b/${name}`;
  await send(`${mlflow}/model-versions/create`, { name, source, run_id: run });
}

async function readData(run: string): Promise<void> {
  await send(`${mlflow}/runs/log-inputs`, {
    run_id: run,
    datasets: [
      {
        tags: [{ key: 'mlflow.data.context', value: 'training' }],
        dataset: {
          name: 'loans',
          digest: '12345678',
          source_type: 'local',
          source: '{"uri": "/data/loans.csv"}',
          schema: '{"mlflow_colspec": [{"type": "long", "name": "age", "required": true}]}',
        },
      },
    ],
  });
}

describe('a seed', () => {
  test.each(['None', 'null', 'nan', ' '])('is not the value "%s"', async (value) => {
    const run = await startRun();
    await register(run);
    await send(`${mlflow}/runs/log-parameter`, { run_id: run, key: 'random_state', value });
    expect(found(await judged('credit@1'), 'seed')).toEqual([false]);
  });

  test('is a number, also 0', async () => {
    const run = await startRun();
    await register(run);
    await send(`${mlflow}/runs/log-parameter`, { run_id: run, key: 'random_state', value: '0' });
    expect(found(await judged('credit@1'), 'seed')).toEqual([true]);
  });
});

describe('an owner', () => {
  test('is who ran the training, and unknown is nobody', async () => {
    await register(await startRun('unknown'), 'nobody');
    await register(await startRun('ada'), 'hers');
    expect(found(await judged('nobody@1'), 'owner')).toEqual([false]);
    const hers = await judged('hers@1');
    expect(found(hers, 'owner')).toEqual([true]);
    expect(hers.checks.find(({ what }) => what === 'owner')?.by).toEqual(['agent:default/ada']);
  });

  test('is not somebody further up', async () => {
    const run = await startRun('unknown');
    await register(run);
    await readData(run);
    const by = { owners: [{ name: 'user:bob' }], _producer: 'p', _schemaURL: 's' };
    await send('/api/v1/lineage', {
      eventType: 'COMPLETE',
      eventTime: '2020-01-01T00:00:00Z',
      producer: 'p',
      schemaURL: 's',
      run: { runId: '01890a5d-ac96-774b-bcce-b302099a8057' },
      job: { namespace: 'etl', name: 'load', facets: { ownership: by } },
      inputs: [],
      outputs: [{ namespace: 'file', name: '/data/loans.csv' }],
    });
    const answer = await judged('credit@1');
    const { nodes } = await traced({ ref: 'credit@1' });
    expect(nodes.map(({ ref }) => ref)).toContain('agent:default/bob');
    expect(found(answer, 'owner')).toEqual([false]);
  });

  test('may be stated', async () => {
    await register(await startRun());
    await send(`${api}/statements`, { ref: 'model:default/credit', type: 'owner', text: 'Risk' });
    expect(found(await judged('credit@1'), 'owner')).toEqual([true]);
  });
});

describe('what has nothing to be judged by', () => {
  test('a run lacks code, environment and data', async () => {
    const answer = await judged(await startRun());
    expect(answer.missing.map(({ what }) => what)).toEqual(['code', 'environment', 'data']);
    expect(answer.score).toBe(0);
  });

  test('an experiment or a job is not complete', async () => {
    const { experiment_id } = await send(`${mlflow}/experiments/create`, { name: 'tries' });
    const answer = await judged(`experiment:default/${experiment_id}`);
    expect(answer).toMatchObject({ score: 0, checks: [], notJudged: 'nothing' });
    expect((await traced({ ref: answer.ref })).completeness).toEqual({
      score: 0,
      missing: [],
      notJudged: 'nothing',
    });
  });
});

test('of a walk that was cut off nothing is called missing; completeness judges the whole', async () => {
  const run = await startRun('ada');
  await register(run);
  await readData(run);
  for (const cut of [{ depth: '1' }, { nodes: '2' }]) {
    const { completeness } = await traced({ ref: 'credit@1', ...cut });
    expect(completeness).toEqual({ score: 0, missing: [], notJudged: 'stopped' });
  }
  const whole = (await traced({ ref: 'credit@1' })).completeness;
  expect(whole.notJudged).toBeUndefined();
  expect((await judged('credit@1')).missing).toEqual(whole.missing);
});

test('the columns of a dataset are those of its versions too, whatever is asked about', async () => {
  const run = await startRun();
  await register(run);
  await readData(run);
  const ofModel = await judged('credit@1');
  expect(found(ofModel, 'columns')).toEqual([true]);
  const dataset = ofModel.checks.find(({ what }) => what === 'columns')?.ref ?? '';
  expect(found(await judged(dataset), 'columns')).toEqual([true]);
});
