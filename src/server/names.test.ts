import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestServer, testServer } from '../testing/server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await testServer({});
  await send(`${mlflow}/registered-models/create`, { name: 'credit' });
  for (const source of ['s3://b/1', 's3://b/2', 's3://b/3'])
    await send(`${mlflow}/model-versions/create`, { name: 'credit', source });
});
afterEach(() => server.remove());

const api = '/api/wherefrom/v1';
const mlflow = '/api/2.0/mlflow';

// biome-ignore lint/suspicious/noExplicitAny: the shape is what the test asserts
async function send(url: string, body: object): Promise<any> {
  const { status, text } = await server.post(url, body);
  expect(status, text).toBeLessThan(300);
  return text === '' ? undefined : JSON.parse(text);
}

async function get(path: string, query: Record<string, string>) {
  return (await server.get(`${api}/${path}?${new URLSearchParams(query)}`)).json;
}

test('a deployment by its bare name is the one that ran at the moment', async () => {
  const deploy = (version: number, from: string) =>
    send(`${api}/deployments`, { name: 'fraud', modelVersion: `credit@${version}`, from });
  await deploy(1, '2026-01-01');
  const early = await deploy(2, '2026-03-01');
  await deploy(3, '2026-02-01');
  await deploy(1, '2999-01-01');
  const number = async (moment: Record<string, string> = {}): Promise<string> =>
    (await get('trace', { ref: 'fraud', ...moment })).ref;
  expect(await number()).toBe('deployment:default/fraud@2');
  expect((await get('resolve', { ref: 'fraud' })).why).toBe('deployment that runs under that name');
  expect(await number({ at: '2026-02-15' })).toBe('deployment:default/fraud@3');
  expect(await number({ at: '2026-01-15' })).toBe('deployment:default/fraud@1');
  expect(await number({ at: '2999-02-01' })).toBe('deployment:default/fraud@4');
  // The third was told of later.
  const then = { asOf: String(early.receipt.position), at: '2026-02-15' };
  expect(await number(then)).toBe('deployment:default/fraud@1');
});

test('a renamed model is found by its former name, as records that use it are', async () => {
  await send(`${mlflow}/registered-models/rename`, { name: 'credit', new_name: 'risk' });
  await send(`${api}/predictions`, { id: 'p1', modelVersion: 'credit@2', output: 1 });
  expect((await get('predictions/p1', {})).modelVersion).toBe('modelVersion:default/risk@2');
  for (const ref of ['credit@2', 'models:/credit/2', 'modelVersion:default/credit@2'])
    expect((await get('trace', { ref })).ref, ref).toBe('modelVersion:default/risk@2');
  expect(await get('resolve', { ref: 'credit@2' })).toMatchObject({
    name: 'risk@2',
    why: 'model version, by a former name of risk',
  });
  expect(await get('resolve', { ref: 'credit' })).toMatchObject({ ref: 'model:default/risk' });
  expect(await get('resolve', { ref: 'credit@9' })).toMatchObject({
    status: 404,
    hint: expect.stringContaining('The model risk has risk@3'),
  });
});

test('a former name means nothing where a present model has it', async () => {
  await send(`${api}/predictions`, { id: 'p1', modelVersion: 'credit@2', output: 1 });
  await send(`${mlflow}/registered-models/rename`, { name: 'credit', new_name: 'risk' });
  await send(`${mlflow}/registered-models/create`, { name: 'credit' });
  await send(`${mlflow}/model-versions/create`, { name: 'credit', source: 's3://b/4' });
  expect(await get('resolve', { ref: 'credit@1' })).toMatchObject({
    ref: 'modelVersion:default/credit@1~2',
  });
  expect(await get('resolve', { ref: 'credit@2' })).toMatchObject({ status: 404 });
  expect((await get('predictions/p1', {})).modelVersion).toBe('modelVersion:default/risk@2');
});

test('an agent is asked for, and stated about, by the ref that answers show', async () => {
  const persons = ['ann', 'Bo Lee <bo#1@x.org>'];
  for (const [index, by] of persons.entries())
    await send(`${api}/deployments`, { name: 'fraud', modelVersion: `credit@${index + 1}`, by });
  const { nodes } = await get('impact', { ref: 'agent:default/ann' });
  expect(nodes[0]).toMatchObject({ ref: 'agent:default/ann', kind: 'agent' });
  for (const [index, person] of persons.entries()) {
    const ref = `agent:default/${person}`;
    const agents = async () =>
      (await get('trace', { ref: `fraud@${index + 1}` })).nodes.filter(
        ({ kind }: { kind: string }) => kind === 'agent',
      );
    expect(await agents()).toMatchObject([{ ref }]);
    for (const spelling of [ref, `agent:default/${encodeURIComponent(person)}`]) {
      expect((await get('resolve', { ref: spelling })).ref, spelling).toBe(ref);
      await send(`${api}/statements`, { ref: spelling, type: 'note', text: 'Left.' });
    }
    expect((await get('statements', { ref })).statements).toHaveLength(2);
    expect((await agents())[0].attributes.statements).toHaveLength(2);
  }
  expect(await get('resolve', { ref: 'agent:default/zed' })).toMatchObject({ status: 404 });
});

test('a statement takes the short refs that questions take', async () => {
  await send(`${api}/predictions`, { id: 'p1', modelVersion: 'credit@2', output: 1 });
  const path = '/data/train.csv';
  const fields = [{ name: 'age' }];
  const dataset = { namespace: 'file', name: path, facets: { schema: { fields } } };
  await send('/api/v1/lineage', {
    eventType: 'COMPLETE',
    eventTime: '2026-01-01T00:00:00Z',
    run: { runId: '00000000-0000-4000-8000-000000000001' },
    job: { namespace: 'etl', name: 'load' },
    inputs: [dataset],
  });
  for (const ref of ['p1', 'credit', 'credit@2', 'models:/credit/2', path, `${path}#age`, 'load']) {
    const said = await send(`${api}/statements`, { ref, type: 'note', text: ref });
    expect(said, ref).toMatchObject({ accepted: 1, flagged: 0 });
    const { statements } = await get('statements', { ref });
    expect(statements, ref).toContainEqual(expect.objectContaining({ text: ref }));
  }
  // Nothing is looked for among all names while others wait to write.
  const end = await server.post(`${api}/statements`, { ref: 'train.csv', type: 'note' });
  expect(end).toMatchObject({ status: 404 });
  expect(await get('resolve', { ref: 'train.csv' })).toMatchObject({ name: path });
});

test('a statement about a short ref that means several things is refused with the choice', async () => {
  await send(`${api}/predictions`, { id: 'credit@1', modelVersion: 'credit@2', output: 1 });
  const said = await server.post(`${api}/statements`, { ref: 'credit@1', type: 'note' });
  expect(said).toMatchObject({
    status: 409,
    json: {
      candidates: [
        { ref: 'prediction:default/credit%401' },
        { ref: 'modelVersion:default/credit@1' },
      ],
    },
  });
});
