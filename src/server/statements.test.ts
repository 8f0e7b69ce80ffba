import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Completeness } from '../contract/completeness.ts';
import { type TestServer, testServer } from '../testing/server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await testServer({});
  await send('/api/2.0/mlflow/registered-models/create', { name: 'credit' });
  await send('/api/2.0/mlflow/model-versions/create', { name: 'credit', source: 's3://b/m' });
});
afterEach(() => server.remove());

const api = '/api/wherefrom/v1';
const model = 'modelVersion:default/credit@1';

async function send(url: string, body: object): Promise<void> {
  const { status, text } = await server.post(url, body);
  expect(status, text).toBeLessThan(300);
}
const say = (body: object): Promise<void> =>
  send(`${api}/statements`, { ref: 'credit@1', ...body });

async function get(path: string, query: Record<string, string> = {}) {
  const asked = new URLSearchParams({ ref: 'credit@1', ...query });
  const { status, json } = await server.get(`${api}/${path}?${asked}`);
  expect(status, JSON.stringify(json)).toBe(200);
  return json;
}

async function approval(query: Record<string, string> = {}) {
  const { checks } = (await get('completeness', query)) as Completeness;
  return checks.find(({ what, ref }) => what === 'approval' && ref === model);
}

describe('an approval counts', () => {
  test('when it holds', async () => {
    expect(await approval()).toMatchObject({ found: false });
    await say({ type: 'approval', validTo: '2999-01-01T00:00:00Z', value: { approved: true } });
    expect(await approval()).toMatchObject({ found: true });
  });

  test('not after it ended', async () => {
    await say({
      type: 'approval',
      validFrom: '2020-01-01T00:00:00Z',
      validTo: '2021-01-01T00:00:00Z',
    });
    expect(await approval()).toMatchObject({
      found: false,
      hint: expect.stringContaining('No approval holds'),
    });
  });

  test('not before it begins, and from then on', async () => {
    await say({ type: 'approval', validFrom: '2998-01-01T00:00:00Z' });
    expect(await approval()).toMatchObject({ found: false });
    expect(await approval({ at: '2999-01-01' })).toMatchObject({ found: true });
  });

  test('not when another took its place', async () => {
    await say({ type: 'approval', id: 'a1' });
    const { asOf } = await get('completeness');
    await say({ type: 'note', text: 'Withdrawn.', supersedes: 'a1' });
    expect(await approval()).toMatchObject({ found: false });
    expect(await approval({ asOf: String(asOf.position) })).toMatchObject({ found: true });
  });

  test('not when it says no, or a later one does', async () => {
    await say({ type: 'approval', value: { approved: false } });
    expect(await approval()).toMatchObject({ found: false });
    await say({ type: 'approval' });
    expect(await approval()).toMatchObject({ found: true });
    await say({ type: 'approval', value: { approved: false } });
    expect(await approval()).toMatchObject({
      found: false,
      hint: expect.stringContaining('not approved'),
    });
  });

  test('also when it was remembered and ends while nothing else is recorded', async () => {
    await say({ type: 'approval', validTo: Date.now() + 400 });
    expect(await approval()).toMatchObject({ found: true });
    await new Promise((done) => setTimeout(done, 500));
    expect(await approval()).toMatchObject({ found: false });
  });
});

test('answers show the statements that hold about each of their nodes', async () => {
  await send(`${api}/predictions`, { id: 'p1', modelVersion: 'credit@1', output: 1 });
  await say({ type: 'incident', id: 'i1', text: 'Leaked labels.', author: 'Ann' });
  await say({ type: 'note', validTo: '2021-01-01T00:00:00Z', text: 'Over.' });
  await say({ ref: 'prediction:default/p1', type: 'alert', text: 'Odd.' });
  const { nodes } = await get('trace', { ref: 'p1' });
  const saidOf = (ref: string) =>
    nodes.find((node: { ref: string }) => node.ref === ref)?.attributes.statements;
  expect(saidOf(model)).toEqual([
    {
      id: 'i1',
      type: 'incident',
      text: 'Leaked labels.',
      author: 'Ann',
      time: expect.any(String),
      position: expect.any(Number),
    },
  ]);
  expect(saidOf('prediction:default/p1')).toMatchObject([{ type: 'alert', text: 'Odd.' }]);
  const impact = await get('impact');
  expect(impact.nodes[0].attributes.statements).toMatchObject([{ id: 'i1' }]);
});

test('all statements about a ref are listed, with what became of each', async () => {
  await say({ type: 'approval', id: 'a1', validTo: '2999-01-01T00:00:00Z' });
  await say({ type: 'note', id: 'n1', supersedes: 'a1', validFrom: '2021-01-01T00:00:00Z' });
  const listed = await get('statements');
  expect(listed).toMatchObject({ ref: model, at: null, checkpoint: { size: expect.any(Number) } });
  expect(listed.statements).toMatchObject([
    { id: 'n1', type: 'note', supersedes: 'a1', holds: true },
    {
      id: 'a1',
      type: 'approval',
      validTo: '2999-01-01T00:00:00.000Z',
      supersededBy: [{ id: 'n1', validFrom: '2021-01-01T00:00:00.000Z' }],
      holds: false,
    },
  ]);
  const { statements } = await get('statements', { asOf: '0', ref: 'model:default/credit' });
  expect(statements).toEqual([]);
});
