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
  return JSON.parse(text);
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
